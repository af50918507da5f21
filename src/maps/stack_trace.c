/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack traces: each distinct stack once, by a number that is its hash.
 *
 * There are as many buckets as the next power of two above max_entries, and max_entries traces that
 * may be in them. A bucket holds one trace; another of the same number is refused, or takes its place
 * when the program says so. Numbers are the keys of bpf(2), values the addresses, innermost first,
 * zeros behind the last.
 *
 * All under the map's lock: to walk a stack takes longer than to note it.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "core/stack.h"
#include "maps/maps.h"

struct trace {
	uint32_t hash, n; /* addresses */
	struct trace *next_free;
	uint8_t data[];
};

struct map_stack_trace {
	struct map map;
	uint32_t nbuckets;
	uint32_t elem; /* bytes of an address, or of a build id with its offset */
	struct hash_seed seed;
	/* Under map.lock. */
	struct trace **bucket;
	struct trace *free;
	uint8_t *traces;
	size_t stride;
};

static struct map_stack_trace *traces_of(const struct map *m)
{
	return (struct map_stack_trace *)m;
}

static uint32_t elem_size(uint32_t flags)
{
	return flags & BPF_F_STACK_BUILD_ID ? STACK_BUILD_ID_SIZE : sizeof(uint64_t);
}

static int stack_trace_check(const struct skep *k, const struct map_attr *attr)
{
	uint32_t elem = elem_size(attr->flags);

	(void)k;
	if (attr->max_entries == 0 || attr->key_size != 4 || attr->value_size < 8 ||
	    attr->value_size % elem || attr->value_size / elem > STACK_MAX ||
	    (attr->flags & ~(uint32_t)(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
	                               BPF_F_STACK_BUILD_ID)))
		return -EINVAL;
	return attr->max_entries > 1u << 31 ? -E2BIG : 0;
}

static size_t buckets_size(const struct map *m)
{
	return (size_t)traces_of(m)->nbuckets * sizeof(struct trace *);
}

static size_t traces_size(const struct map *m)
{
	return traces_of(m)->stride * m->max_entries;
}

static void give_back(struct map_stack_trace *t, struct trace *trace)
{
	trace->next_free = t->free;
	t->free = trace;
}

static void stack_trace_fini(struct map *m)
{
	struct map_stack_trace *t = traces_of(m);

	mem_unmap(&m->obj.k->mem, t->bucket, buckets_size(m));
	mem_unmap(&m->obj.k->mem, t->traces, traces_size(m));
}

static int stack_trace_init(struct map *m, const struct map_attr *attr)
{
	struct map_stack_trace *t = traces_of(m);
	const struct mem *mem = &m->obj.k->mem;

	t->elem = elem_size(attr->flags);
	t->stride = sizeof(struct trace) + ((m->value_size + 7u) & ~7u);
	t->nbuckets = m->max_entries > 1 ? 1u << (32 - __builtin_clz(m->max_entries - 1)) : 1;
	t->bucket = mem_map(mem, buckets_size(m));
	t->traces = t->bucket ? mem_map(mem, traces_size(m)) : NULL;
	if (!t->traces) {
		stack_trace_fini(m);
		return -ENOMEM;
	}
	for (uint32_t i = m->max_entries; i--;)
		give_back(t, (struct trace *)(t->traces + i * t->stride));
	hash_seed_random(&t->seed, m->obj.k->hash_seed);
	m->memory = sizeof(*t) + buckets_size(m) + traces_size(m);
	return 0;
}

static bool is_same(const struct map_stack_trace *t, const struct trace *trace, const uint8_t *data,
                    uint32_t n)
{
	return trace->n == n && memcmp(trace->data, data, (size_t)n * t->elem) == 0;
}

