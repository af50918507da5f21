/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The five views of a scalar (scalar.h) and how they learn from one another; width changes; comparison
 * and printing. Arithmetic is in scalar_alu.c, conditions in scalar_branch.c.
 *
 * Learning is a fixed number of rounds of small deductions, each sound by itself: a view only ever gets
 * narrower, by something that follows from another. Order and number of rounds decide how far knowledge
 * travels; they are chosen so that it is as far as in Linux 6.18, whose log shows the outcome.
 */
#include "verifier/scalar.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/buf.h"

#define NARROW_MIN(field, bound) ((field) = (field) < (bound) ? (bound) : (field))
#define NARROW_MAX(field, bound) ((field) = (field) > (bound) ? (bound) : (field))

static void unbound64(struct scalar *s)
{
	s->smin = INT64_MIN;
	s->smax = INT64_MAX;
	s->umin = 0;
	s->umax = UINT64_MAX;
}

void scalar_unbound32(struct scalar *s)
{
	s->smin32 = INT32_MIN;
	s->smax32 = INT32_MAX;
	s->umin32 = 0;
	s->umax32 = UINT32_MAX;
}

void scalar_unbound(struct scalar *s)
{
	unbound64(s);
	scalar_unbound32(s);
}

void scalar_set_unknown(struct scalar *s)
{
	s->var = TNUM_UNKNOWN;
	scalar_unbound(s);
}

void scalar_set_const(struct scalar *s, uint64_t value)
{
	s->var = tnum_const(value);
	s->smin = s->smax = (int64_t)value;
	s->umin = s->umax = value;
	s->smin32 = s->smax32 = (int32_t)value;
	s->umin32 = s->umax32 = (uint32_t)value;
}

void scalar_set_range(struct scalar *s, uint64_t umin, uint64_t umax)
{
	scalar_set_unknown(s);
	s->umin = umin;
	s->umax = umax;
	scalar_sync(s);
}

/* Ranges from bits: unknown bits all 0 or all 1, the sign bit the other way round. */
static void ranges_from_bits(struct scalar *s)
{
	struct tnum low = tnum_low(s->var);

	NARROW_MIN(s->smin, (int64_t)(s->var.value | (s->var.mask & (uint64_t)INT64_MIN)));
	NARROW_MAX(s->smax, (int64_t)(s->var.value | (s->var.mask & INT64_MAX)));
	NARROW_MIN(s->umin, s->var.value);
	NARROW_MAX(s->umax, s->var.value | s->var.mask);
	NARROW_MIN(s->smin32, (int32_t)(low.value | (low.mask & (uint32_t)INT32_MIN)));
	NARROW_MAX(s->smax32, (int32_t)(low.value | (low.mask & INT32_MAX)));
	NARROW_MIN(s->umin32, (uint32_t)low.value);
	NARROW_MAX(s->umax32, (uint32_t)(low.value | low.mask));
}

/* Ranges from bits, and the whole from both: when one member alone is in the range, it is the value. */
static void ranges_and_only(struct scalar *s)
{
	uint64_t first, only;

	ranges_from_bits(s);
	if (s->umin > s->umax || !tnum_at_least(s->var, s->umin, &first) || first > s->umax)
		return;
	if (first == UINT64_MAX || !tnum_at_least(s->var, first + 1, &only) || only > s->umax)
		scalar_set_const(s, first);
}

static void narrow_unsigned32(struct scalar *s, uint64_t min, uint64_t max)
{
	NARROW_MIN(s->umin32, (uint32_t)min);
	NARROW_MAX(s->umax32, (uint32_t)max);
}

static void narrow_signed32(struct scalar *s, uint64_t min, uint64_t max)
{
	NARROW_MIN(s->smin32, (int32_t)min);
	NARROW_MAX(s->smax32, (int32_t)max);
}

/*
 * The lower halves of min .. max. When the upper halves are the same, the lower halves run from one end
 * to the other; seen as signed or unsigned numbers that is a range unless it wraps. When the upper halves
 * are neighbours, the lower halves run through 0xffffffff to 0: as signed numbers, from a negative one to
 * one that is not.
 */
