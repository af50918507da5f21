/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LRU hash maps: hash maps that make room for a new key by forgetting one that was not used lately.
 *
 * Method: a clock. A look-up by a program sets a bit in the element (ELEM_RECENT), as the kernel's
 * does; bpf(2)'s look-ups do not. When the pool is empty, a hand goes round the elements in the
 * order of their numbers: one that has the bit loses it, one that has not is the victim. New
 * elements stand behind the hand and have the longest way to go. Like the kernel's two lists this
 * is an approximation, and like the kernel it does not look for ever: after PATIENCE recent ones in
 * a row it takes what comes next.
 *
 * Each CPU goes through a window of numbers at a time, so that CPUs do not fight over one hand.
 * With BPF_F_NO_COMMON_LRU each CPU has elements of its own, and forgets only what stands in those.
 *
 * Locks: the caller holds its group's lock; a hand's lock comes after that; the victim's group is
 * only tried, and a victim whose group is busy is passed over. So nobody waits in a circle.
 */
#include <errno.h>

#include "maps/hash.h"
#include "maps/maps.h"

enum {
	LRU_FLAGS = BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_F_RDONLY |
	            BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
	PATIENCE = 2048,
	WINDOW_MAX = 32,
};

struct hand {
	struct lock lock;
	uint32_t next, end;   /* of the window: numbers from 0 */
	uint32_t first, count; /* all it may go through, when CPUs are apart */
} __attribute__((aligned(64)));

struct map_lru {
	struct map_hash hash; /* first */
	struct hand *hands;   /* [ncpus] */
	uint32_t window;
	_Atomic uint32_t clock; /* where the next window begins, when CPUs share */
};

static struct map_lru *lru_of(const struct map *m)
{
	return (struct map_lru *)m;
}

static int lru_check(const struct map_attr *attr, bool per_cpu)
{
	if (attr->flags & ~(uint32_t)(LRU_FLAGS | BPF_F_NO_PREALLOC))
		return -EINVAL;
	if (attr->flags & BPF_F_NO_PREALLOC)
		return -ENOTSUPP;
	if ((attr->flags & BPF_F_NO_COMMON_LRU) && map_attr_wants_node(attr))
		return -EINVAL;
	return hash_check(attr, LRU_FLAGS, per_cpu);
}

static int plain_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return lru_check(attr, false);
}

static int percpu_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return lru_check(attr, true);
}

/* --- Looking up -------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void *
find_value(const struct map *m, const void *key, uint32_t key_size, unsigned cpu)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, key_size);

	if (!ref)
		return NULL;
	table_touch(t, ref);
	return table_value(t, ref, cpu);
}

static void *lru_lookup(struct map *m, const void *key, unsigned cpu)
{
	return find_value(m, key, m->key_size, cpu);
}

#define CALL_LOOKUP(size, key_size)                                                               \
	static uint64_t call_lookup_##size(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4,  \
	                                   uint64_t r5, struct cpu *cpu)                          \
	{                                                                                         \
		const struct map *m = (const struct map *)map;                                    \
                                                                                                  \
		return (uintptr_t)find_value(m, (const void *)key, key_size, cpu->id);            \
	}
CALL_LOOKUP(4, 4)
CALL_LOOKUP(8, 8)
CALL_LOOKUP(16, 16)
CALL_LOOKUP(any, m->key_size)
#undef CALL_LOOKUP

static helper_fn pick_lookup(uint32_t key_size)
{
	return key_size == 4    ? call_lookup_4
	       : key_size == 8  ? call_lookup_8
	       : key_size == 16 ? call_lookup_16
	                        : call_lookup_any;
}

/* --- Forgetting -------------------------------------------------------------------------- */

/* The number of the next element that the hand comes to; own: among those of its CPU. */
static uint32_t hand_step(struct map_lru *l, struct hand *h, bool own)
{
	const struct table *t = &l->hash.table;

	if (h->next == h->end) {
		if (own) {
			h->next = h->first;
			h->end = h->first + h->count;
		} else {
			h->next = atomic_fetch_add_explicit(&l->clock, l->window,
			                                    memory_order_relaxed);
			h->next %= t->nelems;
			h->end = h->next + l->window;
		}
	}
	/* A window may reach over the end; what lies there is the beginning. */
	return h->next++ % t->nelems + 1;
}

/* Takes the element out of its group, if it is still there and nobody is changing its group. */
static bool forget(struct table *t, const struct table_spot *here, uint32_t ref, uint32_t home)
{
	struct table_spot s = table_spot(t, home - 1);
	struct table_pos at;

	if (s.group != here->group && !brief_try(&s.group->state))
		return false;
	at = table_find_ref(t, &s, ref);
	if (at.ref)
		table_remove(t, &s, at);
	if (s.group != here->group)
		group_unlock(s.group);
	return at.ref;
}

/* The caches learn early where the hand will look next, and what group it will take that from. */
static void look_ahead(const struct table *t, const struct hand *h)
{
	enum { AHEAD = 4 };
	const struct elem *next = table_elem(t, h->next % t->nelems + 1);
	uint32_t home = atomic_load_explicit(&next->home, memory_order_relaxed) & ~ELEM_RECENT;

	__builtin_prefetch(table_elem(t, (h->next + AHEAD) % t->nelems + 1), 1);
	if (home)
		__builtin_prefetch(&t->groups[home - 1], 1);
}

