/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First pass of the JIT: decodes every instruction once, marks jump targets, and gathers what the later
 * passes and the back ends want to know of each function.
 *
 * The verifier has checked the program's structure; what would lead this pass or the next ones outside
 * of their arrays is refused here all the same.
 *
 * Requires: insns, funcs and aux of the program. Provides: notes, funcs, room for fragments and fixups.
 */
#include <errno.h>

#include "exec/jit.h"

enum { ANY_STACK = STACK_SIZE };

/* Bytes below r10 that a direct access touches; ANY_STACK where r10 is used as a value. */
static unsigned stack_depth(const struct insn *i, unsigned fields)
{
	bool base_is_src = (fields & (INSN_LOAD | INSN_STORE)) == INSN_LOAD;
	unsigned base = base_is_src ? i->src : i->dst;

	if (!(fields & (INSN_LOAD | INSN_STORE)) || base != R10)
		return ANY_STACK;
	if (!base_is_src && (fields & INSN_RS) && i->src == R10)
		return ANY_STACK;
	return i->off < 0 && i->off >= -STACK_SIZE ? (unsigned)-i->off : ANY_STACK;
}

static unsigned registers(const struct insn *i, unsigned fields)
{
	unsigned regs = 0;

	if (fields & (INSN_RD | INSN_WD))
		regs |= 1u << i->dst;
	if (fields & (INSN_RS | INSN_WS))
		regs |= 1u << i->src;
	if (fields & INSN_U6)
		regs |= 1u << R6;
	return regs;
}

static int mark_target(struct jit *j, const struct jit_func *f, enum op op, uint32_t pc)
{
	int64_t target = insn_target(op, &j->p->insns[pc], pc);

	if (target < f->start || target >= f->end)
		return -EINVAL;
	j->max_frags += !j->notes[target].target;
	j->notes[target].target = true;
	return 0;
}

static bool call_is_known(const struct jit *j, enum op op, uint32_t pc)
{
	if (op == OP_CALL_LOCAL)
		return j->p->aux[pc].func < j->p->nfuncs;
	return op != OP_CALLX;
}

static int scan_insn(struct jit *j, struct jit_func *f, uint32_t pc)
{
	const struct insn *i = &j->p->insns[pc];
	enum op op = insn_op(i);
	unsigned fields, regs;
	int err = 0;

	if (op == OP_INVALID || i->dst > R10 || (i->src > R10 && insn_info[op].key != KEY_SRC))
		return -EINVAL;
	j->notes[pc].op = (uint8_t)op;
	fields = insn_info[op].fields;
	regs = registers(i, fields);
	f->regs |= (uint16_t)regs;
	if (regs & 1u << R10) {
		unsigned depth = stack_depth(i, fields);

		f->stack = depth > f->stack ? (uint16_t)depth : f->stack;
	}
	if (fields & (INSN_JOFF | INSN_JIMM))
		err = mark_target(j, f, op, pc);
	if (fields & (INSN_JOFF | INSN_JIMM | INSN_END))
		j->max_frags += 2;
	if (fields & INSN_CALLS) {
		f->calls = true;
		f->packet_loads |= (fields & INSN_U6) != 0;
		j->uses_cpu |= op == OP_CALL || op == OP_CALL_KFUNC;
		j->max_fixups++;
		if (!call_is_known(j, op, pc))
			return -EINVAL;
	}
	f->may_goto |= op == OP_MAY_GOTO;
	j->uses_cpu |= op == OP_LDX_CPU_W || op == OP_LDX_CPU_DW;
	return err;
}

/* A target inside of a wide load would be run as an instruction. */
static int scan_func(struct jit *j, struct jit_func *f)
{
	const struct prog *p = j->p;
	uint32_t pc = f->start;
	enum op op = OP_INVALID;

	while (pc < f->end) {
		int err = scan_insn(j, f, pc);

		if (err)
			return err;
		op = j->notes[pc].op;
		if (insn_slots(op) == 2) {
			if (pc + 1 >= f->end)
				return -EINVAL;
			j->notes[pc + 1].op = OP_INVALID;
		}
		pc += insn_slots(op);
	}
	if (op == OP_INVALID || !(insn_info[op].fields & INSN_END))
		return -EINVAL;
	for (pc = f->start; pc < f->end; pc++)
		if (j->notes[pc].op == OP_INVALID && j->notes[pc].target)
			return -EINVAL;
	if (f->stack == ANY_STACK && p->funcs[f - j->funcs].stack)
		f->stack = p->funcs[f - j->funcs].stack;
	return 0;
}

int jit_scan(struct jit *j)
{
	const struct prog *p = j->p;
	uint32_t next = 0;

	for (uint32_t n = 0; n < p->nfuncs; n++) {
		struct jit_func *f = &j->funcs[n];
		int err;

		f->start = p->funcs[n].start;
		f->end = p->funcs[n].end;
		if (f->start != next || f->end <= f->start || f->end > p->ninsns)
			return -EINVAL;
		next = f->end;
		err = scan_func(j, f);
		if (err)
			return err;
		j->max_frags += 3;
	}
	return next == p->ninsns && p->nfuncs ? 0 : -EINVAL;
}
