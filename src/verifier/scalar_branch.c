/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditions on scalars (scalar.h): is the outcome certain, and what either outcome teaches.
 *
 * Greater-than is less-than with sides changed, so only EQ, NE, SET, LT, LE, SLT, SLE are spelled out.
 */
#include "verifier/scalar.h"

/* A scalar as a condition of a width sees it: numbers of 64 bits. */
struct view {
	struct tnum var;
	int64_t smin, smax;
	uint64_t umin, umax;
};

static struct view view_of(const struct scalar *s, bool is32)
{
	if (is32)
		return (struct view){tnum_low(s->var), s->smin32, s->smax32, s->umin32, s->umax32};
	return (struct view){s->var, s->smin, s->smax, s->umin, s->umax};
}

static void view_store(struct scalar *s, const struct view *v, bool is32)
{
	if (is32) {
		s->var = tnum_join(s->var, v->var);
		s->smin32 = (int32_t)v->smin;
		s->smax32 = (int32_t)v->smax;
		s->umin32 = (uint32_t)v->umin;
		s->umax32 = (uint32_t)v->umax;
		return;
	}
	s->var = v->var;
	s->smin = v->smin;
	s->smax = v->smax;
	s->umin = v->umin;
	s->umax = v->umax;
}

enum cmp_op cmp_swap(enum cmp_op op)
{
	switch (op) {
	case CMP_GT:
		return CMP_LT;
	case CMP_GE:
		return CMP_LE;
	case CMP_LT:
		return CMP_GT;
	case CMP_LE:
		return CMP_GE;
	case CMP_SGT:
		return CMP_SLT;
	case CMP_SGE:
		return CMP_SLE;
	case CMP_SLT:
		return CMP_SGT;
	case CMP_SLE:
		return CMP_SGE;
	default:
		return op;
	}
}

enum cmp_op cmp_negate(enum cmp_op op)
{
	switch (op) {
	case CMP_EQ:
		return CMP_NE;
	case CMP_NE:
		return CMP_EQ;
	case CMP_GT:
		return CMP_LE;
	case CMP_LE:
		return CMP_GT;
	case CMP_GE:
		return CMP_LT;
	case CMP_LT:
		return CMP_GE;
	case CMP_SGT:
		return CMP_SLE;
	case CMP_SLE:
		return CMP_SGT;
	case CMP_SGE:
		return CMP_SLT;
	case CMP_SLT:
		return CMP_SGE;
	default:
		return op;
	}
}

/* Spelled with LT, LE, SLT, SLE instead of GT, GE, SGT, SGE? Then the sides change. */
static bool is_greater(enum cmp_op op)
{
	return op == CMP_GT || op == CMP_GE || op == CMP_SGT || op == CMP_SGE;
}

static bool apart(const struct view *a, const struct view *b)
{
	return a->umin > b->umax || a->umax < b->umin || a->smin > b->smax || a->smax < b->smin;
}

static int branch_equal(const struct scalar *x, const struct scalar *y, const struct view *a,
                        const struct view *b, bool is32)
{
	if (tnum_is_const(a->var) && tnum_is_const(b->var))
		return a->var.value == b->var.value;
	if (!tnum_overlap(a->var, b->var) || apart(a, b))
		return 0;
	if (!is32) {
		struct view lx = view_of(x, true), ly = view_of(y, true);

		if (apart(&lx, &ly))
			return 0;
	}
	return -1;
}

static int branch_set(const struct view *a, const struct view *b)
{
	if (!tnum_is_const(b->var)) {
		const struct view *t = a;

		a = b;
		b = t;
	}
	if (!tnum_is_const(b->var))
		return -1;
	if (a->var.value & b->var.value)
		return 1;
	return (a->var.value | a->var.mask) & b->var.value ? -1 : 0;
}