/* Goes round until there is a victim. Twice round without one: every group is busy. */
static uint32_t evict(struct map_lru *l, struct hand *h, const struct table_spot *here, bool own)
{
	struct table *t = &l->hash.table;
	uint32_t recent = 0;

	for (uint64_t steps = 0; steps < 2 * (uint64_t)t->nelems + PATIENCE; steps++) {
		uint32_t ref = hand_step(l, h, own);
		struct elem *e = table_elem(t, ref);
		uint32_t home = atomic_load_explicit(&e->home, memory_order_relaxed);

		if (!(home & ~ELEM_RECENT))
			continue;
		if ((home & ELEM_RECENT) && recent++ < PATIENCE) {
			atomic_compare_exchange_strong_explicit(
				&e->home, &home, home & ~ELEM_RECENT, memory_order_relaxed,
				memory_order_relaxed);
			continue;
		}
		if (forget(t, here, ref, home & ~ELEM_RECENT)) {
			/* Just behind the hand: as old as it should be. */
			atomic_store_explicit(&e->home, 0, memory_order_relaxed);
			look_ahead(t, h);
			return ref;
		}
	}
	return 0;
}

static uint32_t lru_alloc(struct map *m, const struct table_spot *s, unsigned cpu)
{
	struct map_lru *l = lru_of(m);
	struct hand *h = &l->hands[cpu];
	uint32_t ref = pool_take(&l->hash.table.pool, cpu);

	if (ref)
		return ref;
	lock_take(&h->lock);
	ref = evict(l, h, s, l->hash.table.pool.split);
	/* Updates exchange elements between the CPUs: this one may have none left. */
	if (!ref && l->hash.table.pool.split)
		ref = evict(l, h, s, false);
	if (ref && __builtin_expect(m->record != NULL, 0))
		hash_release_special(m, ref);
	if (!ref)
		ref = pool_take_any(&l->hash.table.pool, cpu);
	lock_release(&h->lock);
	return ref;
}

/* --- Making ------------------------------------------------------------------------------ */

static size_t hands_size(const struct map *m)
{
	return m->obj.k->ncpus * sizeof(struct hand);
}

static void lru_shape(struct map_lru *l, unsigned ncpus)
{
	const struct table *t = &l->hash.table;

	l->window = t->nelems / (8 * ncpus);
	l->window = l->window < 1 ? 1 : l->window > WINDOW_MAX ? WINDOW_MAX : l->window;
	for (unsigned cpu = 0; t->pool.split && cpu < ncpus; cpu++) {
		l->hands[cpu].first = t->pool.part[cpu].first - 1;
		l->hands[cpu].count = t->pool.part[cpu].count;
	}
}

static int lru_init(struct map *m, const struct map_attr *attr)
{
	struct map_lru *l = lru_of(m);
	bool split = m->flags & BPF_F_NO_COMMON_LRU;
	unsigned ncpus = m->obj.k->ncpus;
	int err;

	(void)attr;
	/* Each CPU gets as many as any other. */
	if (split)
		m->max_entries = m->max_entries <= UINT32_MAX - ncpus
		                         ? (m->max_entries + ncpus - 1) / ncpus * ncpus
		                         : m->max_entries / ncpus * ncpus;
	l->hands = mem_map(&m->obj.k->mem, hands_size(m));
	if (!l->hands)
		return -ENOMEM;
	err = hash_init(m, m->value_size, split);
	if (err) {
		mem_unmap(&m->obj.k->mem, l->hands, hands_size(m));
		return err;
	}
	l->hash.alloc = lru_alloc;
	l->hash.full = -ENOMEM;
	lru_shape(l, ncpus);
	hash_set_calls(m, pick_lookup(m->key_size));
	m->memory += hands_size(m);
	return 0;
}

static void lru_fini(struct map *m)
{
	mem_unmap(&m->obj.k->mem, lru_of(m)->hands, hands_size(m));
	hash_fini(m);
}

const struct map_ops map_lru_hash_ops = {
	.name = "lru_hash",
	.size = sizeof(struct map_lru),
	.check = plain_check,
	.init = lru_init,
	.fini = lru_fini,
	.lookup = lru_lookup,
	.update = hash_update,
	.remove = hash_remove,
	.for_each = hash_for_each,
	.next_key = hash_next_key,
	.copy_out = hash_copy_out,
	.copy_in = hash_copy_in,
	.copy_take = hash_copy_take,
	.each_value = hash_each_value,
	.key_of = hash_key_of,
	.batch = hash_batch,
	.batches = MAP_BATCH_ALL,
	.region = hash_region,
};

const struct map_ops map_lru_percpu_hash_ops = {
	.name = "lru_percpu_hash",
	.size = sizeof(struct map_lru),
	.check = percpu_check,
	.init = lru_init,
	.fini = lru_fini,
	.lookup = lru_lookup,
	.lookup_percpu = hash_lookup_percpu,
	.update = hash_update,
	.remove = hash_remove,
	.for_each = hash_for_each,
	.next_key = hash_next_key,
	.copy_out = hash_copy_out,
	.copy_in = hash_copy_in,
	.copy_take = hash_copy_take,
	.each_value = hash_each_value,
	.batch = hash_batch,
	.batches = MAP_BATCH_ALL,
	.region = hash_region,
	.per_cpu = true,
};
