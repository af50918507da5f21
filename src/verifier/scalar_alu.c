/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on scalars (scalar.h): what an operation makes of each view.
 *
 * Bits come from tnum.c. Ranges are computed for both widths by one set of functions on struct range: an
 * operation on 32 bits gives the ranges of the lower half, of which the rest follows (scalar_zext); one
 * on 64 bits gives both, as the lower half of a result depends for most operations on lower halves only.
 * Where an end may wrap, the range of that sign is given up; sync then takes back what the bits know.
 *
 * Followed are operations of which the kernel follows the result; division, modulo and shifts by an
 * amount that is not known leave nothing.
 */
#include "verifier/scalar.h"

typedef __int128 wide;

/* Both ranges of a value of a width, each end as a number. */
struct range {
	int64_t smin, smax;
	uint64_t umin, umax;
};

static int64_t signed_min(unsigned bits)
{
	return bits == 32 ? INT32_MIN : INT64_MIN;
}

static int64_t signed_max(unsigned bits)
{
	return bits == 32 ? INT32_MAX : INT64_MAX;
}

static uint64_t unsigned_max(unsigned bits)
{
	return bits == 32 ? UINT32_MAX : UINT64_MAX;
}

static struct range range_of(const struct scalar *s, unsigned bits)
{
	if (bits == 32)
		return (struct range){s->smin32, s->smax32, s->umin32, s->umax32};
	return (struct range){s->smin, s->smax, s->umin, s->umax};
}

static void range_set(struct scalar *s, struct range r, unsigned bits)
{
	if (bits == 32) {
		s->smin32 = (int32_t)r.smin;
		s->smax32 = (int32_t)r.smax;
		s->umin32 = (uint32_t)r.umin;
		s->umax32 = (uint32_t)r.umax;
		return;
	}
	s->smin = r.smin;
	s->smax = r.smax;
	s->umin = r.umin;
	s->umax = r.umax;
}

static void forget_signed(struct range *r, unsigned bits)
{
	r->smin = signed_min(bits);
	r->smax = signed_max(bits);
}

static void forget_unsigned(struct range *r, unsigned bits)
{
	r->umin = 0;
	r->umax = unsigned_max(bits);
}

static void set_signed(struct range *r, wide min, wide max, unsigned bits)
{
	if (min < signed_min(bits) || max > signed_max(bits)) {
		forget_signed(r, bits);
		return;
	}
	r->smin = (int64_t)min;
	r->smax = (int64_t)max;
}

/* When both ends wrap, or neither, what lies between does the same. */
static void set_unsigned(struct range *r, wide min, wide max, unsigned bits)
{
	wide top = unsigned_max(bits);

	if ((min < 0) != (max < 0) || (min > top) != (max > top)) {
		forget_unsigned(r, bits);
		return;
	}
	r->umin = (uint64_t)min & unsigned_max(bits);
	r->umax = (uint64_t)max & unsigned_max(bits);
}

static struct range range_add(struct range a, struct range b, unsigned bits)
{
	struct range r;

	set_signed(&r, (wide)a.smin + b.smin, (wide)a.smax + b.smax, bits);
	set_unsigned(&r, (wide)a.umin + b.umin, (wide)a.umax + b.umax, bits);
	return r;
}

static struct range range_sub(struct range a, struct range b, unsigned bits)
{
	struct range r;

	set_signed(&r, (wide)a.smin - b.smax, (wide)a.smax - b.smin, bits);
	set_unsigned(&r, (wide)a.umin - b.umax, (wide)a.umax - b.umin, bits);
	return r;
}

static struct range range_mul(struct range a, struct range b, unsigned bits)
{
	wide corner[4] = {(wide)a.smin * b.smin, (wide)a.smin * b.smax, (wide)a.smax * b.smin,
	                  (wide)a.smax * b.smax};
	wide min = corner[0], max = corner[0];
	struct range r;

	for (int i = 1; i < 4; i++) {
		min = corner[i] < min ? corner[i] : min;
		max = corner[i] > max ? corner[i] : max;
	}
	set_signed(&r, min, max, bits);
	if ((unsigned __int128)a.umax * b.umax > unsigned_max(bits)) {
		forget_unsigned(&r, bits);
	} else {
		r.umin = a.umin * b.umin;
		r.umax = a.umax * b.umax;
	}
	return r;
}

