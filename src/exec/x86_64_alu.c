/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: arithmetic, moves, byte order.
 *
 * 32-bit operations of x86-64 clear the upper half of their result, as those of BPF do. jit.zext
 * remembers for which registers that is known, so nothing is cleared twice, and 64-bit operations on such
 * values may take their shorter 32-bit form.
 *
 * Requires: x86_64_enc.h. Provides: the rules of x86_64.c for these operations.
 */
#include "exec/x86_64.h"

/* An operation that leaves dst as it is, but for the width of the result. */
static int unchanged(struct jit *j, const struct jit_insn *in, enum x86_width w)
{
	if (w == X_32 && !x86_is_zext(j, in->dst)) {
		EMIT(j, mov_rr, X_32, x86_reg[in->dst], x86_reg[in->dst]);
		x86_wrote(j, in->dst, true);
	}
	return 0;
}

static int zero(struct jit *j, const struct jit_insn *in)
{
	EMIT(j, mov_ri, x86_reg[in->dst], 0);
	x86_wrote(j, in->dst, true);
	return 0;
}

int x86_alu_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	bool dst = x86_is_zext(j, in->dst), src = x86_is_zext(j, in->src);
	bool clear = r->w == X_32;

	if (r->code == X_AND)
		clear |= dst || src;
	if (r->code == X_OR || r->code == X_XOR)
		clear |= dst && src;
	EMIT(j, alu_rr, clear ? X_32 : X_64, r->code, x86_reg[in->dst], x86_reg[in->src]);
	x86_wrote(j, in->dst, clear);
	x86_flags_of(j, in->dst, clear ? X_32 : X_64, x86_alu_flags(r->code));
	return 0;
}

/* AND with a constant that fits 16 bits. */
static int and_narrow(struct jit *j, const struct jit_insn *in)
{
	unsigned dst = x86_reg[in->dst];

	if (in->imm == 0xff) {
		EMIT(j, rr8, X_32, X_MOVZX8, dst, dst);
	} else if (in->imm == 0xffff) {
		if (!x86_is_zext16(j, in->dst))
			EMIT(j, rr, X_32, X_MOVZX16, dst, dst);
	} else {
		EMIT(j, alu_ri, X_32, X_AND, dst, in->imm);
		x86_flags_of(j, in->dst, X_32, x86_alu_flags(X_AND));
	}
	x86_wrote16(j, in->dst);
	j->known.bit |= (uint16_t)((in->imm == 1) << in->dst);
	return 0;
}

int x86_alu_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst];
	bool clear = r->w == X_32;

	if (in->imm == (r->code == X_AND ? -1 : 0))
		return unchanged(j, in, r->w);
	if (r->code == X_AND && in->imm >= 0 && in->imm <= 0xffff)
		return and_narrow(j, in);
	if (in->imm > 0 && r->code == X_AND)
		clear = true;
	if (in->imm > 0 && (r->code == X_OR || r->code == X_XOR))
		clear |= x86_is_zext(j, in->dst);
	x86_wrote(j, in->dst, clear);
	if (r->code == X_XOR && in->imm == -1) {
		EMIT(j, unary, clear ? X_32 : X_64, X_NOT, dst);
		return 0;
	}
	if (in->imm == 128 && (r->code == X_ADD || r->code == X_SUB))
		EMIT(j, alu_ri, r->w, r->code == X_ADD ? X_SUB : X_ADD, dst, -128);
	else
		EMIT(j, alu_ri, clear ? X_32 : X_64, r->code, dst, in->imm);
	x86_flags_of(j, in->dst, clear ? X_32 : X_64, x86_alu_flags(r->code));
	j->known.nonzero |= (uint16_t)((r->code == X_OR) << in->dst);
	return 0;
}

int x86_shift_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned count = (unsigned)in->imm & (r->w == X_32 ? 31 : 63);

	if (!count)
		return unchanged(j, in, r->w);
	EMIT(j, shift_ri, r->w, r->code, x86_reg[in->dst], count);
	x86_flags_of(j, in->dst, r->w, X86_FLAGS_ZERO);
	x86_wrote(j, in->dst,
	          r->w == X_32 || (r->code == X_SHR && (count >= 32 || x86_is_zext(j, in->dst))));
	return 0;
}

