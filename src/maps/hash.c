/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps and per-CPU hash maps: a table (table.h) of elements from a pool (pool.h). LRU maps are
 * the same with another source of elements: lru.c.
 *
 * With and without preallocation the storage is the same, laid out for max_entries and touched as
 * it fills; the flag changes what the kernel lets one do, not how much memory an empty map costs
 * here.
 *
 * A plain value is replaced together with its element, a per-CPU one is overwritten in place; in a
 * new per-CPU element the values of the other CPUs are zero.
 *
 * The look-up is compiled once for each usual key size; a map picks its version when it is made.
 */
#include "maps/hash.h"

#include <errno.h>
#include <string.h>

#include "core/record.h"
#include "maps/maps.h"

enum {
	ELEM_MAX = (4 << 20) - 48, /* the kernel's largest allocation, less its element header */
	PERCPU_VALUE_MAX = 32768,
	ENTRIES_MAX = 1 << 27, /* the kernel's buckets must not take more than 4 GB */
	ACCESS_FLAGS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
	HASH_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS,
};

int hash_check(const struct map_attr *attr, uint32_t flags, bool per_cpu)
{
	if ((attr->flags & ~flags) || (per_cpu && map_attr_wants_node(attr)))
		return -EINVAL;
	if (attr->max_entries == 0 || attr->key_size == 0 || attr->value_size == 0)
		return -EINVAL;
	if ((uint64_t)attr->key_size + attr->value_size >= ELEM_MAX)
		return -E2BIG;
	if (per_cpu && attr->value_size > PERCPU_VALUE_MAX)
		return -E2BIG;
	return attr->max_entries > ENTRIES_MAX ? -E2BIG : 0;
}

static int plain_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return hash_check(attr, HASH_FLAGS, false);
}

static int percpu_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	return hash_check(attr, HASH_FLAGS, true);
}

static uint32_t take_free(struct map *m, const struct table_spot *s, unsigned cpu)
{
	(void)s;
	return pool_take(&hash_of(m)->table.pool, cpu);
}

int hash_init(struct map *m, uint32_t value_size, bool split)
{
	struct map_hash *h = hash_of(m);
	struct table_shape shape = {
		.key_size = m->key_size,
		.value_size = value_size,
		.max_entries = m->max_entries,
		.ncpus = m->obj.k->ncpus,
		.per_cpu = m->ops->per_cpu,
		.split = split,
		.zero_seed = m->flags & BPF_F_ZERO_SEED,
	};
	int err = table_init(&h->table, &m->obj.k->mem, &shape, m->obj.k->hash_seed);

	if (!err)
		m->memory = m->ops->size + h->table.size;
	h->alloc = take_free;
	h->full = -E2BIG;
	return err;
}

/* Without preallocation, elements that have never been used do not count. */
static uint64_t hash_memory(const struct map *m)
{
	const struct table *t = &hash_of(m)->table;
	uint64_t untouched = t->max_entries - pool_touched(&t->pool);

	if (!(m->flags & BPF_F_NO_PREALLOC))
		return m->memory;
	return m->memory - untouched * (t->stride + (t->plane ? t->value_stride * t->ncpus : 0));
}

void hash_fini(struct map *m)
{
	table_fini(&hash_of(m)->table, &m->obj.k->mem);
}

/* --- Looking up -------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void *
find_value(const struct map *m, const void *key, uint32_t key_size, unsigned cpu)
{
	const struct table *t = &hash_of(m)->table;
	uint32_t ref = table_find(t, key, key_size);

	return ref ? table_value(t, ref, cpu) : NULL;
}

static void *hash_lookup(struct map *m, const void *key, unsigned cpu)
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

void *hash_lookup_percpu(struct map *m, const void *key, unsigned cpu)
{
	return cpu < m->obj.k->ncpus ? hash_lookup(m, key, cpu) : NULL;
}

/* Bytes from one CPU's value to the next in what bpf(2) moves. */
static size_t value_step(const struct map *m)
{
	return ((size_t)m->value_size + 7) & ~(size_t)7;
}

static void read_one(const struct map *m, void *to, void *from, size_t size, uint64_t flags)
{
	if (__builtin_expect(!m->record, 1))
		copy_from_shared(to, from, size);
	else if (flags & BPF_F_LOCK)
		record_copy_out_locked(m->record, to, from, size);
	else
		record_copy_out(m->record, to, from, size);
}

