/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation fails once: a kernel is made, maps, BTF and programs are loaded and run, and the
 * n-th allocation answers NULL, for each n until none is left. What fails says ENOMEM and leaves
 * nothing.
 */
#include <stdlib.h>

#include "core/core.h"
#include "isa/insn.h"
#include "place.h"

struct budget {
	long left;   /* allocations until one fails */
	long blocks; /* allocated and not freed */
	bool failed;
};

static bool spend(struct budget *b)
{
	if (b->left-- != 0)
		return true;
	b->failed = true;
	return false;
}

static void *budget_alloc(void *arg, size_t size)
{
	struct budget *b = arg;
	void *block = spend(b) ? malloc(size) : NULL;

	b->blocks += block != NULL;
	return block;
}

static void budget_free(void *arg, void *block)
{
	((struct budget *)arg)->blocks--;
	free(block);
}

static bool budget_may_map(void *arg, size_t size)
{
	return spend(arg);
}

/* A call that may fail for want of memory; anything else must be as usual. */
static int call(struct skep *k, const struct budget *b, int cmd, union attr *a, bool *wrong)
{
	bool before = b->failed;
	int ret = skep_bpf(k, cmd, a, sizeof(*a));

	if (ret < 0 && !(ret == -ENOMEM && b->failed && !before)) {
		printf("# command %d answered %d\n", cmd, ret);
		*wrong = true;
	}
	return ret;
}

static int map(struct skep *k, const struct budget *b, uint32_t type, uint32_t key, uint32_t n,
               uint32_t flags, bool *wrong)
{
	union attr a = {.map_create = {.map_type = type, .key_size = key, .value_size = key ? 4 : 0,
	                               .max_entries = n, .map_flags = flags}};

	return call(k, b, MAP_CREATE, &a, wrong);
}

static const uint32_t btf[] = {
	0x1eb9f, 24, 0, 40, 40, 9,         /* header */
	1, 1 << 24, 4, 1 << 24 | 32,       /* int */
	0, 13 << 24, 1,                    /* int (void) */
	5, 12 << 24 | 1, 2,                /* a function of that type */
	0x746e6900, 0x6f6f6600, 0,
};

static int load_btf(struct skep *k, const struct budget *b, bool *wrong)
{
	union attr a = {.btf_load = {.btf = ptr(btf), .btf_size = 24 + 40 + 9}};

	return call(k, b, BTF_LOAD, &a, wrong);
}

static int load(struct skep *k, const struct budget *b, int array, int jumps, int types,
                bool *wrong)
{
	static const uint32_t func[] = {0, 3}, line[] = {0, 0, 0, 0, 5, 1, 1, 1};
	const struct insn insns[] = {
		{.code = 0xbf, .dst = 6, .src = 1},
		{.code = 0x18, .dst = 1, .src = 2, .imm = array}, {.code = 0},
		{.code = 0x62, .dst = 1, .imm = 7},
		{.code = 0xbf, .dst = 1, .src = 6},
		{.code = 0x18, .dst = 2, .src = 1, .imm = jumps}, {.code = 0},
		{.code = 0xb7, .dst = 3},
		{.code = 0x85, .imm = 12}, /* tail call */
		{.code = 0xb7, .imm = 2},
		{.code = 0x95},
	};
	char log[100];
	union attr a = {.prog_load = {
		.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 11, .insns = ptr(insns),
		.license = ptr("GPL"), .prog_btf_fd = (uint32_t)types,
		.func_info = ptr(func), .func_info_cnt = 1, .func_info_rec_size = 8,
		.line_info = ptr(line), .line_info_cnt = 2, .line_info_rec_size = 16,
		.log_level = 1, .log_buf = ptr(log), .log_size = sizeof(log),
	}};

	return call(k, b, PROG_LOAD, &a, wrong);
}

