/* SPDX-License-Identifier: BSD-2-Clause */
/* See pool.h. */
#include "verifier/pool.h"

#include <stdint.h>
#include <string.h>

/* Blocks double up to SMALL; a walk that needs more gets huge pages. */
enum { BLOCK_FIRST = 4096, BLOCK_SMALL = 64 * 1024 };

struct pool_block {
	struct pool_block *next;
	size_t size;
};

/* The class of a size, which becomes what is taken for it. */
static unsigned class_of(size_t *size)
{
	unsigned log;

	if (*size <= POOL_SMALL) {
		*size = (*size + POOL_LINE - 1) & ~(size_t)(POOL_LINE - 1);
		return (unsigned)(*size / POOL_LINE);
	}
	log = 64 - (unsigned)__builtin_clzll(*size - 1);
	*size = (size_t)1 << log;
	return POOL_SMALL / POOL_LINE + 1 + (log < 32 ? log : 31);
}

static char *new_block(struct pool *p, size_t size)
{
	struct pool_block *block = mem_dense(p->mem, size);

	if (!block)
		return NULL;
	block->next = p->blocks;
	block->size = size;
	p->blocks = block;
	return (char *)block + POOL_LINE;
}

/* A block of its own for a large piece, else one for many. */
static void *grow(struct pool *p, size_t size)
{
	size_t block = !p->block ? BLOCK_FIRST : p->block < BLOCK_SMALL ? p->block * 2 : MEM_HUGE;
	char *piece;

	while (block < size + POOL_LINE && block < MEM_HUGE)
		block *= 2;
	if (size + POOL_LINE > MEM_HUGE / 2)
		return new_block(p, size + POOL_LINE);
	piece = new_block(p, block);
	if (!piece)
		return NULL;
	p->block = block;
	p->at = piece + size;
	p->end = piece - POOL_LINE + block;
	return piece;
}

void *pool_alloc(struct pool *p, size_t size)
{
	unsigned class = class_of(&size);
	void *piece = p->free[class];

	if (piece) {
		memcpy(&p->free[class], piece, sizeof(void *));
		return piece;
	}
	if (p->at && (size_t)(p->end - p->at) >= size) {
		piece = p->at;
		p->at += size;
		return piece;
	}
	return grow(p, size);
}

void *pool_zalloc(struct pool *p, size_t size)
{
	void *piece = pool_alloc(p, size);

	return piece ? memset(piece, 0, size) : NULL;
}

void pool_free(struct pool *p, void *piece, size_t size)
{
	unsigned class;

	if (!piece)
		return;
	class = class_of(&size);
	memcpy(piece, &p->free[class], sizeof(void *));
	p->free[class] = piece;
}

void pool_end(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *block = p->blocks;

		p->blocks = block->next;
		mem_dense_free(p->mem, block, block->size);
	}
	p->at = p->end = NULL;
	memset(p->free, 0, sizeof(p->free));
}
