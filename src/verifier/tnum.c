/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on tristate numbers (tnum.h).
 *
 * The idea behind addition, from which the others follow: a member of a is a.value plus any part of
 * a.mask, so sums run from min = a.value + b.value to min plus both masks. A carry into a bit comes only
 * if the bits below it are large enough; the smallest sum has the fewest carries and the largest the most,
 * and both differ exactly at the bits into which the carry is not certain. A bit of the result is unknown
 * when its carry is, or when one of its operands is. Subtraction is the same with borrows.
 *
 * Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers" (CGO
 * 2022) proves addition and subtraction optimal.
 */
#include "verifier/tnum.h"

/* From what is certain in all members and a mask that may overlap it. */
static struct tnum make(uint64_t value, uint64_t mask)
{
	return (struct tnum){value & ~mask, mask};
}

struct tnum tnum_range(uint64_t min, uint64_t max)
{
	uint64_t differ = min ^ max;

	if (min > max || differ >> 63)
		return TNUM_UNKNOWN;
	if (!differ)
		return tnum_const(min);
	/* Below the highest bit in which the ends differ, every pattern occurs between them. */
	return make(min, ((uint64_t)2 << (63 - __builtin_clzll(differ))) - 1);
}

struct tnum tnum_lsh(struct tnum a, unsigned shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

struct tnum tnum_rsh(struct tnum a, unsigned shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

struct tnum tnum_arsh(struct tnum a, unsigned shift, unsigned width)
{
	/* The sign bit is one of value, or of mask, or of neither: copies of it are as well. */
	if (width == 32)
		return (struct tnum){(uint32_t)((int32_t)a.value >> shift),
		                     (uint32_t)((int32_t)a.mask >> shift)};
	return (struct tnum){(uint64_t)((int64_t)a.value >> shift),
	                     (uint64_t)((int64_t)a.mask >> shift)};
}

struct tnum tnum_add(struct tnum a, struct tnum b)
{
	uint64_t fewest = a.value + b.value, most = fewest + a.mask + b.mask;

	return make(fewest, (fewest ^ most) | a.mask | b.mask);
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	uint64_t value = a.value - b.value, fewest = value + a.mask, most = value - b.mask;

	return make(value, (fewest ^ most) | a.mask | b.mask);
}

struct tnum tnum_neg(struct tnum a)
{
	return tnum_sub(tnum_const(0), a);
}

/*
 * Long multiplication: for each bit of a, from the lowest, b moved to its place is added, or not, or
 * perhaps. Perhaps is the union of both outcomes.
 */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum product = tnum_const(0);

	while (a.value | a.mask) {
		unsigned zeros = (unsigned)__builtin_ctzll(a.value | a.mask);
		struct tnum more;

		a = tnum_rsh(a, zeros);
		b = tnum_lsh(b, zeros);
		more = tnum_add(product, b);
		product = a.value & 1 ? more : tnum_union(product, more);
		a.value &= ~(uint64_t)1;
		a.mask &= ~(uint64_t)1;
	}
	return product;
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value & b.value;
	uint64_t maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, maybe & ~ones};
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return make(a.value ^ b.value, a.mask | b.mask);
}

struct tnum tnum_bswap(struct tnum a, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (struct tnum){__builtin_bswap64(a.value) >> shift, __builtin_bswap64(a.mask) >> shift};
}

struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	return make(a.value | b.value, a.mask & b.mask);
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return make(a.value & b.value, a.mask | b.mask | (a.value ^ b.value));
}

struct tnum tnum_cast(struct tnum a, unsigned bytes)
{
	uint64_t keep = UINT64_MAX >> (64 - 8 * bytes);

	return (struct tnum){a.value & keep, a.mask & keep};
}

bool tnum_overlap(struct tnum a, struct tnum b)
{
	return !((a.value ^ b.value) & ~(a.mask | b.mask));
}

bool tnum_in(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && (b.value & ~a.mask) == a.value;
}

/*
 * The member x agrees with min from the top as far as it can. At the first bit where min is no member:
 * if min has 0 there and x must have 1, x is larger already, and its unknown bits below are 0. If min has
 * 1 and x must have 0, x needs an earlier unknown bit to be 1 where min has 0: the lowest such.
 */
bool tnum_at_least(struct tnum a, uint64_t min, uint64_t *out)
{
	uint64_t wrong = (min ^ a.value) & ~a.mask, bit, kept;

	if (!wrong) {
		*out = min;
		return true;
	}
	bit = (uint64_t)1 << (63 - __builtin_clzll(wrong));
	if (min & bit) {
		uint64_t raise = a.mask & ~min & ~(bit | (bit - 1));

		if (!raise)
			return false;
		bit = raise & -raise;
	}
	kept = min & ~(bit | (bit - 1));
	*out = a.value | (kept & a.mask) | (a.mask & bit);
	return true;
}

bool tnum_is_aligned(struct tnum a, uint64_t size)
{
	return !size || !((a.value | a.mask) & (size - 1));
}
