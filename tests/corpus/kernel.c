/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The corpus in the real kernel, as programs of type syscall.
 *
 * Their context is memory of the caller's, which serves as the test's memory; but they answer only 32 bits.
 * So a test's program becomes a subprogram of
 *
 *      r6 = r1
 *      r2 = length
 *      call test
 *      *(u64 *)(r6 + length) = r0
 *      r0 = 0
 *      exit
 *
 * and r0 is found behind the memory. Socket filters (LD_ABS), and bare programs as XDP, run as they are.
 */
#include "corpus.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FRAME_MIN = 64, PREFIX = 6 };

struct loaded {
	const struct test *t;
	int btf;
	int maps[MAX_MAPS];
	int progs[MAX_PROGRAMS];
};

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* One function type for all functions, since tail calls and callbacks demand some: int f(void). */
static int load_btf(void)
{
	static const struct {
		struct btf_header header;
		uint32_t types[4 + 3 + 3];
		char strings[8];
	} btf = {
		{BTF_MAGIC, BTF_VERSION, 0, sizeof(btf.header), 0, sizeof(btf.types),
	         sizeof(btf.types), sizeof(btf.strings)},
		{
			1, BTF_KIND_INT << 24, 4, BTF_INT_SIGNED << 24 | 32,
			0, BTF_KIND_FUNC_PROTO << 24, 1,
			5, BTF_KIND_FUNC << 24, 2,
		},
		"\0int\0f",
	};
	union bpf_attr attr = {.btf = (uintptr_t)&btf};

	attr.btf_size = sizeof(btf.header) + sizeof(btf.types) + sizeof(btf.strings);
	return bpf(BPF_BTF_LOAD, &attr);
}

struct code {
	uint32_t type;
	const struct insn *insns;
	size_t n;
	const struct bpf_func_info *funcs;
	uint32_t nfuncs;
	int btf;
};

static int load_code(const struct code *c, char *log, size_t len)
{
	union bpf_attr attr = {
		.prog_type = c->type,
		.insns = (uintptr_t)c->insns,
		.insn_cnt = (uint32_t)c->n,
		.license = (uintptr_t) "GPL",
		.func_info = (uintptr_t)c->funcs,
		.func_info_cnt = c->nfuncs,
		.func_info_rec_size = c->nfuncs ? sizeof(c->funcs[0]) : 0,
		.prog_btf_fd = c->nfuncs ? (uint32_t)c->btf : 0,
	};
	int fd;

	if (c->type == BPF_PROG_TYPE_SYSCALL)
		attr.prog_flags = BPF_F_SLEEPABLE;
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0)
		return fd;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = (uint32_t)len;
	attr.log_level = 1;
	log[0] = '\0';
	fd = bpf(BPF_PROG_LOAD, &attr);
	return fd >= 0 ? fd : -errno;
}

static const char *kernel_absent(const struct place *p, const struct test *t)
{
	static enum { UNKNOWN, HERE, ABSENT } state;
	static const struct insn trivial[] = {{.code = 0xb7}, {.code = 0x95}};
	const struct code code = {BPF_PROG_TYPE_SYSCALL, trivial, 2};
	char log[4096];

	if (state == UNKNOWN) {
		int fd = load_code(&code, log, sizeof(log));

		state = fd < 0 ? ABSENT : HERE;
		if (fd >= 0)
			close(fd);
	}
	return state == HERE ? NULL : "bpf(2) does not load programs here";
}

/* Length of the test's memory, as what stands behind it wants it: a multiple of 8. */
static uint32_t room(const struct test *t)
{
	return ((uint32_t)t->memory + 7) & ~7u;
}

static uint32_t prog_type(const struct test *t)
{
	if (t->type)
		return t->type;
	return t->bare ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SYSCALL;
}

