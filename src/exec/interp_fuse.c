/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sequences of instructions one handler executes.
 *
 * A rule looks at the instructions from some point on and, where they match, answers the fused handler
 * (its plain variant) and which register is its first and second operand, for the choice of variants.
 * A handler reads the operands of later instructions from their own steps, which stay as they are: a
 * jump into the middle executes the rest one by one, and rules need not know where jumps go.
 *
 * Two things a rule must look at: handlers whose parts are computed before anything is stored must not
 * be given a later operand that an earlier part sets; and what the accumulator holds afterwards must be
 * what the last instruction alone would leave in it.
 *
 * Requires: handlers.def. Provides: fuse().
 */
#include "exec/interp.h"

#include <stdlib.h>

enum { MAX_FUSED = 5 };

/* The instructions at hand: op[i] is OP_INVALID from the end of the program on. */
struct window {
	const struct insn *insn[MAX_FUSED];
	enum op op[MAX_FUSED];
};

static void look(struct window *w, const struct insn *i, uint32_t left)
{
	for (unsigned n = 0; n < MAX_FUSED; n++) {
		unsigned slots;

		w->insn[n] = i;
		w->op[n] = left ? insn_op(i) : OP_INVALID;
		if (w->op[n] == OP_INVALID)
			continue;
		slots = insn_slots(w->op[n]);
		i += slots;
		left -= slots < left ? slots : left;
	}
}

/* Is it a move of at least so many bits? */
static bool is_move(enum op op, unsigned width)
{
	return op == OP_MOV64_X || (op == OP_MOV32_X && width == 32);
}

/* Handlers of dst = src; dst += src2; load. */
static const uint16_t index_load[OP_COUNT] = {
	[OP_LDX_B] = H_INDEX_B,
	[OP_LDX_H] = H_INDEX_H,
	[OP_LDX_W] = H_INDEX_W,
	[OP_LDX_DW] = H_INDEX_DW,
};
static_assert(H_ADD_LDX_H - H_INDEX_H == H_ADD_LDX_B - H_INDEX_B, "one distance for all sizes");

/* A shift by a constant: its width, positive to the left, negative to the right; 0: something else. */
static int shift_of(enum op op, const struct insn *i, unsigned *width)
{
	bool left = op == OP_LSH64_K || op == OP_LSH32_K;
	bool right = op == OP_RSH64_K || op == OP_RSH32_K;

	*width = op == OP_LSH64_K || op == OP_RSH64_K ? 64 : 32;
	if (!(left || right) || i->imm <= 0 || (unsigned)i->imm >= *width)
		return 0;
	return left ? i->imm : -i->imm;
}

/*
 *   t = s; t <<= n; [d = s;] d >>= width - n; d |= t     with either shift first, and the result in d or
 * in t; without the second move d is s. Leaves in the step what ROTATE in interp_run.h wants.
 */
static unsigned rotate(const struct window *w, struct step *s, struct fusion *f)
{
	unsigned t = w->insn[0]->dst, src = w->insn[0]->src, d = src, width, width2, next = 2;
	const struct insn *last;
	int first, second;
	bool half_left;

	first = shift_of(w->op[1], w->insn[1], &width);
	if (!first || t == src || w->insn[1]->dst != t || !is_move(w->op[0], width))
		return 0;
	if (is_move(w->op[2], width) && w->insn[2]->src == src && w->insn[2]->dst != t) {
		d = w->insn[2]->dst;
		next = 3;
	}
	second = shift_of(w->op[next], w->insn[next], &width2);
	if (!second || w->insn[next]->dst != d || width2 != width || (first < 0) == (second < 0) ||
	    abs(first) + abs(second) != (int)width)
		return 0;
	last = w->insn[next + 1];
	if (w->op[next + 1] != (width == 64 ? OP_OR64_X : OP_OR32_X) ||
	    !((last->dst == d && last->src == t) || (last->dst == t && last->src == d)))
		return 0;
	/* dst and src stay: the handler of a pair that ends here reads them. */
	s->imm = last->src | last->dst << 8;
	s->off = (int16_t)(first > 0 ? first : second);
	s->to = s + next + 2;
	f->a = src;
	half_left = (last->src == t ? first : second) > 0;
	if (width == 64)
		return half_left ? H_ROL64_L : H_ROL64_R;
	return half_left ? H_ROL32_L : H_ROL32_R;
}

