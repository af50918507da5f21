/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation through struct mem: see mem.h. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_alloc(void *arg, size_t size)
{
	(void)arg;
	return malloc(size);
}

static void libc_free(void *arg, void *block)
{
	(void)arg;
	free(block);
}

const struct mem mem_libc = {.alloc = libc_alloc, .free = libc_free};

void *mem_zalloc(const struct mem *m, size_t size)
{
	void *block = m->alloc(m->arg, size ? size : 1);

	if (block)
		memset(block, 0, size);
	return block;
}

void *mem_zalloc_array(const struct mem *m, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return mem_zalloc(m, bytes);
}

void *mem_copy(const struct mem *m, const void *from, size_t size)
{
	void *block = m->alloc(m->arg, size ? size : 1);

	if (block && size)
		memcpy(block, from, size);
	return block;
}

void mem_free(const struct mem *m, void *block)
{
	if (block)
		m->free(m->arg, block);
}