void hash_read_value(const struct map *m, uint32_t ref, void *value, uint64_t flags)
{
	const struct table *t = &hash_of(m)->table;

	if (!t->plane)
		read_one(m, value, table_value(t, ref, 0), t->value_size, flags);
	for (unsigned cpu = 0; t->plane && cpu < t->ncpus; cpu++)
		read_one(m, (uint8_t *)value + cpu * value_step(m), table_value(t, ref, cpu),
		         value_step(m), 0);
}

int hash_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	uint32_t ref = table_find(&hash_of(m)->table, key, m->key_size);

	if (!ref)
		return -ENOENT;
	hash_read_value(m, ref, value, flags);
	return 0;
}

/* --- Changing ---------------------------------------------------------------------------- */

/* BPF_NOEXIST and BPF_EXIST against what is there. */
static int flags_check(uint64_t flags, bool exists)
{
	if (flags & BPF_NOEXIST && exists)
		return -EEXIST;
	return flags & BPF_EXIST && !exists ? -ENOENT : 0;
}

/* Writes all but the special fields; value NULL: zeros. */
static void write_one(const struct map *m, void *to, const void *value, size_t size)
{
	if (__builtin_expect(m->record != NULL, 0))
		record_copy_in(m->record, to, value, size);
	else if (value)
		copy_to_shared(to, value, size);
	else
		clear_shared(to, size);
}

void hash_release_special(struct map *m, uint32_t ref)
{
	const struct table *t = &hash_of(m)->table;

	for (unsigned cpu = 0; cpu < (t->plane ? t->ncpus : 1); cpu++)
		record_release(m->obj.k, m->record, table_value(t, ref, cpu), SPECIAL_IN_VALUES);
}

/* What an element that is taken out of the map holds, ends. */
static inline void release(struct map *m, uint32_t ref)
{
	if (__builtin_expect(m->record != NULL, 0))
		hash_release_special(m, ref);
}

const void *hash_key_of(struct map *m, const void *value, uint32_t *index)
{
	(void)index;
	return (const uint8_t *)value - (((size_t)m->key_size + 7) & ~(size_t)7);
}

void hash_each_value(struct map *m, void (*fn)(void *value, void *arg), void *arg)
{
	const struct table *t = &hash_of(m)->table;

	for (uint32_t ref = 1; ref <= t->nelems; ref++)
		for (unsigned cpu = 0; cpu < (t->plane ? t->ncpus : 1); cpu++)
			fn(table_value(t, ref, cpu), arg);
}

/*
 * cpu HASH_ALL_CPUS: value holds one for each CPU. Else those of other CPUs are cleared when new.
 */
static void write_percpu(struct map *m, uint32_t ref, const void *value, unsigned cpu, bool new)
{
	const struct table *t = &hash_of(m)->table;
	bool all = cpu == (unsigned)HASH_ALL_CPUS;

	for (unsigned i = 0; i < t->ncpus; i++) {
		void *to = table_value(t, ref, i);

		if (all)
			write_one(m, to, (const uint8_t *)value + i * value_step(m), value_step(m));
		else if (i == cpu)
			write_one(m, to, value, m->value_size);
		else if (new)
			write_one(m, to, NULL, value_step(m));
		if (__builtin_expect(m->record != NULL, 0) && !new && (all || i == cpu))
			record_release(m->obj.k, m->record, to, SPECIAL_IN_VALUES);
	}
}

static int insert_new(struct map *m, const struct table_spot *s, const void *key, const void *value,
                      unsigned cpu)
{
	struct map_hash *h = hash_of(m);
	struct table *t = &h->table;
	uint32_t ref = h->alloc(m, s, cpu == (unsigned)HASH_ALL_CPUS ? 0 : cpu);

	if (!ref)
		return h->full;
	table_key_write(table_elem(t, ref), key, m->key_size);
	if (t->plane)
		write_percpu(m, ref, value, cpu, true);
	else
		write_one(m, table_value(t, ref, 0), value, t->value_size);
	table_insert(t, s, ref);
	return 0;
}

static void change(struct map *m, const struct table_spot *s, struct table_pos at, const void *key,
                   const void *value, unsigned cpu)
{
	struct table *t = &hash_of(m)->table;
	struct spare *slot;
	uint32_t spare;

	if (t->plane) {
		write_percpu(m, at.ref, value, cpu, false);
		table_touch(t, at.ref);
		return;
	}
	slot = table_spare(t, cpu, &spare);
	table_key_write(table_elem(t, spare), key, m->key_size);
	write_one(m, table_value(t, spare, 0), value, t->value_size);
	table_replace(t, s, at, spare);
	release(m, at.ref);
	atomic_store_explicit(&slot->ref, at.ref, memory_order_release);
}

