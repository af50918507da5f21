/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one walk: taken in blocks, handed out in pieces, kept for the next piece of the same size, and
 * given back with the blocks. A walk makes and drops states by the hundred thousand; this costs it a few
 * instructions each, and nothing at its end.
 */
#ifndef SKEP_VERIFIER_POOL_H
#define SKEP_VERIFIER_POOL_H

#include <stddef.h>

#include "base/mem.h"

/* Sizes are rounded up to multiples of a line; above POOL_SMALL to powers of two. */
enum { POOL_LINE = 64, POOL_SMALL = 8192, POOL_CLASSES = POOL_SMALL / POOL_LINE + 1 + 32 };

struct pool_block;

struct pool {
	const struct mem *mem;
	struct pool_block *blocks;
	char *at, *end; /* what is left of the last one */
	size_t block;   /* its size */
	void *free[POOL_CLASSES];
};

/* Memory of any content, or NULL. */
void *pool_alloc(struct pool *p, size_t size);
void *pool_zalloc(struct pool *p, size_t size);
/* size: as it was asked for. Nothing for NULL. */
void pool_free(struct pool *p, void *piece, size_t size);
/* Gives everything back. */
void pool_end(struct pool *p);

#endif