static void low_from_ends(struct scalar *s, uint64_t min, uint64_t max, bool is_signed)
{
	uint32_t lo = (uint32_t)min, hi = (uint32_t)max;

	if (min >> 32 == max >> 32) {
		if (!is_signed || lo <= hi)
			narrow_unsigned32(s, lo, hi);
		if ((int32_t)lo <= (int32_t)hi)
			narrow_signed32(s, lo, hi);
	}
	if ((uint32_t)(min >> 32) + 1 == (uint32_t)(max >> 32) && (int32_t)lo < 0 && (int32_t)hi >= 0)
		narrow_signed32(s, lo, hi);
}

static void low_from_whole(struct scalar *s)
{
	low_from_ends(s, s->umin, s->umax, false);
	low_from_ends(s, (uint64_t)s->smin, (uint64_t)s->smax, true);
}

/*
 * Signed against unsigned. On the circle of values both are arcs; where one does not cross the point at
 * which the other's numbering starts anew, it bounds the other. If the signed range crosses zero, it is
 * two arcs in unsigned numbering, [0, smax] and [smin, max]; when the unsigned range misses one of them
 * the value is in the other.
 *
 *    0                smax             smin              max
 *    |-----------------|                |-----------------|
 *            |------------------|                             misses the second arc: umin .. smax
 *    umin    ^                  ^ umax
 */
#define SIGNS_FROM_EACH_OTHER(S, U, smin, smax, umin, umax)                                        \
	do {                                                                                       \
		if ((S)(umin) <= (S)(umax)) {                                                      \
			NARROW_MIN(smin, (S)(umin));                                               \
			NARROW_MAX(smax, (S)(umax));                                               \
		}                                                                                  \
		if ((U)(smin) <= (U)(smax)) {                                                      \
			NARROW_MIN(umin, (U)(smin));                                               \
			NARROW_MAX(umax, (U)(smax));                                               \
		} else if ((umax) < (U)(smin)) {                                                   \
			(smin) = (S)(umin);                                                        \
			NARROW_MAX(umax, (U)(smax));                                               \
		} else if ((U)(smax) < (umin)) {                                                   \
			(smax) = (S)(umax);                                                        \
			NARROW_MIN(umin, (U)(smin));                                               \
		}                                                                                  \
	} while (0)

/*
 * The whole from its lower half: with the upper half of an end as it is, the lower half is no smaller
 * (no larger) than its own bound.
 */
static void whole_from_low(struct scalar *s)
{
	const uint64_t upper = UINT64_MAX << 32;

	NARROW_MIN(s->umin, (s->umin & upper) | s->umin32);
	NARROW_MAX(s->umax, (s->umax & upper) | s->umax32);
	NARROW_MIN(s->smin, (int64_t)(((uint64_t)s->smin & upper) | s->umin32));
	NARROW_MAX(s->smax, (int64_t)(((uint64_t)s->smax & upper) | s->umax32));
	/*
	 * A value that fits 32 signed bits is its lower half sign-extended; when that is not negative
	 * the upper half is 0. As in the kernel the half's range replaces what was known: that could be
	 * narrower.
	 */
	if (s->smin32 >= 0 && s->smin >= INT32_MIN && s->smax <= INT32_MAX) {
		s->smin = s->smin32;
		s->smax = s->smax32;
		s->umin = (uint64_t)s->smin32;
		s->umax = (uint64_t)s->smax32;
		s->var = tnum_intersect(s->var, tnum_range((uint64_t)s->smin, (uint64_t)s->smax));
	}
}

static void bits_from_ranges(struct scalar *s)
{
	struct tnum whole = tnum_intersect(s->var, tnum_range(s->umin, s->umax));
	struct tnum low = tnum_intersect(tnum_low(whole), tnum_range(s->umin32, s->umax32));

	s->var = tnum_join(whole, low);
}

static bool knows_nothing(const struct scalar *s)
{
	return s->var.mask == UINT64_MAX && s->smin == INT64_MIN && s->smax == INT64_MAX && !s->umin &&
	       s->umax == UINT64_MAX && s->smin32 == INT32_MIN && s->smax32 == INT32_MAX && !s->umin32 &&
	       s->umax32 == UINT32_MAX;
}