int scalar_branch(const struct scalar *x, const struct scalar *y, enum cmp_op op, bool is32)
{
	struct view a, b;
	int equal;

	if (is_greater(op))
		return scalar_branch(y, x, cmp_swap(op), is32);
	a = view_of(x, is32);
	b = view_of(y, is32);
	switch (op) {
	case CMP_EQ:
		return branch_equal(x, y, &a, &b, is32);
	case CMP_NE:
		equal = branch_equal(x, y, &a, &b, is32);
		return equal < 0 ? -1 : !equal;
	case CMP_SET:
		return branch_set(&a, &b);
	case CMP_LT:
		return a.umax < b.umin ? 1 : a.umin >= b.umax ? 0 : -1;
	case CMP_LE:
		return a.umax <= b.umin ? 1 : a.umin > b.umax ? 0 : -1;
	case CMP_SLT:
		return a.smax < b.smin ? 1 : a.smin >= b.smax ? 0 : -1;
	case CMP_SLE:
		return a.smax <= b.smin ? 1 : a.smin > b.smax ? 0 : -1;
	default:
		return -1;
	}
}

static void refine_equal(struct view *a, struct view *b)
{
	a->umin = b->umin = a->umin > b->umin ? a->umin : b->umin;
	a->umax = b->umax = a->umax < b->umax ? a->umax : b->umax;
	a->smin = b->smin = a->smin > b->smin ? a->smin : b->smin;
	a->smax = b->smax = a->smax < b->smax ? a->smax : b->smax;
	a->var = b->var = tnum_intersect(a->var, b->var);
}

/* A value at the end of a range is cut off. */
static void refine_unequal(struct view *a, uint64_t value, bool is32)
{
	int64_t number = is32 ? (int32_t)value : (int64_t)value;

	a->umin += a->umin == value;
	a->umax -= a->umax == value;
	a->smin += a->smin == number && number != INT64_MAX;
	a->smax -= a->smax == number && number != INT64_MIN;
}

static void refine_less_unsigned(struct view *a, struct view *b, bool or_equal)
{
	uint64_t max = b->umax - !or_equal, min = a->umin + !or_equal;

	a->umax = a->umax < max ? a->umax : max;
	b->umin = b->umin > min ? b->umin : min;
}

static void refine_less_signed(struct view *a, struct view *b, bool or_equal)
{
	int64_t max = (int64_t)((uint64_t)b->smax - !or_equal);
	int64_t min = (int64_t)((uint64_t)a->smin + !or_equal);

	a->smax = a->smax < max ? a->smax : max;
	b->smin = b->smin > min ? b->smin : min;
}

/* A bit of a mask of one is set; or none of the mask. */
static void refine_bits(struct scalar *s, uint64_t mask, bool is32, bool taken)
{
	struct tnum var = is32 ? tnum_low(s->var) : s->var;

	if (taken) {
		if (mask & (mask - 1))
			return;
		var = tnum_or(var, tnum_const(mask));
	} else {
		var = tnum_and(var, tnum_const(~mask));
		/* If this cannot be, ranges and bits would contradict each other. */
		scalar_unbound(s);
	}
	s->var = is32 ? tnum_join(s->var, var) : var;
}

static void refine_set(struct scalar *x, struct scalar *y, bool is32, bool taken)
{
	struct view a = view_of(x, is32), b = view_of(y, is32);

	if (tnum_is_const(b.var))
		refine_bits(x, b.var.value, is32, taken);
	else if (tnum_is_const(a.var))
		refine_bits(y, a.var.value, is32, taken);
}

/* x and y may be one register: then what one side learns, the other knows. */
static void refine_true(struct scalar *x, struct scalar *y, enum cmp_op op, bool is32)
{
	struct view left = view_of(x, is32), right = view_of(y, is32);
	struct view *a = &left, *b = x == y ? a : &right;

	switch (op) {
	case CMP_EQ:
		refine_equal(a, b);
		break;
	case CMP_NE:
		if (tnum_is_const(b->var))
			refine_unequal(a, b->var.value, is32);
		else if (tnum_is_const(a->var))
			refine_unequal(b, a->var.value, is32);
		break;
	case CMP_LT:
	case CMP_LE:
		refine_less_unsigned(a, b, op == CMP_LE);
		break;
	default:
		refine_less_signed(a, b, op == CMP_SLE);
	}
	view_store(x, a, is32);
	view_store(y, b, is32);
}

void scalar_refine(struct scalar *x, struct scalar *y, enum cmp_op op, bool is32, bool taken)
{
	if (op == CMP_SET) {
		refine_set(x, y, is32, taken);
	} else {
		op = taken ? op : cmp_negate(op);
		if (is_greater(op))
			refine_true(y, x, cmp_swap(op), is32);
		else
			refine_true(x, y, op, is32);
	}
	scalar_sync(x);
	scalar_sync(y);
}
