/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: the fused operations of jit_fuse.c.
 *
 * Requires: x86_64_enc.h. Provides: the rules of x86_64.c for these operations.
 */
#include "exec/x86_64.h"

int x86_rotate(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src], bits = r->w == X_32 ? 32 : 64;

	if (dst != src && j->features & X86_BMI2) {
		EMIT(j, rorx, r->w, dst, src, bits - (unsigned)in->imm);
	} else {
		if (dst != src)
			EMIT(j, mov_rr, r->w, dst, src);
		EMIT(j, shift_ri, r->w, X_ROL, dst, (unsigned)in->imm);
	}
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

int x86_add3_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned base = x86_reg[in->src], index = x86_reg[in->src2];

	/* rbp and r13 as base would need a displacement. */
	if ((base & 7) == X_RBP) {
		base = index;
		index = x86_reg[in->src];
	}
	EMIT(j, rmx, r->w, X_LEA, x86_reg[in->dst], base, index, 0, 0);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

int x86_add3_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, rm, r->w, X_LEA, x86_reg[in->dst], x86_reg[in->src], in->imm);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

int x86_zext(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src];

	if (in->imm == 8)
		EMIT(j, rr8, X_32, X_MOVZX8, dst, src);
	else
		EMIT(j, rr, X_32, X_MOVZX16, dst, src);
	x86_wrote16(j, in->dst);
	return 0;
}

/* A load or store at base + (index << scale) + off. */
int x86_index(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	const struct x86_rule *second = &x86_rules[in->second];
	unsigned reg = x86_reg[in->dst], base = x86_base(j, in->src), index = x86_reg[in->src2];
	int32_t disp = x86_disp(j, in->src, in->off);

	if (in->op == JIT_TABLE)
		EMIT(j, mov_ri, base, in->imm64);
	if (!in->scale && !disp && (base & 7) == X_RBP) {
		base = index;
		index = x86_reg[in->src];
	}
	if (insn_info[in->second].fields & INSN_STORE) {
		EMIT(j, store_x, second->bytes, reg, base, index, in->scale, disp);
	} else {
		EMIT(j, rmx, second->w, second->code, reg, base, index, in->scale, disp);
		x86_loaded(j, in->dst, second);
	}
	return 0;
}

int x86_op_mem(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	const struct x86_rule *second = &x86_rules[in->second];
	bool multiply = in->second == OP_MUL64_X || in->second == OP_MUL32_X;
	unsigned op = multiply ? (unsigned)X_IMUL_RR : second->code * 8u + 3;

	if (in->slot)
		EMIT(j, rr, second->w, op, x86_reg[in->dst], j->slot_reg[in->slot]);
	else
		EMIT(j, rm, second->w, op, x86_reg[in->dst], x86_base(j, in->src),
		     x86_disp(j, in->src, in->off));
	x86_wrote(j, in->dst, second->w == X_32);
	if (!multiply)
		x86_flags_of(j, in->dst, second->w, x86_alu_flags(second->code));
	return 0;
}

/* cmp; cmov. The jump's condition is that of not moving. */
int x86_select(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	const struct x86_rule *first = &x86_rules[in->first], *second = &x86_rules[in->second];
	unsigned to = x86_reg[in->to], from = x86_reg[in->from];
	bool immediate = !(insn_info[in->second].fields & INSN_RS);
	bool clear = second->w == X_32 || (immediate ? in->imm2 >= 0 : x86_is_zext(j, in->from));

	/* A conditional move of 32 bits would clear the upper half even where it does not move. */
	if (immediate) {
		uint64_t value = clear ? (uint32_t)in->imm2 : (uint64_t)(int64_t)in->imm2;

		EMIT(j, mov_ri, X_AX, value);
		from = X_AX;
	} else if (second->w == X_32 && !x86_is_zext(j, in->from)) {
		EMIT(j, mov_rr, X_32, X_AX, from);
		from = X_AX;
	}
	x86_compare(j, in, first);
	EMIT(j, rr, X_64, X_CMOV + (x86_condition(first) ^ 1), to, from);
	x86_wrote(j, in->to, clear && x86_is_zext(j, in->to));
	return 0;
}
