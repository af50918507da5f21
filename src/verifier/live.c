/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Liveness: which registers and stack slots are still read by what comes.
 *
 * Registers, before the walk, by a data flow over the instructions of all functions: live before =
 * (live after - written) | read. Slots, during the walk: a read marks the slot in every checkpoint back
 * to the last write of it on this path (frame.read, frame.written); when all paths from a checkpoint
 * are done, what is not marked in it was never of interest, and is forgotten.
 *
 * Provides: notes[].live, live_stack_read(), live_stack_write(), live_clean().
 */
#include <errno.h>

#include "core/core.h"
#include "verifier/path.h"

/* What an instruction reads and writes, by bit of register. */
static void use_def(const struct verifier *v, uint32_t pc, uint32_t *use, uint32_t *def)
{
	const struct insn *i = &v->insns[pc];
	enum op op = v->op[pc];
	unsigned f = op == OP_INVALID ? 0 : insn_info[op].fields;

	*use = *def = 0;
	*use |= f & INSN_RD ? 1u << i->dst : 0;
	*use |= f & INSN_RS ? 1u << i->src : 0;
	*use |= f & INSN_U0 ? 1u << R0 : 0;
	*use |= f & INSN_U6 ? 1u << R6 : 0;
	*def |= f & INSN_WD ? 1u << i->dst : 0;
	*def |= f & INSN_WS ? 1u << i->src : 0;
	*def |= f & INSN_W0 ? 1u << R0 : 0;
	if (op == OP_EXIT)
		*use |= 1u << R0;
	if (!(f & INSN_CALLS))
		return;
	*def |= 0x3f;
	if (f & INSN_U6)
		return;
	*use |= 0x3e;
	if (op == OP_CALL) {
		const struct helper *h = helper_find(v->p->obj.k, i->imm);

		for (unsigned a = 0; h && a < 5; a++)
			if (ARG_KIND(h->arg[a]) == ARG_NONE)
				*use &= ~(1u << (R1 + a));
	}
}

int live_registers(struct verifier *v)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t pc = v->n; pc-- > 0;) {
			uint32_t use, def, after = 0, next, live;

			if (v->mark[pc] & MARK_SECOND)
				continue;
			use_def(v, pc, &use, &def);
			for (unsigned k = 0; insn_successor(v, pc, k, &next); k++)
				after |= next < v->n ? v->notes[next].live : 0;
			live = use | (after & ~def);
			if (live == v->notes[pc].live)
				continue;
			v->notes[pc].live = (uint16_t)live;
			changed = true;
		}
	}
	return 0;
}

/* Marks slots in the checkpoints before s; answers whether any was new. */
static bool mark_read(struct state *s, unsigned frame, uint64_t slots)
{
	bool changed = false;

	while (s->parent && slots && s->frames[frame]) {
		slots &= ~s->frames[frame]->written;
		s = s->parent;
		if (s->cur < frame || !s->frames[frame])
			break;
		slots &= ~s->frames[frame]->read;
		s->frames[frame]->read |= slots;
		changed |= slots != 0;
	}
	return changed;
}

void live_stack_read(struct verifier *v, unsigned frame, uint32_t pc, uint64_t slots)
{
	(void)pc;
	mark_read(v->cur, frame, slots);
}

void live_stack_write(struct verifier *v, unsigned frame, uint64_t slots)
{
	v->cur->frames[frame]->written |= slots;
}

bool live_propagate(struct verifier *v, const struct state *old, struct state *cur)
{
	bool changed = false;

	(void)v;
	for (unsigned i = 0; i <= old->cur && i <= cur->cur; i++)
		changed |= mark_read(cur, i, old->frames[i]->read);
	return changed;
}

void live_clean(struct verifier *v, struct state *s)
{
	s->cleaned = true;
	for (unsigned i = 0; i <= s->cur; i++) {
		struct frame *f = s->frames[i];
		uint32_t live = v->notes[state_frame_pc(s, i)].live;

		for (unsigned r = 0; r < R10; r++)
			if (!(live >> r & 1))
				reg_set_none(&f->regs[r]);
		for (unsigned n = 0; n < f->nslots; n++)
			if (!(f->read >> n & 1)) {
				slot_fill(&f->stack[n], SLOT_INVALID);
				f->stack[n].spilled.kind = REG_NONE;
			}
		while (f->nslots && f->stack[f->nslots - 1].kind[7] == SLOT_INVALID &&
		       f->stack[f->nslots - 1].kind[0] == SLOT_INVALID &&
		       !(f->read >> (f->nslots - 1) & 1))
			f->nslots--;
	}
}
