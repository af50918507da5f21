/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86-64 back end: the rule of every operation, compare-and-jump, branches.
 *
 * Requires: x86_64_alu.c, x86_64_mem.c, x86_64_call.c. Provides: jit_arch_host.
 */
#include <errno.h>

#include "exec/x86_64.h"

/* How a jump compares: `bytes` of its rule. */
enum { COMPARE_X, COMPARE_K, TEST_X, TEST_K };

static int jump(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	jit_branch_to(j, X86_JMP, in->target);
	return 0;
}

/* Counts down in the frame; at 0 it jumps, and goes on doing so. */
static int may_goto(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	int32_t slot = x86_may_goto_slot(j);

	EMIT(j, cmp_mi8, X_64, j->frame_reg, slot, 0);
	jit_branch_to(j, X_E, in->target);
	EMIT(j, dec_m, X_64, j->frame_reg, slot);
	return 0;
}

static void test_k(struct jit *j, enum x86_width w, unsigned reg, int32_t imm)
{
	if (imm >= 0 && imm <= 0x7f)
		EMIT(j, test_ri8, reg, (unsigned)imm);
	else
		EMIT(j, test_ri, imm > 0 ? X_32 : w, reg, imm);
}

/* Do the flags say already how this register compares with 0? */
static bool flags_serve(const struct jit *j, unsigned reg, const struct x86_rule *r)
{
	const struct jit_known *k = &j->known;
	bool same_width = r->w == (k->flags & X86_FLAGS_64 ? X_64 : X_32);

	if (k->flags_at != j->at || k->flags_reg != reg)
		return false;
	if (r->code == X_E || r->code == X_NE)
		return same_width || !(k->flags & X86_FLAGS_64);
	return same_width && k->flags & X86_FLAGS_COMPARE;
}

void x86_compare(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	unsigned dst = x86_reg[in->dst], src = x86_reg[in->src];

	switch (r->bytes) {
	case COMPARE_X:
		EMIT(j, alu_rr, r->w, X_CMP, dst, src);
		break;
	case COMPARE_K:
		/* test sets the flags as a comparison with 0 would. */
		if (in->imm)
			EMIT(j, alu_ri, r->w, X_CMP, dst, in->imm);
		else if (!flags_serve(j, in->dst, r))
			EMIT(j, rr, r->w, X_TEST, dst, dst);
		break;
	case TEST_X:
		EMIT(j, rr, r->w, X_TEST, src, dst);
		break;
	case TEST_K:
		test_k(j, r->w, dst, in->imm);
		break;
	}
}

enum x86_cc x86_condition(const struct x86_rule *r)
{
	return r->code;
}

static int compare_jump(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	x86_compare(j, in, r);
	jit_branch_to(j, r->code, in->target);
	return 0;
}

static int jump_not(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	const struct x86_rule *first = &x86_rules[in->first];

	x86_compare(j, in, first);
	jit_branch_to(j, x86_condition(first) ^ 1, in->target);
	return 0;
}

static int not_here(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	return -ENOTSUPP;
}

/* --- The rules ----------------------------------------------------------------------------------- */

