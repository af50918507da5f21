/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of an arena, for programs. What they are given as a map may be one of another type. */
#include "core/arena.h"

#include <errno.h>

#include "helpers/kfuncs.h"

static struct map_arena *arena(uint64_t r)
{
	struct map *m = (struct map *)(uintptr_t)r;

	return m->ops->arena ? arena_of(m) : NULL;
}

/* No node in particular, or the first: others cannot be asked for. */
KFUNC_FN(bpf_arena_alloc_pages)
{
	struct map_arena *a = arena(r1);
	int32_t node = (int32_t)r4;

	(void)cpu;
	if (!a || r5 || (node != -1 && node != 0))
		return 0;
	return a->map.ops->arena->alloc(a, r2, (uint32_t)r3);
}

KFUNC_FN(bpf_arena_free_pages)
{
	struct map_arena *a = arena(r1);

	(void)r4, (void)r5, (void)cpu;
	if (a && r2)
		a->map.ops->arena->free(a, r2, (uint32_t)r3);
	return 0;
}

KFUNC_FN(bpf_arena_reserve_pages)
{
	struct map_arena *a = arena(r1);

	(void)r4, (void)r5, (void)cpu;
	return a ? (uint64_t)(int64_t)a->map.ops->arena->reserve(a, r2, (uint32_t)r3)
	         : (uint64_t)-EINVAL;
}
