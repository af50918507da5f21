/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrays of things share: max_entries slots by number, each empty or pointing to an entry of the
 * type's. Programs read a slot without a lock; an entry that is taken out is freed when all readers of
 * that moment are gone.
 */
#ifndef SKEP_MAPS_SLOTS_H
#define SKEP_MAPS_SLOTS_H

#include <string.h>

#include "core/map.h"

struct map_slots {
	struct map map;
	_Atomic(void *) slot[];
};

/* What the kernel checks for all of them: a number as key, something to hold, known flags. */
int slots_check(const struct map_attr *attr, uint32_t flags);
int slots_init(struct map *m, const struct map_attr *attr);
/* Empties every slot through drop() (map_ops.fini, release_uref). */
void slots_clear(struct map *m, void (*drop)(struct map *m, void *entry));
/* Puts an entry, or NULL, in a slot, and drops what was there. Was there something? */
bool slots_exchange(struct map *m, _Atomic(void *) *slot, void *entry,
                    void (*drop)(struct map *m, void *entry));

static inline uint32_t slots_index(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* The slot of a key, or NULL. */
static inline _Atomic(void *) *slots_at(struct map *m, const void *key)
{
	uint32_t index = slots_index(key);

	return index < m->max_entries ? &((struct map_slots *)m)->slot[index] : NULL;
}

static inline void *slots_get(struct map *m, uint64_t index)
{
	return index < m->max_entries
	               ? atomic_load_explicit(&((struct map_slots *)m)->slot[index],
	                                      memory_order_acquire)
	               : NULL;
}

#endif