/* dst = src, and what follows. */
static unsigned after_move(const struct window *w, struct fusion *f)
{
	static const uint16_t move_op[OP_COUNT] = {
#define X(name, value)                                                                             \
	[OP_##name##64_K] = H_MOV_##name##64_K, [OP_##name##64_X] = H_MOV_##name##64_X,            \
	[OP_##name##32_K] = H_MOV_##name##32_K, [OP_##name##32_X] = H_MOV_##name##32_X,
		ALU_OPS(X)
#undef X
	};
	const struct insn *move = w->insn[0], *next = w->insn[1];
	unsigned fields;

	f->a = move->src;
	if (w->op[0] == OP_MOV64_X && w->op[1] == OP_MOV64_X)
		return H_MOV64_X_MOV64_X;
	if (w->op[1] == OP_INVALID || !move_op[w->op[1]] || next->dst != move->dst)
		return 0;
	fields = insn_info[w->op[1]].fields;
	if (fields & INSN_RS) {
		if (next->src == move->dst)
			return 0;
		f->b = next->src;
	}
	if (!is_move(w->op[0], (insn_info[w->op[1]].code & 7) == CLASS_ALU64 ? 64 : 32))
		return 0;
	if (w->op[1] == OP_ADD64_X && w->op[2] != OP_INVALID && w->insn[2]->src == move->dst &&
	    index_load[w->op[2]])
		return index_load[w->op[2]];
	return move_op[w->op[1]];
}

static unsigned after_lddw(const struct window *w)
{
	static const uint16_t table_load[OP_COUNT] = {
		[OP_LDX_B] = H_TABLE_B,
		[OP_LDX_H] = H_TABLE_H,
		[OP_LDX_W] = H_TABLE_W,
		[OP_LDX_DW] = H_TABLE_DW,
	};
	unsigned dst = w->insn[0]->dst;

	if (w->op[1] != OP_ADD64_X || w->insn[1]->dst != dst || w->insn[1]->src == dst)
		return 0;
	if (w->op[2] != OP_INVALID && table_load[w->op[2]] && w->insn[2]->src == dst)
		return table_load[w->op[2]];
	return H_LDDW_ADD;
}

/* A load, and what is done with the value. */
static unsigned after_load(const struct window *w, struct fusion *f)
{
#define Y(size, op) {OP_LDX_##size, OP_##op, H_LDX_##size##_##op},
#define X(size)                                                                                    \
	Y(size, ADD64_X) Y(size, OR64_X) Y(size, XOR64_X)                                          \
	Y(size, ADD32_X) Y(size, OR32_X) Y(size, XOR32_X)                                          \
	Y(size, JEQ64_K) Y(size, JNE64_K) Y(size, JEQ32_K) Y(size, JNE32_K)
	static const struct {
		uint8_t load, op;
		uint16_t handler;
	} rules[] = {X(B) X(H) X(W) X(DW)};
#undef X
#undef Y
	const struct insn *next = w->insn[1];
	unsigned value;

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].load != w->op[0] || rules[i].op != w->op[1])
			continue;
		value = insn_info[w->op[1]].fields & INSN_RS ? next->src : next->dst;
		if (value != w->insn[0]->dst)
			return 0;
		f->a = w->insn[0]->src;
		return rules[i].handler;
	}
	return 0;
}

/* Two operations on one register, or one and a jump. */
static unsigned after_alu(const struct window *w, struct fusion *f)
{
#define Y(one, two) {OP_##one, OP_##two, H_##one##_##two},
	static const struct {
		uint8_t one, two;
		uint16_t handler;
	} rules[] = {
#define X(name, condition)                                                                         \
	Y(ADD64_K, name##64_K) Y(ADD32_K, name##32_K) Y(ADD64_K, name##64_X)                       \
	Y(AND64_K, name##64_K) Y(AND32_K, name##32_K)
		CMP_OPS(X)
#undef X
#define X(one, kind, two, kind2) Y(one##kind, two##kind2)
#include "exec/pairs.def"
#undef X
	};
#undef Y
	unsigned dst = w->insn[0]->dst;

	f->a = dst;
	if (w->op[0] == OP_ADD64_X && w->op[1] != OP_INVALID && w->insn[1]->src == dst &&
	    index_load[w->op[1]]) {
		f->b = w->insn[0]->src;
		return index_load[w->op[1]] + H_ADD_LDX_B - H_INDEX_B;
	}
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].one == w->op[0] && rules[i].two == w->op[1])
			return w->insn[1]->dst == dst &&
			                       !(insn_info[w->op[1]].fields & INSN_RS &&
			                         w->insn[1]->src == dst)
			               ? rules[i].handler
			               : 0;
	return 0;
}

unsigned fuse(const struct insn *i, uint32_t left, struct step *s, struct fusion *f)
{
	struct window w;
	unsigned handler = 0;

	*f = (struct fusion){NREGS, NREGS};
	look(&w, i, left);
	switch (w.op[0]) {
	case OP_MOV64_X:
	case OP_MOV32_X:
		handler = rotate(&w, s, f);
		return handler ? handler : after_move(&w, f);
	case OP_LDDW:
		return after_lddw(&w);
	case OP_LDX_B:
	case OP_LDX_H:
	case OP_LDX_W:
	case OP_LDX_DW:
		return after_load(&w, f);
	default:
		return after_alu(&w, f);
	}
}
