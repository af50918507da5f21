/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: loads, stores, atomics.
 *
 * Every load and store of x86-64 is an acquire and a release, so the plain forms serve for those of BPF;
 * locked instructions are full barriers, as BPF wants of atomics that fetch.
 *
 * Requires: x86_64_enc.h. Provides: the rules of x86_64.c for these operations.
 */
#include "exec/x86_64.h"

int x86_load(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	if (in->slot)
		EMIT(j, mov_rr, r->w, x86_reg[in->dst], j->slot_reg[in->slot]);
	else
		EMIT(j, rm, r->w, r->code, x86_reg[in->dst], x86_base(j, in->src),
		     x86_disp(j, in->src, in->off));
	x86_loaded(j, in->dst, r);
	return 0;
}

int x86_load_cpu(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, rm, r->w, X_LOAD, x86_reg[in->dst], X_CPU, in->off);
	x86_wrote(j, in->dst, r->w == X_32);
	return 0;
}

int x86_store_x(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	if (in->slot)
		EMIT(j, mov_rr, r->bytes == 8 ? X_64 : X_32, j->slot_reg[in->slot], x86_reg[in->src]);
	else
		EMIT(j, store, r->bytes, x86_reg[in->src], x86_base(j, in->dst),
		     x86_disp(j, in->dst, in->off));
	return 0;
}

int x86_store_k(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	if (in->slot)
		EMIT(j, mov_ri, j->slot_reg[in->slot],
		     r->bytes == 8 ? (uint64_t)(int64_t)in->imm : (uint32_t)in->imm);
	else
		EMIT(j, store_imm, r->bytes, x86_base(j, in->dst), x86_disp(j, in->dst, in->off),
		     in->imm);
	return 0;
}

int x86_atomic(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, lock);
	EMIT(j, rm, r->w, r->code * 8u + 1, x86_reg[in->src], x86_base(j, in->dst),
	     x86_disp(j, in->dst, in->off));
	return 0;
}

/* xadd and xchg (which locks by itself): src becomes what was there. */
int x86_fetch(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	if (r->code != X_XCHG)
		EMIT(j, lock);
	EMIT(j, rm, r->w, r->code, x86_reg[in->src], x86_base(j, in->dst),
	     x86_disp(j, in->dst, in->off));
	x86_wrote(j, in->src, r->w == X_32);
	return 0;
}

/* The other fetching operations: compare and exchange until nobody came between. */
int x86_fetch_loop(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned base = x86_base(j, in->dst), src = x86_reg[in->src];
	int32_t disp = x86_disp(j, in->dst, in->off);
	uint8_t *again;

	EMIT(j, mov_rr, X_64, X_TMP2, X_RAX);
	base = base == X_RAX ? X_TMP2 : base;
	EMIT(j, rm, r->w, X_LOAD, X_RAX, base, disp);
	again = j->at;
	EMIT(j, mov_rr, r->w, X_AX, X_RAX);
	EMIT(j, alu_rr, r->w, r->code, X_AX, src == X_RAX ? X_TMP2 : src);
	EMIT(j, lock);
	EMIT(j, rm, r->w, X_CMPXCHG, X_AX, base, disp);
	EMIT(j, jcc8, X_NE, (int)(again - j->at) - 2);
	if (src != X_RAX) {
		EMIT(j, mov_rr, r->w, src, X_RAX);
		EMIT(j, mov_rr, X_64, X_RAX, X_TMP2);
	}
	x86_wrote(j, in->src, r->w == X_32);
	return 0;
}

int x86_cmpxchg(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, lock);
	EMIT(j, rm, r->w, X_CMPXCHG, x86_reg[in->src], x86_base(j, in->dst),
	     x86_disp(j, in->dst, in->off));
	/* eax is not written, so not extended either, when the comparison holds. */
	if (r->w == X_32)
		EMIT(j, mov_rr, X_32, X_RAX, X_RAX);
	x86_wrote(j, R0, r->w == X_32);
	return 0;
}
