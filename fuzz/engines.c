/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engines against one another: any bytes make a valid program, which the interpreter, the checked one
 * and the JIT run on the same memory with the same result and the same memory afterwards; so does the JIT
 * with hidden constants.
 *
 * The program is made of items, each drawn from the input: single instructions, the idioms that the JIT
 * fuses (also nearly right ones, and with jumps into them), stack slots of fixed or mixed sizes, jumps
 * forward, counted loops, calls of a helper, of a second function and of a callback. r8 holds the address
 * of memory, r9 that of the stack in programs that use it as a value; r0 to r7 are free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "isa/alu.h"
#include "isa/text.h"
#include "vm.h"

static uint8_t memory[256] __attribute__((aligned(16)));

enum { MAX_CODE = 3000, MEM = 256, SLOTS = 8, FREE_REGS = 8, MAX_ITEMS = 120, HELPER_MIX = 1, HELPER_CALL = 2 };

struct source {
	const uint8_t *data;
	size_t left;
	struct insn code[MAX_CODE];
	uint32_t n;
	uint8_t slot_kind[SLOTS]; /* 0: one of 8 bytes, 1: two of 4, 2: any */
	bool escapes;             /* r9 = r10 */
	bool leaf;                /* no calls */
	uint32_t callee_calls[64], ncallee_calls; /* local calls and func[] still to be pointed at their callee */
	unsigned counter;         /* register that counts the loop that we are in, or NREGS */
	uint32_t loop_start, loop_items;
	struct {
		uint32_t pc, items; /* a jump, and how many items it still has to pass */
		bool into;          /* it lands within the last of them */
	} pending[32];
	unsigned npending;
};

static unsigned draw(struct source *s, unsigned limit)
{
	unsigned v = 0;

	if (s->left) {
		s->left--;
		v = *s->data++;
	}
	return v % limit;
}

static uint64_t draw_value(struct source *s)
{
	static const uint64_t edges[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffff80000000, 0xffffffffffffffff,
	};
	uint64_t v = 0;

	if (draw(s, 2))
		return edges[draw(s, 16)];
	for (int i = 0; i < 8; i++)
		v = v << 8 | draw(s, 256);
	return v;
}

static int32_t draw_imm(struct source *s)
{
	return (int32_t)(draw(s, 3) ? (int64_t)(int8_t)draw(s, 256) : (int64_t)draw_value(s));
}

/* A register that may be written. */
static unsigned draw_reg(struct source *s)
{
	unsigned r = draw(s, FREE_REGS);

	return r == s->counter ? (r + 1) % FREE_REGS : r;
}

static void add(struct source *s, enum op op, unsigned dst, unsigned src, int off, int32_t imm)
{
	const struct insn_info *row = &insn_info[op];
	struct insn i = {.code = row->code, .off = (int16_t)off, .imm = imm};

	if (s->n >= MAX_CODE)
		abort();
	i.dst = dst & 15;
	i.src = src & 15;
	if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	s->code[s->n++] = i;
}

static void add_wide(struct source *s, enum op op, unsigned dst, uint64_t v)
{
	add(s, op, dst, 0, 0, (int32_t)v);
	s->code[s->n++] = (struct insn){.imm = (int32_t)(v >> 32)};
}

/* --- Items ------------------------------------------------------------------------------------- */

static const enum op alu_ops[] = {
#define X(name, ...) OP_##name##64_K, OP_##name##64_X, OP_##name##32_K, OP_##name##32_X,
	ALU_OPS(X) X(MOV)
#undef X
};

static const enum op jump_ops[] = {
#define X(name, ...) OP_##name##64_K, OP_##name##64_X, OP_##name##32_K, OP_##name##32_X,
	CMP_OPS(X)
#undef X
};

static const enum op one_operand_ops[] = {
#define X(name, ...) OP_##name,
	UNARY_OPS(X) MOVSX_OPS(X)
#undef X
};

