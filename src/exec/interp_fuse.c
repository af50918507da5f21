/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sequences of steps one handler executes.
 *
 * A rule looks at the steps from some point on and, where they match, answers the fused handler (its plain
 * variant) and which register is its first and second operand, for the choice of variants. A handler reads
 * the operands of later steps where those stand. All steps stay as they are, also those inside: a jump into
 * the middle executes the rest one by one, another sequence may begin there, and rules need not know
 * where jumps go.
 *
 * Two things a rule must look at: handlers that compute two parts before they store the first must not be
 * given a second operand that the first part sets; and what the accumulator holds afterwards must be what
 * the last step alone would leave in it.
 *
 * Requires: handlers.def, fused.def. Provides: fuse().
 */
#include "exec/interp.h"

#include <stdlib.h>

/* A pair of operations as one number. */
#define PAIR(one, two) ((unsigned)OP_##one << 8 | (unsigned)OP_##two)

static bool reads_src(enum op op)
{
	return insn_info[op].fields & INSN_RS;
}

/* Is it a move of at least so many bits? */
static bool is_move(enum op op, unsigned width)
{
	return op == OP_MOV64_X || (op == OP_MOV32_X && width == 32);
}

/* A store into the frame, or a load from it, that needs no check. */
static bool is_frame_access(const struct step *s, enum op op)
{
	unsigned base = insn_info[op].fields & INSN_STORE ? s->dst : s->src;

	return base == R10 && step_in_frame(s, op);
}

/* A shift by a constant: its width, positive to the left, negative to the right; 0: something else. */
static int shift_of(enum op op, const struct step *s, unsigned *width)
{
	bool left = op == OP_LSH64_K || op == OP_LSH32_K;
	bool right = op == OP_RSH64_K || op == OP_RSH32_K;

	*width = op == OP_LSH64_K || op == OP_RSH64_K ? 64 : 32;
	if (!(left || right) || s->imm <= 0 || (unsigned)s->imm >= *width)
		return 0;
	return left ? s->imm : -s->imm;
}

/*
 *   t = s; t <<= n; [d = s;] d >>= width - n; d |= t     with either shift first, and the result in d or
 * in t; without the second move d is s. Leaves in the first step what ROTATE in interp_run.h wants; its
 * dst and src stay, since the handler of a pair that ends there reads them.
 */
static unsigned rotate(struct step *s, const uint8_t *op, struct fusion *f)
{
	unsigned t = s->dst, src = s->src, d = src, width, width2, next = 2;
	const struct step *last;
	int first, second;
	bool half_left;

	first = shift_of(op[1], &s[1], &width);
	if (!first || t == src || s[1].dst != t || !is_move(op[0], width))
		return 0;
	if (is_move(op[2], width) && s[2].src == src && s[2].dst != t) {
		d = s[2].dst;
		next = 3;
	}
	second = shift_of(op[next], &s[next], &width2);
	if (!second || s[next].dst != d || width2 != width || (first < 0) == (second < 0) ||
	    abs(first) + abs(second) != (int)width)
		return 0;
	last = &s[next + 1];
	if (op[next + 1] != (width == 64 ? OP_OR64_X : OP_OR32_X) ||
	    !((last->dst == d && last->src == t) || (last->dst == t && last->src == d)))
		return 0;
	s->imm = last->src | last->dst << 8;
	s->off = (int16_t)(first > 0 ? first : second);
	s->to = s + next + 2;
	f->a = src;
	half_left = (last->src == t ? first : second) > 0;
	if (width == 64)
		return half_left ? H_ROL64_L : H_ROL64_R;
	return half_left ? H_ROL32_L : H_ROL32_R;
}

/* Handlers of a load of this size: by what makes its address. */
enum { FROM_INDEX, FROM_SUM, FROM_TABLE };

static unsigned address_and_load(unsigned what, enum op load)
{
	static const uint16_t handlers[][3] = {
#define X(size) {H_INDEX_##size, H_ADD_LDX_##size, H_TABLE_##size},
		X(B) X(H) X(W) X(DW)
#undef X
	};

	switch (load) {
	case OP_LDX_B:
		return handlers[0][what];
	case OP_LDX_H:
		return handlers[1][what];
	case OP_LDX_W:
		return handlers[2][what];
	case OP_LDX_DW:
		return handlers[3][what];
	default:
		return 0;
	}
}

