/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: what is known of each bit of a 64-bit value.
 *
 * A tnum stands for the set of all x with (x & ~mask) == value: where mask has a 1 the bit is unknown,
 * elsewhere it is the bit of value, and value has 0 where mask has 1. Every operation answers a tnum
 * that holds all results of the operation on members of its operands (sound), as few others as it can.
 *
 *     value 0100      a set of four numbers: 4, 5, 6, 7
 *     mask  0011
 */
#ifndef SKEP_VERIFIER_TNUM_H
#define SKEP_VERIFIER_TNUM_H

#include <stdbool.h>
#include <stdint.h>

struct tnum {
	uint64_t value, mask;
};

#define TNUM_UNKNOWN ((struct tnum){0, UINT64_MAX})

static inline struct tnum tnum_const(uint64_t value)
{
	return (struct tnum){value, 0};
}

static inline bool tnum_is_const(struct tnum a)
{
	return !a.mask;
}

static inline bool tnum_is_unknown(struct tnum a)
{
	return !~a.mask;
}

static inline bool tnum_equal(struct tnum a, struct tnum b)
{
	return a.value == b.value && a.mask == b.mask;
}

/* The smallest tnum that holds min .. max; unknown when min > max. */
struct tnum tnum_range(uint64_t min, uint64_t max);

struct tnum tnum_lsh(struct tnum a, unsigned shift);
struct tnum tnum_rsh(struct tnum a, unsigned shift);
/* width 32: of the lower half; the upper half of the result is 0. */
struct tnum tnum_arsh(struct tnum a, unsigned shift, unsigned width);
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_neg(struct tnum a);
struct tnum tnum_mul(struct tnum a, struct tnum b);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_bswap(struct tnum a, unsigned bytes); /* of the lower 2, 4 or 8 bytes */

struct tnum tnum_intersect(struct tnum a, struct tnum b); /* they must have a number in common */
struct tnum tnum_union(struct tnum a, struct tnum b);
struct tnum tnum_cast(struct tnum a, unsigned bytes); /* the lower bytes, zero-extended */

/* Have they a number in common? */
bool tnum_overlap(struct tnum a, struct tnum b);
/* Is each number of b one of a? */
bool tnum_in(struct tnum a, struct tnum b);
/* The smallest of its numbers that is not below min; false: there is none. */
bool tnum_at_least(struct tnum a, uint64_t min, uint64_t *out);
/* Are all of them multiples of size, a power of two? */
bool tnum_is_aligned(struct tnum a, uint64_t size);

/* The lower half alone, the upper half alone, and both put together. */
static inline struct tnum tnum_low(struct tnum a)
{
	return (struct tnum){(uint32_t)a.value, (uint32_t)a.mask};
}

static inline struct tnum tnum_high(struct tnum a)
{
	return (struct tnum){a.value >> 32 << 32, a.mask >> 32 << 32};
}

static inline struct tnum tnum_join(struct tnum high, struct tnum low)
{
	return (struct tnum){tnum_high(high).value | tnum_low(low).value,
	                     tnum_high(high).mask | tnum_low(low).mask};
}

#endif
