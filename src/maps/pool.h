/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of elements that are known by number (1 ... n; 0 is none), free ones handed out to many
 * threads.
 *
 * The numbers are divided into parts, one a CPU where there are enough. A part has a stack of
 * elements that were given back (linked through a word of each element, exchanged with a counter
 * against ABA) and a line between those that have never been used and the others, so that a new
 * pool is all zero and costs nothing to make. Whose part is empty takes from the other parts.
 */
#ifndef SKEP_MAPS_POOL_H
#define SKEP_MAPS_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool_part {
	_Atomic uint64_t top;   /* count << 32 | element */
	_Atomic uint32_t fresh; /* elements of this part handed out for the first time so far */
	uint32_t first, count;  /* the part's own numbers */
} __attribute__((aligned(64)));

struct pool {
	uint8_t *base; /* of element 0, which does not exist; an element begins with its link, 32 bits */
	size_t stride;
	struct pool_part *part;
	uint32_t nparts;
	bool split; /* pool_take() takes from the CPU's own part; elements go back where they belong */
};

/* How many parts suit n elements on ncpus CPUs. */
uint32_t pool_parts(uint32_t n, unsigned ncpus);
/* The caller has set base, stride, part (zeroed), nparts and split. */
void pool_init(struct pool *p, uint32_t n);
/* An element, or 0. hint: the CPU. */
uint32_t pool_take(struct pool *p, unsigned hint);
/* From whatever part, although the pool is split. */
uint32_t pool_take_any(struct pool *p, unsigned hint);
void pool_give(struct pool *p, uint32_t elem, unsigned hint);
/* Elements used at some time: memory that has been touched. */
uint32_t pool_touched(const struct pool *p);

#endif