static const enum op load_ops[] = {
	OP_LDX_B, OP_LDX_H, OP_LDX_W, OP_LDX_DW, OP_LDSX_B, OP_LDSX_H, OP_LDSX_W, OP_LOAD_ACQ_W,
};

static const enum op store_ops[] = {
	OP_STX_B, OP_STX_H, OP_STX_W, OP_STX_DW, OP_ST_B, OP_ST_H, OP_ST_W, OP_ST_DW, OP_STORE_REL_DW,
};

static const enum op atomic_ops[] = {
	OP_ATOMIC_ADD64, OP_ATOMIC_OR64, OP_ATOMIC_AND32, OP_ATOMIC_XOR32, OP_FETCH_ADD64, OP_FETCH_ADD32,
	OP_FETCH_OR64, OP_FETCH_AND32, OP_FETCH_XOR64, OP_XCHG64, OP_XCHG32, OP_CMPXCHG64, OP_CMPXCHG32,
};

#define DRAW(s, array) (array)[draw((s), sizeof(array) / sizeof((array)[0]))]

/* An operation with an immediate or a register, which a random register is. */
static void add_operation(struct source *s, enum op op, unsigned dst)
{
	bool x = insn_info[op].fields & INSN_RS;

	add(s, op, dst, x ? draw(s, FREE_REGS) : 0, 0, x ? 0 : draw_imm(s));
}

static void item_alu(struct source *s)
{
	add_operation(s, DRAW(s, alu_ops), draw_reg(s));
}

static void item_one_operand(struct source *s)
{
	enum op op = DRAW(s, one_operand_ops);
	unsigned r = draw_reg(s);

	add(s, op, r, insn_info[op].fields & INSN_RS ? draw(s, FREE_REGS) : 0, 0, 0);
}

static void item_constant(struct source *s)
{
	add_wide(s, OP_LDDW, draw_reg(s), draw_value(s));
}

static void item_rotate(struct source *s)
{
	bool wide = draw(s, 2), swapped = draw(s, 2), copy = draw(s, 2);
	unsigned width = wide ? 64 : 32, count = 1 + draw(s, width - 1);
	unsigned t = draw_reg(s), x = draw_reg(s), d = copy ? draw_reg(s) : x;
	enum op mov = wide ? OP_MOV64_X : OP_MOV32_X, or = wide ? OP_OR64_X : OP_OR32_X;
	enum op left = wide ? OP_LSH64_K : OP_LSH32_K, right = wide ? OP_RSH64_K : OP_RSH32_K;
	unsigned wrong = draw(s, 8) == 0;

	add(s, mov, t, x, 0, 0);
	add(s, swapped ? left : right, t, 0, 0, (int32_t)(width - count - (wrong && width - count > 1)));
	if (copy)
		add(s, mov, d, x, 0, 0);
	add(s, swapped ? right : left, d, 0, 0, (int32_t)count);
	add(s, or, d, t, 0, 0);
	if (draw(s, 2)) /* the temporary dies */
		add(s, OP_MOV64_K, t, 0, 0, 7);
}

static void item_add3(struct source *s)
{
	bool wide = draw(s, 2);
	unsigned d = draw_reg(s);

	add(s, wide ? OP_MOV64_X : OP_MOV32_X, d, draw(s, FREE_REGS), 0, 0);
	if (draw(s, 2))
		add(s, wide ? OP_ADD64_X : OP_ADD32_X, d, draw(s, FREE_REGS), 0, 0);
	else
		add_operation(s, DRAW(s, alu_ops), d);
}

static void item_shift_pair(struct source *s)
{
	unsigned d = draw_reg(s);
	int32_t count = draw(s, 4) ? 16 * (1 + (int32_t)draw(s, 3)) + 8 * (int32_t)draw(s, 2) : 7;

	add(s, OP_LSH64_K, d, 0, 0, count);
	add(s, draw(s, 2) ? OP_RSH64_K : OP_ARSH64_K, d, 0, 0, draw(s, 8) ? count : 3);
}

static int draw_offset(struct source *s)
{
	return 8 * (int)draw(s, 16);
}

