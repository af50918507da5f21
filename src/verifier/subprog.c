/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a program: instruction 0, the targets of local calls and of function references.
 * They stand one behind the other, each ends with the next one's start.
 *
 * Targets are noted as marks first, and become a sorted list in one walk, so that a program of
 * thousands of calls costs no search.
 *
 * Requires: nothing. Provides: op[], MARK_START, subprogs[], ref[] of calls, has_memory.
 */
#include <errno.h>
#include <string.h>

#include "verifier/state.h"

uint32_t subprog_of(const struct verifier *v, uint32_t pc)
{
	uint32_t low = 0, high = v->nsubprogs;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (v->subprogs[mid].start <= pc)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static bool refers_to_func(enum op op)
{
	return op == OP_CALL_LOCAL || op == OP_LDDW_FUNC;
}

/* Decodes everything, marks the starts, and answers how many there are. */
static int mark_starts(struct verifier *v)
{
	int count = 1;

	v->mark[0] = MARK_START;
	for (uint32_t i = 0; i < v->n; i++) {
		enum op op = insn_op(&v->insns[i]);
		int64_t target;
		int err;

		v->op[i] = (uint8_t)op;
		if (op == OP_INVALID)
			continue;
		v->has_memory |= insn_info[op].fields & (INSN_LOAD | INSN_STORE) || op == OP_CALL;
		v->has_tail_call |= op == OP_CALL && v->insns[i].imm == HELPER_TAIL_CALL;
		if ((refers_to_func(op) || op == OP_CALL_KFUNC) && !v->bpf_capable)
			return reject(v, REJECT_CALLS_CAPABLE);
		if (op == OP_CALL_KFUNC) {
			err = kfunc_find_at(v, i);
			if (err)
				return err;
		}
		if (!refers_to_func(op))
			continue;
		v->has_funcs = true;
		target = (int64_t)i + v->insns[i].imm + 1;
		if (target < 0 || target >= v->n)
			return reject(v, REJECT_CALL_TARGET);
		count += !(v->mark[target] & MARK_START);
		v->mark[target] |= MARK_START;
		if (count > MAX_SUBPROGS)
			return reject(v, REJECT_SUBPROGS_MAX);
	}
	return count;
}

int subprog_find(struct verifier *v)
{
	int count = mark_starts(v);
	uint32_t at = 0;

	if (count < 0)
		return count;
	v->nsubprogs = (uint32_t)count;
	v->subprogs = mem_zalloc_array(v->mem, (size_t)count + 1, sizeof(*v->subprogs));
	if (!v->subprogs)
		return -ENOMEM;
	for (uint32_t i = 0; v->has_funcs && i < v->n; i++)
		if (v->mark[i] & MARK_START)
			v->subprogs[at++].start = i;
	v->subprogs[count].start = v->n;
	for (int i = 0; i < count; i++)
		v->subprogs[i].end = v->subprogs[i + 1].start;
	if (!v->has_funcs)
		return 0;
	for (uint32_t i = 0; i < v->n; i++)
		if (refers_to_func(v->op[i]))
			v->ref[i] = (uint16_t)subprog_of(v, i + (uint32_t)v->insns[i].imm + 1);
	return 0;
}

/* May a function end with this operation? */
static bool ends_func(enum op op)
{
	return op == OP_EXIT || op == OP_JA || op == OP_JAL;
}

/*
 * The kernel looks at the jumps of opcodes that do not exist, too, and before it finds that out. So
 * this goes by class and code, as it does.
 */
static bool jumps(const struct insn *i, int32_t *distance)
{
	unsigned class = i->code & 7, code = i->code & 0xf0;

	if (class != CLASS_JMP && class != CLASS_JMP32)
		return false;
	if (code == 0x80 || code == 0x90) /* call, exit */
		return false;
	*distance = i->code == 0x06 ? i->imm : i->off;
	return true;
}

int subprog_layout(struct verifier *v)
{
	for (uint32_t s = 0; s < v->nsubprogs; s++) {
		const struct subprog *f = &v->subprogs[s];

		for (uint32_t i = f->start; i < f->end; i++) {
			int32_t distance;
			int64_t target;

			if (!jumps(&v->insns[i], &distance))
				continue;
			target = (int64_t)i + distance + 1;
			if (target < f->start || target >= f->end)
				return reject(v, REJECT_JUMP_RANGE, i, (long long)target);
		}
		if (!ends_func(v->op[f->end - 1]))
			return reject(v, REJECT_LAST_INSN);
	}
	return 0;
}