#define BOTH(name, k, x, ...)                                                                      \
	[OP_##name##64_K] = {k, .w = X_64, __VA_ARGS__},                                           \
	[OP_##name##64_X] = {x, .w = X_64, __VA_ARGS__},                                           \
	[OP_##name##32_K] = {k, .w = X_32, __VA_ARGS__},                                           \
	[OP_##name##32_X] = {x, .w = X_32, __VA_ARGS__}
#define ALU(name, op) BOTH(name, x86_alu_k, x86_alu_x, .code = op)
#define SHIFT(name, op) BOTH(name, x86_shift_k, x86_shift_x, .code = op)
#define DIVIDE(name, op, remainder) BOTH(name, x86_div_k, x86_div_x, .code = op, .bytes = remainder)
#define JUMP(name, cc, how)                                                                        \
	[OP_##name##64_K] = {compare_jump, cc, X_64, how##_K},                                     \
	[OP_##name##64_X] = {compare_jump, cc, X_64, how##_X},                                     \
	[OP_##name##32_K] = {compare_jump, cc, X_32, how##_K},                                     \
	[OP_##name##32_X] = {compare_jump, cc, X_32, how##_X}
#define CMP(name, cc) JUMP(name, cc, COMPARE)
#define LOAD(name, op, width) [OP_##name] = {x86_load, op, width}
#define STORES(size, n)                                                                            \
	[OP_ST_##size] = {x86_store_k, .bytes = n},                                                \
	[OP_STX_##size] = {x86_store_x, .bytes = n},                                               \
	[OP_STORE_REL_##size] = {x86_store_x, .bytes = n}
#define ATOMICS(bits, width)                                                                       \
	[OP_ATOMIC_ADD##bits] = {x86_atomic, X_ADD, width},                                        \
	[OP_ATOMIC_OR##bits] = {x86_atomic, X_OR, width},                                          \
	[OP_ATOMIC_AND##bits] = {x86_atomic, X_AND, width},                                        \
	[OP_ATOMIC_XOR##bits] = {x86_atomic, X_XOR, width},                                        \
	[OP_FETCH_ADD##bits] = {x86_fetch, X_XADD, width},                                         \
	[OP_FETCH_OR##bits] = {x86_fetch_loop, X_OR, width},                                       \
	[OP_FETCH_AND##bits] = {x86_fetch_loop, X_AND, width},                                     \
	[OP_FETCH_XOR##bits] = {x86_fetch_loop, X_XOR, width},                                     \
	[OP_XCHG##bits] = {x86_fetch, X_XCHG, width},                                              \
	[OP_CMPXCHG##bits] = {x86_cmpxchg, 0, width}
#define SWAP(bits, n)                                                                              \
	[OP_LE##bits] = {x86_swap, .code = false, .bytes = n},                                     \
	[OP_BE##bits] = {x86_swap, .code = true, .bytes = n},                                      \
	[OP_BSWAP##bits] = {x86_swap, .code = true, .bytes = n}
#define PACKET(size, n)                                                                            \
	[OP_LD_ABS_##size] = {x86_packet_load, .bytes = n},                                        \
	[OP_LD_IND_##size] = {x86_packet_load, .bytes = n}

const struct x86_rule x86_rules[JIT_OPS] = {
	ALU(ADD, X_ADD),
	ALU(SUB, X_SUB),
	ALU(OR, X_OR),
	ALU(AND, X_AND),
	ALU(XOR, X_XOR),
	SHIFT(LSH, X_SHL),
	SHIFT(RSH, X_SHR),
	SHIFT(ARSH, X_SAR),
	BOTH(MUL, x86_mul_k, x86_mul_x),
	DIVIDE(DIV, X_DIV, false),
	DIVIDE(SDIV, X_IDIV, false),
	DIVIDE(MOD, X_DIV, true),
	DIVIDE(SMOD, X_IDIV, true),
	BOTH(MOV, x86_mov_k, x86_mov_x),
	[OP_NEG64] = {x86_neg, .w = X_64},
	[OP_NEG32] = {x86_neg, .w = X_32},
	[OP_MOVSX8_64] = {x86_movsx, X_MOVSX8, X_64},
	[OP_MOVSX16_64] = {x86_movsx, X_MOVSX16, X_64},
	[OP_MOVSX32_64] = {x86_movsx, X_MOVSXD, X_64},
	[OP_MOVSX8_32] = {x86_movsx, X_MOVSX8, X_32},
	[OP_MOVSX16_32] = {x86_movsx, X_MOVSX16, X_32},
	[OP_ADDR_CAST] = {not_here},
	SWAP(16, 2),
	SWAP(32, 4),
	SWAP(64, 8),
	[OP_LDDW] = {x86_lddw},

	CMP(JEQ, X_E),
	CMP(JNE, X_NE),
	CMP(JGT, X_A),
	CMP(JGE, X_AE),
	CMP(JLT, X_B),
	CMP(JLE, X_BE),
	CMP(JSGT, X_G),
	CMP(JSGE, X_GE),
	CMP(JSLT, X_L),
	CMP(JSLE, X_LE),
	JUMP(JSET, X_NE, TEST),
	[OP_JA] = {jump},
	[OP_JAL] = {jump},
	[OP_MAY_GOTO] = {may_goto},
	[OP_CALL] = {x86_call},
	[OP_CALL_LOCAL] = {x86_call_local},
	[OP_CALL_KFUNC] = {x86_call},
	[OP_EXIT] = {x86_exit},

	LOAD(LDX_B, X_MOVZX8, X_32),
	LOAD(LDX_H, X_MOVZX16, X_32),
	LOAD(LDX_W, X_LOAD, X_32),
	LOAD(LDX_DW, X_LOAD, X_64),
	LOAD(LOAD_ACQ_B, X_MOVZX8, X_32),
	LOAD(LOAD_ACQ_H, X_MOVZX16, X_32),
	LOAD(LOAD_ACQ_W, X_LOAD, X_32),
	LOAD(LOAD_ACQ_DW, X_LOAD, X_64),
	LOAD(LDSX_B, X_MOVSX8, X_64),
	LOAD(LDSX_H, X_MOVSX16, X_64),
	LOAD(LDSX_W, X_MOVSXD, X_64),
	STORES(B, 1),
	STORES(H, 2),
	STORES(W, 4),
	STORES(DW, 8),
	ATOMICS(32, X_32),
	ATOMICS(64, X_64),
	PACKET(B, 1),
	PACKET(H, 2),
	PACKET(W, 4),
	[OP_LDX_CPU_W] = {x86_load_cpu, .w = X_32},
	[OP_LDX_CPU_DW] = {x86_load_cpu, .w = X_64},

	[JIT_ROTATE64] = {x86_rotate, .w = X_64},
	[JIT_ROTATE32] = {x86_rotate, .w = X_32},
	[JIT_ADD64_X] = {x86_add3_x, .w = X_64},
	[JIT_ADD32_X] = {x86_add3_x, .w = X_32},
	[JIT_ADD64_K] = {x86_add3_k, .w = X_64},
	[JIT_ADD32_K] = {x86_add3_k, .w = X_32},
	[JIT_ZEXT] = {x86_zext},
	[JIT_OP_MEM] = {x86_op_mem},
	[JIT_INDEX] = {x86_index},
	[JIT_TABLE] = {x86_index},
	[JIT_SELECT] = {x86_select},
	[JIT_JUMP_NOT] = {jump_not},
};

static int insn(struct jit *j, const struct jit_insn *in)
{
	const struct x86_rule *r = &x86_rules[in->op];

	return r->emit ? r->emit(j, in, r) : not_here(j, in, r);
}

static unsigned features(void)
{
	return __builtin_cpu_supports("bmi2") ? X86_BMI2 : 0;
}

/* --- Branches ------------------------------------------------------------------------------------ */

/* A distance counts from the end of the branch. */
enum { NEAR_SIZE = 2, NEAR_MIN = INT8_MIN + NEAR_SIZE, NEAR_MAX = INT8_MAX + NEAR_SIZE };

static const struct jit_branch branches[] = {
	[X_O ... X_G] = {NEAR_SIZE, 6, NEAR_MIN, NEAR_MAX},
	[X86_JMP] = {NEAR_SIZE, 5, NEAR_MIN, NEAR_MAX},
};

static void branch(uint8_t *at, unsigned kind, bool far, int64_t distance)
{
	int32_t d = (int32_t)(distance - (far ? branches[kind].far_size : NEAR_SIZE));

	if (kind == X86_JMP)
		far ? enc_jmp32(at, d) : enc_jmp8(at, d);
	else
		far ? enc_jcc32(at, kind, d) : enc_jcc8(at, kind, d);
}

static void fix(uint8_t *at, uintptr_t from, uintptr_t to)
{
	enc_imm32(at, (uint32_t)(to - (from + 4)));
}

const struct jit_arch jit_arch_host = {
	.name = "x86_64",
	.fuses = UINT32_MAX,
	.insn_max = 192,
	.features = features,
	.slots = x86_slots,
	.begin = x86_begin,
	.insn = insn,
	.stub = x86_stub,
	.branches = branches,
	.branch = branch,
	.fix = fix,
	.padding = X_INT3,
};