/* The unsigned range of AND, OR, XOR, given the bits of the result. The signed one: if it is the same. */
static struct range range_bitwise(struct range a, struct range b, struct tnum bits_of, enum alu_op op,
                                  unsigned bits)
{
	struct range r = {.umin = bits_of.value, .umax = bits_of.value | bits_of.mask};
	int64_t min, max;

	if (op == ALU_AND)
		r.umax = a.umax < b.umax ? a.umax : b.umax;
	if (op == ALU_OR)
		r.umin = a.umin > b.umin ? a.umin : b.umin;
	min = bits == 32 ? (int32_t)r.umin : (int64_t)r.umin;
	max = bits == 32 ? (int32_t)r.umax : (int64_t)r.umax;
	if (min <= max) {
		r.smin = min;
		r.smax = max;
	} else {
		forget_signed(&r, bits);
	}
	return r;
}

static struct range range_lsh(struct range a, unsigned shift, unsigned bits)
{
	struct range r;

	forget_signed(&r, bits);
	if (shift >= bits || a.umax > (uint64_t)1 << (bits - 1 - shift)) {
		forget_unsigned(&r, bits);
	} else {
		r.umin = a.umin << shift;
		r.umax = a.umax << shift;
	}
	return r;
}

static struct range range_rsh(struct range a, unsigned shift, unsigned bits)
{
	struct range r = {.umin = a.umin >> shift, .umax = a.umax >> shift};

	forget_signed(&r, bits);
	return r;
}

static struct range range_arsh(struct range a, unsigned shift, unsigned bits)
{
	struct range r = {.smin = a.smin >> shift, .smax = a.smax >> shift};

	forget_unsigned(&r, bits);
	return r;
}

static void arith(struct scalar *d, const struct scalar *s, enum alu_op op, unsigned bits)
{
	struct range a = range_of(d, bits), b = range_of(s, bits);

	switch (op) {
	case ALU_ADD:
		range_set(d, range_add(a, b, bits), bits);
		break;
	case ALU_SUB:
		range_set(d, range_sub(a, b, bits), bits);
		break;
	default:
		range_set(d, range_mul(a, b, bits), bits);
	}
}

/* d->var is the result's already. */
static void bitwise(struct scalar *d, const struct scalar *s, enum alu_op op, unsigned bits)
{
	struct tnum var = bits == 32 ? tnum_low(d->var) : d->var;

	range_set(d, range_bitwise(range_of(d, bits), range_of(s, bits), var, op, bits), bits);
}

static void unbound_other(struct scalar *d, unsigned bits)
{
	struct scalar unknown;

	scalar_set_unknown(&unknown);
	range_set(d, range_of(&unknown, 96 - bits), 96 - bits);
}

static void shift_left(struct scalar *d, unsigned shift, unsigned bits)
{
	struct range whole = range_lsh(range_of(d, 64), shift, 64);

	if (bits == 64 && shift == 32) { /* the first half of a sign extension: the sign moves along */
		whole.smin = (int64_t)((uint64_t)(int64_t)d->smin32 << 32);
		whole.smax = (int64_t)((uint64_t)(int64_t)d->smax32 << 32);
	}
	range_set(d, range_lsh(range_of(d, 32), shift, 32), 32);
	range_set(d, whole, 64);
	if (bits == 32)
		unbound_other(d, 32);
	d->var = bits == 32 ? tnum_low(tnum_lsh(d->var, shift)) : tnum_lsh(d->var, shift);
}

static void shift_right(struct scalar *d, unsigned shift, enum alu_op op, unsigned bits)
{
	struct range r = range_of(d, bits);

	r = op == ALU_RSH ? range_rsh(r, shift, bits) : range_arsh(r, shift, bits);
	range_set(d, r, bits);
	unbound_other(d, bits);
	if (op == ALU_ARSH)
		d->var = tnum_arsh(d->var, shift, bits);
	else
		d->var = tnum_rsh(bits == 32 ? tnum_low(d->var) : d->var, shift);
}

