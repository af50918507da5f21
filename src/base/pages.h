/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-aligned memory that other processes can map: a memfd and our own mapping of it.
 * Zero-filled. Sealed: whoever has the file cannot change its size under our feet.
 */
#ifndef SKEP_BASE_PAGES_H
#define SKEP_BASE_PAGES_H

#include <stddef.h>

struct mem;

struct pages {
	void *base;  /* NULL when not allocated */
	size_t size; /* bytes mapped */
	int fd;      /* of the memfd, close-on-exec; -1 when not allocated */
};

/* 0, -ENOMEM, -EMFILE ...; name shows in /proc/PID/maps. size is rounded up to whole pages. */
int pages_alloc(struct pages *p, const struct mem *mem, const char *name, size_t size);
/* From now on nobody can map them for writing. Mappings that exist stay, ours among them. */
void pages_refuse_writers(const struct pages *p);
void pages_free(struct pages *p);

#endif
