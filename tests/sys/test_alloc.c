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
	char log[4096];
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

/* --- Maps of every type ------------------------------------------------------------------ */

enum { TAKE = 21, LOOKUP_BATCH = 24, TAKE_BATCH, UPDATE_BATCH, DELETE_BATCH };
enum { CALLS = 24, ELEMENTS = 40 };

struct shape {
	const char *name;
	uint32_t type, key, value, max, flags;
};

static const struct shape shapes[] = {
	{"hash", BPF_MAP_TYPE_HASH, 8, 16, 64, 0},
	{"hash, no prealloc", BPF_MAP_TYPE_HASH, 8, 16, 64, BPF_F_NO_PREALLOC},
	{"array", BPF_MAP_TYPE_ARRAY, 4, 16, 64, 0},
	{"array, to be mapped", BPF_MAP_TYPE_ARRAY, 4, 16, 64, BPF_F_MMAPABLE},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 64, 0},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 16, 64, 0},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 64, 0},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, 8, 16, 64, 0},
	{"lru_hash, apart", BPF_MAP_TYPE_LRU_HASH, 8, 16, 64, BPF_F_NO_COMMON_LRU},
	{"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 16, 64, 0},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 64, BPF_F_NO_PREALLOC},
	{"array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 64, 0},
	{"hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 64, 0},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, 16, 64, 0},
	{"stack", BPF_MAP_TYPE_STACK, 0, 16, 64, 0},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
	{"stack_trace", BPF_MAP_TYPE_STACK_TRACE, 4, 80, 64, 0},
	{"perf_event_array", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0},
	{"cgroup_array", BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 64, 0},
	{"devmap", BPF_MAP_TYPE_DEVMAP, 4, 4, 64, 0},
	{"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 64, 0},
	{"cpumap", BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0},
	{"xskmap", BPF_MAP_TYPE_XSKMAP, 4, 4, 64, 0},
	{"sockmap", BPF_MAP_TYPE_SOCKMAP, 4, 4, 64, 0},
	{"sockhash", BPF_MAP_TYPE_SOCKHASH, 4, 4, 64, 0},
	{"reuseport_sockarray", BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4, 64, 0},
	{"bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 64, 0},
	{"user_ringbuf", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0},
};

struct answers {
	int ret[CALLS];
	unsigned n;
};

static int ask(struct skep *k, struct answers *to, int cmd, union attr a)
{
	int ret = skep_bpf(k, cmd, &a, sizeof(a));

	to->ret[to->n++] = ret > 0 ? 0 : ret;
	return ret;
}

/* Every command that takes a map; the keys are numbers, the values what a type may hold. */
static void use_map(struct skep *k, const struct shape *s, struct answers *to)
{
	static uint64_t keys[ELEMENTS * 4], values[8192], token[64];
	bool nested = s->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || s->type == BPF_MAP_TYPE_HASH_OF_MAPS;
	int inner = ask(k, to, MAP_CREATE, (union attr){.map_create = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1}});
	int fd = ask(k, to, MAP_CREATE, (union attr){.map_create = {
		.map_type = s->type, .key_size = s->key, .value_size = s->value,
		.max_entries = s->max, .map_flags = s->flags,
		.inner_map_fd = nested && inner > 0 ? (uint32_t)inner : 0}});
	union attr one = {.elem = {.map_fd = (uint32_t)fd, .key = s->key ? ptr(keys) : 0,
	                           .value = ptr(values)}};
	union attr many = {.batch = {.map_fd = (uint32_t)fd, .keys = ptr(keys),
	                             .values = ptr(values), .out_batch = ptr(token),
	                             .count = ELEMENTS}};

	memset(keys, 0, sizeof(keys));
	memset(values, 0, sizeof(values));
	for (uint32_t i = 0; s->key && i < ELEMENTS; i++)
		memcpy((uint8_t *)keys + i * s->key, &i, 4);
	for (uint32_t i = 0; nested && i < ELEMENTS; i++)
		((int *)values)[i] = inner;
	if (fd > 0) {
		ask(k, to, MAP_UPDATE, one);
		ask(k, to, UPDATE_BATCH, many);
		ask(k, to, MAP_LOOKUP, one);
		one.elem.value = ptr(token);
		if (s->key)
			ask(k, to, MAP_NEXT_KEY, one);
		one.elem.value = ptr(values);
		ask(k, to, LOOKUP_BATCH, many);
		ask(k, to, TAKE, one);
		many.batch.keys = ptr(values);
		ask(k, to, DELETE_BATCH, many);
		many.batch.keys = ptr(keys);
		ask(k, to, TAKE_BATCH, many);
		one.elem.value = 0;
		ask(k, to, MAP_DELETE, one);
		ask(k, to, MAP_FREEZE, (union attr){.elem = {.map_fd = (uint32_t)fd}});
		close(fd);
	}
	if (inner > 0)
		close(inner);
}

/* Up to where an allocation failed, everything answers as when none does; there, -ENOMEM. */
static bool as_expected(const struct answers *got, const struct answers *want)
{
	for (unsigned i = 0; i < got->n; i++)
		if (got->ret[i] != want->ret[i])
			return got->ret[i] == -ENOMEM;
	return true; /* it did without */
}

static bool attempt_map(long n, const struct shape *s, struct answers *want, bool *wrong)
{
	struct budget b = {.left = -1};
	struct skep_options o = {.size = sizeof(o), .alloc = budget_alloc, .free = budget_free,
	                         .alloc_arg = &b};
	struct answers got = {.n = 0};
	struct skep *k;

	if (skep_new(&o, &k))
		abort();
	k->mem.may_map = budget_may_map;
	b.left = n;
	b.failed = false;
	use_map(k, s, n < 0 ? want : &got);
	b.left = -1;
	skep_free(k);
	if (n >= 0 && !as_expected(&got, want)) {
		printf("# %s: another answer than ENOMEM when allocation %ld fails\n", s->name, n);
		*wrong = true;
	}
	if (b.blocks) {
		printf("# %s: %ld blocks are left over\n", s->name, b.blocks);
		*wrong = true;
	}
	return !b.failed;
}

static void sweep_map(const struct shape *s)
{
	bool wrong = false, done = false;
	struct answers want = {.n = 0};
	long n;

	attempt_map(-1, s, &want, &wrong);
	for (n = 0; !done && !wrong && n < 10000; n++)
		done = attempt_map(n, s, &want, &wrong);
	if (want.ret[1]) {
		printf("# cannot be made: %d\n", want.ret[1]);
		printf("ok %u - %s # SKIP maps of this type are not there\n", ++tests_run, s->name);
		return;
	}
	tests_run++;
	tests_failed += wrong || !done;
	printf("%sok %u - a map, %s: each of %ld allocations fails\n",
	       wrong || !done ? "not " : "", tests_run, s->name, n - 1);
}

int main(void)
{
	sweep("checked engine", (struct skep_options){0});
	sweep("interpreter", (struct skep_options){.engine = SKEP_ENGINE_INTERP,
	                                           .trust_programs = 1});
	sweep("fastest engine", (struct skep_options){.trust_programs = 1});
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		sweep_map(&shapes[i]);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