bool scalar_alu_tracked(const struct scalar *s, enum alu_op op, bool is32)
{
	switch (op) {
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_AND:
	case ALU_OR:
	case ALU_XOR:
	case ALU_NEG:
		return true;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		if (is32)
			return scalar_is_const32(s) && s->umin32 == s->umax32 && s->smin32 == s->smax32 &&
			       s->umax < 32;
		return scalar_is_const(s) && s->umin == s->umax && s->smin == s->smax && s->umax < 64;
	default:
		return false;
	}
}

static struct tnum bits_of_result(struct tnum a, struct tnum b, enum alu_op op)
{
	switch (op) {
	case ALU_ADD:
		return tnum_add(a, b);
	case ALU_SUB:
		return tnum_sub(a, b);
	case ALU_MUL:
		return tnum_mul(a, b);
	case ALU_AND:
		return tnum_and(a, b);
	case ALU_OR:
		return tnum_or(a, b);
	default:
		return tnum_xor(a, b);
	}
}

/* Two constants: what the machine computes. Most of the arithmetic in loops is that. */
static uint64_t constant(uint64_t a, uint64_t b, enum alu_op op, bool is32)
{
	switch (op) {
	case ALU_ADD:
		return a + b;
	case ALU_SUB:
		return a - b;
	case ALU_MUL:
		return a * b;
	case ALU_AND:
		return a & b;
	case ALU_OR:
		return a | b;
	case ALU_XOR:
		return a ^ b;
	case ALU_LSH:
		return a << b;
	case ALU_RSH:
		return (is32 ? (uint32_t)a : a) >> b;
	default:
		return is32 ? (uint64_t)((int32_t)a >> b) : (uint64_t)((int64_t)a >> b);
	}
}

void scalar_alu(struct scalar *d, const struct scalar *s, enum alu_op op, bool is32)
{
	struct scalar copy = *s; /* s may be d */

	s = &copy;
	if (!scalar_alu_tracked(s, op, is32)) {
		scalar_set_unknown(d);
		return;
	}
	if (scalar_is_const(d) && scalar_is_const(s)) {
		uint64_t value = constant(d->var.value, s->var.value, op, is32);

		scalar_set_const(d, is32 ? (uint32_t)value : value);
		return;
	}
	switch (op) {
	case ALU_LSH:
		shift_left(d, (unsigned)s->umin, is32 ? 32 : 64);
		break;
	case ALU_RSH:
	case ALU_ARSH:
		shift_right(d, (unsigned)s->umin, op, is32 ? 32 : 64);
		break;
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
		d->var = bits_of_result(d->var, s->var, op);
		arith(d, s, op, 32);
		arith(d, s, op, 64);
		break;
	default:
		d->var = bits_of_result(d->var, s->var, op);
		bitwise(d, s, op, 32);
		bitwise(d, s, op, 64);
	}
	if (is32)
		scalar_zext(d);
	scalar_sync(d);
}

void scalar_neg(struct scalar *d, bool is32)
{
	struct scalar zero;

	scalar_set_const(&zero, 0);
	scalar_alu(&zero, d, ALU_SUB, is32);
	*d = zero;
}

/* Where bytes change places, only the bits are followed. */
void scalar_end(struct scalar *d, bool swap, unsigned bits)
{
	if (!swap && bits == 64)
		return;
	if (!swap) {
		scalar_truncate(d, bits / 8);
		return;
	}
	d->var = tnum_bswap(d->var, bits / 8);
	scalar_unbound(d);
	scalar_sync(d);
}

static void set_low(struct scalar *s, uint32_t value)
{
	s->var = tnum_join(s->var, tnum_const(value));
	s->smin32 = s->smax32 = (int32_t)value;
	s->umin32 = s->umax32 = value;
	scalar_sync(s);
}

bool scalar_forks(const struct scalar *d, const struct scalar *s, enum alu_op op, struct scalar *zero,
                  struct scalar *ones)
{
	if ((op != ALU_AND && op != ALU_OR) || !scalar_is_const(s))
		return false;
	*zero = *ones = *d;
	if (d->smin == -1 && d->smax == 0) {
		scalar_set_const(zero, 0);
		scalar_set_const(ones, UINT64_MAX);
		return true;
	}
	if (d->smin32 != -1 || d->smax32 != 0)
		return false;
	set_low(zero, 0);
	set_low(ones, UINT32_MAX);
	return true;
}
