/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the x86-64 back end: registers, and what its files need of one another.
 *
 *   BPF    r0   r1   r2   r3   r4   r5   r6   r7   r8   r9   r10  AX
 *   x86    rax  rdi  rsi  rdx  rcx  r8   rbx  r13  r14  r15  rbp  r11
 *
 * Arguments are where C wants them, and r6-r9 where callees preserve them. r12 holds the CPU slot in
 * programs that need it: the main function takes it from its second argument, the others find it there;
 * helpers get it in r9, their sixth argument. r9, r10, r11 are scratch within one instruction. Registers
 * that a function needs for none of that hold slots of its stack; where r10 is only a base of loads and
 * stores, rsp can stand for it, and rbp is free as well.
 */
#ifndef SKEP_EXEC_X86_64_H
#define SKEP_EXEC_X86_64_H

#include "exec/jit.h"
#include "exec/x86_64_enc.h"

enum { X_CPU = X_R12, X_TMP1 = X_R9, X_TMP2 = X_R10, X_AX = X_R11 };

enum x86_features { X86_BMI2 = 1 << 0 };

/* Number of a branch: a condition, or this. */
enum { X86_JMP = 16 };

static const uint8_t x86_reg[JIT_NREGS] = {
	[R0] = X_RAX, [R1] = X_RDI, [R2] = X_RSI, [R3] = X_RDX,  [R4] = X_RCX,  [R5] = X_R8,
	[R6] = X_RBX, [R7] = X_R13, [R8] = X_R14, [R9] = X_R15, [R10] = X_RBP, [JIT_AX] = X_AX,
};

/* How an operation is emitted: a function and what it is told. */
struct x86_rule {
	int (*emit)(struct jit *j, const struct jit_insn *in, const struct x86_rule *r);
	uint16_t code; /* an enumerator of x86_64_enc.h */
	uint8_t w;     /* enum x86_width */
	uint8_t bytes; /* of a memory access */
};

/* Appends one instruction: EMIT(j, mov_rr, X_64, X_RAX, X_RDI). */
#define EMIT(j, form, ...) ((j)->at = enc_##form((j)->at, ##__VA_ARGS__))

/* A short jump within one BPF instruction: returns what x86_land() fills in with the place it is at. */
static inline uint8_t *x86_jump(struct jit *j, unsigned cc)
{
	if (cc == X86_JMP)
		EMIT(j, jmp8, 0);
	else
		EMIT(j, jcc8, (enum x86_cc)cc, 0);
	return j->at;
}

static inline void x86_land(struct jit *j, uint8_t *jump)
{
	jump[-1] = (uint8_t)(j->at - jump);
}

/* Nothing is known of these registers any more. */
static inline void x86_forget(struct jit *j, unsigned regs)
{
	j->known.zext &= (uint16_t)~regs;
	j->known.zext16 &= (uint16_t)~regs;
	j->known.bit &= (uint16_t)~regs;
	j->known.nonzero &= (uint16_t)~regs;
}

/* What is known of register r after a write of it. */
static inline void x86_wrote(struct jit *j, unsigned r, bool upper_is_zero)
{
	x86_forget(j, 1u << r);
	j->known.zext |= (uint16_t)((unsigned)upper_is_zero << r);
}

/* The same, its value being below 65536. */
static inline void x86_wrote16(struct jit *j, unsigned r)
{
	x86_wrote(j, r, true);
	j->known.zext16 |= (uint16_t)(1u << r);
}

/* The same for a constant. */
static inline void x86_wrote_constant(struct jit *j, unsigned r, uint64_t value)
{
	x86_wrote(j, r, value <= UINT32_MAX);
	j->known.nonzero |= (uint16_t)(((uint32_t)value != 0) << r);
}

/* After dst = src, or the lower half of it. */
static inline void x86_copied(struct jit *j, unsigned dst, unsigned src, bool upper_is_zero)
{
	unsigned from = 1u << src;
	struct jit_known known = j->known;

	x86_wrote(j, dst, upper_is_zero || known.zext & from);
	j->known.zext16 |= (uint16_t)(((known.zext16 & from) != 0) << dst);
	j->known.bit |= (uint16_t)(((known.bit & from) != 0) << dst);
	j->known.nonzero |= (uint16_t)(((known.nonzero & from) != 0) << dst);
}

static inline bool x86_is_zext(const struct jit *j, unsigned r)
{
	return j->known.zext >> r & 1;
}

static inline bool x86_is_zext16(const struct jit *j, unsigned r)
{
	return j->known.zext16 >> r & 1;
}

/* What the flags say of a register that was just computed: */
enum x86_flags {
	X86_FLAGS_ZERO = 1 << 0,    /* whether it is zero */
	X86_FLAGS_COMPARE = 1 << 1, /* all that a comparison with zero would */
	X86_FLAGS_64 = 1 << 2,      /* in all its bits; else the low 32, the others being zero */
};

static inline void x86_flags_of(struct jit *j, unsigned r, enum x86_width w, unsigned flags)
{
	j->known.flags = (uint8_t)(flags | (w == X_64 ? X86_FLAGS_64 : 0));
	j->known.flags_reg = (uint8_t)r;
	j->known.flags_at = j->at;
}

/* Of an operation of enum x86_alu. */
static inline unsigned x86_alu_flags(enum x86_alu op)
{
	bool logical = op == X_AND || op == X_OR || op == X_XOR;

	return X86_FLAGS_ZERO | (logical ? X86_FLAGS_COMPARE : 0);
}

/* The base register and displacement of an access through a BPF register. */
static inline unsigned x86_base(const struct jit *j, unsigned r)
{
	return r == R10 ? j->frame_reg : x86_reg[r];
}

static inline int32_t x86_disp(const struct jit *j, unsigned r, int32_t off)
{
	return r == R10 ? off + j->frame_disp : off;
}

/* What is known of register dst after the load that r emits. */
static inline void x86_loaded(struct jit *j, unsigned dst, const struct x86_rule *r)
{
	if (r->code == X_MOVZX8 || r->code == X_MOVZX16)
		x86_wrote16(j, dst);
	else
		x86_wrote(j, dst, r->w == X_32);
}

typedef int x86_emit(struct jit *j, const struct jit_insn *in, const struct x86_rule *r);

extern const struct x86_rule x86_rules[JIT_OPS];

/* x86_64.c: the comparison of a jump instruction, and the condition on which it jumps. */
void x86_compare(struct jit *j, const struct jit_insn *in, const struct x86_rule *r);
enum x86_cc x86_condition(const struct x86_rule *r);

/* x86_64_fuse.c */
x86_emit x86_rotate, x86_add3_x, x86_add3_k, x86_zext, x86_op_mem, x86_index, x86_select;

/* x86_64_alu.c */
x86_emit x86_alu_x, x86_alu_k, x86_shift_x, x86_shift_k, x86_mul_x, x86_mul_k, x86_div_x, x86_div_k,
	x86_neg, x86_mov_x, x86_mov_k, x86_movsx, x86_lddw, x86_swap;

/* x86_64_mem.c */
x86_emit x86_load, x86_load_cpu, x86_store_x, x86_store_k, x86_atomic, x86_fetch, x86_fetch_loop,
	x86_cmpxchg;

/* x86_64_call.c */
x86_emit x86_call, x86_call_local, x86_packet_load, x86_exit;
int32_t x86_may_goto_slot(const struct jit *j); /* from j->frame_reg */
unsigned x86_slots(const struct jit *j, const struct jit_func *f, unsigned *free);
void x86_begin(struct jit *j);
void x86_stub(struct jit *j, uint32_t func);

#endif