/* Without BMI2 the count must be in cl, which is r4. */
static void shift_by_cl(struct jit *j, unsigned dst, unsigned src, const struct x86_rule *r)
{
	bool borrow = dst == X_RCX || src != X_RCX;

	if (borrow)
		EMIT(j, mov_rr, X_64, X_TMP1, X_RCX);
	if (src != X_RCX)
		EMIT(j, mov_rr, X_32, X_RCX, src);
	EMIT(j, shift_cl, r->w, r->code, dst == X_RCX ? X_TMP1 : dst);
	if (borrow)
		EMIT(j, mov_rr, X_64, X_RCX, X_TMP1);
}

int x86_shift_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src];

	if (j->features & X86_BMI2)
		EMIT(j, shift_x, r->w, r->code, dst, dst, src);
	else
		shift_by_cl(j, dst, src, r);
	x86_wrote(j, in->dst, r->w == X_32 || (r->code == X_SHR && x86_is_zext(j, in->dst)));
	return 0;
}

int x86_mul_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, rr, r->w, X_IMUL_RR, x86_reg[in->dst], x86_reg[in->src]);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

/*
 * dst *= n without multiplying: a multiplication takes three cycles, these one or two. 0: there is no
 * short way.
 */
static bool multiply_by_shifts(struct jit *j, enum x86_width w, unsigned dst, uint32_t n)
{
	unsigned low = (unsigned)__builtin_ctz(n);

	if (!(n & (n - 1))) {
		EMIT(j, shift_ri, w, X_SHL, dst, low);
	} else if (n == 3 || n == 5 || n == 9) {
		EMIT(j, rmx, w, X_LEA, dst, dst, dst, n == 3 ? 1 : n == 5 ? 2 : 3,
		     0);
	} else if (!((n - 1) & (n - 2)) || !((n + 1) & n)) {
		bool below = !((n + 1) & n); /* 2^k - 1, else 2^k + 1 */

		EMIT(j, mov_rr, w, X_AX, dst);
		EMIT(j, shift_ri, w, X_SHL, dst, (unsigned)__builtin_ctz(below ? n + 1 : n - 1));
		EMIT(j, alu_rr, w, below ? X_SUB : X_ADD, dst, X_AX);
	} else {
		return false;
	}
	return true;
}

int x86_mul_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst];

	if (in->imm == 1)
		return unchanged(j, in, r->w);
	/* 0 or 1 times k: k under a mask of no or all bits. */
	if (j->known.bit >> in->dst & 1 && in->imm) {
		EMIT(j, unary, r->w, X_NEG, dst);
		EMIT(j, alu_ri, r->w, X_AND, dst, in->imm);
		x86_wrote(j, in->dst, r->w == X_32);
		return 0;
	}
	if (in->imm <= 0 || !multiply_by_shifts(j, r->w, dst, (uint32_t)in->imm))
		EMIT(j, imul_rri, r->w, dst, dst, in->imm);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

/* --- Division ------------------------------------------------------------------------------------ */

/*
 * rdx:rax / divisor, result to dst. div destroys rax and rdx, which are r0 and r3: they are kept in
 * scratch registers unless dst or dead.
 */
static void divide(struct jit *j, const struct jit_insn *in, enum x86_width w, bool is_signed,
                   bool remainder, unsigned divisor)
{
	unsigned dst = x86_reg[in->dst], result = remainder ? X_RDX : X_RAX;
	bool keep_rax = dst != X_RAX && in->live >> R0 & 1;
	bool keep_rdx = dst != X_RDX && in->live >> R3 & 1;

	if (keep_rax)
		EMIT(j, mov_rr, X_64, X_TMP2, X_RAX);
	if (keep_rdx)
		EMIT(j, mov_rr, X_64, X_TMP1, X_RDX);
	if (dst != X_RAX)
		EMIT(j, mov_rr, w, X_RAX, dst);
	if (is_signed)
		EMIT(j, sign_rdx, w);
	else
		EMIT(j, mov_ri, X_RDX, 0);
	EMIT(j, unary, w, is_signed ? X_IDIV : X_DIV, divisor);
	if (dst != result)
		EMIT(j, mov_rr, w, dst, result);
	if (keep_rax)
		EMIT(j, mov_rr, X_64, X_RAX, X_TMP2);
	if (keep_rdx)
		EMIT(j, mov_rr, X_64, X_RDX, X_TMP1);
}