static void run(struct skep *k, const struct budget *b, int prog, bool *wrong)
{
	uint8_t data[64] = {0};
	union attr a = {.test_run = {.prog_fd = (uint32_t)prog, .data_in = ptr(data),
	                             .data_size_in = 64, .repeat = 2}};

	call(k, b, PROG_TEST_RUN, &a, wrong);
}

static void use(struct skep *k, const struct budget *b, bool *wrong)
{
	int fd[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
	uint32_t key = 0, value, ids[2];
	struct prog_info info = {.nr_map_ids = 2, .map_ids = ptr(ids)};
	union attr a;

	fd[0] = map(k, b, BPF_MAP_TYPE_ARRAY, 4, 1, BPF_F_MMAPABLE, wrong);
	fd[1] = map(k, b, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 0, wrong);
	fd[2] = map(k, b, BPF_MAP_TYPE_HASH, 4, 4, BPF_F_NO_PREALLOC, wrong);
	fd[3] = map(k, b, BPF_MAP_TYPE_LRU_HASH, 4, 40, 0, wrong);
	fd[4] = map(k, b, BPF_MAP_TYPE_RINGBUF, 0, 4096, 0, wrong);
	fd[5] = load_btf(k, b, wrong);
	if (fd[2] >= 0) {
		value = 1;
		a = (union attr){.elem = {.map_fd = (uint32_t)fd[2], .key = ptr(&key),
		                          .value = ptr(&value)}};
		call(k, b, MAP_UPDATE, &a, wrong);
	}
	if (fd[0] >= 0 && fd[1] >= 0 && fd[5] >= 0)
		fd[6] = load(k, b, fd[0], fd[1], fd[5], wrong);
	if (fd[6] >= 0) {
		a = (union attr){.elem = {.map_fd = (uint32_t)fd[1], .key = ptr(&key),
		                          .value = ptr(&fd[6])}};
		call(k, b, MAP_UPDATE, &a, wrong);
		run(k, b, fd[6], wrong);
		a = (union attr){.info = {.bpf_fd = (uint32_t)fd[6], .info_len = sizeof(info),
		                          .info = ptr(&info)}};
		call(k, b, OBJ_INFO, &a, wrong);
		a = (union attr){.bind_map = {.prog_fd = (uint32_t)fd[6],
		                              .map_fd = (uint32_t)fd[4]}};
		if (fd[4] >= 0)
			call(k, b, BIND_MAP, &a, wrong);
		a = (union attr){.id = {.id = info.id}};
		if (info.id)
			fd[7] = call(k, b, PROG_FD_BY_ID, &a, wrong);
	}
	for (int i = 0; i < 8; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

/* Answers whether everything worked. */
static bool attempt(long n, struct skep_options o, bool *wrong)
{
	struct budget b = {.left = n};
	struct skep *k;
	int err;

	o.size = sizeof(o);
	o.alloc = budget_alloc;
	o.free = budget_free;
	o.alloc_arg = &b;
	err = skep_new(&o, &k);
	if (err) {
		*wrong |= err != -ENOMEM || !b.failed;
	} else {
		k->mem.may_map = budget_may_map;
		use(k, &b, wrong);
		skep_free(k);
	}
	if (b.blocks) {
		printf("# %ld blocks are left over\n", b.blocks);
		*wrong = true;
	}
	return !b.failed;
}

static void sweep(const char *name, struct skep_options o)
{
	bool wrong = false, done = false;
	long n;

	for (n = 0; !done && !wrong && n < 10000; n++)
		done = attempt(n, o, &wrong);
	tests_run++;
	tests_failed += wrong || !done;
	printf("%sok %u - %s: each of %ld allocations fails\n", wrong || !done ? "not " : "",
	       tests_run,
	       name, n - 1);
}

int main(void)
{
	sweep("checked engine", (struct skep_options){0});
	sweep("interpreter", (struct skep_options){.engine = SKEP_ENGINE_INTERP,
	                                           .trust_programs = 1});
	sweep("fastest engine", (struct skep_options){.trust_programs = 1});
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