/* d = s; d op= a; if d ... goto */
static unsigned move_and_branch(const struct step *s, const uint8_t *op)
{
	if (s[2].dst != s->dst || (reads_src(op[2]) && s[2].src == s->dst))
		return 0;
	switch ((unsigned)op[1] << 8 | op[2]) {
#define MOVE_BRANCH(op, form, cmp, form2)                                                          \
	case PAIR(op##form, cmp##form2):                                                           \
		return H_MOV_##op##form##_##cmp##form2;
#include "exec/fused.def"
	default:
		return 0;
	}
}

/* d = s, and what follows. */
static unsigned after_move(const struct step *s, const uint8_t *op, struct fusion *f)
{
	static const uint16_t move_op[OP_COUNT + 1] = {
#define X(name, value)                                                                             \
	[OP_##name##64_K] = H_MOV_##name##64_K, [OP_##name##64_X] = H_MOV_##name##64_X,            \
	[OP_##name##32_K] = H_MOV_##name##32_K, [OP_##name##32_X] = H_MOV_##name##32_X,
		ALU_OPS(X)
#undef X
	};
	unsigned handler, wide;

	f->a = s->src;
	switch ((unsigned)op[0] << 8 | op[1]) {
#define X(one, two)                                                                                \
	case PAIR(one, two):                                                                       \
		return H_##one##_##two;
		X(MOV64_X, MOV64_X)
		X(MOV32_X, MOV32_X)
		X(MOV64_X, JEQ64_K) X(MOV64_X, JNE64_K) X(MOV64_X, JEQ32_K) X(MOV64_X, JNE32_K)
		X(MOV32_X, JEQ64_K) X(MOV32_X, JNE64_K) X(MOV32_X, JEQ32_K) X(MOV32_X, JNE32_K)
#undef X
	default:
		break;
	}
	handler = move_op[op[1]];
	if (!handler || s[1].dst != s->dst || (reads_src(op[1]) && s[1].src == s->dst))
		return 0;
	wide = (insn_info[op[1]].code & 7) == CLASS_ALU64;
	if (!is_move(op[0], wide ? 64 : 32))
		return 0;
	if (op[2] != OP_INVALID && move_and_branch(s, op))
		return move_and_branch(s, op);
	if (reads_src(op[1]))
		f->b = s[1].src;
	if (op[1] == OP_ADD64_X && s[2].src == s->dst && address_and_load(FROM_INDEX, op[2]))
		return address_and_load(FROM_INDEX, op[2]);
	return handler;
}

static unsigned after_lddw(const struct step *s, const uint8_t *op)
{
	if (op[1] == OP_ADD64_X && s[1].dst == s->dst && s[1].src != s->dst) {
		if (s[2].src == s->dst && address_and_load(FROM_TABLE, op[2]))
			return address_and_load(FROM_TABLE, op[2]);
		return H_LDDW_ADD;
	}
	if (s[1].src != s->dst)
		return 0;
	switch (op[1]) {
#define WIDE_INTO(op, form)                                                                        \
	case OP_##op##form:                                                                        \
		return H_LDDW_INTO_##op##form;
#include "exec/fused.def"
	default:
		return 0;
	}
}

/* A load, and what is done with the value. */
static unsigned after_load(const struct step *s, const uint8_t *op, struct fusion *f)
{
	bool src = reads_src(op[1]) && s[1].src == s->dst, dst = s[1].dst == s->dst;

	f->a = s->src;
	if (dst && !src) {
		switch ((unsigned)op[0] << 8 | op[1]) {
#define LOAD_SAME(size, op, form)                                                                  \
	case PAIR(LDX_##size, op##form):                                                           \
		return H_LDX_##size##_##op##form;
#define LOAD_BRANCH LOAD_SAME
#include "exec/fused.def"
		default:
			return 0;
		}
	}
	if (!src)
		return 0;
	switch ((unsigned)op[0] << 8 | op[1]) {
#define LOAD_INTO(size, op, form)                                                                  \
	case PAIR(LDX_##size, op##form):                                                           \
		return H_LDX_##size##_INTO_##op##form;
#include "exec/fused.def"
	default:
		break;
	}
	if (!is_frame_access(&s[0], op[0]) || !is_frame_access(&s[1], op[1]))
		return 0;
	f->a = NREGS; /* there are no variants */
	if (op[0] == OP_LDX_W && op[1] == OP_STX_W)
		return H_COPY_W;
	return op[0] == OP_LDX_DW && op[1] == OP_STX_DW ? H_COPY_DW : 0;
}

/* d op= a, and what is done with d otherwise than by operating on it again. */
static unsigned after_alu_into(const struct step *s, const uint8_t *op, struct fusion *f)
{
	unsigned pair = (unsigned)op[0] << 8 | op[1];

	if (op[0] == OP_ADD64_X && address_and_load(FROM_SUM, op[1])) {
		f->b = s->src;
		return address_and_load(FROM_SUM, op[1]);
	}
	if (s[1].dst == s->dst)
		return 0;
	if (is_frame_access(&s[1], op[1])) {
		switch (pair) {
#define STORE_FRAME(op, form, size)                                                                \
	case PAIR(op##form, STX_##size):                                                           \
		return H_##op##form##_STX_##size##_F;
#include "exec/fused.def"
		default:
			return 0;
		}
	}
	switch (pair) {
#define INTO(op, form, op2, form2)                                                                 \
	case PAIR(op##form, op2##form2):                                                           \
		return H_##op##form##_INTO_##op2##form2;
#define STORE(op, form, size)                                                                      \
	case PAIR(op##form, STX_##size):                                                           \
		return H_##op##form##_STX_##size;
#include "exec/fused.def"
	default:
		return 0;
	}
}

/* Two operations on one register, or one and a jump. */
static unsigned after_alu(const struct step *s, const uint8_t *op, struct fusion *f)
{
	f->a = s->dst;
	if (reads_src(op[1]) && s[1].src == s->dst)
		return after_alu_into(s, op, f);
	if (s[1].dst != s->dst)
		return 0;
	switch ((unsigned)op[0] << 8 | op[1]) {
#define SAME(op, form, op2, form2)                                                                 \
	case PAIR(op##form, op2##form2):                                                           \
		return H_##op##form##_##op2##form2;
#define BRANCH SAME
#include "exec/fused.def"
	default:
		return 0;
	}
}

unsigned fuse(struct step *s, const uint8_t op[MAX_FUSED], struct fusion *f)
{
	unsigned handler;

	*f = (struct fusion){NREGS, NREGS};
	if (op[1] == OP_INVALID)
		return 0;
	switch (op[0]) {
	case OP_MOV64_X:
	case OP_MOV32_X:
		handler = rotate(s, op, f);
		return handler ? handler : after_move(s, op, f);
	case OP_LDDW:
		return after_lddw(s, op);
	case OP_LDX_B:
	case OP_LDX_H:
	case OP_LDX_W:
	case OP_LDX_DW:
		return after_load(s, op, f);
	default:
		return after_alu(s, op, f);
	}
}
