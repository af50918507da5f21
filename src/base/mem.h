/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one kernel: every long-lived allocation of libskep goes through a struct mem, so an
 * embedder can supply its own functions and tests can make any allocation fail.
 */
#ifndef SKEP_BASE_MEM_H
#define SKEP_BASE_MEM_H

#include <stddef.h>

struct mem {
	void *(*alloc)(void *arg, size_t size); /* aligned for any type; NULL on failure */
	void (*free)(void *arg, void *block);
	void *arg;
};

extern const struct mem mem_libc;

/* Zeroed memory, or NULL. A size of 0 gives a unique block. */
void *mem_zalloc(const struct mem *m, size_t size);
/* The same for n elements of a size, NULL also where n * size overflows. */
void *mem_zalloc_array(const struct mem *m, size_t n, size_t size);
void *mem_copy(const struct mem *m, const void *from, size_t size);
void mem_free(const struct mem *m, void *block);

#endif