static void item_load(struct source *s)
{
	add(s, DRAW(s, load_ops), draw_reg(s), R8, draw_offset(s), 0);
}

static void item_store(struct source *s)
{
	enum op op = DRAW(s, store_ops);
	bool x = insn_info[op].fields & INSN_RS;

	add(s, op, R8, x ? draw(s, FREE_REGS) : 0, draw_offset(s), x ? 0 : draw_imm(s));
}

/* t = *p; d op= t; and the forms that also store, or compare. */
static void item_memory_operand(struct source *s)
{
	enum op load = DRAW(s, load_ops);
	unsigned t = draw_reg(s), d = draw_reg(s);
	int off = draw_offset(s);

	add(s, load, t, R8, off, 0);
	switch (draw(s, 3)) {
	case 0:
		add(s, DRAW(s, alu_ops), d, t, 0, 0);
		if (!(insn_info[insn_op(&s->code[s->n - 1])].fields & INSN_RS)) {
			s->code[s->n - 1].src = 0;
			s->code[s->n - 1].imm = 5;
		}
		break;
	case 1:
		add_operation(s, DRAW(s, alu_ops), t);
		add(s, draw(s, 2) ? OP_STX_W : OP_STX_DW, R8, t, off, 0);
		break;
	default:
		break;
	}
	if (draw(s, 2))
		add(s, OP_MOV64_K, t, 0, 0, 9);
}

static void item_byte_order(struct source *s)
{
	unsigned d = draw_reg(s);

	add(s, DRAW(s, load_ops), d, R8, draw_offset(s), 0);
	add(s, draw(s, 2) ? OP_BE16 : draw(s, 2) ? OP_BE32 : OP_BE64, d, 0, 0, 0);
	if (draw(s, 2))
		add(s, OP_AND64_K, d, 0, 0, 0xffff);
}

/* Unaligned data as a compiler reads it: byte by byte. */
static void item_bytes(struct source *s)
{
	unsigned d = draw_reg(s), t = draw_reg(s), n = 1 + draw(s, 3);
	int off = draw_offset(s);

	add(s, OP_LDX_B, d, R8, off, 0);
	for (unsigned k = 1; k <= n; k++) {
		add(s, OP_LDX_B, t, R8, off + (int)k, 0);
		add(s, draw(s, 8) ? OP_LSH64_K : OP_LSH32_K, t, 0, 0, 8 * (int32_t)k);
		add(s, OP_OR64_X, draw(s, 8) ? d : t, draw(s, 8) ? t : d, 0, 0);
	}
	if (draw(s, 2))
		add(s, OP_MOV64_K, t, 0, 0, 3);
}

/* Part of a slot, aligned. */
static void add_part_load(struct source *s, unsigned base, int off)
{
	enum op op = DRAW(s, load_ops);
	unsigned size = insn_size(&(struct insn){.code = insn_info[op].code});

	add(s, op, draw_reg(s), base, off + (int)(draw(s, 8) / size * size), 0);
}

static void item_slot(struct source *s)
{
	unsigned slot = draw(s, SLOTS), kind = s->slot_kind[slot];
	unsigned base = s->escapes && draw(s, 2) ? R9 : R10;
	int off = -8 * (int)(slot + 1) + (kind && draw(s, 2) ? 4 : 0);
	bool wide = kind == 0 || (kind == 2 && off % 8 == 0 && draw(s, 2));

	switch (draw(s, 4)) {
	case 0:
		add(s, wide ? OP_ST_DW : OP_ST_W, base, 0, off, draw_imm(s));
		break;
	case 1:
		add(s, wide ? OP_STX_DW : OP_STX_W, base, draw(s, FREE_REGS), off, 0);
		break;
	case 2:
		add(s, wide ? OP_LDX_DW : OP_LDX_W, draw_reg(s), base, off, 0);
		break;
	default:
		if (kind == 2)
			add_part_load(s, base, off & ~7);
		else
			add(s, wide ? OP_LDX_DW : OP_LDX_W, draw_reg(s), base, off, 0);
		add_operation(s, DRAW(s, alu_ops), draw_reg(s));
		break;
	}
}

