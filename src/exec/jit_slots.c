/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack slots in registers.
 *
 * Compilers spill to the BPF stack what does not fit into ten registers; most CPUs have more. A slot of a
 * function's stack may live in a host register where
 *
 *   - r10 is used as the base of loads and stores only, so nobody else can know the slot's address
 *     (jit_func.stack_escapes says whether that holds),
 *   - all accesses to its bytes are plain loads and stores of one size, 4 or 8, at one aligned offset.
 *
 * The slots with most accesses, those in loops counting eightfold for each level, get the registers that
 * the back end offers. Accesses to them carry the register's number in jit_insn.slot.
 *
 * Requires: notes, the list of backward jumps. Provides: jit_slots(), j->slot_at.
 */
#include <string.h>

#include "exec/jit.h"

enum { GRANULE = 4, GRANULES = STACK_SIZE / GRANULE, MAX_LOOPS = 6, WORTH_SAVING = 6 };

struct slot {
	uint32_t weight;
	uint8_t granule, size;
	bool bad;
};

/* Slots found so far. of[g]: the number from 1 of the slot that holds bytes -4g .. -4g + 3 of the frame. */
struct slots {
	uint8_t of[GRANULES + 1];
	uint8_t n;
	struct slot slot[GRANULES + 1];
};

static bool promotable(enum op op)
{
	switch (op) {
	case OP_LDX_W:
	case OP_LDX_DW:
	case OP_STX_W:
	case OP_STX_DW:
	case OP_ST_W:
	case OP_ST_DW:
		return true;
	default:
		return false;
	}
}

/* What stood at these granules cannot be in a register. */
static void spoil(struct slots *s, unsigned first, unsigned last)
{
	for (unsigned g = first; g <= last; g++) {
		if (!s->of[g]) {
			s->of[g] = ++s->n;
			s->slot[s->n] = (struct slot){.granule = (uint8_t)g};
		}
		s->slot[s->of[g]].bad = true;
	}
}

static void note_access(struct slots *s, enum op op, const struct insn *i, unsigned weight)
{
	unsigned size = insn_size(i), depth = (unsigned)-i->off;
	unsigned first = (depth - size) / GRANULE + 1, last = (depth + GRANULE - 1) / GRANULE;
	struct slot *slot = &s->slot[s->of[last]];

	if (!promotable(op) || depth % size) {
		spoil(s, first, last);
	} else if (!s->of[last] && !s->of[first]) {
		s->of[first] = s->of[last] = ++s->n;
		s->slot[s->n] = (struct slot){weight, (uint8_t)last, (uint8_t)size, false};
	} else if (s->of[first] == s->of[last] && slot->size == size && slot->granule == last) {
		slot->weight += weight;
	} else {
		spoil(s, first, last);
	}
}

static bool is_frame_access(const struct jit *j, uint32_t pc, unsigned fields)
{
	const struct insn *i = &j->p->insns[pc];

	if (!(fields & (INSN_LOAD | INSN_STORE)))
		return false;
	return ((fields & INSN_STORE) ? i->dst : i->src) == R10;
}

/* All accesses of a function, from the last to the first, so that loops are entered at their ends. */
static void find_slots(const struct jit *j, const struct jit_func *f, struct slots *s)
{
	uint32_t back_jump = f->back_jump, heads[MAX_LOOPS];
	unsigned loops = 0;

	for (uint32_t pc = f->end; pc-- > f->start;) {
		const struct jit_note *note = &j->notes[pc];

		if (pc == back_jump) {
			back_jump = note->label;
			if (loops < MAX_LOOPS)
				heads[loops++] = (uint32_t)insn_target(note->op, &j->p->insns[pc], pc);
		}
		if (note->uses & 1u << R10 && is_frame_access(j, pc, insn_info[note->op].fields))
			note_access(s, note->op, &j->p->insns[pc], 1u << 3 * loops);
		for (unsigned n = 0; note->flags & NOTE_TARGET && n < loops;) {
			if (heads[n] == pc)
				heads[n] = heads[--loops];
			else
				n++;
		}
	}
}

/* The heaviest slot that has no register yet, or NULL. */
static struct slot *heaviest(struct slots *s)
{
	struct slot *best = NULL;

	for (unsigned n = 1; n <= s->n; n++)
		if (!s->slot[n].bad && (!best || s->slot[n].weight > best->weight))
			best = &s->slot[n];
	return best;
}

void jit_slots(struct jit *j, const struct jit_func *f)
{
	struct slots s;
	unsigned free = 0, max;

	j->nslots = 0;
	max = f->stack && !f->stack_escapes ? j->arch->slots(j, f, &free) : 0;
	if (!max)
		return;
	s.n = 0;
	memset(s.of, 0, sizeof(s.of));
	find_slots(j, f, &s);
	memset(j->slot_at, 0, sizeof(j->slot_at));
	while (j->nslots < max) {
		struct slot *slot = heaviest(&s);

		if (!slot || (j->nslots >= free && slot->weight < WORTH_SAVING))
			break;
		slot->bad = true;
		j->slot_at[slot->granule] = ++j->nslots;
	}
}
