/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Liveness: which registers may still be read after an instruction.
 *
 * The usual backward data flow, one function at a time, swept from its last instruction to its first.
 * Jumps forward see final values; a jump backward sees what the sweep before found at its target. When a
 * sweep is done, every backward jump is checked to have seen no less than is now known; otherwise the
 * function is swept once more, from its last backward jump on. Without loops that is one sweep, with loops
 * one more than they are deep. A function on which it takes longer than MAX_SWEEPS gets a last sweep in
 * which all registers are taken to be live at the head of every loop: always safe, and the pass stays
 * linear.
 *
 * Requires: notes[] with what each instruction uses and sets, the list of backward jumps. Provides:
 * notes[].live.
 */
#include "exec/jit.h"

enum { MAX_SWEEPS = 8, ALL = (1 << NREGS) - 1 };

static inline unsigned live_before(const struct jit_note *note)
{
	return (note->live & ~(unsigned)note->sets) | note->uses;
}

static inline const struct jit_note *target_of(const struct jit *j, uint32_t pc)
{
	return &j->notes[insn_target(j->notes[pc].op, &j->p->insns[pc], pc)];
}

/* From the instruction before `end` back to the start of the function. */
static void sweep(struct jit *j, const struct jit_func *f, uint32_t end, unsigned live, unsigned assumed)
{
	struct jit_note *const first = &j->notes[f->start];

	for (struct jit_note *note = &j->notes[end]; note-- > first;) {
		if (note->flags & (NOTE_END | NOTE_JUMP)) {
			if (note->flags & NOTE_END)
				live = 0;
			if (note->flags & NOTE_JUMP) {
				const struct jit_note *target =
					target_of(j, (uint32_t)(note - j->notes));

				live |= live_before(target) | (target <= note ? assumed : 0);
			}
		}
		note->live = (uint16_t)live;
		live = live_before(note);
	}
}

/* Has every jump backward seen all that is live at its target? */
static bool settled(const struct jit *j, const struct jit_func *f)
{
	for (uint32_t pc = f->back_jump; pc != JIT_NONE; pc = j->notes[pc].label)
		if (live_before(target_of(j, pc)) & ~(unsigned)j->notes[pc].live)
			return false;
	return true;
}

void jit_live(struct jit *j)
{
	for (uint32_t n = 0; n < j->p->nfuncs; n++) {
		const struct jit_func *f = &j->funcs[n];
		unsigned sweeps = 1;

		sweep(j, f, f->end, 0, 0);
		/* Whatever follows the last backward jump knows no loop: its values stand. */
		for (; !settled(j, f); sweeps++)
			sweep(j, f, f->back_jump + 1, live_before(&j->notes[f->back_jump + 1]),
			      sweeps < MAX_SWEEPS ? 0 : ALL);
	}
}
