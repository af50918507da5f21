/* SPDX-License-Identifier: BSD-2-Clause */
/* See verify_progs.h. All are XDP programs that any 6.18 accepts, or stops at its budget. */
#include "verify_progs.h"

#include <stdlib.h>

struct maker {
	struct bpf_insn *insns;
	uint32_t n, cap, turns;
	bool failed;
};

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (int16_t)(o),       \
	                   .imm = (int32_t)(i)})
#define MOV(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ALU(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALUX(op, d, s) INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define ALU32(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define STORE_IMM(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define JUMP(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMPX(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define CALL_LOCAL(o) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, o)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static void put(struct maker *m, struct bpf_insn insn)
{
	if (m->n == m->cap) {
		uint32_t cap = m->cap ? 2 * m->cap : 1024;
		struct bpf_insn *more = realloc(m->insns, cap * sizeof(*more));

		if (!more) {
			m->failed = true;
			m->n = 0;
			return;
		}
		m->insns = more;
		m->cap = cap;
	}
	m->insns[m->n++] = insn;
}

static void finish(struct maker *m)
{
	put(m, MOV(0, 2));
	put(m, EXIT());
}

static void random_to(struct maker *m, unsigned reg)
{
	put(m, CALL(BPF_FUNC_get_prandom_u32));
	if (reg)
		put(m, COPY(reg, 0));
}

static void look_up(struct maker *m)
{
	put(m, COPY(2, 10));
	put(m, ALU(BPF_ADD, 2, -8));
	put(m, INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, 0));
	put(m, INSN(0, 0, 0, 0, 0));
	put(m, CALL(BPF_FUNC_map_lookup_elem));
}

/* --- The kinds of work ------------------------------------------------------------------------- */

static void make_line(struct maker *m)
{
	random_to(m, 6);
	random_to(m, 7);
	for (uint32_t i = 0; i < m->turns; i++) {
		put(m, ALUX(BPF_ADD, 6, 7));
		put(m, ALU32(BPF_XOR, 7, 0x55));
		put(m, COPY(8, 6));
		put(m, ALU(BPF_RSH, 8, 3));
		put(m, ALUX(BPF_OR, 7, 8));
		put(m, STORE(BPF_DW, 10, 7, -8));
		put(m, ALU(BPF_AND, 6, 0xffffff));
		put(m, LOAD(BPF_DW, 9, 10, -8));
		put(m, ALUX(BPF_MUL, 7, 6));
	}
	finish(m);
}

static void make_branches(struct maker *m)
{
	random_to(m, 6);
	for (uint32_t i = 0; i < m->turns; i++) {
		random_to(m, 0);
		put(m, JUMP(BPF_JGT, 0, (int)(i % 100), 2));
		put(m, ALU(BPF_ADD, 6, 1));
		put(m, ALU32(BPF_AND, 6, 0xffff));
		put(m, COPY(7, 6));
		put(m, ALU(BPF_LSH, 7, 2));
	}
	finish(m);
}

/* The same, but all that is known matters: no path stops another. */
static void make_tree(struct maker *m)
{
	put(m, MOV(6, 0));
	for (uint32_t i = 0; i < m->turns; i++) {
		random_to(m, 0);
		put(m, JUMP(BPF_JGT, 0, 7, 1));
		put(m, ALU(BPF_ADD, 6, 1 << i % 16));
	}
	put(m, STORE_IMM(BPF_W, 10, -8, 0));
	look_up(m);
	put(m, JUMP(BPF_JEQ, 0, 0, 4));
	put(m, ALU(BPF_AND, 6, 0xffff));
	put(m, JUMP(BPF_JGT, 6, VERIFY_VALUE - 1, 2));
	put(m, ALUX(BPF_ADD, 0, 6));
	put(m, STORE_IMM(BPF_B, 0, 0, 1));
	finish(m);
}

static void make_loop(struct maker *m)
{
	random_to(m, 7);
	put(m, MOV(6, 0));
	put(m, ALU(BPF_ADD, 6, 1));
	put(m, ALUX(BPF_XOR, 7, 6));
	put(m, ALU(BPF_AND, 7, 0xff));
	put(m, STORE(BPF_DW, 10, 7, -8));
	put(m, JUMP(BPF_JLT, 6, (int)m->turns, -5));
	finish(m);
}

/* A loop with a branch in it that goes either way, over an array on the stack. */
static void make_table(struct maker *m)
{
	for (int i = 1; i <= 32; i++)
		put(m, STORE_IMM(BPF_DW, 10, -8 * i, 0));
	put(m, MOV(6, 0));
	random_to(m, 7);
	put(m, ALU(BPF_AND, 7, 31));
	put(m, ALU(BPF_LSH, 7, 3));
	put(m, COPY(2, 10));
	put(m, ALU(BPF_ADD, 2, -256));
	put(m, ALUX(BPF_ADD, 2, 7));
	put(m, LOAD(BPF_DW, 3, 2, 0));
	put(m, JUMP(BPF_JEQ, 3, 3, 1));
	put(m, STORE(BPF_DW, 2, 6, 0));
	put(m, ALU(BPF_ADD, 6, 1));
	put(m, JUMP(BPF_JLT, 6, (int)m->turns, -11));
	finish(m);
}