int hash_exchange(struct map *m, const void *key, const void *value, uint64_t flags, unsigned cpu,
                  void *old)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s;
	struct table_pos at;
	int err;

	if (__builtin_expect(flags > BPF_EXIST, 0) &&
	    ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST ||
	     !record_has(m->record, SPECIAL_SPIN_LOCK)))
		return -EINVAL;
	s = table_spot(t, table_hash(t, key, m->key_size));
	__builtin_prefetch(s.group, 1);
	group_lock(s.group);
	at = table_find_locked(t, &s, key);
	err = flags_check(flags, at.ref);
	if (!err && at.ref) {
		if (old)
			hash_read_value(m, at.ref, old, 0);
		if (flags & BPF_F_LOCK)
			record_copy_in_locked(m->record, table_value(t, at.ref, 0), value,
			                      t->value_size);
		else
			change(m, &s, at, key, value, cpu);
	} else if (!err) {
		err = insert_new(m, &s, key, value, cpu);
	}
	group_unlock(s.group);
	return err;
}

int hash_update(struct map *m, const void *key, const void *value, uint64_t flags, unsigned cpu)
{
	return hash_exchange(m, key, value, flags, cpu, NULL);
}

int hash_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	return hash_update(m, key, value, flags, (unsigned)HASH_ALL_CPUS);
}

/* BPF_F_LOCK in flags: the value is read under its lock. */
static int take(struct map *m, const void *key, unsigned cpu, void *old, uint64_t flags)
{
	struct table *t = &hash_of(m)->table;
	struct table_spot s = table_spot(t, table_hash(t, key, m->key_size));
	struct table_pos at;

	__builtin_prefetch(s.group, 1);
	group_lock(s.group);
	at = table_find_locked(t, &s, key);
	if (at.ref && old)
		hash_read_value(m, at.ref, old, flags);
	if (at.ref)
		table_remove(t, &s, at);
	group_unlock(s.group);
	if (!at.ref)
		return -ENOENT;
	release(m, at.ref);
	pool_give(&t->pool, at.ref, cpu);
	return 0;
}

int hash_take(struct map *m, const void *key, unsigned cpu, void *old)
{
	return take(m, key, cpu, old, 0);
}

int hash_copy_take(struct map *m, const void *key, void *value, uint64_t flags)
{
	return flags & ~(uint64_t)BPF_F_LOCK ? -EINVAL : take(m, key, 0, value, flags);
}

int hash_remove(struct map *m, const void *key)
{
	return hash_take(m, key, 0, NULL);
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
	return (uint64_t)(int64_t)hash_take((struct map *)map, (const void *)key, cpu->id,
	                                    NULL);
}

void hash_set_calls(struct map *m, helper_fn lookup)
{
	m->call_lookup = lookup;
	m->call_update = call_update;
	m->call_remove = call_remove;
}

static int plain_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	hash_set_calls(m, pick_lookup(m->key_size));
	return hash_init(m, m->value_size, false);
}

/* --- Walking ----------------------------------------------------------------------------- */

int hash_next_key(struct map *m, const void *key, void *next)
{
	return table_next_key(&hash_of(m)->table, key, next);
}

int64_t hash_for_each(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                      struct cpu *cpu)
{
	enum { AT_ONCE = 32 };
	const struct table *t = &hash_of(m)->table;
	uint32_t refs[AT_ONCE];
	int64_t visited = 0;

	if (flags)
		return -EINVAL;
	for (uint32_t group = 0; group <= t->group_mask; group++) {
		unsigned n, skip = 0;

		do {
			n = table_group_elems(t, group, skip, refs, AT_ONCE);
			for (unsigned i = 0; i < n; i++) {
				visited++;
				if (fn->call((uintptr_t)m, (uintptr_t)table_elem(t, refs[i])->key,
				             (uintptr_t)table_value(t, refs[i], cpu->id), arg, 0,
				             cpu, fn))
					return visited;
			}
			skip += n;
		} while (n == AT_ONCE);
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
	*r = (struct region){
		.start = addr - off % t->stride, .size = m->key_size, .name = "map key"};
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
	.check = plain_check,
	.init = plain_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
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
	.memory = hash_memory,
};

const struct map_ops map_percpu_hash_ops = {
	.name = "percpu_hash",
	.size = sizeof(struct map_hash),
	.check = percpu_check,
	.init = plain_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
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
	.memory = hash_memory,
	.per_cpu = true,
};
