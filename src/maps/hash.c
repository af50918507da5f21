/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps: a table (table.h) of elements from a pool.
 *
 * With and without preallocation the storage is the same, laid out for max_entries and touched as it
 * fills; the flag changes what the kernel lets one do, not how much memory an empty map costs here.
 *
 * The look-up is compiled once for each usual key size; a map picks its version when it is made.
 */
#include "maps/hash.h"

#include <errno.h>
#include <string.h>

#include "maps/maps.h"

enum {
	ELEM_MAX = (4 << 20) - 48, /* the kernel's largest allocation, less its element header */
	PERCPU_VALUE_MAX = 32768,
	ENTRIES_MAX = 1 << 27, /* the kernel's buckets must not take more than 4 GB */
	HASH_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
	             BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG | BPF_F_ZERO_SEED,
};

int hash_check(const struct map_attr *attr, uint32_t flags, bool per_cpu)
{
	if (attr->flags & ~flags)
		return -EINVAL;
	if (attr->max_entries == 0 || attr->key_size == 0 || attr->value_size == 0)
		return -EINVAL;
	if ((uint64_t)attr->key_size + attr->value_size >= ELEM_MAX)
		return -E2BIG;
	if (per_cpu && attr->value_size > PERCPU_VALUE_MAX)
		return -E2BIG;
	return attr->max_entries > ENTRIES_MAX ? -E2BIG : 0;
}

static int hash_map_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return hash_check(attr, HASH_FLAGS, false);
}

int hash_init(struct map *m, bool per_cpu, bool split)
{
	struct table *t = &hash_of(m)->table;
	struct table_shape shape = {
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.ncpus = m->obj.k->ncpus,
		.per_cpu = per_cpu,
		.split = split,
		.zero_seed = m->flags & BPF_F_ZERO_SEED,
	};
	int err = table_init(t, &m->obj.k->mem, &shape, m->obj.k->hash_seed);

	if (!err)
		m->memory = m->ops->size + t->size;
	return err;
}

void hash_fini(struct map *m)
{
	table_fini(&hash_of(m)->table, &m->obj.k->mem);
}

/* --- Looking up ------------------------------------------------------------------------------ */

static inline __attribute__((always_inline)) void *find_value(struct map *m, const void *key,
                                                              uint32_t key_size)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, key_size);

	return ref ? table_value(t, ref, 0) : NULL;
}

static void *hash_lookup(struct map *m, const void *key, unsigned cpu)
{
	(void)cpu;
	return find_value(m, key, m->key_size);
}

#define CALL_LOOKUP(size, key_size)                                                               \
	static uint64_t call_lookup_##size(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4,  \
	                                   uint64_t r5, struct cpu *cpu)                          \
	{                                                                                         \
		struct map *m = (struct map *)map;                                                \
                                                                                                  \
		return (uintptr_t)find_value(m, (const void *)key, key_size);                     \
	}
CALL_LOOKUP(4, 4)
CALL_LOOKUP(8, 8)
CALL_LOOKUP(16, 16)
CALL_LOOKUP(any, m->key_size)
#undef CALL_LOOKUP

static helper_fn pick_lookup(uint32_t key_size)
{
	return key_size == 4 ? call_lookup_4
	       : key_size == 8 ? call_lookup_8
	       : key_size == 16 ? call_lookup_16
	                        : call_lookup_any;
}

/* --- Changing -------------------------------------------------------------------------------- */

int hash_flags_check(uint64_t flags, bool exists)
{
	if (flags == BPF_NOEXIST && exists)
		return -EEXIST;
	return flags == BPF_EXIST && !exists ? -ENOENT : 0;
}

static int hash_update(struct map *m, const void *key, const void *value, uint64_t flags,
                       unsigned cpu)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s;
	struct table_pos at;
	uint32_t ref;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	s = table_spot(t, table_hash(t, key, t->key_size));
	__builtin_prefetch(s.group, 1);
	lock_take(&s.stripe->lock);
	at = table_find_locked(t, &s, key);
	err = hash_flags_check(flags, at.ref);
	if (err)
		goto out;
	ref = at.ref ? s.stripe->spare : pool_take(&t->pool, cpu);
	if (!ref) {
		err = -E2BIG;
		goto out;
	}
	table_key_write(table_elem(t, ref), key, t->key_size);
	copy_to_shared(table_value(t, ref, 0), value, t->value_size);
	if (at.ref) {
		table_replace(t, &s, at, ref);
		s.stripe->spare = at.ref;
	} else {
		table_insert(t, &s, ref);
	}