/* A round that changes nothing is the last: the next would start from the same. */
void scalar_sync(struct scalar *s)
{
	enum { ROUNDS = 3 }; /* signs -> halves -> signs -> whole needs as many */
	struct scalar before;

	if (knows_nothing(s))
		return;
	ranges_and_only(s);
	for (int i = 0; i < ROUNDS; i++) {
		before = *s;
		low_from_whole(s);
		SIGNS_FROM_EACH_OTHER(int32_t, uint32_t, s->smin32, s->smax32, s->umin32, s->umax32);
		SIGNS_FROM_EACH_OTHER(int64_t, uint64_t, s->smin, s->smax, s->umin, s->umax);
		whole_from_low(s);
		if (scalar_equal(&before, s))
			break;
	}
	bits_from_ranges(s);
	ranges_and_only(s);
}

const char *scalar_fault(const struct scalar *s)
{
	if (s->umin > s->umax || s->smin > s->smax || s->umin32 > s->umax32 || s->smin32 > s->smax32)
		return "range bounds violation";
	if (scalar_is_const(s)) {
		uint64_t v = s->var.value;

		if (s->umin != v || s->umax != v || (uint64_t)s->smin != v || (uint64_t)s->smax != v)
			return "const tnum out of sync with range bounds";
	}
	if (scalar_is_const32(s)) {
		uint32_t v = (uint32_t)s->var.value;

		if (s->umin32 != v || s->umax32 != v || (uint32_t)s->smin32 != v ||
		    (uint32_t)s->smax32 != v)
			return "const subreg tnum out of sync with range bounds";
	}
	return NULL;
}

bool scalar_sane(const struct scalar *s)
{
	return !scalar_fault(s);
}

/* The whole of a value whose upper half is 0 is what its lower half is as an unsigned number. */
void scalar_zext(struct scalar *s)
{
	s->var = tnum_low(s->var);
	s->umin = s->umin32;
	s->umax = s->umax32;
	if (s->smin32 >= 0 && s->smax32 >= 0) {
		s->smin = s->smin32;
		s->smax = s->smax32;
	} else {
		s->smin = 0;
		s->smax = UINT32_MAX;
	}
}

void scalar_truncate(struct scalar *s, unsigned bytes)
{
	uint64_t keep = UINT64_MAX >> (64 - 8 * bytes);

	s->var = tnum_cast(s->var, bytes);
	if ((s->umin & ~keep) == (s->umax & ~keep)) {
		s->umin &= keep;
		s->umax &= keep;
	} else {
		s->umin = 0;
		s->umax = keep;
	}
	s->smin = (int64_t)s->umin;
	s->smax = (int64_t)s->umax;
	if (bytes < 4)
		scalar_unbound32(s);
	scalar_sync(s);
}

static int64_t extend(int64_t x, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (int64_t)((uint64_t)x << shift) >> shift;
}

/*
 * Where both ends agree in all bits above the lower ones, the lower ones run from end to end; if that
 * does not cross their sign bit, they do after extension.
 */
static bool extend_range(int64_t min, int64_t max, unsigned bytes, int64_t *lo, int64_t *hi)
{
	int64_t a = extend(min, bytes), b = extend(max, bytes);

	if (bytes < 8 && min >> (8 * bytes) != max >> (8 * bytes))
		return false;
	*lo = a < b ? a : b;
	*hi = a < b ? b : a;
	return (*lo >= 0) == (*hi >= 0);
}

void scalar_sext(struct scalar *s, unsigned bytes)
{
	int64_t lo, hi;

	if (scalar_is_const(s)) {
		scalar_set_const(s, (uint64_t)extend((int64_t)s->var.value, bytes));
		return;
	}
	if (!extend_range(s->smin, s->smax, bytes, &lo, &hi)) {
		scalar_set_unknown(s);
		lo = -((int64_t)1 << (8 * bytes - 1));
		hi = -(lo + 1);
		s->smin = lo;
		s->smax = hi;
		s->smin32 = (int32_t)lo;
		s->smax32 = (int32_t)hi;
		return;
	}
	s->smin = lo;
	s->smax = hi;
	s->umin = (uint64_t)lo;
	s->umax = (uint64_t)hi;
	s->smin32 = (int32_t)lo;
	s->smax32 = (int32_t)hi;
	s->umin32 = (uint32_t)lo;
	s->umax32 = (uint32_t)hi;
	s->var = tnum_range((uint64_t)lo, (uint64_t)hi);
}

