/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: memory that a program and its user share as one address space (Linux, BPF_MAP_TYPE_ARENA).
 *
 * Programs hold an arena's pointers as 32 bits; the upper half is the same for all of an arena's addresses
 * in user space, which do not cross a border of 4 GiB. An access is to base + those 32 bits + the
 * instruction's offset:
 *
 *     base - ARENA_GUARD        base              base + low half of user_start     base + 4 GiB + ARENA_GUARD
 *        | nobody's pages  ...   |   ...            | the map's pages |   ...            |
 *
 * All of it is mapped, so that no access of a verified program can fault: what is outside of the map's
 * pages is private memory, zero at first, that nobody else sees.
 */
#ifndef SKEP_CORE_ARENA_H
#define SKEP_CORE_ARENA_H

#include "core/map.h"

#define ARENA_SPAN ((uint64_t)1 << 32)
enum { ARENA_GUARD = 1 << 16 }; /* twice what an instruction's offset can reach */

struct map_arena {
	struct map map;
	uint64_t user_start; /* where the user has it, or 0: nobody has said yet; set once */
	uintptr_t base;
	size_t page;
	uint64_t *taken; /* by bit: pages that were allocated or reserved */
	uint32_t first;  /* none below is free */
};

/* Where map_ops.arena leads. Addresses are the user's; their upper halves do not matter. */
struct arena_ops {
	/* The user has it here. -EINVAL: it crosses a border of 4 GiB, or is elsewhere already; -ENOMEM */
	int (*place)(struct map_arena *a, uint64_t user_start);
	/* n pages of zeros, at addr or (0) anywhere: their address; 0: there are none. */
	uint64_t (*alloc)(struct map_arena *a, uint64_t addr, uint32_t n);
	void (*free)(struct map_arena *a, uint64_t addr, uint32_t n);
	/* alloc() shall never choose these. -EINVAL, -EBUSY */
	int (*reserve)(struct map_arena *a, uint64_t addr, uint32_t n);
};

static inline struct map_arena *arena_of(struct map *m)
{
	return (struct map_arena *)m;
}

#endif
