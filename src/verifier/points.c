/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where states are compared: at conditional jumps, at targets of jumps, before and after calls. And
 * where the jump history must say how control came: at every place that is not only reached from
 * above.
 *
 * Requires: op[]. Provides: NOTE_PRUNE, NOTE_JUMP, NOTE_CHECKPOINT, NOTE_CALLBACK, NOTE_MAY_GOTO,
 * notes[].live.
 */
#include "core/kfunc.h"
#include "core/map.h"
#include "verifier/path.h"

bool helper_calls_back(const struct verifier *v, int32_t id)
{
	const struct helper *h = helper_find(v->p->obj.k, id);

	if (!h || helper_calls_later(id))
		return false;
	for (unsigned a = 0; a < 5; a++)
		if (ARG_KIND(h->arg[a]) == ARG_FUNC)
			return true;
	return false;
}

bool helper_calls_later(int32_t id)
{
	return id == 170; /* bpf_timer_set_callback */
}

/* A function that moves packets itself or by those that it calls. */
static void find_packet_changes(struct verifier *v)
{
	const struct skep *k = v->p->obj.k;
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t s = 0; s < v->nsubprogs; s++) {
			struct subprog *f = &v->subprogs[s];

			for (uint32_t pc = f->start; pc < f->end && !f->changes_packet; pc++) {
				const struct helper *h =
					v->op[pc] == OP_CALL ? helper_find(k, v->insns[pc].imm) : NULL;

				if (h)
					f->changes_packet = h->flags & HELPER_CHANGES_PKT;
				if (v->op[pc] == OP_CALL_LOCAL || v->op[pc] == OP_LDDW_FUNC)
					f->changes_packet |= v->subprogs[v->ref[pc]].changes_packet;
				again |= f->changes_packet;
			}
		}
	}
}

static void call_points(struct verifier *v, uint32_t pc)
{
	enum op op = v->op[pc];
	struct note *n = &v->notes[pc];

	v->notes[pc + 1].flags |= NOTE_PRUNE | NOTE_JUMP;
	if (op == OP_CALL_LOCAL) {
		n->flags |= NOTE_PRUNE;
		v->notes[v->subprogs[v->ref[pc]].start].flags |= NOTE_PRUNE | NOTE_JUMP;
	}
	if (op == OP_CALL && helper_calls_back(v, v->insns[pc].imm))
		n->flags |= NOTE_CALLBACK | NOTE_CHECKPOINT | NOTE_PRUNE | NOTE_JUMP;
	if (op == OP_CALL && helper_calls_later(v->insns[pc].imm))
		n->flags |= NOTE_PRUNE;
	if (op == OP_CALL_KFUNC)
		n->kfunc = &v->p->obj.k->reg.kfuncs[v->ref[pc]];
	if (op == OP_CALL_KFUNC && n->kfunc->flags & KFUNC_ITER_NEXT)
		n->flags |= NOTE_ITER_NEXT | NOTE_CHECKPOINT | NOTE_PRUNE;
}

int points(struct verifier *v)
{
	for (uint32_t pc = 0; pc < v->n; pc++) {
		enum op op = v->op[pc];
		unsigned fields;

		if (op == OP_INVALID || v->mark[pc] & MARK_SECOND)
			continue;
		fields = insn_info[op].fields;
		if (op == OP_CALL || op == OP_CALL_LOCAL || op == OP_CALL_KFUNC)
			call_points(v, pc);
		if (op == OP_LDDW_FUNC) {
			v->notes[pc].flags |= NOTE_PRUNE;
			v->notes[pc + 2].flags |= NOTE_PRUNE | NOTE_JUMP;
		}
		if (!(fields & (INSN_JOFF | INSN_JIMM)))
			continue;
		v->notes[insn_target(op, &v->insns[pc], pc)].flags |= NOTE_PRUNE | NOTE_JUMP;
		if (!(fields & INSN_END))
			v->notes[pc].flags |= NOTE_PRUNE;
		if (op == OP_MAY_GOTO)
			v->notes[pc].flags |= NOTE_MAY_GOTO | NOTE_CHECKPOINT;
	}
	if (v->has_funcs)
		find_packet_changes(v);
	precise_points(v);
	return live_registers(v);
}