void scalar_sext32(struct scalar *s, unsigned bytes)
{
	int64_t lo, hi;

	if (scalar_is_const32(s)) {
		int32_t v = (int32_t)extend((int64_t)s->var.value, bytes);

		s->var = tnum_const((uint32_t)v);
		s->smin32 = s->smax32 = v;
		s->umin32 = s->umax32 = (uint32_t)v;
		return;
	}
	if (!extend_range(s->smin32, s->smax32, bytes, &lo, &hi)) {
		s->smin32 = (int32_t)-((int64_t)1 << (8 * bytes - 1));
		s->smax32 = -(s->smin32 + 1);
		s->umin32 = 0;
		s->umax32 = UINT32_MAX;
		s->var = tnum_low(TNUM_UNKNOWN);
		return;
	}
	s->smin32 = (int32_t)lo;
	s->smax32 = (int32_t)hi;
	s->umin32 = (uint32_t)lo;
	s->umax32 = (uint32_t)hi;
	s->var = tnum_low(tnum_range(s->umin32, s->umax32));
}

void scalar_intersect(struct scalar *s, const struct scalar *other)
{
	NARROW_MIN(s->smin, other->smin);
	NARROW_MAX(s->smax, other->smax);
	NARROW_MIN(s->umin, other->umin);
	NARROW_MAX(s->umax, other->umax);
	NARROW_MIN(s->smin32, other->smin32);
	NARROW_MAX(s->smax32, other->smax32);
	NARROW_MIN(s->umin32, other->umin32);
	NARROW_MAX(s->umax32, other->umax32);
	s->var = tnum_intersect(s->var, other->var);
	scalar_sync(s);
}

bool scalar_within(const struct scalar *out, const struct scalar *in)
{
	return out->umin <= in->umin && out->umax >= in->umax && out->smin <= in->smin &&
	       out->smax >= in->smax && out->umin32 <= in->umin32 && out->umax32 >= in->umax32 &&
	       out->smin32 <= in->smin32 && out->smax32 >= in->smax32 && tnum_in(out->var, in->var);
}

static bool is_short(int64_t v)
{
	return v >= INT16_MIN && v <= INT16_MAX;
}

static void print_number(struct buf *log, uint64_t v, bool is_signed)
{
	if (is_signed && is_short((int64_t)v))
		buf_printf(log, "%" PRId64, (int64_t)v);
	else if (!is_signed && v <= UINT16_MAX)
		buf_printf(log, "%" PRIu64, v);
	else
		buf_printf(log, "%#" PRIx64, v);
}

/* Large negative numbers of 32 bits are shown as 8 hexadecimal digits. */
static uint64_t shown32(int32_t v)
{
	return is_short(v) ? (uint64_t)(int64_t)v : (uint32_t)v;
}

/* Bounds with one value are printed together: "smin=umin=smin32=umin32=3". */
void scalar_print(struct buf *log, const struct scalar *s, const char *sep)
{
	struct {
		const char *name;
		uint64_t value;
		bool omit;
	} bounds[] = {
		{"smin", (uint64_t)s->smin, s->smin == INT64_MIN},
		{"smax", (uint64_t)s->smax, s->smax == INT64_MAX},
		{"umin", s->umin, !s->umin},
		{"umax", s->umax, s->umax == UINT64_MAX},
		{"smin32", shown32(s->smin32), s->smin32 == INT32_MIN},
		{"smax32", shown32(s->smax32), s->smax32 == INT32_MAX},
		{"umin32", s->umin32, !s->umin32},
		{"umax32", s->umax32, s->umax32 == UINT32_MAX},
	};
	enum { N = sizeof(bounds) / sizeof(bounds[0]) };

	for (int i = 0; i < N; i++) {
		bool is_signed = bounds[i].name[0] == 's';
		bool negative = is_signed && (int64_t)bounds[i].value < 0;

		if (bounds[i].omit)
			continue;
		buf_printf(log, "%s%s=", sep, bounds[i].name);
		sep = ",";
		for (int j = i + 2; j < N; j += 2) {
			bool other = bounds[j].name[0] == 's' && (int64_t)bounds[j].value < 0;

			if (bounds[j].omit || bounds[j].value != bounds[i].value || other != negative)
				continue;
			bounds[j].omit = true;
			buf_printf(log, "%s=", bounds[j].name);
		}
		print_number(log, bounds[i].value, is_signed);
	}
	if (!tnum_is_unknown(s->var))
		buf_printf(log, "%svar_off=(0x%" PRIx64 "; 0x%" PRIx64 ")", sep, s->var.value, s->var.mask);
}
