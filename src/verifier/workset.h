/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of small numbers that gives back the lowest: the work list of a data-flow pass. Adding and
 * taking cost the same few instructions at any size: each bit of a level says whether a word of the
 * level below has any.
 */
#ifndef SKEP_VERIFIER_WORKSET_H
#define SKEP_VERIFIER_WORKSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORKSET_LEVELS = 4 }; /* 64^4 numbers */

struct workset {
	uint64_t *level[WORKSET_LEVELS];
	unsigned nlevels;
};

/* Words of memory that a set of n numbers needs. */
static inline size_t workset_words(size_t n)
{
	size_t words = 0;

	do {
		n = (n + 63) / 64;
		words += n;
	} while (n > 1);
	return words;
}

/* words: zeroed, workset_words(n) of them. */
static inline void workset_init(struct workset *w, uint64_t *words, size_t n)
{
	w->nlevels = 0;
	do {
		n = (n + 63) / 64;
		w->level[w->nlevels++] = words;
		words += n;
	} while (n > 1);
}

static inline void workset_add(struct workset *w, uint32_t number)
{
	for (unsigned l = 0; l < w->nlevels; l++) {
		w->level[l][number / 64] |= (uint64_t)1 << number % 64;
		number /= 64;
	}
}

/* Takes out the lowest number; false: there is none. */
static inline bool workset_take(struct workset *w, uint32_t *number)
{
	uint32_t at = 0;

	if (!w->level[w->nlevels - 1][0])
		return false;
	for (unsigned l = w->nlevels; l-- > 0;)
		at = at * 64 + (uint32_t)__builtin_ctzll(w->level[l][at]);
	*number = at;
	for (unsigned l = 0; l < w->nlevels; l++) {
		uint64_t *word = &w->level[l][at / 64];

		*word &= ~((uint64_t)1 << at % 64);
		if (*word)
			break;
		at /= 64;
	}
	return true;
}

#endif
