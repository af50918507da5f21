/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every map type against the running kernel's: which shapes and flags can be created, and what the
 * types do whose keys or values are the host's things (files, sockets, processes, control groups).
 *
 * Where the kernel refuses bpf(2) every test is skipped, saying so.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "oracle.h"

static void need_kernel(void)
{
	const char *why;

	if (!oracle_there(&why)) {
		print_message("# bpf(2) is not to be had here: %s\n", why);
		skip();
	}
}

static long steps(void)
{
	const char *given = getenv("SKEP_TEST_STEPS");

	return given ? atol(given) : 3000;
}

/* --- Creating ---------------------------------------------------------------------------- */

static int create_here(struct kit *kit, const struct oracle_shape *s, struct map **out)
{
	struct map_attr attr = {.type = s->type,
	                        .key_size = s->key,
	                        .value_size = s->value,
	                        .max_entries = s->max,
	                        .flags = s->flags,
	                        .numa_node = s->node,
	                        .extra = s->extra,
	                        .has_btf = s->btf};

	return map_create(&kit->k, &attr, out);
}

static void create_both(struct kit *kit, const struct oracle_shape *s)
{
	int fd = oracle_create_shape(s);
	struct map *m = NULL;
	int err = create_here(kit, s, &m);

	if (err != (fd < 0 ? fd : 0))
		fail_msg("type %u key %u value %u max %u flags %#x node %d extra %#llx: kernel %d, "
		         "here %d",
		         s->type, s->key, s->value, s->max, s->flags, (int)s->node,
		         (unsigned long long)s->extra, fd < 0 ? fd : 0, err);
	if (m) {
		assert_int_equal(m->max_entries, oracle_max_entries(fd));
		kit_put(m);
	}
	if (fd >= 0)
		close(fd);
}

/* One that can be created, of each type. */
static const struct oracle_shape good[] = {
	{BPF_MAP_TYPE_HASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_ARRAY, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_STACK_TRACE, 4, 64, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_LRU_HASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_LPM_TRIE, 8, 8, 8, BPF_F_NO_PREALLOC, 0, 0, false},
	{BPF_MAP_TYPE_DEVMAP, 4, 4, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_DEVMAP, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_SOCKMAP, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_CPUMAP, 4, 8, 2, 0, 0, 0, false},
	{BPF_MAP_TYPE_XSKMAP, 4, 4, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_SOCKHASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0, 0, 0, 0, false},
	{BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 8, 8, 0, 0, 0, 0, false},
	{BPF_MAP_TYPE_QUEUE, 0, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_STACK, 0, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_SK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC, 0, 0, true},
	{BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 8, 0, 0, 0, false},
	{BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 0, 0, false},
	{BPF_MAP_TYPE_INODE_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC, 0, 0, true},
	{BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC, 0, 0, true},
	{BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 8, 0, 0, 3, false},
	{BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0, 0, 0, false},
	{BPF_MAP_TYPE_CGRP_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC, 0, 0, true},
	{BPF_MAP_TYPE_ARENA, 0, 0, 4, BPF_F_MMAPABLE, 0, 0, false},
};
enum { NGOOD = sizeof(good) / sizeof(good[0]) };

/* Which of the flags are sys/'s business. */
static const uint32_t not_ours = BPF_F_VTYPE_BTF_OBJ_FD | BPF_F_TOKEN_FD;

static void each_type_takes_the_flags_that_it_takes_in_the_kernel(void **state)
{
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (int i = 0; i < NGOOD; i++) {
		struct map *m = NULL;

		if (create_here(&kit, &good[i], &m) != 0)
			fail_msg("type %u cannot be created", good[i].type);
		kit_put(m);
		for (unsigned bit = 0; bit < 32; bit++)
			for (unsigned other = bit; other < 32; other++) {
				struct oracle_shape s = good[i];

				s.flags ^= (1u << bit | 1u << other) & ~not_ours;
				create_both(&kit, &s);
			}
		for (int node = 0; node < 4; node++) {
			struct oracle_shape s = good[i];

			s.flags |= BPF_F_NUMA_NODE;
			s.node = (uint32_t[]){0, 1, 77, UINT32_MAX}[node];
			create_both(&kit, &s);
		}
		for (uint64_t extra = 0; extra < 20; extra++) {
			struct oracle_shape s = good[i];

			s.extra = extra > 17 ? extra << 40 : extra;
			create_both(&kit, &s);
		}
	}
	kit_close(&kit);
}

