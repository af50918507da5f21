/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other processes that share a map, by its pages or its descriptor only, and die by SIGKILL in the
 * midst of it: whatever they wrote there, the owner is neither blocked nor harmed, and what they
 * held goes with them.
 *
 * A child scribbles over the pages that it may write, as fast as it can; the owner works on the map
 * meanwhile; after a moment the child is killed. Then the map must work as a new one does.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "core/core.h"
#include "core/map.h"
#include "place.h"

enum { ROUNDS = 30, PAGE = 4096, RING = 4 * PAGE, LIMIT = 60 };

struct shared_map {
	struct skep *k;
	struct map *m;
	int fd;
};

static void result(bool fine, const char *what)
{
	tests_run++;
	tests_failed += !fine;
	printf("%sok %u - %s\n", fine ? "" : "not ", tests_run, what);
	fflush(stdout);
}

static struct shared_map make(struct skep *k, uint32_t type, uint32_t key, uint32_t value,
                              uint32_t max, uint32_t flags)
{
	union attr a = {.map_create = {.map_type = type, .key_size = key, .value_size = value,
	                               .max_entries = max, .map_flags = flags}};
	struct shared_map s = {.k = k, .fd = skep_bpf(k, MAP_CREATE, &a, sizeof(a))};
	struct skep_map *m;

	if (s.fd < 0 || skep_map_from_fd(k, s.fd, &m))
		abort();
	s.m = (struct map *)m;
	return s;
}

static void drop(struct shared_map *s)
{
	skep_map_put((struct skep_map *)s->m);
	close(s->fd);
}

/* Writes numbers of all sizes over [at, at + size), again and again, until it is killed. */
static void scribble(uint8_t *at, size_t size)
{
	static const uint64_t numbers[] = {0, 1, 8, 0xfff, 0x40000008, 0x80000008, 0x7fffffff,
	                                   UINT32_MAX, UINT64_MAX, 1ull << 40, RING, RING - 8};
	uint64_t x = 1;

	for (;;) {
		x = x * 6364136223846793005 + 1442695040888963407;
		memcpy(at + (x >> 33) % (size / 8) * 8, &numbers[(x >> 20) % 12], 8);
		/* Mostly the first words: positions. */
		if (x >> 60)
			memcpy(at, &numbers[(x >> 24) % 12], 8);
	}
}

static void pause_a_little(unsigned round)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000 + round * 50000}, NULL);
}

/* A child that maps [offset, offset + size) of the map and scribbles there. */
static pid_t start_child(const struct shared_map *s, off_t offset, size_t size)
{
	pid_t child = fork();
	uint8_t *at;

	if (child)
		return child;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, offset);
	if (at == MAP_FAILED)
		_exit(1);
	scribble(at, size);
	_exit(0);
}

/* True: it was alive until it was killed. */
static bool end_child(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

/* --- Arrays ------------------------------------------------------------------------------ */

static bool array_works(const struct shared_map *s)
{
	uint64_t want = 0x1122334455667788, got = 0;
	bool fine = true;

	for (uint32_t key = 0; key < 64; key++) {
		fine &= map_update(s->m, &key, &want, 0) == 0;
		fine &= map_lookup(s->m, &key, &got, 0) == 0 && got == want;
	}
	return fine;
}

static bool array_round(struct skep *k, unsigned round)
{
	struct shared_map s = make(k, BPF_MAP_TYPE_ARRAY, 4, 8, 64, BPF_F_MMAPABLE);
	pid_t child = start_child(&s, 0, PAGE);
	uint64_t value;
	bool fine = true;

	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t key = i % 66;

		fine &= map_lookup(s.m, &key, &value, 0) == (key < 64 ? 0 : -ENOENT);
		fine &= map_update(s.m, &key, &value, 0) == (key < 64 ? 0 : -E2BIG);
	}
	pause_a_little(round);
	fine &= end_child(child) && array_works(&s);
	drop(&s);
	return fine;
}

/* --- Ring buffers ------------------------------------------------------------------------ */

