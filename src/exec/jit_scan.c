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

/* What some instructions mean for the whole function. */
static const uint8_t kind_of[OP_COUNT] = {
#define X(name)                                                                                    \
	[OP_##name##64_K] = JIT_DIVIDES, [OP_##name##64_X] = JIT_DIVIDES,                          \
	[OP_##name##32_K] = JIT_DIVIDES, [OP_##name##32_X] = JIT_DIVIDES
	X(DIV), X(SDIV), X(MOD), X(SMOD),
#undef X
#define X(name) [OP_##name##64_X] = JIT_SHIFTS, [OP_##name##32_X] = JIT_SHIFTS
	X(LSH), X(RSH), X(ARSH),
#undef X
#define X(name) [OP_FETCH_##name##64] = JIT_FETCHES, [OP_FETCH_##name##32] = JIT_FETCHES
	X(OR), X(AND), X(XOR),
#undef X
	[OP_LDX_CPU_W] = JIT_READS_CPU,
	[OP_LDX_CPU_DW] = JIT_READS_CPU,
	[OP_MAY_GOTO] = JIT_MAY_GOTO,
};

/* An instruction that uses r10. */
static void scan_frame(struct jit_func *f, const struct insn *i, unsigned fields)
{
	bool base_is_src = (fields & (INSN_LOAD | INSN_STORE)) == INSN_LOAD;
	unsigned base = base_is_src ? i->src : i->dst;
	int depth = -i->off;

	if (!(fields & (INSN_LOAD | INSN_STORE)) || base != R10 ||
	    (!base_is_src && (fields & INSN_RS) && i->src == R10) || depth > STACK_SIZE ||
	    depth < (int)insn_size(i)) {
		f->stack_escapes = true;
		f->stack = STACK_SIZE;
	}
	f->frame_uses++;
	if (depth > f->stack)
		f->stack = (uint16_t)depth;
}

enum { ARGS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 | 1 << R5 };

/* The columns of insn.def are bit positions for uses() and sets(). */
static_assert(INSN_RD == 1 && INSN_WD == 2 && INSN_RS == 4 && INSN_WS == 8 && INSN_U0 == 16 &&
              INSN_W0 == 32 && INSN_U6 == 64, "uses() and sets() shift these bits");

static inline unsigned uses(const struct insn *i, unsigned fields)
{
	return (fields & 1u) << i->dst | (fields >> 2 & 1u) << i->src | (fields >> 4 & 1u) << R0 |
	       (fields >> 6 & 1u) << R6;
}

static inline unsigned sets(const struct insn *i, unsigned fields)
{
	return (fields >> 1 & 1u) << i->dst | (fields >> 3 & 1u) << i->src | (fields >> 5 & 1u) << R0;
}

static int scan_jump(struct jit *j, struct jit_func *f, enum op op, uint32_t pc)
{
	int64_t target = insn_target(op, &j->p->insns[pc], pc);

	if (target < f->start || target >= f->end)
		return -EINVAL;
	if (target <= pc) {
		j->notes[pc].label = f->back_jump;
		f->back_jump = pc;
	}
	j->max_frags += !(j->notes[target].flags & NOTE_TARGET);
	j->notes[target].flags |= NOTE_TARGET;
	j->notes[pc].flags |= NOTE_JUMP;
	return 0;
}

static int scan_call(struct jit *j, struct jit_func *f, enum op op, uint32_t pc)
{
	struct jit_note *note = &j->notes[pc];

	j->max_fixups++;
	f->calls = true;
	note->sets |= ARGS | 1 << R0;
	if (insn_info[op].fields & INSN_U6) {
		f->packet_loads = true;
		return 0;
	}
	/* How many arguments a callee takes is not known here. */
	note->uses |= ARGS;
	if (op == OP_CALL_LOCAL)
		return j->p->aux[pc].func - 1 < j->p->nfuncs - 1 ? 0 : -EINVAL;
	j->uses_cpu = true;
	return op == OP_CALLX ? -ENOTSUPP : 0;
}

static int scan_insn(struct jit *j, struct jit_func *f, uint32_t pc)
{
	const struct insn *i = &j->p->insns[pc];
	struct jit_note *note = &j->notes[pc];
	enum op op = insn_op(i);
	unsigned fields, used, set;
	int err = 0;

	if (op == OP_INVALID || i->dst > R10 || (i->src > R10 && insn_info[op].key != KEY_SRC))
		return -EINVAL;
	fields = insn_info[op].fields;
	note->op = (uint8_t)op;
	used = uses(i, fields);
	set = sets(i, fields);
	note->uses = (uint16_t)used;
	note->sets = (uint16_t)set;
	f->regs |= (uint16_t)(used | set);
	f->kinds |= kind_of[op];
	if (used & 1u << R10)
		scan_frame(f, i, fields);
	if (!(fields & (INSN_JOFF | INSN_JIMM | INSN_END | INSN_CALLS)))
		return 0;
	if (fields & INSN_CALLS)
		return scan_call(j, f, op, pc);
	j->max_frags += 2;
	if (fields & INSN_END)
		note->flags |= NOTE_END;
	if (fields & (INSN_JOFF | INSN_JIMM))
		err = scan_jump(j, f, op, pc);
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
		if (j->notes[pc].op == OP_INVALID && j->notes[pc].flags & NOTE_TARGET)
			return -EINVAL;
	j->uses_cpu |= (f->kinds & JIT_READS_CPU) != 0;
	if (f->stack_escapes && p->funcs[f - j->funcs].stack)
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
		f->back_jump = JIT_NONE;
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
