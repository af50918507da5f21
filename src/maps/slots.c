/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of things: see slots.h. */
#include "maps/slots.h"

#include <errno.h>

int slots_check(const struct map_attr *attr, uint32_t flags)
{
	return attr->key_size != 4 || attr->max_entries == 0 || (attr->flags & ~flags) ? -EINVAL
	                                                                                : 0;
}

int slots_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	m->memory = sizeof(struct map_slots) + (uint64_t)m->max_entries * sizeof(void *);
	return 0;
}

bool slots_exchange(struct map *m, _Atomic(void *) *slot, void *entry,
                    void (*drop)(struct map *m, void *entry))
{
	void *old;

	lock_take(&m->lock);
	old = atomic_exchange_explicit(slot, entry, memory_order_acq_rel);
	lock_release(&m->lock);
	if (!old)
		return false;
	rcu_synchronize(&m->obj.k->rcu);
	drop(m, old);
	return true;
}

void slots_clear(struct map *m, void (*drop)(struct map *m, void *entry))
{
	struct map_slots *s = (struct map_slots *)m;

	for (uint32_t i = 0; i < m->max_entries; i++)
		if (atomic_load_explicit(&s->slot[i], memory_order_relaxed))
			slots_exchange(m, &s->slot[i], NULL, drop);
}
