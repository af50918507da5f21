/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LPM tries: maps of prefixes, looked up by longest match. The trie is trie.h's; here are the map's
 * rules.
 *
 * A key is a length in bits, in the order of the host, and data in network order. A look-up matches
 * no prefix longer than its own length; update and delete mean the very prefix. Bits behind the
 * prefix do not matter, but come back as they were given.
 *
 * One writer at a time (map.lock). A program that holds a value's address keeps it; as in other
 * maps the element may be used for another prefix some time after it was deleted.
 */
#include <errno.h>
#include <string.h>

#include "base/copy.h"
#include "maps/maps.h"
#include "maps/trie.h"

enum {
	VALUE_MAX = (4 << 20) - 280, /* the kernel's largest allocation, less key and node */
	LPM_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
	            BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
};

struct map_lpm {
	struct map map;
	struct trie trie;
	trie_lookup_fn find;
};

static struct map_lpm *lpm_of(const struct map *m)
{
	return (struct map_lpm *)m;
}

static int lpm_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->max_entries == 0 || !(attr->flags & BPF_F_NO_PREALLOC) ||
	    (attr->flags & ~(uint32_t)LPM_FLAGS))
		return -EINVAL;
	if (attr->key_size < sizeof(struct trie_key) + 1 ||
	    attr->key_size > sizeof(struct trie_key) + TRIE_DATA_MAX || attr->value_size == 0 ||
	    attr->value_size > VALUE_MAX)
		return -EINVAL;
	return 0;
}

/* --- Looking up -------------------------------------------------------------------------- */

static void *lpm_lookup(struct map *m, const void *key, unsigned cpu)
{
	struct map_lpm *l = lpm_of(m);
	uint32_t elem = l->find(&l->trie, &m->lock, key);

	(void)cpu;
	return elem ? trie_value(&l->trie, elem) : NULL;
}

static uint64_t call_lookup(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5,
                            struct cpu *cpu)
{
	struct map_lpm *l = (struct map_lpm *)map;
	uint32_t elem = l->find(&l->trie, &l->map.lock, (const struct trie_key *)key);

	return elem ? (uintptr_t)trie_value(&l->trie, elem) : 0;
}

/* bpf(2) holds no read section: the lock keeps the element from being used again meanwhile. */
static int lpm_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	struct map_lpm *l = lpm_of(m);
	struct lock none = {0};
	uint32_t elem;

	(void)flags;
	lock_take(&m->lock);
	elem = l->find(&l->trie, &none, key);
	if (elem)
		copy_from_shared(value, trie_value(&l->trie, elem), m->value_size);
	lock_release(&m->lock);
	return elem ? 0 : -ENOENT;
}

/* --- Changing ---------------------------------------------------------------------------- */

static int put(struct map_lpm *l, const struct trie_key *key, const void *value, uint64_t flags)
{
	struct trie *t = &l->trie;
	uint32_t old = trie_exact(t, key), elem;
	int err;

	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if (!old && t->count == l->map.max_entries)
		return -ENOSPC;
	elem = trie_elem_new(t, key);
	if (!elem)
		return -ENOMEM;
	copy_to_shared(trie_value(t, elem), value, l->map.value_size);
	err = trie_put(t, elem);
	if (err)
		trie_elem_retire(t, elem);
	return err;
}

static uint64_t lpm_memory(const struct map *m)
{
	return sizeof(struct map_lpm) + trie_memory(&lpm_of(m)->trie);
}

static int lpm_update(struct map *m, const void *key, const void *value, uint64_t flags,
                      unsigned cpu)
{
	struct map_lpm *l = lpm_of(m);
	uint32_t len;
	int err;

	(void)cpu;
	memcpy(&len, key, sizeof(len));
	if (flags > BPF_EXIST || len > l->trie.data_size * 8)
		return -EINVAL;
	lock_take(&m->lock);
	err = put(l, key, value, flags);
	lock_release(&m->lock);
	return err;
}

static int lpm_remove(struct map *m, const void *key)
{
	struct map_lpm *l = lpm_of(m);
	uint32_t len;
	int err;

	memcpy(&len, key, sizeof(len));
	if (len > l->trie.data_size * 8)
		return -EINVAL;
	lock_take(&m->lock);
	err = trie_remove(&l->trie, key);
	lock_release(&m->lock);
	return err;
}

static int lpm_next_key(struct map *m, const void *key, void *next)
{
	struct map_lpm *l = lpm_of(m);
	uint32_t elem;

	lock_take(&m->lock);
	elem = trie_next(&l->trie, key);
	if (elem) {
		const struct trie_elem *e = trie_elem(&l->trie, elem);
		uint32_t len = atomic_load_explicit(&e->len, memory_order_relaxed);

		memcpy(next, &len, sizeof(len));
		memcpy((uint8_t *)next + sizeof(len), trie_data(e), l->trie.data_size);
	}
	lock_release(&m->lock);
	return elem ? 0 : -ENOENT;
}

static bool lpm_region(struct map *m, uintptr_t addr, struct region *r)
{
	const struct trie *t = &lpm_of(m)->trie;
	uintptr_t first = (uintptr_t)trie_value(t, 1);
	size_t off = addr - first;

	if (addr < first || off >= t->stride * (t->elem_limit - 1) ||
	    off % t->stride >= m->value_size)
		return false;
	*r = (struct region){.start = addr - off % t->stride,
	                     .size = m->value_size,
	                     .writable = map_prog_writes(m),
	                     .name = "map value"};
	return true;
}

/* --- Making ------------------------------------------------------------------------------ */

static int lpm_init(struct map *m, const struct map_attr *attr)
{
	struct map_lpm *l = lpm_of(m);
	uint32_t data_size = m->key_size - (uint32_t)sizeof(struct trie_key);
	int err = trie_init(&l->trie, &m->obj.k->mem, data_size, m->value_size, m->max_entries);

	(void)attr;
	if (err)
		return err;
	l->find = trie_lookup_pick(data_size);
	m->call_lookup = call_lookup;
	return 0;
}

static void lpm_fini(struct map *m)
{
	trie_fini(&lpm_of(m)->trie, &m->obj.k->mem);
}

const struct map_ops map_lpm_trie_ops = {
	.name = "lpm_trie",
	.size = sizeof(struct map_lpm),
	.check = lpm_check,
	.init = lpm_init,
	.fini = lpm_fini,
	.lookup = lpm_lookup,
	.update = lpm_update,
	.remove = lpm_remove,
	.next_key = lpm_next_key,
	.copy_out = lpm_copy_out,
	.batches = MAP_BATCH_LOOKUP | MAP_BATCH_UPDATE | MAP_BATCH_DELETE,
	.region = lpm_region,
	.memory = lpm_memory,
};
