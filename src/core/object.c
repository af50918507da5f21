/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of objects that programs allocate: see object.h.
 *
 * Dropped memory is collected; when there is enough, a grace period begins for all that is collected, and
 * whoever drops something after it is over frees them. So nobody waits, and no thread is needed.
 */
#include "core/object.h"

#include <stddef.h>
#include <string.h>

#include "core/special.h"

enum { ENOUGH = 128 };

struct object {
	const struct record *record; /* btf's; NULL: nothing is special */
	struct btf *btf;             /* referenced, or NULL */
	struct object *next;         /* waiting to be freed */
	uint32_t size;
	uint32_t stride; /* from one CPU's value to the next, or 0 */
	uint8_t bytes[] __attribute__((aligned(16)));
};

static struct object *object_of(void *bytes)
{
	return (struct object *)((uint8_t *)bytes - offsetof(struct object, bytes));
}

/* --- Making -------------------------------------------------------------------------------- */

static void init_nodes(const struct record *r, uint8_t *value)
{
	for (uint32_t i = 0; r->mask & SPECIAL_NODES && i < r->n; i++) {
		const struct special *f = &r->fields[i];
		uint64_t owner = (uint64_t)(f->offset / 8) << NODE_OWNER_BITS;
		size_t at = f->kind == SPECIAL_LIST_NODE ? offsetof(struct list_node, owner)
		                                         : offsetof(struct tree_node, owner);

		if (SPECIAL_BIT(f->kind) & SPECIAL_NODES)
			memcpy(value + f->offset + at, &owner, sizeof(owner));
	}
}

static void *make(struct skep *k, struct btf *btf, uint32_t type_id, uint32_t size, unsigned planes)
{
	uint32_t stride = (size + 7) & ~7u;
	struct object *o = mem_zalloc(&k->mem, sizeof(*o) + (size_t)stride * planes);

	if (!o)
		return NULL;
	o->size = size;
	o->stride = planes > 1 ? stride : 0;
	if (!btf)
		return o->bytes;
	obj_get(&btf->obj);
	o->btf = btf;
	o->record = btf_record(btf, type_id);
	for (unsigned i = 0; o->record && i < planes; i++) {
		record_init(o->record, o->bytes + (size_t)i * stride);
		init_nodes(o->record, o->bytes + (size_t)i * stride);
	}
	return o->bytes;
}

void *object_new(struct skep *k, struct btf *btf, uint32_t type_id)
{
	uint32_t size = btf && btf_type(&btf->data, type_id) ? btf->data.size[type_id] : BTF_NO_SIZE;

	return size <= OBJECT_MAX ? make(k, btf, type_id, size, 1) : NULL;
}

void *object_new_percpu(struct skep *k, struct btf *btf, uint32_t type_id)
{
	uint32_t size = btf && btf_type(&btf->data, type_id) ? btf->data.size[type_id] : BTF_NO_SIZE;

	return size <= OBJECT_PERCPU_MAX ? make(k, btf, type_id, size, k->ncpus) : NULL;
}

void *object_new_plain(struct skep *k, uint32_t size)
{
	return make(k, NULL, 0, size, 1);
}

void *object_of_cpu(struct skep *k, void *object, uint32_t cpu)
{
	return cpu < k->ncpus ? (uint8_t *)object + (size_t)cpu * object_of(object)->stride : NULL;
}

/* --- Ending -------------------------------------------------------------------------------- */

static void free_all(struct skep *k, struct object *o)
{
	while (o) {
		struct object *next = o->next;

		mem_free(&k->mem, o);
		o = next;
	}
}

static void free_later(struct skep *k, struct object *o)
{
	struct limbo *l = &k->limbo;
	struct object *over = NULL;

	lock_take(&l->lock);
	o->next = l->collected;
	l->collected = o;
	l->ncollected++;
	if (l->waiting && rcu_over(&k->rcu, l->period)) {
		over = l->waiting;
		l->waiting = NULL;
	}
	if (!l->waiting && l->ncollected >= ENOUGH) {
		l->waiting = l->collected;
		l->collected = NULL;
		l->ncollected = 0;
		l->period = rcu_start(&k->rcu);
	}
	lock_release(&l->lock);
	free_all(k, over);
}

void objects_exit(struct skep *k)
{
	free_all(k, k->limbo.collected);
	free_all(k, k->limbo.waiting);
}

static uint32_t *count_of(const struct object *o)
{
	const struct special *f = record_find(o->record, SPECIAL_REFCOUNT);

	return f ? (uint32_t *)((uint8_t *)o->bytes + f->offset) : NULL;
}

void *object_acquire(void *object)
{
	uint32_t *count = count_of(object_of(object)), n;

	if (!count)
		return NULL;
	n = __atomic_load_n(count, __ATOMIC_RELAXED);
	while (n)
		if (__atomic_compare_exchange_n(count, &n, n + 1, true, __ATOMIC_RELAXED,
		                                __ATOMIC_RELAXED))
			return object;
	return NULL;
}

void object_drop(struct skep *k, void *object)
{
	struct object *o = object ? object_of(object) : NULL;
	uint32_t *count = o ? count_of(o) : NULL;

	if (!o || (count && __atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL)))
		return;
	for (uint32_t at = 0; o->record && at <= o->stride * (k->ncpus - 1); at += o->stride) {
		record_release(k, o->record, o->bytes + at, SPECIAL_IN_OBJECTS);
		if (!o->stride)
			break;
	}
	if (o->btf)
		obj_put(&o->btf->obj);
	free_later(k, o);
}
