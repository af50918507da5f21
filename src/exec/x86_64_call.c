/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: frames, calls, the end of a function.
 *
 *   caller's frame
 *   return address
 *   saved registers      r12 in the main function, then what the function uses of the others
 *   saved rbp            if it stands for r10; then it points here
 *   BPF stack            below r10
 *   may_goto counter     8 bytes, where there is one
 *   packet load result   8 bytes at [rsp], where there are packet loads
 *
 * A function that calls nothing leaves rsp alone and uses the red zone, the 128 bytes below rsp that
 * signal handlers respect; one that calls keeps rsp a multiple of 16 at its calls. r10 is rsp with a
 * displacement where that serves: an access costs a byte more, but rbp need not be set up. Otherwise, and
 * where r10 is used as a value, it is rbp.
 *
 * Requires: x86_64_enc.h. Provides: the rules of x86_64.c for these operations, begin and stub.
 */
#include <errno.h>
#include <stddef.h>

#include "core/map.h"
#include "core/pkt.h"
#include "exec/x86_64.h"

enum { RED_ZONE = 128, FEW_USES = 8, MAY_GOTO_LIMIT = 8 << 20, CALL_CHANGES = (1 << R6) - 1 };

enum {
	CALLEE_SAVED = 1 << X_RBX | 1 << X_RBP | 1 << X_R12 | 1 << X_R13 | 1 << X_R14 | 1 << X_R15,
};

/* Pushed in this order. */
static const uint8_t save_order[] = {X_R12, X_RBX, X_R13, X_R14, X_R15, X_RBP};

/* Bytes of stack below r10, and the counter. */
static uint32_t stack_size(const struct jit_func *f)
{
	uint32_t stack = f->regs >> R10 & 1 ? (f->stack + 7u) & ~7u : 0;

	return stack + (f->kinds & JIT_MAY_GOTO ? 8 : 0);
}

int32_t x86_may_goto_slot(const struct jit *j)
{
	return j->frame_disp - (int32_t)stack_size(j->func);
}

static bool rsp_serves(const struct jit_func *f)
{
	return !f->stack_escapes && f->frame_uses <= FEW_USES;
}

/*
 * Registers for stack slots: first those that callees may change, in functions that call nothing, then
 * those that must be saved.
 */
static unsigned slot_registers(const struct jit *j, const struct jit_func *f, uint8_t *regs, unsigned *free)
{
	static const uint8_t saved[] = {R6, R7, R8, R9};
	static const uint8_t scratch[] = {R1, R2, R3, R4, R5};
	unsigned n = 0, busy = JIT_DIVIDES | JIT_FETCHES;

	if (!(j->features & X86_BMI2))
		busy |= JIT_SHIFTS;
	if (!f->calls && !(f->kinds & busy)) {
		regs[n++] = X_TMP1;
		regs[n++] = X_TMP2;
		for (unsigned k = 0; k < sizeof(scratch); k++)
			if (!(f->regs >> scratch[k] & 1) && n < JIT_MAX_SLOTS)
				regs[n++] = x86_reg[scratch[k]];
	}
	*free = n;
	if (!j->uses_cpu && n < JIT_MAX_SLOTS)
		regs[n++] = X_CPU;
	if (rsp_serves(f) && n < JIT_MAX_SLOTS)
		regs[n++] = X_RBP;
	for (unsigned k = 0; k < sizeof(saved); k++)
		if (!(f->regs >> saved[k] & 1) && n < JIT_MAX_SLOTS)
			regs[n++] = x86_reg[saved[k]];
	return n;
}

unsigned x86_slots(const struct jit *j, const struct jit_func *f, unsigned *free)
{
	uint8_t regs[JIT_MAX_SLOTS];

	return slot_registers(j, f, regs, free);
}

