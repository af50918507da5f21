/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load: so many processes at once, each with maps and programs of its own and one map of all; every now and
 * then one is killed and replaced. `load SECONDS PROCESSES` says how many operations were done, and exits
 * with 1 after a wrong answer, or when objects are left over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 64, PROCESSES_MAX = 64 };

static volatile struct {
	uint64_t done, wrong;
	uint64_t longest_us; /* of one call, of any process */
} *total;

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

static int map_new(uint32_t n)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = n};

	return bpf(BPF_MAP_CREATE, &a);
}

static int element(int cmd, int fd, uint32_t key, uint64_t *value)
{
	union bpf_attr a = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	return bpf(cmd, &a);
}

static int prog_new(void)
{
	struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)code, .insn_cnt = 2,
	                    .license = (uintptr_t)"BSD"};

	return bpf(BPF_PROG_LOAD, &a);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void check(int right)
{
	__atomic_fetch_add(&total->done, 1, __ATOMIC_RELAXED);
	if (!right)
		__atomic_fetch_add(&total->wrong, 1, __ATOMIC_RELAXED);
}

static void work(int shared, uint32_t number)
{
	for (uint64_t round = 0;; round++) {
		int own = map_new(KEYS), prog = prog_new();
		uint64_t value, back = 0, start = now_us();

		check(own >= 0 && prog >= 0);
		for (uint32_t key = 0; key < KEYS; key++) {
			value = round << 32 | key;
			check(element(BPF_MAP_UPDATE_ELEM, own, key, &value) == 0);
			check(element(BPF_MAP_LOOKUP_ELEM, own, key, &back) == 0 && back == value);
		}
		start = now_us();
		value = round;
		check(element(BPF_MAP_UPDATE_ELEM, shared, number, &value) == 0);
		start = now_us() - start;
		if (start > total->longest_us)
			total->longest_us = start;
		check(element(BPF_MAP_LOOKUP_ELEM, shared, number, &back) == 0 && back == value);
		check(element(BPF_MAP_DELETE_ELEM, own, 3, NULL) == 0);
		check(element(BPF_MAP_LOOKUP_ELEM, own, 3, &back) == -1 && errno == ENOENT);
		close(own);
		close(prog);
	}
}

static pid_t start(int shared, uint32_t number)
{
	pid_t pid = fork();

	if (pid == 0)
		work(shared, number);
	return pid;
}

/* Objects of a kind that there are. */
static unsigned count(int cmd)
{
	union bpf_attr a = {0};
	unsigned n = 0;

	while (bpf(cmd, &a) == 0) {
		n++;
		a.start_id = a.next_id;
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 4, n = argc > 2 ? (unsigned)atoi(argv[2]) : 20;
	unsigned maps, progs;
	pid_t pids[PROCESSES_MAX];
	uint64_t end;
	int shared;

	total = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared = map_new(1024);
	maps = count(BPF_MAP_GET_NEXT_ID);
	progs = count(BPF_PROG_GET_NEXT_ID);
	for (unsigned i = 0; i < n && i < PROCESSES_MAX; i++)
		pids[i] = start(shared, i);
	srand(7);
	end = now_us() + seconds * 1000000ull;
	while (now_us() < end) {
		unsigned victim = (unsigned)rand() % n;

		usleep(20000);
		kill(pids[victim], SIGKILL);
		waitpid(pids[victim], NULL, 0);
		pids[victim] = start(shared, victim);
	}
	for (unsigned i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	usleep(50000);
	printf("%llu operations, %llu a second, %llu wrong, longest %llu us, left over %d maps, %d programs\n",
	       (unsigned long long)total->done, (unsigned long long)(total->done / (seconds ? seconds : 1)),
	       (unsigned long long)total->wrong, (unsigned long long)total->longest_us,
	       (int)(count(BPF_MAP_GET_NEXT_ID) - maps), (int)(count(BPF_PROG_GET_NEXT_ID) - progs));
	return total->wrong || count(BPF_MAP_GET_NEXT_ID) != maps || count(BPF_PROG_GET_NEXT_ID) != progs;
}