/* The consumer is the one that dies: it can write its page, the first. */
static bool ring_round(struct skep *k, unsigned round)
{
	struct shared_map s = make(k, BPF_MAP_TYPE_RINGBUF, 0, 0, RING, 0);
	pid_t child = start_child(&s, 0, PAGE);
	uint64_t record[16] = {1, 2, 3}, size;
	bool fine = true;

	for (uint32_t i = 0; i < 5000; i++) {
		uint64_t *reserved;

		/* It may say that the ring is full; it must say something. */
		s.m->ops->ring_output(s.m, record, 8 + i % 100, BPF_RB_NO_WAKEUP);
		reserved = s.m->ops->ring_reserve(s.m, 16, 0);
		if (reserved) {
			reserved[0] = reserved[1] = i;
			s.m->ops->ring_finish(s.m, reserved, 0, i & 1);
		}
	}
	pause_a_little(round);
	fine &= end_child(child);
	/* The next consumer says that everything was read: the ring works. */
	size = s.m->ops->ring_query(s.m, BPF_RB_PROD_POS);
	__atomic_store_n((uint64_t *)s.m->pages.base, size, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < 1000 && fine; i++) {
		fine &= s.m->ops->ring_output(s.m, record, 64, BPF_RB_NO_WAKEUP) == 0;
		size = s.m->ops->ring_query(s.m, BPF_RB_PROD_POS);
		__atomic_store_n((uint64_t *)s.m->pages.base, size, __ATOMIC_RELEASE);
	}
	drop(&s);
	return fine;
}

static uint64_t look_at_record(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                               struct cpu *cpu, const struct callback *cb)
{
	return 0;
}

/* The producer is the one that dies: it can write everything behind the first page. */
static bool user_ring_round(struct skep *k, unsigned round)
{
	struct shared_map s = make(k, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, RING, 0);
	pid_t child = start_child(&s, PAGE, PAGE + RING);
	struct callback fn = {.call = look_at_record};
	struct cpu *cpu = cpu_enter(k);

	for (uint32_t i = 0; i < 300; i++)
		s.m->ops->user_ring_drain(s.m, &fn, 0, 0, cpu);
	cpu_leave(cpu);
	pause_a_little(round);
	if (!end_child(child))
		return false;
	cpu = cpu_enter(k);
	s.m->ops->user_ring_drain(s.m, &fn, 0, 0, cpu);
	cpu_leave(cpu);
	drop(&s);
	return true;
}

/* --- Descriptors ------------------------------------------------------------------------- */

static void pass(int to, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr msg = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
	                     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(to, &msg, 0) != 1)
		abort();
}

static bool map_is_there(struct skep *k)
{
	union attr a = {0};

	return skep_bpf(k, MAP_NEXT_ID, &a, sizeof(a)) == 0;
}

/* A descriptor on its way to another process keeps the map until that is killed. */
static bool passed_round(struct skep *k, uint32_t type, uint32_t key, uint32_t flags)
{
	union attr a = {.map_create = {.map_type = type, .key_size = key, .value_size = key ? 8 : 0,
	                               .max_entries = key ? 64 : PAGE, .map_flags = flags}};
	int fd, ends[2];
	pid_t child;
	bool fine;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		abort();
	child = fork();
	if (!child) {
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[0]);
	fd = skep_bpf(k, MAP_CREATE, &a, sizeof(a));
	pass(ends[1], fd);
	close(fd);
	fine = map_is_there(k);
	fine &= end_child(child);
	close(ends[1]);
	fine &= !map_is_there(k);
	return fine;
}

static bool rounds(struct skep *k, bool (*round)(struct skep *k, unsigned n))
{
	bool fine = true;

	for (unsigned i = 0; i < ROUNDS; i++)
		fine &= round(k, i);
	return fine && !map_is_there(k);
}

int main(void)
{
	struct skep *k;

	if (skep_new(NULL, &k))
		return 1;
	alarm(LIMIT); /* who is blocked, fails */
	result(rounds(k, array_round), "an array that another process writes while it is killed");
	result(rounds(k, ring_round), "a ring buffer whose consumer is killed");
	result(rounds(k, user_ring_round), "a user ring buffer whose producer is killed");
	result(passed_round(k, BPF_MAP_TYPE_HASH, 4, 0), "a hash map, passed on");
	result(passed_round(k, BPF_MAP_TYPE_ARRAY, 4, BPF_F_MMAPABLE),
	       "an array with pages, passed on");
	result(passed_round(k, BPF_MAP_TYPE_RINGBUF, 0, 0), "a ring buffer, passed on");
	skep_free(k);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