/* Memory at an index: *(r8 + (x << k) + off), as compilers spell it. */
static void item_index(struct source *s)
{
	unsigned x = draw_reg(s), t = draw_reg(s), how = draw(s, 5), scale = draw(s, 4);
	enum op load = DRAW(s, load_ops), store = DRAW(s, store_ops);

	/* Indexed addresses need not be aligned, those of atomic accesses must. */
	if (x == t || load == OP_LOAD_ACQ_W || store == OP_STORE_REL_DW)
		return;
	add(s, OP_AND64_K, x, 0, 0, 7);
	if (how == 0)
		add(s, OP_MOV64_X, t, R8, 0, 0);
	if (scale)
		add(s, OP_LSH64_K, x, 0, 0, (int32_t)scale);
	if (how == 1)
		add(s, OP_MOV64_X, t, R8, 0, 0);
	if (how == 2)
		add_wide(s, OP_LDDW, t, (uintptr_t)memory);
	if (how == 3) { /* the sum in the index register */
		add(s, OP_ADD64_X, x, R8, 0, 0);
		t = x;
	} else if (how == 4) {
		add(s, OP_MOV64_X, t, x, 0, 0);
		add(s, OP_ADD64_X, t, R8, 0, 0);
	} else {
		add(s, OP_ADD64_X, t, x, 0, 0);
	}
	if (draw(s, 2)) { /* something in between, which may spoil the address */
		unsigned d = draw(s, 4) ? draw_reg(s) : x;

		if (d != t && d != R8)
			add_operation(s, DRAW(s, alu_ops), d);
	}
	if (draw(s, 2))
		add(s, load, draw_reg(s), t, draw_offset(s), 0);
	else
		add(s, store, t, insn_info[store].fields & INSN_RS ? draw(s, FREE_REGS) : 0,
		    64 + (int)draw(s, 8), insn_info[store].fields & INSN_RS ? 0 : draw_imm(s));
	if (draw(s, 4)) {
		add(s, OP_MOV64_K, t, 0, 0, 11);
		add(s, OP_MOV64_K, x, 0, 0, 12);
	}
}

/* One bit times a constant. */
static void item_bit(struct source *s)
{
	unsigned d = draw_reg(s);

	add(s, draw(s, 2) ? OP_AND64_K : OP_AND32_K, d, 0, 0, 1);
	if (draw(s, 2))
		item_alu(s);
	add(s, draw(s, 2) ? OP_MUL64_K : OP_MUL32_K, d, 0, 0, draw_imm(s));
}

/* A divisor that is not zero, or might be. */
static void item_divide(struct source *s)
{
	static const enum op ops[] = {
		OP_DIV64_X, OP_DIV32_X, OP_MOD64_X, OP_MOD32_X, OP_SDIV64_X, OP_SDIV32_X, OP_SMOD64_X,
		OP_SMOD32_X,
	};
	unsigned n = draw_reg(s);

	if (draw(s, 2))
		add(s, draw(s, 2) ? OP_OR64_K : OP_OR32_K, n, 0, 0, draw_imm(s));
	else
		add(s, OP_MOV64_K, n, 0, 0, draw_imm(s));
	if (draw(s, 2))
		item_alu(s);
	add(s, DRAW(s, ops), draw_reg(s), n, 0, 0);
}