static bool too_much(const struct oracle_shape *s)
{
	return ((uint64_t)s->key + s->value + 64) * s->max > 4 << 20;
}

static void each_type_takes_the_sizes_that_it_takes_in_the_kernel(void **state)
{
	static const uint32_t keys[] = {0, 1, 3, 4, 5, 8, 9, 12, 16, 17, 260, 512, 513, 4096};
	static const uint32_t values[] = {0,    1,    3,    4,     5,     8,     12,    16,   24,
	                                  32,   64,   100,  1016,  1024,  4064,  4096,  4097, 32768,
	                                  32769, 65407, 65408, 65536};
	static const uint32_t maxima[] = {0, 1, 2, 3, 5, 8, 100, 255, 256, 257, 4096, 8192, 12288};
	enum { NK = sizeof(keys) / 4, NV = sizeof(values) / 4, NM = sizeof(maxima) / 4 };
	uint64_t seed = 11;
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (int i = 0; i < NGOOD; i++)
		for (int j = 0; j < NK + NV + NM; j++) {
			struct oracle_shape s = good[i];

			if (j < NK)
				s.key = keys[j];
			else if (j < NK + NV)
				s.value = values[j - NK];
			else
				s.max = maxima[j - NK - NV];
			/* BTF of another size, or of none, is refused for that. */
			if (!too_much(&s) && (!s.btf || s.value))
				create_both(&kit, &s);
		}
	for (long i = 0; i < steps(); i++) {
		uint64_t r = kit_random(&seed);
		struct oracle_shape s = good[r % NGOOD];

		s.key = r & 1 << 8 ? s.key : keys[(r >> 9 & 63) % NK];
		s.value = r & 1 << 16 ? s.value : values[(r >> 17 & 63) % NV];
		s.max = r & 1 << 24 ? s.max : maxima[(r >> 25 & 63) % NM];
		s.flags ^= r >> 32 & 1 ? 1u << (r >> 33 & 31) : 0;
		s.flags &= ~not_ours;
		if (!too_much(&s) && (!s.btf || s.value))
			create_both(&kit, &s);
	}
	kit_close(&kit);
}

/* --- The host's things ------------------------------------------------------------------- */

enum { NTHINGS = 26 };

struct things {
	int fd[NTHINGS];
	int n;
};

static void thing(struct things *t, int fd)
{
	assert_true(t->n < NTHINGS);
	t->fd[t->n++] = fd;
}