static int load_program(struct loaded *l, unsigned i, char *log, size_t len)
{
	const struct test *t = l->t;
	const struct test_program *from = &t->programs[i];
	const struct insn prefix[PREFIX] = {
		{.code = 0xbf, .dst = R6, .src = R1},
		{.code = 0xb7, .dst = R2, .imm = (int32_t)t->memory},
		{.code = 0x85, .src = 1, .imm = 3},
		{.code = 0x7b, .dst = R6, .src = R0, .off = (int16_t)room(t)},
		{.code = 0xb7},
		{.code = 0x95},
	};
	size_t skip = i || t->type || t->bare ? 0 : PREFIX, n = from->n + skip;
	struct insn *insns = calloc(n, sizeof(*insns));
	struct bpf_func_info funcs[MAX_FUNCS + 1] = {{0, 3}};
	struct code code = {prog_type(t), insns, n, funcs, from->nfuncs + (skip > 0), l->btf};
	int fd;

	for (unsigned f = 0; f < from->nfuncs; f++)
		funcs[f + (skip > 0)] =
			(struct bpf_func_info){from->funcs[f] + (uint32_t)skip, 3};

	memcpy(insns, prefix, skip * sizeof(*insns));
	memcpy(insns + skip, from->insns, from->n * sizeof(*insns));
	for (size_t pc = skip; pc < n; pc++) {
		enum op op = insn_op(&insns[pc]);

		if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_VALUE)
			insns[pc].imm = l->maps[insns[pc].imm];
	}
	fd = load_code(&code, log, len);
	free(insns);
	if (fd < 0)
		return -fd;
	l->progs[i] = fd;
	if (i) {
		union bpf_attr attr = {.map_fd = (uint32_t)l->maps[from->map]};

		attr.key = (uintptr_t)&from->index;
		attr.value = (uintptr_t)&fd;
		if (bpf(BPF_MAP_UPDATE_ELEM, &attr)) {
			snprintf(log, len, "a program cannot be put into its prog array: %s",
			         strerror(errno));
			return errno;
		}
	}
	return 0;
}

static int make_maps(struct loaded *l, char *log, size_t len)
{
	for (unsigned i = 0; i < l->t->nmaps; i++) {
		const struct test_map *m = &l->t->maps[i];
		union bpf_attr attr = {.map_type = m->type, .key_size = m->key_size};

		attr.value_size = m->value_size;
		attr.max_entries = m->max_entries;
		l->maps[i] = bpf(BPF_MAP_CREATE, &attr);
		if (l->maps[i] < 0) {
			snprintf(log, len, "map %s: %s", m->name, strerror(errno));
			return errno;
		}
	}
	return 0;
}

static void kernel_unload(void *loaded)
{
	struct loaded *l = loaded;

	if (l->btf >= 0)
		close(l->btf);
	for (unsigned i = 0; i < MAX_PROGRAMS; i++)
		if (l->progs[i] >= 0)
			close(l->progs[i]);
	for (unsigned i = 0; i < MAX_MAPS; i++)
		if (l->maps[i] >= 0)
			close(l->maps[i]);
	free(l);
}

static int kernel_load(const struct place *place, const struct test *t, void **loaded, char *log,
                       size_t len)
{
	struct loaded *l = malloc(sizeof(*l));
	int err;

	memset(l, 0xff, sizeof(*l)); /* every descriptor is -1 */
	l->t = t;
	log[0] = '\0';
	l->btf = load_btf();
	err = l->btf < 0 ? errno : make_maps(l, log, len);
	for (unsigned i = 0; !err && i < t->nprograms; i++)
		err = load_program(l, i, log, len);
	if (err)
		kernel_unload(l);
	else
		*loaded = l;
	return err;
}

/* A packet: what a socket filter sees begins behind the Ethernet header. */
static int run_packet(struct loaded *l, uint8_t *memory, uint64_t *r0)
{
	union bpf_attr attr = {.test = {.prog_fd = (uint32_t)l->progs[0]}};
	static uint8_t any[FRAME_MIN];

	attr.test.data_in = (uintptr_t)(l->t->bare ? any : memory);
	attr.test.data_size_in = l->t->bare ? sizeof(any) : (uint32_t)l->t->memory;
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		return errno;
	*r0 = attr.test.retval;
	return 0;
}

static int run_syscall(struct loaded *l, uint8_t *memory, uint64_t *r0)
{
	union bpf_attr attr = {.test = {.prog_fd = (uint32_t)l->progs[0]}};
	uint8_t ctx[MAX_MEMORY + 8];

	memset(ctx, 0, sizeof(ctx));
	memcpy(ctx, memory, l->t->memory);
	attr.test.ctx_in = (uintptr_t)ctx;
	attr.test.ctx_size_in = room(l->t) + 8;
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		return errno;
	memcpy(memory, ctx, l->t->memory);
	memcpy(r0, ctx + room(l->t), sizeof(*r0));
	return 0;
}

static bool kernel_run(void *loaded, uint8_t *memory, uint64_t *r0, char *why, size_t len)
{
	struct loaded *l = loaded;
	int err = l->t->type || l->t->bare ? run_packet(l, memory, r0) : run_syscall(l, memory, r0);

	if (err)
		snprintf(why, len, "BPF_PROG_TEST_RUN: %s", strerror(err));
	return !err;
}

const struct place place_kernel = {
	.name = "kernel",
	.absent = kernel_absent,
	.load = kernel_load,
	.run = kernel_run,
	.unload = kernel_unload,
};