/* The registers to save. */
static unsigned saved_registers(const struct jit *j)
{
	const struct jit_func *f = j->func;
	unsigned saved = 0;

	for (unsigned r = R6; r <= R9; r++)
		if (f->regs >> r & 1)
			saved |= 1u << x86_reg[r];
	for (unsigned n = 1; n <= j->nslots; n++)
		saved |= 1u << j->slot_reg[n];
	if (j->frame_reg == X_RBP)
		saved |= 1u << X_RBP;
	if (j->uses_cpu && f == jit_main(j))
		saved |= 1u << X_CPU;
	return saved & CALLEE_SAVED;
}

static void layout(struct jit *j)
{
	const struct jit_func *f = j->func;
	bool needs_frame = f->regs >> R10 & 1 || f->kinds & JIT_MAY_GOTO;
	unsigned free;

	slot_registers(j, f, j->slot_reg + 1, &free);
	j->frame_reg = needs_frame && !rsp_serves(f) ? X_RBP : X_RSP;
	j->saved = (uint16_t)saved_registers(j);
	j->frame = stack_size(f) + (f->packet_loads ? 8 : 0);
	if (f->calls)
		j->frame += (8 + 8 * (unsigned)__builtin_popcount(j->saved) + j->frame) % 16;
	else if (j->frame <= RED_ZONE)
		j->frame = 0;
	j->frame_disp = j->frame_reg == X_RSP ? (int32_t)j->frame : 0;
}

void x86_begin(struct jit *j)
{
	layout(j);
	for (unsigned i = 0; i < sizeof(save_order); i++) {
		if (!(j->saved >> save_order[i] & 1))
			continue;
		EMIT(j, push, save_order[i]);
		if (save_order[i] == X_CPU && j->uses_cpu)
			EMIT(j, mov_rr, X_64, X_CPU, X_RSI);
	}
	if (j->frame_reg == X_RBP)
		EMIT(j, mov_rr, X_64, X_RBP, X_RSP);
	if (j->frame == 8)
		EMIT(j, push, X_RAX);
	else if (j->frame)
		EMIT(j, alu_ri, X_64, X_SUB, X_RSP, (int32_t)j->frame);
	if (j->func->kinds & JIT_MAY_GOTO)
		EMIT(j, store_imm, 8, j->frame_reg, x86_may_goto_slot(j), MAY_GOTO_LIMIT);
	j->exit_size = 0;
}

/* Undoes begin(); changes rcx and the flags besides. */
static void unwind(struct jit *j)
{
	bool leave = j->frame_reg == X_RBP && j->frame;

	if (leave)
		EMIT(j, byte, X_LEAVE);
	else if (j->frame == 8)
		EMIT(j, pop, X_RCX);
	else if (j->frame)
		EMIT(j, alu_ri, X_64, X_ADD, X_RSP, (int32_t)j->frame);
	for (unsigned i = sizeof(save_order); i-- > 0;)
		if (j->saved >> save_order[i] & 1 && !(leave && save_order[i] == X_RBP))
			EMIT(j, pop, save_order[i]);
}

/* A long epilogue stands once and is jumped to. */
int x86_exit(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	uint8_t *start;

	if (j->exit_size > 6) {
		jit_branch_label(j, X86_JMP, j->exit_label);
		return 0;
	}
	j->exit_label = jit_label(j);
	start = j->at;
	unwind(j);
	EMIT(j, byte, X_RET);
	j->exit_size = (uint32_t)(j->at - start);
	return 0;
}

void x86_stub(struct jit *j, uint32_t func)
{
	if (j->uses_cpu) {
		EMIT(j, push, X_CPU);
		EMIT(j, mov_rr, X_64, X_CPU, X_R9);
	}
	EMIT(j, byte, j->uses_cpu ? X_CALL_REL : X_JMP_REL);
	jit_call_local(j, func, 4);
	if (j->uses_cpu) {
		EMIT(j, pop, X_CPU);
		EMIT(j, byte, X_RET);
	}
}

/* --- Calls ------------------------------------------------------------------------------------------ */

