/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks: values without keys, in a ring of max_entries places.
 *
 *   first                 first + n
 *     | oldest | ... | newest |          places modulo max_entries
 *
 * A queue gives away the oldest, a stack the newest. When there is no room, a push with BPF_EXIST
 * drops the oldest. For bpf(2) a look-up is a peek, an update a push, look-up-and-delete a pop.
 */
#include <errno.h>
#include <string.h>

#include "base/brief.h"
#include "maps/maps.h"

enum { VALUE_MAX = 4 << 20 }; /* the kernel's largest allocation */

/* In front of the values: with a push or a pop, threads share this line and the value's. */
struct ends {
	_Atomic uint32_t lock; /* base/brief.h */
	uint32_t first, n;     /* under the lock, as the values */
} __attribute__((aligned(64)));

struct map_queue {
	struct map map;
	bool newest_first;
	struct ends *ends;
	uint8_t *values;
	size_t stride;
};

static struct map_queue *queue_of(const struct map *m)
{
	return (struct map_queue *)m;
}

static int queue_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->max_entries == 0 || attr->key_size != 0 || attr->value_size == 0 ||
	    (attr->flags & ~(uint32_t)(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
	                               BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)))
		return -EINVAL;
	return attr->value_size > VALUE_MAX ? -E2BIG : 0;
}

static size_t storage_size(const struct map *m)
{
	return sizeof(struct ends) + queue_of(m)->stride * m->max_entries;
}

static int init(struct map *m, bool newest_first)
{
	struct map_queue *q = queue_of(m);

	q->newest_first = newest_first;
	q->stride = m->value_size;
	q->ends = mem_map(&m->obj.k->mem, storage_size(m));
	if (!q->ends)
		return -ENOMEM;
	q->values = (uint8_t *)(q->ends + 1);
	m->memory = sizeof(*q) + storage_size(m);
	return 0;
}

static int queue_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return init(m, false);
}

static int stack_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	return init(m, true);
}

static void queue_fini(struct map *m)
{
	mem_unmap(&m->obj.k->mem, queue_of(m)->ends, storage_size(m));
}

/* The place that is i behind the first. */
static uint8_t *place(const struct map_queue *q, uint32_t i)
{
	uint64_t at = (uint64_t)q->ends->first + i;

	if (at >= q->map.max_entries)
		at -= q->map.max_entries;
	return q->values + at * q->stride;
}

static int queue_push(struct map *m, const void *value, uint64_t flags)
{
	struct map_queue *q = queue_of(m);
	struct ends *e = q->ends;
	int err = 0;

	if (flags != BPF_ANY && flags != BPF_EXIST)
		return -EINVAL;
	brief_take(&e->lock);
	if (e->n == m->max_entries && flags == BPF_EXIST) {
		e->first = e->first + 1 < m->max_entries ? e->first + 1 : 0;
		e->n--;
	}
	if (e->n == m->max_entries)
		err = -E2BIG;
	else
		memcpy(place(q, e->n++), value, m->value_size);
	brief_release(&e->lock);
	return err;
}

/* Where there is nothing, the value is cleared, as the verifier lets programs read it. */
static int get(struct map *m, void *value, bool take)
{
	struct map_queue *q = queue_of(m);
	struct ends *e = q->ends;
	int err = 0;

	brief_take(&e->lock);
	if (!e->n) {
		memset(value, 0, m->value_size);
		err = -ENOENT;
	} else {
		memcpy(value, place(q, q->newest_first ? e->n - 1 : 0), m->value_size);
		if (take && !q->newest_first)
			e->first = e->first + 1 < m->max_entries ? e->first + 1 : 0;
		e->n -= take;
	}
	brief_release(&e->lock);
	return err;
}

static int queue_peek(struct map *m, void *value)
{
	return get(m, value, false);
}

static int queue_pop(struct map *m, void *value)
{
	return get(m, value, true);
}

/* --- bpf(2)'s side: the key is not there ------------------------------------------------- */

static int queue_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)key;
	(void)flags;
	return get(m, value, false);
}

static int queue_copy_take(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)key;
	return flags ? -EINVAL : get(m, value, true);
}

static int queue_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	(void)key;
	return queue_push(m, value, flags);
}

static int queue_copy_delete(struct map *m, const void *key)
{
	(void)m;
	(void)key;
	return -EINVAL;
}

static int queue_next_key(struct map *m, const void *key, void *next)
{
	(void)m;
	(void)key;
	(void)next;
	return -EINVAL;
}

#define QUEUE_OPS                                                                                 \
	.size = sizeof(struct map_queue), .check = queue_check, .fini = queue_fini,               \
	.push = queue_push, .pop = queue_pop, .peek = queue_peek, .copy_out = queue_copy_out,     \
	.copy_in = queue_copy_in, .copy_take = queue_copy_take, .copy_delete = queue_copy_delete, \
	.next_key = queue_next_key

const struct map_ops map_queue_ops = {.name = "queue", .init = queue_init, QUEUE_OPS};
const struct map_ops map_stack_ops = {.name = "stack", .init = stack_init, QUEUE_OPS};
