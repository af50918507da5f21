/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speculation: what a program of a loader without CAP_PERFMON could do while the machine runs ahead on
 * a mispredicted branch.
 *
 * The kernel makes such programs harmless by masking pointer arithmetic and by barriers, and refuses
 * what it cannot mask. Nothing of that is needed in a process of one's own, and Skep emits neither; but a
 * program that passes here shall pass there, so its rules are applied:
 *
 *   - a number in a register may be added to pointers into stacks and map values only, with one sign,
 *     in the same way on all paths (the mask is one immediate), and the result must be inside;
 *   - the way that a decided branch does not take is followed, too, with operands that may be anything. On
 *     such a path a fault is no fault but the place of a barrier (NOTE_NOSPEC), at which all of them end.
 *
 * Provides: what spec.h lists, and spec_stops() for the walk.
 */
#include "verifier/spec.h"

#include <errno.h>
#include <stdlib.h>

#include "core/map.h"

/* Why arithmetic cannot be masked. */
enum { BY_KIND = 1, BY_BOUNDS, BY_PATHS, BY_LIMIT, NO_ROOM };

/* How an instruction is masked: note.spec. */
enum {
	MASK_NONE,
	MASK_NEEDLESS = 1 << 0, /* numbers only */
	MASK_NEGATIVE = 1 << 1,
	MASK_IMMEDIATE = 1 << 2,
	MASK_SRC = 1 << 3,
	MASK_DST = 1 << 4,
};

static bool adds(const struct insn *i)
{
	return (i->code & 0xf0) == ALU_ADD || (i->code & 0xf0) == ALU_SUB;
}

/* Immediates are the program's own. */
static bool needless(const struct verifier *v, const struct insn *i)
{
	return v->bypass_spec || !adds(i) || !(i->code & 8);
}

static int refuse(struct verifier *v, const struct insn *i, bool number_is_dst, int why)
{
	const char *op = (i->code & 0xf0) == ALU_ADD ? "add" : "sub";
	unsigned number = number_is_dst ? i->dst : i->src, ptr = number_is_dst ? i->src : i->dst;

	switch (why) {
	case BY_KIND:
		return reject(v, REJECT_SPEC_KIND, ptr);
	case BY_BOUNDS:
		return reject(v, REJECT_SPEC_BOUNDS, number);
	case BY_PATHS:
		return reject(v, REJECT_SPEC_PATHS, i->dst, op);
	case BY_LIMIT:
		return reject(v, REJECT_SPEC_LIMIT, i->dst, op);
	default:
		return branch_error(v);
	}
}

/* How far the pointer is from the end that the number moves it towards. */
static int limit(const struct reg *ptr, bool left, uint32_t *out)
{
	uint32_t max, at;

	if (ptr->kind == REG_STACK) {
		max = STACK_SIZE + left;
		at = (uint32_t)-((int64_t)ptr->s.var.value + ptr->off);
	} else if (ptr->kind == REG_MAP_VALUE) {
		max = ptr->map->value_size;
		at = (uint32_t)((left ? (uint64_t)ptr->s.smin : ptr->s.umax) + (uint64_t)(int64_t)ptr->off);
	} else {
		return BY_KIND;
	}
	*out = at;
	return at >= max ? BY_LIMIT : 0;
}

/* Each instruction has one mask. */
static int settle(struct verifier *v, uint8_t mask, uint32_t at)
{
	struct note *n = &v->notes[v->pc];

	if (n->spec && (n->spec != mask || n->spec_limit != at))
		return BY_PATHS;
	n->spec = mask;
	n->spec_limit = at;
	return 0;
}

int spec_number(struct verifier *v, const struct insn *i)
{
	if (needless(v, i) || !settle(v, MASK_NEEDLESS, 0))
		return 0;
	return refuse(v, i, false, BY_PATHS);
}

/* From here the path would also go on with a pointer that the mask held back. */
static int hold_back(struct verifier *v, const struct insn *i, const struct reg *ptr)
{
	struct reg *dst = &cur_regs(v)[i->dst], saved = *dst;
	struct state *s;

	*dst = *ptr;
	s = branch_push(v, v->pc + 1, v->pc);
	*dst = saved;
	if (!s)
		return NO_ROOM;
	s->speculative = true;
	return 0;
}

int spec_pointer(struct verifier *v, const struct insn *i, const struct reg *ptr,
                 const struct reg *num, bool number_is_dst, struct spec_mask *m)
{
	bool known = scalar_is_const(&num->s), negative = num->s.smin < 0;
	int why = 0;

	if (needless(v, i))
		return 0;
	if (!v->cur->speculative) {
		if (!known && negative != (num->s.smax < 0))
			return refuse(v, i, number_is_dst, BY_BOUNDS);
		m->left = ((i->code & 0xf0) == ALU_ADD) == negative;
		why = limit(ptr, m->left, &m->limit);
		m->mask = (uint8_t)((negative ? MASK_NEGATIVE : 0) | (known ? MASK_IMMEDIATE : 0) |
		                    (number_is_dst ? MASK_DST : MASK_SRC));
		v->spec_limits |= !known;
	}
	if (!why && !known)
		why = hold_back(v, i, ptr);
	return why ? refuse(v, i, number_is_dst, why) : 0;
}

int spec_moved(struct verifier *v, const struct insn *i, const struct spec_mask *m)
{
	uint32_t at;
	int why;

	if (needless(v, i) || v->cur->speculative)
		return 0;
	why = limit(&cur_regs(v)[i->dst], m->left, &at);
	if (!why)
		why = settle(v, m->mask, (uint32_t)abs((int32_t)(m->limit - at)));
	return why ? refuse(v, i, m->mask & MASK_DST, why) : 0;
}

int spec_inside(struct verifier *v, unsigned regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	int64_t at = r->off + (int64_t)r->s.var.value;
	char var[64];

	if (v->bypass_spec)
		return 0;
	if (r->kind == REG_MAP_VALUE)
		return mem_in_region(v, regno, r->off, 1, r->map->value_size, false)
		               ? reject(v, REJECT_SPEC_VALUE, regno)
		               : 0;
	if (r->kind != REG_STACK)
		return 0;
	if (!scalar_is_const(&r->s))
		return reject(v, REJECT_SPEC_STACK_VAR, regno, tnum_text(r->s.var, var), (int)at);
	return at >= 0 || at < -STACK_SIZE ? reject(v, REJECT_SPEC_STACK, regno, (int)at) : 0;
}

bool spec_stops(struct verifier *v, uint32_t pc, int err)
{
	if (!v->cur->speculative || (err != -EPERM && err != -EACCES && err != -EINVAL))
		return false;
	v->notes[pc].flags |= NOTE_NOSPEC;
	v->notes[pc].spec = MASK_NONE;
	return true;
}

int spec_branch(struct verifier *v, const struct insn *i, uint32_t to)
{
	struct state *s;

	if (v->bypass_spec)
		return 0;
	s = branch_push(v, to, v->pc);
	if (!s)
		return branch_error(v);
	s->speculative = true;
	reg_set_unknown(&state_frame(s)->regs[i->dst]);
	if (i->code & 8)
		reg_set_unknown(&state_frame(s)->regs[i->src]);
	return 0;
}