out:
	lock_release(&s.stripe->lock);
	return err;
}

static int remove_at(struct map *m, const void *key, unsigned cpu)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s = table_spot(t, table_hash(t, key, t->key_size));
	struct table_pos at;

	__builtin_prefetch(s.group, 1);
	lock_take(&s.stripe->lock);
	at = table_find_locked(t, &s, key);
	if (at.ref)
		table_remove(t, &s, at);
	lock_release(&s.stripe->lock);
	if (!at.ref)
		return -ENOENT;
	pool_give(&t->pool, at.ref, cpu);
	return 0;
}

static int hash_remove(struct map *m, const void *key)
{
	return remove_at(m, key, 0);
}

static uint64_t call_update(uint64_t map, uint64_t key, uint64_t value, uint64_t flags, uint64_t r5,
                            struct cpu *cpu)
{
	return (uint64_t)(int64_t)hash_update((struct map *)map, (const void *)key,
	                                      (const void *)value, flags, cpu->id);
}

static uint64_t call_remove(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5,
                            struct cpu *cpu)
{
	return (uint64_t)(int64_t)remove_at((struct map *)map, (const void *)key, cpu->id);
}

static int hash_map_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	m->call_lookup = pick_lookup(m->key_size);
	m->call_update = call_update;
	m->call_remove = call_remove;
	return hash_init(m, false, false);
}

/* --- Walking --------------------------------------------------------------------------------- */

int hash_next_key(struct map *m, const void *key, void *next)
{
	return table_next_key(&hash_of(m)->table, key, next);
}

int64_t hash_for_each(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                      struct cpu *cpu)
{
	const struct table *t = &hash_of(m)->table;
	unsigned of_cpu = t->plane ? cpu->id : 0;
	uint32_t refs[32];
	int64_t visited = 0;

	if (flags)
		return -EINVAL;
	for (uint32_t group = 0; group <= t->group_mask; group++) {
		unsigned n, skip = 0;

		do {
			n = table_group_elems(t, group, skip, refs, 32);
			for (unsigned i = 0; i < n; i++) {
				visited++;
				if (fn->call((uintptr_t)m, (uintptr_t)table_elem(t, refs[i])->key,
				             (uintptr_t)table_value(t, refs[i], of_cpu), arg, 0,
				             cpu, fn))
					return visited;
			}
			skip += n;
		} while (n == 32);
	}
	return visited;
}

/* Keys: callbacks of bpf_for_each_map_elem() get their address. */
static bool key_region(struct map *m, uintptr_t addr, struct region *r)
{
	const struct table *t = &hash_of(m)->table;
	uintptr_t first = (uintptr_t)table_elem(t, 1)->key;
	size_t off = addr - first;

	if (addr < first || off >= t->stride * t->nelems || off % t->stride >= m->key_size)
		return false;
	*r = (struct region){.start = addr - off % t->stride, .size = m->key_size, .name = "map key"};
	return true;
}

bool hash_region(struct map *m, uintptr_t addr, struct region *r)
{
	const struct table *t = &hash_of(m)->table;
	uintptr_t first = (uintptr_t)table_value(t, 1, 0);
	size_t off = addr - first, span = t->value_stride * t->nelems;

	if (addr < first || off >= (t->plane ? t->plane * t->ncpus : span))
		return key_region(m, addr, r);
	if (t->plane)
		off %= t->plane;
	if (off >= span || off % t->value_stride >= m->value_size)
		return key_region(m, addr, r);
	*r = (struct region){.start = addr - off % t->value_stride,
	                     .size = m->value_size,
	                     .writable = map_prog_writes(m),
	                     .name = "map value"};
	return true;
}

const struct map_ops map_hash_ops = {
	.name = "hash",
	.size = sizeof(struct map_hash),
	.check = hash_map_check,
	.init = hash_map_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.update = hash_update,
	.remove = hash_remove,
	.for_each = hash_for_each,
	.next_key = hash_next_key,
	.region = hash_region,
};
