/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control flow: can every instruction be reached, and does no jump lead into the middle of one?
 *
 * A flood from instruction 0 with an explicit stack. Calls and function references flood into the
 * function they mean. An instruction that falls through to the next is followed in place, so the
 * stack holds only targets of jumps and calls.
 *
 * Requires: op[], MARK_START, MARK_SECOND, targets inside the program. Provides: MARK_REACHED,
 * MARK_LEADER.
 */
#include <errno.h>

#include "verifier/state.h"

struct flood {
	struct verifier *v;
	uint32_t *stack;
	uint32_t depth;
};

/* Each target is pushed once: MARK_LEADER remembers it. */
static void push(struct flood *f, uint32_t pc)
{
	if (f->v->mark[pc] & MARK_LEADER)
		return;
	f->v->mark[pc] |= MARK_LEADER;
	f->stack[f->depth++] = pc;
}

/* Floods down from pc to the first instruction that was reached before or does not fall through. */
static void follow(struct flood *f, uint32_t pc)
{
	struct verifier *v = f->v;

	while (!(v->mark[pc] & MARK_REACHED)) {
		enum op op = v->op[pc];
		unsigned fields = op == OP_INVALID ? 0 : insn_info[op].fields;

		v->mark[pc] |= MARK_REACHED;
		if (fields & (INSN_JOFF | INSN_JIMM))
			push(f, (uint32_t)insn_target(op, &v->insns[pc], pc));
		else if (op == OP_CALL_LOCAL || op == OP_LDDW_FUNC)
			push(f, v->subprogs[v->ref[pc]].start);
		if (fields & INSN_END)
			return;
		pc += fields & INSN_WIDE ? 2 : 1;
		if (v->mark[pc] & MARK_START)
			return;
	}
}

/* How many targets there can be: at most so many entries are ever on the stack. */
static uint32_t count_targets(const struct verifier *v)
{
	uint32_t count = v->nsubprogs;

	for (uint32_t pc = 0; pc < v->n; pc++)
		if (v->op[pc] != OP_INVALID)
			count += (insn_info[v->op[pc]].fields & (INSN_JOFF | INSN_JIMM)) != 0;
	return count;
}

int cfg_check(struct verifier *v)
{
	struct flood f = {.v = v};
	uint32_t small[64], count = count_targets(v);

	f.stack = small;
	if (count > sizeof(small) / sizeof(small[0]))
		f.stack = mem_zalloc_array(v->mem, count, sizeof(*f.stack));
	if (!f.stack)
		return -ENOMEM;
	push(&f, 0);
	while (f.depth)
		follow(&f, f.stack[--f.depth]);
	if (f.stack != small)
		mem_free(v->mem, f.stack);
	for (uint32_t pc = 0; pc < v->n; pc++) {
		if (!(v->mark[pc] & MARK_REACHED))
			return reject(v, REJECT_UNREACHABLE, pc);
		if (v->insns[pc].code != 0x18)
			continue;
		if (v->mark[++pc] & MARK_REACHED)
			return reject(v, REJECT_JUMP_INTO_WIDE, pc - 1);
	}
	return 0;
}
