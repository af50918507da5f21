/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation through struct mem: see mem.h. */
#define _GNU_SOURCE
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Below MAPPED, mmap(2) and its page faults cost more than clearing. */
enum { MAPPED = 64 * 1024, LINE = 64 };

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
	void *block;

	if (m->alloc == libc_alloc) /* pages fresh from the system need no clearing */
		return calloc(1, size ? size : 1);
	block = m->alloc(m->arg, size ? size : 1);
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

bool mem_may_map(const struct mem *m, size_t size)
{
	return !m->may_map || m->may_map(m->arg, size);
}

void *mem_map(const struct mem *m, size_t size)
{
	void *block, **line;

	if (size >= MAPPED) {
		if (size > PTRDIFF_MAX || !mem_may_map(m, size))
			return NULL;
		block = mmap(NULL, size, PROT_READ | PROT_WRITE,
		             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		return block == MAP_FAILED ? NULL : block;
	}
	/* The word in front of the aligned address remembers the block. */
	block = m->alloc(m->arg, size + sizeof(void *) + LINE);
	if (!block)
		return NULL;
	line = (void **)(((uintptr_t)block + sizeof(void *) + LINE - 1) & ~(uintptr_t)(LINE - 1));
	line[-1] = block;
	return memset(line, 0, size);
}

void mem_unmap(const struct mem *m, void *block, size_t size)
{
	if (!block)
		return;
	if (size >= MAPPED)
		munmap(block, size);
	else
		m->free(m->arg, ((void **)block)[-1]);
}

void *mem_dense(const struct mem *m, size_t size)
{
	size_t all = mem_dense_size(size);
	uintptr_t start, aligned;
	void *block;

	if (size < MEM_DENSE)
		return mem_zalloc(m, size);
	if (all > PTRDIFF_MAX - MEM_HUGE || !mem_may_map(m, all))
		return NULL;
	block = mmap(NULL, all + MEM_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	             -1, 0);
	if (block == MAP_FAILED)
		return NULL;
	/* Huge pages are aligned; what sticks out at both ends goes back. */
	start = (uintptr_t)block;
	aligned = (start + MEM_HUGE - 1) & ~(uintptr_t)(MEM_HUGE - 1);
	if (aligned > start)
		munmap(block, aligned - start);
	if (aligned < start + MEM_HUGE)
		munmap((void *)(aligned + all), start + MEM_HUGE - aligned);
	madvise((void *)aligned, all, MADV_HUGEPAGE); /* or ordinary ones */
	return (void *)aligned;
}

void mem_dense_free(const struct mem *m, void *block, size_t size)
{
	if (!block)
		return;
	if (size < MEM_DENSE)
		mem_free(m, block);
	else
		munmap(block, mem_dense_size(size));
}