static void call_c(struct jit *j, const void *to)
{
	if (jit_is_near(j, to)) {
		EMIT(j, byte, X_CALL_REL);
		jit_call_near(j, to, 4);
	} else {
		EMIT(j, mov_ri, X_RAX, (uintptr_t)to);
		EMIT(j, call_r, X_RAX);
	}
	x86_forget(j, CALL_CHANGES);
}

/*
 * r1 = context, r2 = prog array, r3 = index. Falls through when there is no such program or too many
 * calls were made; the frame of this function is gone when the other begins.
 */
static void tail_call(struct jit *j)
{
	uint8_t *fail[3];

	EMIT(j, rm, X_32, X_CMP * 8 + 1, X_RDX, X_RSI, offsetof(struct map, max_entries));
	fail[0] = x86_jump(j, X_BE);
	EMIT(j, cmp_mi8, X_32, X_CPU, offsetof(struct cpu, tail_calls), MAX_TAIL_CALLS);
	fail[1] = x86_jump(j, X_AE);
	EMIT(j, mov_rr, X_32, X_RAX, X_RDX);
	EMIT(j, rmx, X_64, X_LOAD, X_RAX, X_RSI, X_RAX, 3, offsetof(struct map_prog_array, slot));
	EMIT(j, rr, X_64, X_TEST, X_RAX, X_RAX);
	fail[2] = x86_jump(j, X_E);
	EMIT(j, inc_m, X_32, X_CPU, offsetof(struct cpu, tail_calls));
	EMIT(j, rm, X_64, X_STORE, X_RAX, X_CPU, offsetof(struct cpu, prog));
	EMIT(j, mov_rr, X_64, X_RSI, X_CPU);
	EMIT(j, mov_rr, X_64, X_RDX, X_RAX);
	unwind(j);
	EMIT(j, jmp_m, X_RDX, offsetof(struct prog, entry));
	for (int i = 0; i < 3; i++)
		x86_land(j, fail[i]);
	x86_forget(j, CALL_CHANGES);
}

int x86_call(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	helper_fn fn = jit_helper(j, in);

	if (in->op == OP_CALL && in->imm == JIT_TAIL_CALL) {
		tail_call(j);
		return 0;
	}
	if (!fn)
		return -ENOTSUPP;
	EMIT(j, mov_rr, X_64, X_R9, X_CPU);
	call_c(j, (const void *)(uintptr_t)fn);
	return 0;
}

int x86_call_local(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	EMIT(j, byte, X_CALL_REL);
	jit_call_local(j, j->p->aux[in->pc].func, 4);
	x86_forget(j, CALL_CHANGES);
	return 0;
}

/* skb_load(r6, (s32)(imm + src), bytes, rsp), or leave with r0 = 0. */
int x86_packet_load(struct jit *j, const struct jit_insn *in, const struct x86_rule *r)
{
	uint8_t *ok;

	if (insn_info[in->op].fields & INSN_RS) {
		if (in->imm)
			EMIT(j, rm, X_32, X_LEA, X_RSI, x86_reg[in->src], in->imm);
		else if (x86_reg[in->src] != X_RSI)
			EMIT(j, mov_rr, X_32, X_RSI, x86_reg[in->src]);
		EMIT(j, rr, X_64, X_MOVSXD, X_RSI, X_RSI);
	} else {
		EMIT(j, mov_ri, X_RSI, (uint64_t)(int64_t)in->imm);
	}
	EMIT(j, mov_rr, X_64, X_RDI, x86_reg[R6]);
	EMIT(j, mov_ri, X_RDX, r->bytes);
	EMIT(j, mov_rr, X_64, X_RCX, X_RSP);
	call_c(j, (const void *)(uintptr_t)skb_load);
	EMIT(j, rr, X_32, X_TEST, X_RAX, X_RAX);
	ok = x86_jump(j, X_E);
	EMIT(j, mov_ri, X_RAX, 0);
	unwind(j);
	EMIT(j, byte, X_RET);
	x86_land(j, ok);
	EMIT(j, rm, X_64, X_LOAD, X_RAX, X_RSP, 0);
	return 0;
}