static void make_spills(struct maker *m)
{
	for (int i = 1; i <= 60; i++) {
		random_to(m, 0);
		put(m, STORE(BPF_DW, 10, 0, -8 * i));
	}
	for (uint32_t i = 0; i < m->turns; i++) {
		int slot = -8 * (int)(i % 60 + 1);

		put(m, LOAD(BPF_DW, 6, 10, slot));
		put(m, JUMP(BPF_JGT, 6, (int)(i % 77), 2));
		put(m, ALU(BPF_ADD, 6, 3));
		put(m, STORE(BPF_DW, 10, 6, slot));
		put(m, ALU(BPF_AND, 6, 0xff));
		put(m, STORE(BPF_DW, 10, 6, -8 * (int)((i + 7) % 60 + 1)));
	}
	finish(m);
}

static void make_packet(struct maker *m)
{
	put(m, COPY(9, 1));
	for (uint32_t i = 0; i < m->turns; i++) {
		put(m, LOAD(BPF_W, 2, 9, 0));
		put(m, LOAD(BPF_W, 3, 9, 4));
		put(m, COPY(4, 2));
		put(m, ALU(BPF_ADD, 4, 34));
		put(m, JUMPX(BPF_JGT, 4, 3, 7));
		put(m, LOAD(BPF_B, 5, 2, 14));
		put(m, ALU(BPF_AND, 5, 15));
		put(m, ALU(BPF_LSH, 5, 2));
		put(m, ALUX(BPF_ADD, 2, 5));
		put(m, COPY(4, 2));
		put(m, ALU(BPF_ADD, 4, 8));
		put(m, JUMPX(BPF_JGT, 4, 3, 0));
	}
	finish(m);
}

static void make_lookups(struct maker *m)
{
	for (uint32_t i = 0; i < m->turns; i++) {
		put(m, STORE_IMM(BPF_W, 10, -8, 0));
		look_up(m);
		put(m, JUMP(BPF_JEQ, 0, 0, 5));
		put(m, LOAD(BPF_W, 6, 0, 4));
		put(m, ALU(BPF_AND, 6, 0xff));
		put(m, ALUX(BPF_ADD, 0, 6));
		put(m, LOAD(BPF_B, 7, 0, 3));
		put(m, STORE(BPF_B, 0, 7, 200));
	}
	finish(m);
}

static void make_calls(struct maker *m)
{
	uint32_t calls = m->turns;

	for (uint32_t i = 0; i < calls; i++) {
		put(m, MOV(1, (int)i));
		put(m, CALL_LOCAL((int)(2 * (calls - i))));
	}
	finish(m);
	put(m, COPY(6, 1));
	random_to(m, 7);
	put(m, STORE(BPF_DW, 10, 6, -8));
	put(m, JUMP(BPF_JGT, 7, 100, 1));
	put(m, ALUX(BPF_ADD, 6, 7));
	put(m, COPY(0, 6));
	put(m, EXIT());
}

const struct verify_prog verify_progs[] = {
	{"arithmetic in a line", make_line, 20000, false, false, NULL, 0},
	{"branches that meet again", make_branches, 8000, false, false, NULL, 0},
	{"branches that all matter", make_tree, 9, false, false, NULL, 0},
	{"a counted loop", make_loop, 20000, false, false, NULL, 0},
	{"a loop over the stack", make_table, 500, false, false, NULL, 0},
	{"spills", make_spills, 300, true, true, NULL, 0},
	{"packet bounds", make_packet, 2000, false, false, NULL, 0},
	{"map look-ups", make_lookups, 300, false, false, NULL, 0},
	{"calls", make_calls, 3000, false, false, NULL, 0},
	{"a line of a million", make_line, 111000, false, true, NULL, 0},
	{"a loop of a million turns", make_loop, 1000000, true, true, NULL, 0},
	{"a tree without end", make_tree, 20, true, true, NULL, 0},
	{"a loop over the stack, a million", make_table, 200000, true, true, NULL, 0},
};
const unsigned verify_nprogs = sizeof(verify_progs) / sizeof(verify_progs[0]);

bool verify_prog_make(struct verify_prog *p)
{
	struct maker m = {.turns = p->turns};

	p->make(&m);
	if (m.failed) {
		free(m.insns);
		return false;
	}
	p->insns = m.insns;
	p->n = m.n;
	return true;
}

void verify_prog_bind(const struct verify_prog *p, int map)
{
	for (uint32_t pc = 0; pc < p->n; pc++)
		if (p->insns[pc].code == (BPF_LD | BPF_IMM | BPF_DW))
			p->insns[pc].imm = map;
}
