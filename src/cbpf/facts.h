/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a filter before each of its instructions, for translation. Filters jump forward only, so
 * that one pass over the instructions sees every way, and one pass back every use.
 */
#ifndef SKEP_CBPF_FACTS_H
#define SKEP_CBPF_FACTS_H

#include "cbpf/cbpf.h"

/* Direct loads reach no further: the offset of a load is 16 bits. */
enum { DIRECT_MAX = INT16_MAX };

/* Registers as a mask: A, X, then M[0] to M[15]. */
#define LIVE_A 1u
#define LIVE_X 2u
#define LIVE_M(k) (4u << (k))

struct fact {
	bool reached;
	bool swapped; /* of a load: A may stay in network order; of what uses it: A is */
	uint8_t size; /* of a swapped A: 2, 4 */
	uint32_t len; /* bytes that the packet has for certain */
	uint32_t a_max, x_max;
	uint32_t live; /* what may be read from here on before it is written */
};

/*
 * Does a load with a direct form never need the packet load instruction, in one piece of packet? That
 * one's result has 32 bits for the verifier, however few bytes it loads.
 */
static inline bool fact_is_near(const struct skep_cbpf_insn *i, bool indirect, uint32_t x_max)
{
	return (uint64_t)(indirect ? x_max : 0) + i->k <= DIRECT_MAX - 4;
}

/*
 * facts: [n], filled in. The filter passed skep_cbpf_check(). def: [n], scratch of the caller's. swaps:
 * whether loads may leave A in network order. linear: packets are in one piece.
 */
void facts_find(const struct skep_cbpf_insn *insns, size_t n, bool swaps, bool linear, struct fact *facts,
                uint16_t *def);

#endif