/* Results that are compared with 0. */
static void item_test(struct source *s)
{
	static const enum op ops[] = {
		OP_AND64_K, OP_AND32_K, OP_AND64_X, OP_SUB64_X, OP_SUB32_K, OP_ADD32_X, OP_XOR64_X,
		OP_OR32_X, OP_RSH64_K, OP_LSH32_K, OP_ARSH64_K,
	};
	unsigned d = draw_reg(s);
	enum op op = DRAW(s, jump_ops);

	add_operation(s, DRAW(s, ops), d);
	if (insn_info[op].fields & INSN_RS)
		op--;
	if (s->npending == sizeof(s->pending) / sizeof(s->pending[0]))
		return;
	s->pending[s->npending].into = false;
	s->pending[s->npending].pc = s->n;
	s->pending[s->npending++].items = 1 + draw(s, 3);
	add(s, op, d, 0, 0, 0);
	if (draw(s, 2)) /* to elsewhere, over a jump */
		s->code[s->n - 1].off = 1, s->code[s->n++] = (struct insn){.code = insn_info[OP_JA].code};
	if (s->code[s->n - 1].code == insn_info[OP_JA].code)
		s->pending[s->npending - 1].pc = s->n - 1;
	if (draw(s, 2))
		add(s, OP_MOV64_K, d, 0, 0, 13);
}

static void item_atomic(struct source *s)
{
	unsigned src = draw_reg(s), counter = s->counter;

	if (counter != R0) /* compare-and-exchange writes r0 */
		add(s, DRAW(s, atomic_ops), R8, src, draw_offset(s), 0);
}

static void item_jump(struct source *s)
{
	enum op op = DRAW(s, jump_ops);
	bool x = insn_info[op].fields & INSN_RS;

	if (s->npending == sizeof(s->pending) / sizeof(s->pending[0]))
		return;
	s->pending[s->npending].pc = s->n;
	s->pending[s->npending].into = draw(s, 2);
	s->pending[s->npending++].items = 1 + draw(s, 4);
	add(s, draw(s, 12) ? op : OP_JA, draw(s, FREE_REGS), x ? draw(s, FREE_REGS) : 0, 0,
	    x ? 0 : draw_imm(s));
	if (s->code[s->n - 1].code == insn_info[OP_JA].code)
		s->code[s->n - 1] = (struct insn){.code = insn_info[OP_JA].code};
}

static void item_select(struct source *s)
{
	static const enum op moves[] = {OP_MOV64_X, OP_MOV32_X, OP_MOV64_K, OP_MOV32_K};
	enum op op = DRAW(s, jump_ops);
	bool x = insn_info[op].fields & INSN_RS;
	unsigned d = draw_reg(s);

	if (draw(s, 2))
		add(s, OP_MOV64_K, draw_reg(s), 0, 0, draw_imm(s));
	add(s, op, draw(s, FREE_REGS), x ? draw(s, FREE_REGS) : 0, 1, x ? 0 : draw_imm(s));
	add_operation(s, DRAW(s, moves), d);
	if (draw(s, 2))
		add(s, OP_MOV64_X, draw_reg(s), d, 0, 0);
}

/* r1-r5 are lost in calls: they get values again. */
static void after_call(struct source *s)
{
	for (unsigned r = R1; r <= R5; r++)
		if (r != s->counter)
			add(s, OP_MOV64_K, r, 0, 0, (int32_t)(r * 1000003));
}

static void item_call(struct source *s)
{
	if (s->counter <= R5 || s->leaf || s->ncallee_calls == 64)
		return;
	switch (draw(s, 3)) {
	case 0:
		add(s, OP_CALL, 0, 0, 0, HELPER_MIX);
		break;
	case 1:
		s->callee_calls[s->ncallee_calls++] = s->n;
		add(s, OP_CALL_LOCAL, 0, 0, 0, 0);
		break;
	default:
		s->callee_calls[s->ncallee_calls++] = s->n;
		add_wide(s, OP_LDDW_FUNC, R1, 0);
		add(s, OP_CALL, 0, 0, 0, HELPER_CALL);
		break;
	}
	after_call(s);
}

/* All jumps still on their way end here: none may get into a loop, or out of it past its counter. */
static void land_jumps(struct source *s)
{
	for (unsigned k = 0; k < s->npending; k++)
		s->code[s->pending[k].pc].off = (int16_t)(s->n - s->pending[k].pc - 1);
	s->npending = 0;
}

static void item_loop(struct source *s)
{
	if (s->counter != NREGS)
		return;
	land_jumps(s);
	s->counter = draw(s, FREE_REGS);
	add(s, OP_MOV64_K, s->counter, 0, 0, 1 + (int32_t)draw(s, 5));
	s->loop_start = s->n;
	s->loop_items = 1 + draw(s, 6);
}

