/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Liveness: which registers may still be read after an instruction.
 *
 * The usual backward data flow, one function at a time, swept from its last instruction to its first.
 * Jumps forward see final values; jumps backward see those of the previous sweep, so sweeps repeat until
 * no such value changes: twice for most programs with loops, once for those without. A function on which
 * that takes longer than MAX_SWEEPS (adversarially nested loops) gets one last sweep in which all
 * registers are taken to be live at the head of every loop; that is always safe, and keeps the pass
 * linear.
 *
 * Requires: notes[].op. Provides: notes[].live.
 */
#include "exec/jit.h"

enum { MAX_SWEEPS = 6 };

enum { ALL = (1 << NREGS) - 1, ARGS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 | 1 << R5 };

/* The columns of insn.def as shifts: these enums are bit positions. */
static_assert(INSN_RD == 1 && INSN_WD == 2 && INSN_RS == 4 && INSN_WS == 8 && INSN_U0 == 16 &&
              INSN_W0 == 32 && INSN_U6 == 64, "uses() and sets() shift these bits");

static inline unsigned uses(const struct insn *i, enum op op, unsigned fields)
{
	unsigned u = (fields & 1u) << i->dst | (fields >> 2 & 1u) << i->src | (fields >> 4 & 1u) << R0 |
	             (fields >> 6 & 1u) << R6;

	/* How many arguments a callee takes is not known here. */
	if ((fields & (INSN_CALLS | INSN_U6)) == INSN_CALLS)
		u |= ARGS;
	return u;
}

static inline unsigned sets(const struct insn *i, unsigned fields)
{
	unsigned s = (fields >> 1 & 1u) << i->dst | (fields >> 3 & 1u) << i->src |
	             (fields >> 5 & 1u) << R0;

	if (fields & INSN_CALLS)
		s |= ARGS | 1u << R0;
	return s;
}

static unsigned live_before(const struct jit *j, uint32_t pc)
{
	const struct insn *i = &j->p->insns[pc];
	const struct jit_note *note = &j->notes[pc];
	unsigned fields = insn_info[note->op].fields;

	return (note->live & ~sets(i, fields)) | uses(i, note->op, fields);
}

/* Answers whether a jump backward saw another value than in the sweep before. */
static bool sweep(struct jit *j, const struct jit_func *f, bool last)
{
	unsigned live = 0;
	bool changed = false;

	for (uint32_t pc = f->end; pc-- > f->start;) {
		const struct insn *i = &j->p->insns[pc];
		struct jit_note *note = &j->notes[pc];
		unsigned fields;

		if (note->op == OP_INVALID)
			continue;
		fields = insn_info[note->op].fields;
		if (fields & INSN_END)
			live = 0;
		if (fields & (INSN_JOFF | INSN_JIMM)) {
			uint32_t target = (uint32_t)insn_target(note->op, i, pc);

			live |= target <= pc && last ? ALL : live_before(j, target);
			changed |= target <= pc && live != note->live;
		}
		note->live = (uint16_t)live;
		live = (live & ~sets(i, fields)) | uses(i, note->op, fields);
	}
	return changed;
}

void jit_live(struct jit *j)
{
	for (uint32_t n = 0; n < j->p->nfuncs; n++) {
		unsigned sweeps = 1;

		while (sweep(j, &j->funcs[n], sweeps == MAX_SWEEPS) && sweeps < MAX_SWEEPS)
			sweeps++;
	}
}
