/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of maps: arrays and hash maps whose values are maps.
 *
 * For bpf(2) a value is 4 bytes: a descriptor when written, an id when read. For programs it is the
 * address of the map, which a look-up answers at once. The map that is given at creation says what
 * the others must be like; it is remembered by its attributes and need not live on. Only one level
 * deep, as in the kernel.
 *
 * A map holds a reference to each map in it. A map that is taken out may be in use by a running
 * program: the reference is given back when all readers of that moment are gone, before the call
 * returns, as the kernel does it.
 */
#include <errno.h>
#include <string.h>

#include "maps/array.h"
#include "maps/hash.h"
#include "maps/maps.h"

struct map_array_of_maps {
	struct map map;
	_Atomic(struct map *) slot[];
};

/* --- Which maps fit ---------------------------------------------------------------------- */

static int inner_check(const struct map_attr *attr)
{
	const struct map *inner = attr->inner;

	if (!inner || inner->inner)
		return -EINVAL;
	return inner->ops->no_inner ? -ENOTSUPP : 0;
}

static int inner_init(struct map *m, const struct map_attr *attr)
{
	const struct map *inner = attr->inner;
	struct map_attr like = {.type = inner->type,
	                        .key_size = inner->key_size,
	                        .value_size = inner->value_size,
	                        .max_entries = inner->max_entries,
	                        .flags = inner->flags,
	                        .extra = inner->extra};

	m->inner = mem_copy(&m->obj.k->mem, &like, sizeof(like));
	return m->inner ? 0 : -ENOMEM;
}

static bool fits(const struct map *m, const struct map *inner)
{
	const struct map_attr *like = m->inner;

	if (inner->type != like->type || inner->key_size != like->key_size ||
	    inner->value_size != like->value_size || inner->flags != like->flags)
		return false;
	/*
	 * Code for looking up in an array holds the number of its elements, unless told otherwise.
	 */
	return inner->type != BPF_MAP_TYPE_ARRAY || (like->flags & BPF_F_INNER_MAP) ||
	       inner->max_entries == like->max_entries;
}

/* Lets go of a map that readers may be using; NULL is fine. */
static void let_go(struct map *inner)
{
	if (!inner)
		return;
	rcu_synchronize(&inner->obj.k->rcu);
	obj_put(&inner->obj);
}

struct region_query {
	uintptr_t addr;
	struct region *r;
};

static bool inner_region(struct map *inner, void *arg)
{
	const struct region_query *q = arg;

	return inner->ops->region && inner->ops->region(inner, q->addr, q->r);
}

/* The memory of the maps in it. */
static bool nested_region(struct map *m, uintptr_t addr, struct region *r)
{
	return m->ops->any_inner(m, inner_region, &(struct region_query){addr, r});
}

/* --- Arrays ------------------------------------------------------------------------------ */

static int array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->key_size != 4 || attr->value_size != 4 || attr->max_entries == 0 ||
	    (attr->flags & ~(uint32_t)(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)))
		return -EINVAL;
	return inner_check(attr);
}

static int array_init(struct map *m, const struct map_attr *attr)
{
	m->memory =
		sizeof(struct map_array_of_maps) + (uint64_t)m->max_entries * sizeof(struct map *);
	return inner_init(m, attr);
}

static _Atomic(struct map *) *slot_of(struct map *m, const void *key)
{
	struct map_array_of_maps *a = (struct map_array_of_maps *)m;
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index < m->max_entries ? &a->slot[index] : NULL;
}

static void *array_lookup(struct map *m, const void *key, unsigned cpu)
{
	_Atomic(struct map *) *slot = slot_of(m, key);

	(void)cpu;
	return slot ? atomic_load_explicit(slot, memory_order_acquire) : NULL;
}

static struct map *array_exchange(struct map *m, _Atomic(struct map *) *slot, struct map *by)
{
	struct map *old;

	lock_take(&m->lock);
	old = atomic_exchange_explicit(slot, by, memory_order_acq_rel);
	lock_release(&m->lock);
	return old;
}

static int array_set(struct map *m, const void *key, struct obj *o, uint64_t flags)
{
	_Atomic(struct map *) *slot = slot_of(m, key);
	struct map *inner = (struct map *)o;
	int err = array_set_ok(m, key, flags);

	if (err)
		return err;
	if (!fits(m, inner))
		return -EINVAL;
	let_go(array_exchange(m, slot, inner));
	return 0;
}

static int array_remove(struct map *m, const void *key)
{
	_Atomic(struct map *) *slot = slot_of(m, key);
	struct map *old;

	if (!slot)
		return -E2BIG;
	old = array_exchange(m, slot, NULL);
	let_go(old);
	return old ? 0 : -ENOENT;
}

static uint32_t array_id(struct map *m, const void *key)
{
	_Atomic(struct map *) *slot = slot_of(m, key);
	struct map *inner;
	uint32_t id;

	if (!slot)
		return 0;
	lock_take(&m->lock); /* nobody lets go of it meanwhile */
	inner = atomic_load_explicit(slot, memory_order_relaxed);
	id = inner ? inner->obj.id : 0;
	lock_release(&m->lock);
	return id;
}