static void end_loop(struct source *s)
{
	unsigned r = s->counter;

	land_jumps(s);
	add(s, OP_ADD64_K, r, 0, 0, -1);
	add(s, OP_JNE64_K, r, 0, (int)s->loop_start - (int)s->n - 1, 0);
	s->counter = NREGS;
}

static void item(struct source *s)
{
	static void (*const items[])(struct source *) = {
		item_alu, item_alu, item_alu, item_one_operand, item_constant, item_rotate, item_rotate,
		item_add3, item_shift_pair, item_load, item_store, item_memory_operand, item_memory_operand,
		item_byte_order, item_bytes, item_slot, item_slot, item_slot, item_atomic, item_jump,
		item_jump, item_select, item_select, item_call, item_loop, item_index, item_index, item_test,
		item_test, item_bit, item_divide,
	};

	void (*made)(struct source *) = DRAW(s, items);
	uint32_t start = s->n;

	made(s);
	for (unsigned k = 0; k < s->npending;) {
		uint32_t at = s->n;

		if (--s->pending[k].items) {
			k++;
			continue;
		}
		if (s->pending[k].into && made != item_call && made != item_index &&
		    s->pending[k].pc < start)
			at = start + draw(s, s->n - start + 1);
		if (at && s->code[at - 1].code == insn_info[OP_LDDW].code)
			at = s->n;
		s->code[s->pending[k].pc].off = (int16_t)(at - s->pending[k].pc - 1);
		s->pending[k] = s->pending[--s->npending];
	}
	if (s->counter != NREGS && !--s->loop_items)
		end_loop(s);
}

/* --- Functions --------------------------------------------------------------------------------- */

static void body(struct source *s, unsigned max_items)
{
	s->counter = NREGS;
	s->npending = 0;
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		int off = -8 * (int)(slot + 1);

		s->slot_kind[slot] = (uint8_t)draw(s, 3);
		add(s, s->slot_kind[slot] == 0 ? OP_ST_DW : OP_ST_W, R10, 0, off, (int32_t)slot);
		if (s->slot_kind[slot])
			add(s, OP_ST_W, R10, 0, off + 4, (int32_t)slot + 100);
	}
	if (s->escapes)
		add(s, OP_MOV64_X, R9, R10, 0, 0);
	for (unsigned n = 0; s->left && n < max_items; n++)
		item(s);
	if (s->counter != NREGS)
		end_loop(s);
	land_jumps(s);
}

static void function_main(struct source *s)
{
	unsigned kept;

	s->escapes = draw(s, 4) == 0;
	s->leaf = draw(s, 2);
	add(s, OP_LDX_DW, R8, R1, 0, 0);
	for (unsigned r = 0; r < FREE_REGS; r++)
		add_wide(s, OP_LDDW, r, draw_value(s));
	body(s, MAX_ITEMS);
	kept = draw(s, 256);
	for (unsigned r = 0; r < FREE_REGS; r++)
		if (kept >> r & 1)
			add(s, OP_STX_DW, R8, r, 192 + 8 * (int)r, 0);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		int off = -8 * (int)(slot + 1);

		add(s, s->slot_kind[slot] ? OP_LDX_W : OP_LDX_DW, R1, R10, off, 0);
		add(s, OP_ADD64_X, R2, R1, 0, 0);
	}
	add(s, OP_MOV64_X, R0, R2, 0, 0);
	add(s, OP_EXIT, 0, 0, 0, 0);
}