/* Under the lock. data: n elements. */
static int64_t note(struct map_stack_trace *t, const uint8_t *data, uint32_t n, uint64_t flags)
{
	uint32_t hash = (uint32_t)hash_bytes(&t->seed, data, (size_t)n * t->elem);
	uint32_t id = hash & (t->nbuckets - 1);
	struct trace *old = t->bucket[id], *fresh;

	if (old && old->hash == hash &&
	    (flags & STACK_FAST_COMPARE || is_same(t, old, data, n)))
		return id;
	if (old && !(flags & STACK_REUSE_ID))
		return -EEXIST;
	fresh = t->free;
	if (!fresh)
		return -ENOMEM;
	t->free = fresh->next_free;
	fresh->hash = hash;
	fresh->n = n;
	memcpy(fresh->data, data, (size_t)n * t->elem);
	t->bucket[id] = fresh;
	if (old)
		give_back(t, old);
	return id;
}

static int64_t stack_trace_id(struct map *m, const uint64_t *addrs, uint32_t n, uint64_t flags)
{
	struct map_stack_trace *t = traces_of(m);
	uint8_t built[STACK_MAX * STACK_BUILD_ID_SIZE];
	uint32_t most = m->value_size / t->elem;
	const void *data = addrs;
	int64_t id;

	if (n > most)
		n = most;
	if (t->elem == STACK_BUILD_ID_SIZE) {
		stack_build_ids(addrs, n, built);
		data = built;
	}
	lock_take(&m->lock);
	id = note(t, data, n, flags);
	lock_release(&m->lock);
	return id;
}

/* --- bpf(2)'s side ----------------------------------------------------------------------- */

static uint32_t key_id(const void *key)
{
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	return id;
}

static int copy_trace(struct map *m, const void *key, void *value, bool take)
{
	struct map_stack_trace *t = traces_of(m);
	uint32_t id = key_id(key);
	struct trace *trace;

	if (id >= t->nbuckets)
		return -ENOENT;
	lock_take(&m->lock);
	trace = t->bucket[id];
	if (trace) {
		size_t size = (size_t)trace->n * t->elem;

		memcpy(value, trace->data, size);
		memset((uint8_t *)value + size, 0, m->value_size - size);
	}
	if (trace && take) {
		t->bucket[id] = NULL;
		give_back(t, trace);
	}
	lock_release(&m->lock);
	return trace ? 0 : -ENOENT;
}

static int stack_trace_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)flags;
	return copy_trace(m, key, value, false);
}

static int stack_trace_copy_take(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)flags;
	return copy_trace(m, key, value, true);
}

static int stack_trace_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	(void)m;
	(void)key;
	(void)value;
	(void)flags;
	return -EINVAL;
}

static int stack_trace_delete(struct map *m, const void *key)
{
	struct map_stack_trace *t = traces_of(m);
	uint32_t id = key_id(key);
	struct trace *trace;

	if (id >= t->nbuckets)
		return -E2BIG;
	lock_take(&m->lock);
	trace = t->bucket[id];
	t->bucket[id] = NULL;
	if (trace)
		give_back(t, trace);
	lock_release(&m->lock);
	return trace ? 0 : -ENOENT;
}

static int stack_trace_next_key(struct map *m, const void *key, void *next)
{
	struct map_stack_trace *t = traces_of(m);
	uint32_t id = key ? key_id(key) : 0;

	lock_take(&m->lock);
	if (key)
		id = id < t->nbuckets && t->bucket[id] ? id + 1 : 0;
	while (id < t->nbuckets && !t->bucket[id])
		id++;
	lock_release(&m->lock);
	if (id >= t->nbuckets)
		return -ENOENT;
	memcpy(next, &id, sizeof(id));
	return 0;
}

const struct map_ops map_stack_trace_ops = {
	.name = "stack_trace",
	.size = sizeof(struct map_stack_trace),
	.check = stack_trace_check,
	.init = stack_trace_init,
	.fini = stack_trace_fini,
	.stack_id = stack_trace_id,
	.copy_out = stack_trace_copy_out,
	.copy_in = stack_trace_copy_in,
	.copy_take = stack_trace_copy_take,
	.copy_delete = stack_trace_delete,
	.next_key = stack_trace_next_key,
};
