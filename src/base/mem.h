/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one kernel: every long-lived allocation of libskep goes through a struct mem, so an
 * embedder can supply its own functions and tests can make any allocation fail.
 */
#ifndef SKEP_BASE_MEM_H
#define SKEP_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

struct mem {
	void *(*alloc)(void *arg, size_t size); /* aligned for any type; NULL on failure */
	void (*free)(void *arg, void *block);
	void *arg;
	/*
	 * Asked before storage is mapped straight from the system (mem_map(), pages_alloc()): may
	 * this many bytes be taken? NULL: always.
	 */
	bool (*may_map)(void *arg, size_t size);
};

extern const struct mem mem_libc;

/* Zeroed memory, or NULL. A size of 0 gives a unique block. */
void *mem_zalloc(const struct mem *m, size_t size);
/* The same for n elements of a size, NULL also where n * size overflows. */
void *mem_zalloc_array(const struct mem *m, size_t n, size_t size);
void *mem_copy(const struct mem *m, const void *from, size_t size);
void mem_free(const struct mem *m, void *block);

/*
 * Storage of maps: zeroed, aligned to a cache line, NULL on failure. Large storage is mapped and
 * costs nothing until it is touched; small storage comes from alloc. The same size goes to
 * mem_unmap().
 */
void *mem_map(const struct mem *m, size_t size);
void mem_unmap(const struct mem *m, void *block, size_t size); /* NULL is fine */
/* May pages be taken from the system? For those who map themselves. */
bool mem_may_map(const struct mem *m, size_t size);

/*
 * Zeroed memory for work that will write all of it: in huge pages where the system has them, for a page
 * fault costs more than what is done with the page. mem_dense_size() tells what a size becomes: from
 * MEM_DENSE on a multiple of MEM_HUGE. Give the same size to mem_dense_free().
 */
enum { MEM_DENSE = 512 * 1024, MEM_HUGE = 2 * 1024 * 1024 };
void *mem_dense(const struct mem *m, size_t size);
void mem_dense_free(const struct mem *m, void *block, size_t size);

static inline size_t mem_dense_size(size_t size)
{
	return size < MEM_DENSE ? size : (size + MEM_HUGE - 1) & ~(size_t)(MEM_HUGE - 1);
}

#endif
