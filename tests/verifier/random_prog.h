/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs at the edge of what the verifier accepts: bounds that are right or off by one, checks of
 * one register and use of another, spills in other widths, checks forgotten. The same seed gives the same
 * program.
 */
#ifndef SKEP_TESTS_VERIFIER_RANDOM_PROG_H
#define SKEP_TESTS_VERIFIER_RANDOM_PROG_H

#include <stdint.h>

struct buf;

enum random_kind {
	RANDOM_SCALARS, /* numbers only, straight on but for jumps to the end: always accepted */
	RANDOM_VALUES,  /* and a map's value accessed by them */
	RANDOM_STACK,   /* the stack, by constant and variable offsets */
	RANDOM_PACKET,  /* an XDP packet */
	RANDOM_LOOKUPS, /* look-ups with and without comparison, functions, small loops */
	RANDOM_KINDS,
};

/* A number below n from a state that must not be 0. */
uint32_t random_below(uint64_t *state, uint32_t n);

/* A test of the corpus's language (corpus/corpus.h), with the verdict `accept` to be parsed. */
void random_program(uint64_t seed, enum random_kind kind, struct buf *out);

#endif