/* Called with what r1-r5 happen to hold, by the program or by a helper; calls only the helper. */
static void function_callee(struct source *s)
{
	uint32_t start = s->n, ncalls = s->ncallee_calls;

	for (uint32_t k = 0; k < ncalls; k++)
		s->code[s->callee_calls[k]].imm = (int32_t)(start - s->callee_calls[k] - 1);
	s->ncallee_calls = 64; /* no calls from here */
	s->escapes = false;
	add(s, OP_MOV64_X, R0, R1, 0, 0);
	if (draw(s, 2)) { /* saves less */
		add(s, OP_XOR64_X, R0, R2, 0, 0);
		add(s, OP_EXIT, 0, 0, 0, 0);
		return;
	}
	for (unsigned r = R6; r <= R7; r++)
		add(s, OP_MOV64_K, r, 0, 0, (int32_t)r);
	add(s, OP_LDX_CPU_DW, R8, 0, offsetof(struct cpu, ctx), 0);
	add(s, OP_LDX_DW, R8, R8, 0, 0);
	body(s, 12);
	add(s, OP_EXIT, 0, 0, 0, 0);
}

static uint64_t help_mix(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct cpu *cpu)
{
	return r1 ^ r2 * 3 ^ r3 * 5 ^ r4 * 7 ^ r5 * 11 ^ cpu->id;
}

static uint64_t help_call(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct cpu *cpu)
{
	const struct callback *cb = (const struct callback *)(uintptr_t)r1;

	return cb->call(r2, r3, r4, r5, 5, cpu, cb) + cb->call(r5, r4, r3, r2, 1, cpu, cb);
}

static const struct helper helpers[] = {
	[HELPER_MIX] = {.name = "mix", .fn = help_mix},
	[HELPER_CALL] = {.name = "call", .fn = help_call},
};

/* --- Comparison -------------------------------------------------------------------------------- */

struct outcome {
	uint64_t r0;
	uint8_t mem[MEM];
};

static bool run(struct skep *k, const struct engine *e, const struct source *s, struct outcome *out)
{
	struct vm_ctx ctx = {.mem = memory, .len = MEM};
	struct prog *p;

	for (unsigned i = 0; i < MEM; i++)
		memory[i] = (uint8_t)(i * 29 + 3);
	if (vm_load(k, e, &vm_hook, s->code, s->n, NULL, 0, &p))
		return false;
	out->r0 = prog_run(p, &ctx, &k->cpus[2]);
	if (k->cpus[2].fault) {
		fprintf(stderr, "%s\n", fault_text(k->cpus[2].fault));
		return false;
	}
	memcpy(out->mem, memory, MEM);
	obj_put(&p->obj);
	return true;
}

static void explain(const struct source *s, const char *how, const struct outcome *want,
                    const struct outcome *got)
{
	struct buf text = {0};

	for (size_t pc = 0; pc < s->n;) {
		buf_printf(&text, "%4zu: ", pc);
		pc += disasm_insn(&text, s->code, pc, s->n, NULL);
		buf_puts(&text, "\n");
	}
	fprintf(stderr, "%s%s: r0 %llx, not %llx\n", text.data, how, (unsigned long long)got->r0,
	        (unsigned long long)want->r0);
	for (unsigned i = 0; i < MEM; i++)
		if (got->mem[i] != want->mem[i])
			fprintf(stderr, "memory at %u: %02x, not %02x\n", i, got->mem[i], want->mem[i]);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source s;
	struct outcome want, got;
	struct skep k;

	s = (struct source){.data = data, .left = size};
	function_main(&s);
	if (s.ncallee_calls)
		function_callee(&s);
	vm_init(&k, NULL, helpers, sizeof(helpers) / sizeof(helpers[0]));
	if (!run(&k, &engine_interp, &s, &want))
		abort();
	if (!run(&k, &engine_checked, &s, &got))
		abort();
	if (memcmp(&want, &got, sizeof(got)))
		explain(&s, "checked", &want, &got);
	if (!run(&k, &engine_jit, &s, &got))
		abort();
	if (memcmp(&want, &got, sizeof(got)))
		explain(&s, "jit", &want, &got);
	k.blind = true;
	if (!run(&k, &engine_jit, &s, &got))
		abort();
	if (memcmp(&want, &got, sizeof(got)))
		explain(&s, "jit, blinded", &want, &got);
	vm_exit(&k);
	return 0;
}
