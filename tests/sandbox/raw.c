/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client without libbpf, linked statically: raw bpf(2) in threads and in children, as programs in Go
 * and the like make it. Run in a sandbox; says what went wrong and exits with 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 200 };

static int failures;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("line %d: %s (errno %d)\n", __LINE__, #what, errno);                \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

static int bpf(int cmd, void *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(union bpf_attr));
}

static int map_new(void)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
	                    .max_entries = 1024};

	return bpf(BPF_MAP_CREATE, &a);
}

static int element(int cmd, int fd, uint32_t key, uint64_t *value)
{
	union bpf_attr a = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&key,
	                    .value = (uintptr_t)value};

	return bpf(cmd, &a);
}

struct job {
	pthread_t thread;
	int fd;
	uint32_t base;
	int wrong;
};

static void *work(void *arg)
{
	struct job *j = arg;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t value = j->base + i, back = 0;

		j->wrong += element(BPF_MAP_UPDATE_ELEM, j->fd, j->base + i, &value) != 0;
		j->wrong += element(BPF_MAP_LOOKUP_ELEM, j->fd, j->base + i, &back) != 0;
		j->wrong += back != value;
	}
	return NULL;
}

static void threads(int fd)
{
	struct job jobs[THREADS];

	for (uint32_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.fd = fd, .base = i * ROUNDS};
		CHECK(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		CHECK(jobs[i].wrong == 0);
	}
}

/* A child has its parent's descriptors, and may be killed in the midst of a call. */
static void children(int fd)
{
	uint64_t value = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		value = 77;
		_exit(element(BPF_MAP_UPDATE_ELEM, fd, 1000000, &value) != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(element(BPF_MAP_LOOKUP_ELEM, fd, 1000000, &value) == 0 && value == 77);
	for (int i = 0; i < 20; i++) {
		pid = fork();
		if (pid == 0)
			for (;;)
				close(map_new());
		usleep(2000);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	}
	CHECK(element(BPF_MAP_LOOKUP_ELEM, fd, 1000000, &value) == 0 && value == 77);
}

static void bad_pointers(int fd)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union bpf_attr a = {.map_fd = (uint32_t)fd, .key = 8, .value = 16};
	uint64_t value;

	CHECK(syscall(SYS_bpf, BPF_MAP_CREATE, 8L, 72L) == -1 && errno == EFAULT);
	CHECK(bpf(BPF_MAP_LOOKUP_ELEM, &a) == -1 && errno == EFAULT);
	munmap(page + 4096, 4096);
	a.key = (uintptr_t)(page + 4094); /* half of it is there */
	CHECK(bpf(BPF_MAP_LOOKUP_ELEM, &a) == -1 && errno == EFAULT);
	CHECK(element(BPF_MAP_LOOKUP_ELEM, 9999, 0, &value) == -1 && errno == EBADF);
	CHECK(element(BPF_MAP_LOOKUP_ELEM, 1, 0, &value) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_bpf, 4711L, &a, sizeof(a)) == -1 && errno == EINVAL);
}

static void pages(void)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
	                    .max_entries = 8, .map_flags = BPF_F_MMAPABLE};
	int fd = bpf(BPF_MAP_CREATE, &a);
	uint64_t *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), value = 0;

	CHECK(at != MAP_FAILED);
	if (at == MAP_FAILED)
		return;
	at[3] = 4711;
	CHECK(element(BPF_MAP_LOOKUP_ELEM, fd, 3, &value) == 0 && value == 4711);
	value = 1;
	CHECK(element(BPF_MAP_UPDATE_ELEM, fd, 3, &value) == 0 && at[3] == 1);
}

int main(void)
{
	int fd = map_new();

	CHECK(fd >= 0);
	threads(fd);
	children(fd);
	bad_pointers(fd);
	pages();
	return failures ? 1 : 0;
}