static int bound_socket(int type, bool reuseport, bool listening)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, type, 0), one = 1;

	if (reuseport)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (listening)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int connected_to(int listener)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&at, &len);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static int lent_cgroup(void)
{
	int fd = open("/sys/fs/cgroup/unified", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void things_open(struct things *t)
{
	int pair[2], listener = bound_socket(SOCK_STREAM, true, true);

	t->n = 0;
	thing(t, -1);
	thing(t, 0);
	thing(t, 100000);
	thing(t, listener);
	thing(t, connected_to(listener));
	thing(t, accept(listener, NULL, NULL));
	thing(t, bound_socket(SOCK_STREAM, false, true));
	thing(t, bound_socket(SOCK_STREAM, true, false));
	thing(t, bound_socket(SOCK_DGRAM, true, false));
	thing(t, bound_socket(SOCK_DGRAM, false, false));
	thing(t, socket(AF_INET, SOCK_STREAM, 0));
	thing(t, socket(AF_INET, SOCK_DGRAM, 0));
	thing(t, socket(AF_INET6, SOCK_STREAM, 0));
	thing(t, socket(AF_UNIX, SOCK_STREAM, 0));
	thing(t, socket(AF_UNIX, SOCK_DGRAM, 0));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	thing(t, pair[0]);
	thing(t, pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	thing(t, pair[0]);
	thing(t, pair[1]);
	thing(t, socket(44 /* AF_XDP */, SOCK_RAW, 0));
	thing(t, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	thing(t, (int)syscall(SYS_pidfd_open, getpid(), 0));
	thing(t, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	thing(t, open("/tmp", O_RDONLY | O_CLOEXEC));
	thing(t, memfd_create("thing", MFD_CLOEXEC));
	thing(t, lent_cgroup());
}

static void things_close(struct things *t)
{
	for (int i = 3; i < t->n; i++)
		if (t->fd[i] >= 0)
			close(t->fd[i]);
}

struct pair {
	struct map *m;
	int fd;
	long step;
	int what;
};

static void same(const struct pair *p, const char *doing, int mine, int theirs)
{
	if (mine != theirs)
		fail_msg("%s, value %u, step %ld, thing %d: %s: %d, kernel: %d", p->m->ops->name,
		         p->m->value_size, p->step, p->what, doing, mine, theirs);
}

static void same_lookup(struct pair *p, const void *key)
{
	uint8_t mine[64] = {0}, theirs[64] = {0};
	int err = map_lookup(p->m, key, mine, 0);

	same(p, "look-up", err, oracle_lookup(p->fd, key, theirs));
	if (!err)
		same(p, "what was found", memcmp(mine, theirs, p->m->value_size), 0);
}

/* Maps whose values are descriptors; the keys 0 to max_entries + 1. */
static void act_on_values(struct pair *p, const struct things *t, uint64_t r)
{
	uint32_t key = (uint32_t)(r >> 8 & 255) % (p->m->max_entries + 2), next[2] = {0, 0};
	uint64_t flags = (uint64_t[]){0, 0, 0, 1, 2, 3, 8, 1}[r >> 16 & 7], value;
	int mine, theirs;

	p->what = (int)(r >> 24 & 255) % t->n;
	value = p->m->value_size == 8 && r >> 40 & 1 ? (uint64_t)(int64_t)t->fd[p->what]
	                                             : (uint32_t)t->fd[p->what];
	switch (r & 7) {
	case 0:
		same(p, "delete", map_delete(p->m, &key), oracle_delete(p->fd, &key));
		return;
	case 1:
		same_lookup(p, &key);
		return;
	case 2:
		mine = map_next_key(p->m, &key, &next[0]);
		theirs = oracle_next_key(p->fd, &key, &next[1]);
		if (p->m->type != BPF_MAP_TYPE_SOCKHASH) {
			same(p, "next key", mine, theirs);
			same(p, "the next key", (int)next[0], (int)next[1]);
		}
		return;
	case 3:
		same(p, "take", map_take(p->m, &key, next, 0), oracle_take(p->fd, &key, next));
		return;
	default:
		same(p, "update", map_update(p->m, &key, &value, flags),
		     oracle_update(p->fd, &key, &value, flags));
	}
}

/* Maps whose keys are descriptors. */
static void act_on_keys(struct pair *p, const struct things *t, uint64_t r)
{
	uint64_t flags = (uint64_t[]){0, 0, 0, 1, 2, 3, 8, 1}[r >> 16 & 7], value = r;
	int32_t key;

	p->what = (int)(r >> 24 & 255) % t->n;
	key = t->fd[p->what];
	switch (r & 7) {
	case 0:
		same(p, "delete", map_delete(p->m, &key), oracle_delete(p->fd, &key));
		return;
	case 1:
	case 2:
		same_lookup(p, &key);
		return;
	case 3:
		same(p, "next key", map_next_key(p->m, &key, &value),
		     oracle_next_key(p->fd, &key, &value));
		return;
	default:
		same(p, "update", map_update(p->m, &key, &value, flags),
		     oracle_update(p->fd, &key, &value, flags));
	}
}

static void run_pair(struct kit *kit, const struct oracle_shape *s, const struct things *t,
                     void (*act)(struct pair *, const struct things *, uint64_t))
{
	struct pair p = {.fd = oracle_create_shape(s)};
	uint64_t seed = s->type;

	assert_true(p.fd >= 0);
	assert_int_equal(create_here(kit, s, &p.m), 0);
	for (p.step = 0; p.step < steps() / 2; p.step++)
		act(&p, t, kit_random(&seed));
	kit_put(p.m);
	close(p.fd);
}

static void the_hosts_things_as_values(void **state)
{
	static const struct oracle_shape shapes[] = {
		{BPF_MAP_TYPE_SOCKMAP, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_SOCKMAP, 4, 8, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_SOCKHASH, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_SOCKHASH, 4, 8, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_XSKMAP, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_STACK_TRACE, 4, 8, 5, 0, 0, 0, false},
	};
	struct things t;
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		things_open(&t); /* fresh ones: a socket that was in a map stays marked */
		run_pair(&kit, &shapes[i], &t, act_on_values);
		things_close(&t);
	}
	kit_close(&kit);
}

static void the_hosts_things_as_keys(void **state)
{
	static const uint32_t types[] = {BPF_MAP_TYPE_SK_STORAGE, BPF_MAP_TYPE_INODE_STORAGE,
	                                 BPF_MAP_TYPE_TASK_STORAGE, BPF_MAP_TYPE_CGRP_STORAGE};
	struct things t;
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	things_open(&t);
	for (int i = 0; i < 4; i++) {
		struct oracle_shape s = {types[i], 4, 8, 0, BPF_F_NO_PREALLOC, 0, 0, true};

		run_pair(&kit, &s, &t, act_on_keys);
	}
	things_close(&t);
	kit_close(&kit);
}

/* Numbers of devices and queues; the host's only device that is sure to be there is lo. */
static void act_on_pairs(struct pair *p, const struct things *t, uint64_t r)
{
	uint32_t key = (uint32_t)(r >> 8 & 255) % (p->m->max_entries + 2), next[2] = {0, 0};
	uint64_t flags = (uint64_t[]){0, 0, 0, 1, 2, 3, 8, 1}[r >> 16 & 7];
	uint32_t value[2] = {(uint32_t)(r >> 24 & 1), 0};
	int mine, theirs;

	(void)t;
	if (p->m->type == BPF_MAP_TYPE_CPUMAP)
		value[0] = (uint32_t[]){0, 1, 192, 16384, 16385, UINT32_MAX}[(r >> 24 & 255) % 6];
	value[1] = (uint32_t[]){0, 0, UINT32_MAX, 100000}[r >> 40 & 3];
	switch (r & 7) {
	case 0:
		same(p, "delete", map_delete(p->m, &key), oracle_delete(p->fd, &key));
		return;
	case 1:
	case 2:
		same_lookup(p, &key);
		return;
	case 3:
		mine = map_next_key(p->m, &key, &next[0]);
		theirs = oracle_next_key(p->fd, &key, &next[1]);
		if (p->m->type != BPF_MAP_TYPE_DEVMAP_HASH) {
			same(p, "next key", mine, theirs);
			same(p, "the next key", (int)next[0], (int)next[1]);
		}
		return;
	default:
		same(p, "update", map_update(p->m, &key, value, flags),
		     oracle_update(p->fd, &key, value, flags));
	}
}

static void numbers_of_devices_and_queues(void **state)
{
	static const struct oracle_shape shapes[] = {
		{BPF_MAP_TYPE_DEVMAP, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_DEVMAP, 4, 8, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 3, 0, 0, 0, false},
		{BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 3, 0, 0, 0, false},
		{BPF_MAP_TYPE_CPUMAP, 4, 4, 5, 0, 0, 0, false},
		{BPF_MAP_TYPE_CPUMAP, 4, 8, 5, 0, 0, 0, false},
	};
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		run_pair(&kit, &shapes[i], NULL, act_on_pairs);
	kit_close(&kit);
}

/* --- Bloom filters ----------------------------------------------------------------------- */

static void bloom_filters_forget_nothing_and_err_seldom(void **state)
{
	struct map_attr attr = {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 12,
	                        .max_entries = 20000};
	uint64_t seed = 1, value[2] = {0, 0};
	struct kit kit;

	kit_open(&kit, 2);
	for (attr.extra = 0; attr.extra <= 15; attr.extra++) {
		unsigned wrong = 0;
		struct map *m;

		assert_int_equal(map_create(&kit.k, &attr, &m), 0);
		for (uint64_t i = 0; i < attr.max_entries; i++) {
			value[0] = i;
			assert_int_equal(map_update(m, NULL, value, 0), 0);
		}
		for (uint64_t i = 0; i < attr.max_entries; i++) {
			value[0] = i;
			assert_int_equal(map_lookup(m, NULL, value, 0), 0);
			value[0] = kit_random(&seed) | 1ull << 63;
			wrong += map_lookup(m, NULL, value, 0) == 0;
		}
		/* One bit to a value is half of them; five are what the kernel's guide gives 1 %. */
		assert_true(wrong < (attr.extra >= 3 || !attr.extra ? 2600u : 12000u));
		assert_int_equal(map_update(m, NULL, value, BPF_EXIST), -EINVAL);
		assert_int_equal(map_delete(m, NULL), -EOPNOTSUPP);
		kit_put(m);
	}
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_takes_the_flags_that_it_takes_in_the_kernel),
		cmocka_unit_test(each_type_takes_the_sizes_that_it_takes_in_the_kernel),
		cmocka_unit_test(the_hosts_things_as_values),
		cmocka_unit_test(the_hosts_things_as_keys),
		cmocka_unit_test(numbers_of_devices_and_queues),
		cmocka_unit_test(bloom_filters_forget_nothing_and_err_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
