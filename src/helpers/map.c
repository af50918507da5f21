/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map operations as programs call them, for maps whose type is not known when the program is loaded
 * (the fix-up pass puts a type's own entry points where it is), and bpf_for_each_map_elem().
 */
#include <errno.h>

#include "core/map.h"
#include "helpers/helpers.h"

static struct map *map_of(uint64_t r)
{
	return (struct map *)(uintptr_t)r;
}

static void *pointer(uint64_t r)
{
	return (void *)(uintptr_t)r;
}

HELPER_FN(map_lookup_elem)
{
	struct map *m = map_of(r1);

	return m->ops->lookup ? (uintptr_t)m->ops->lookup(m, pointer(r2), cpu->id) : 0;
}

HELPER_FN(map_update_elem)
{
	struct map *m = map_of(r1);

	return (uint64_t)(m->ops->update
	                          ? m->ops->update(m, pointer(r2), pointer(r3), r4, cpu->id)
	                          : -ENOTSUPP);
}

HELPER_FN(map_delete_elem)
{
	struct map *m = map_of(r1);

	return (uint64_t)(m->ops->remove ? m->ops->remove(m, pointer(r2)) : -ENOTSUPP);
}

HELPER_FN(map_push_elem)
{
	struct map *m = map_of(r1);

	return (uint64_t)(m->ops->push ? m->ops->push(m, pointer(r2), r3) : -ENOTSUPP);
}

HELPER_FN(map_pop_elem)
{
	struct map *m = map_of(r1);

	return (uint64_t)(m->ops->pop ? m->ops->pop(m, pointer(r2)) : -ENOTSUPP);
}

HELPER_FN(map_peek_elem)
{
	struct map *m = map_of(r1);

	return (uint64_t)(m->ops->peek ? m->ops->peek(m, pointer(r2)) : -ENOTSUPP);
}

HELPER_FN(map_lookup_percpu_elem)
{
	struct map *m = map_of(r1);

	if (!m->ops->lookup_percpu || (uint32_t)r3 >= cpu->k->ncpus)
		return 0;
	return (uintptr_t)m->ops->lookup_percpu(m, pointer(r2), (uint32_t)r3);
}

HELPER_FN(for_each_map_elem)
{
	struct map *m = map_of(r1);

	if (r4)
		return (uint64_t)-EINVAL;
	if (!m->ops->for_each)
		return (uint64_t)-ENOTSUPP;
	return (uint64_t)m->ops->for_each(m, pointer(r2), r3, r4, cpu);
}