/* The rules say X_DIV or X_IDIV in code, and in bytes whether the remainder is wanted. */
int x86_div_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src];
	bool is_signed = r->code == X_IDIV, remainder = r->bytes;
	bool clear = r->w == X_32 || (!is_signed && x86_is_zext(j, in->dst) && x86_is_zext(j, in->src));
	enum x86_width w = clear ? X_32 : X_64;
	bool maybe_zero = !(j->known.nonzero >> in->src & 1);
	uint8_t *to_zero = NULL, *to_minus_one = NULL, *done = NULL, *done_too = NULL;

	if (maybe_zero) {
		EMIT(j, rr, w, X_TEST, src, src);
		to_zero = x86_jump(j, X_E);
	}
	if (is_signed) {
		EMIT(j, alu_ri, w, X_CMP, src, -1);
		to_minus_one = x86_jump(j, X_E);
	}
	if (src == X_RAX || src == X_RDX) {
		EMIT(j, mov_rr, w, X_AX, src);
		src = X_AX;
	}
	divide(j, in, w, is_signed, remainder, src);
	/* A wide remainder by zero is what dst holds already. */
	if ((maybe_zero && (!remainder || clear)) || is_signed)
		done = x86_jump(j, X86_JMP);
	if (is_signed) {
		/* The most negative number does not fit its quotient: div would trap. */
		x86_land(j, to_minus_one);
		if (remainder)
			EMIT(j, mov_ri, dst, 0);
		else
			EMIT(j, unary, w, X_NEG, dst);
		done_too = maybe_zero ? x86_jump(j, X86_JMP) : NULL;
	}
	if (maybe_zero) {
		x86_land(j, to_zero);
		if (!remainder)
			EMIT(j, mov_ri, dst, 0);
		else if (clear)
			EMIT(j, mov_rr, X_32, dst, dst);
	}
	if (done)
		x86_land(j, done);
	if (done_too)
		x86_land(j, done_too);
	x86_wrote(j, in->dst, clear);
	return 0;
}

int x86_div_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst];
	bool is_signed = r->code == X_IDIV, remainder = r->bytes;
	uint32_t n = (uint32_t)in->imm;

	if (!n)
		return remainder ? unchanged(j, in, r->w) : zero(j, in);
	if (n == 1 || (is_signed && in->imm == -1)) {
		if (remainder)
			return zero(j, in);
		if (n == 1)
			return unchanged(j, in, r->w);
		EMIT(j, unary, r->w, X_NEG, dst);
	} else if (!is_signed && in->imm > 0 && !(n & (n - 1))) {
		if (remainder)
			EMIT(j, alu_ri, X_32, X_AND, dst, in->imm - 1);
		else
			EMIT(j, shift_ri, r->w, X_SHR, dst, (unsigned)__builtin_ctz(n));
	} else {
		EMIT(j, mov_ri, X_AX, r->w == X_32 ? n : (uint64_t)(int64_t)in->imm);
		divide(j, in, r->w, is_signed, remainder, X_AX);
	}
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

/* --- One operand ----------------------------------------------------------------------------------- */

int x86_neg(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, unary, r->w, X_NEG, x86_reg[in->dst]);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

/* Byte order: `bytes` of the value, swapped when code says so. */
int x86_swap(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst];

	if (r->bytes == 2) {
		if (r->code)
			EMIT(j, rol16, dst, 8);
		/* The rotate leaves the upper bits alone. */
		if (!x86_is_zext16(j, in->dst))
			EMIT(j, rr, X_32, X_MOVZX16, dst, dst);
		x86_wrote16(j, in->dst);
		return 0;
	}
	if (!r->code)
		return unchanged(j, in, r->bytes == 4 ? X_32 : X_64);
	EMIT(j, bswap, r->bytes == 8 ? X_64 : X_32, dst);
	x86_wrote(j, in->dst, r->bytes != 8);
	return 0;
}

/* --- Moves ------------------------------------------------------------------------------------------- */

int x86_mov_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	bool clear = r->w == X_32 || x86_is_zext(j, in->src);

	if (in->dst == in->src)
		return unchanged(j, in, r->w);
	EMIT(j, mov_rr, clear ? X_32 : X_64, x86_reg[in->dst], x86_reg[in->src]);
	x86_copied(j, in->dst, in->src, clear);
	return 0;
}

static int load_constant(struct jit *j, unsigned r, uint64_t value)
{
	EMIT(j, mov_ri, x86_reg[r], value);
	x86_wrote_constant(j, r, value);
	return 0;
}

int x86_mov_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	return load_constant(j, in->dst, r->w == X_32 ? (uint32_t)in->imm : (uint64_t)(int64_t)in->imm);
}

int x86_lddw(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	return load_constant(j, in->dst, in->imm64);
}

int x86_movsx(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src];

	if (r->code == X_MOVSX8)
		EMIT(j, rr8, r->w, r->code, dst, src);
	else
		EMIT(j, rr, r->w, r->code, dst, src);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}