static bool array_any(struct map *m, bool (*fn)(struct map *inner, void *arg), void *arg)
{
	struct map_array_of_maps *a = (struct map_array_of_maps *)m;

	for (uint32_t i = 0; i < m->max_entries; i++) {
		struct map *inner = atomic_load_explicit(&a->slot[i], memory_order_acquire);

		if (inner && fn(inner, arg))
			return true;
	}
	return false;
}

static bool put_inner(struct map *inner, void *arg)
{
	(void)arg;
	obj_put(&inner->obj);
	return false;
}

/* No program refers to it any more, so none is using what is in it. */
static void array_fini(struct map *m)
{
	array_any(m, put_inner, NULL);
}

static int id_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	uint32_t id = m->ops->get_id(m, key);

	(void)flags;
	if (!id)
		return -ENOENT;
	memcpy(value, &id, sizeof(id));
	return 0;
}

/* --- Hash maps --------------------------------------------------------------------------- */

static int hash_of_maps_check(const struct skep *k, const struct map_attr *attr)
{
	int err = hash_check(attr,
	                     BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_F_RDONLY |
	                             BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
	                     false);

	(void)k;
	if (attr->value_size != 4)
		return -EINVAL;
	return err ? err : inner_check(attr);
}

static void *hash_lookup_inner(struct map *m, const void *key, unsigned cpu)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, m->key_size);

	(void)cpu;
	return ref ? __atomic_load_n((struct map **)table_value(t, ref, 0), __ATOMIC_ACQUIRE)
	           : NULL;
}

static uint64_t call_lookup_inner(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5,
                                  struct cpu *cpu)
{
	return (uintptr_t)hash_lookup_inner((struct map *)map, (const void *)key, 0);
}

static int hash_of_maps_init(struct map *m, const struct map_attr *attr)
{
	int err = inner_init(m, attr);

	if (!err)
		err = hash_init(m, sizeof(struct map *), false);
	if (err) {
		mem_free(&m->obj.k->mem, m->inner);
		return err;
	}
	m->call_lookup = call_lookup_inner;
	return 0;
}

static bool hash_any(struct map *m, bool (*fn)(struct map *inner, void *arg), void *arg)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t refs[GROUP_PLACES];

	for (uint32_t group = 0; group <= t->group_mask; group++) {
		unsigned n, skip = 0;

		do {
			n = table_group_elems(t, group, skip, refs, GROUP_PLACES);
			for (unsigned i = 0; i < n; i++) {
				struct map **inner = (struct map **)table_value(t, refs[i], 0);

				if (fn(__atomic_load_n(inner, __ATOMIC_ACQUIRE), arg))
					return true;
			}
			skip += n;
		} while (n == GROUP_PLACES);
	}
	return false;
}

static void hash_of_maps_fini(struct map *m)
{
	hash_any(m, put_inner, NULL);
	hash_fini(m);
}

static int hash_of_maps_set(struct map *m, const void *key, struct obj *o, uint64_t flags)
{
	struct map *inner = (struct map *)o, *old = NULL;
	int err;

	if (!fits(m, inner))
		return -EINVAL;
	err = hash_exchange(m, key, &inner, flags, HASH_ALL_CPUS, &old);
	let_go(old);
	return err;
}

static int hash_of_maps_remove(struct map *m, const void *key)
{
	struct map *old = NULL;
	int err = hash_take(m, key, 0, &old);

	let_go(old);
	return err;
}

static uint32_t hash_of_maps_id(struct map *m, const void *key)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s = table_spot(t, table_hash(t, key, m->key_size));
	struct table_pos at;
	uint32_t id = 0;

	group_lock(s.group);
	at = table_find_locked(t, &s, key);
	if (at.ref)
		id = (*(struct map **)table_value(t, at.ref, 0))->obj.id;
	group_unlock(s.group);
	return id;
}

const struct map_ops map_array_of_maps_ops = {
	.name = "array_of_maps",
	.size = sizeof(struct map_array_of_maps),
	.entry_size = sizeof(struct map *),
	.check = array_check,
	.init = array_init,
	.fini = array_fini,
	.lookup = array_lookup,
	.copy_delete = array_remove,
	.copy_out = id_copy_out,
	.next_key = array_next_key,
	.fd_kind = OBJ_MAP,
	.set_ok = array_set_ok,
	.set = array_set,
	.get_id = array_id,
	.batches = MAP_BATCH_LOOKUP | MAP_BATCH_UPDATE,
	.any_inner = array_any,
	.region = nested_region,
};

const struct map_ops map_hash_of_maps_ops = {
	.name = "hash_of_maps",
	.size = sizeof(struct map_hash),
	.check = hash_of_maps_check,
	.init = hash_of_maps_init,
	.fini = hash_of_maps_fini,
	.lookup = hash_lookup_inner,
	.copy_delete = hash_of_maps_remove,
	.copy_out = id_copy_out,
	.next_key = hash_next_key,
	.fd_kind = OBJ_MAP,
	.set = hash_of_maps_set,
	.get_id = hash_of_maps_id,
	.batch = hash_batch,
	.batches = MAP_BATCH_ALL,
	.any_inner = hash_any,
	.region = nested_region,
};
