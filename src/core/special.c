/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How special fields end: a row a kind in special_release[]. Requires: object.h, async.h.
 *
 * Lists and trees are emptied under the value's lock, as a program may still be at work on them.
 */
#include "core/special.h"

#include "core/async.h"
#include "core/kfunc.h"
#include "core/object.h"

static void *take_pointer(void *field)
{
	return __atomic_exchange_n((void **)field, NULL, __ATOMIC_ACQ_REL);
}

static void release_pointer(struct skep *k, const struct record *r, void *value,
                            const struct special *f)
{
	void *object = take_pointer((uint8_t *)value + f->offset);
	const struct kfunc *dtor = object && f->dtor ? kfunc_find(k, f->dtor) : NULL;

	(void)r;
	if (dtor && dtor->fn)
		dtor->fn((uintptr_t)object, 0, 0, 0, 0, &k->cpus[0]);
	else if (object && !f->dtor && f->kind != SPECIAL_KPTR_UNREF)
		object_drop(k, object);
}

static uint32_t *lock_of(const struct record *r, void *value)
{
	const struct special *f = record_find(r, SPECIAL_SPIN_LOCK);

	if (!f)
		f = record_find(r, SPECIAL_RES_SPIN_LOCK);
	return (uint32_t *)((uint8_t *)value + f->offset);
}

static void release_list(struct skep *k, const struct record *r, void *value, const struct special *f)
{
	struct list_head *h = (struct list_head *)((uint8_t *)value + f->offset);
	uint32_t *lock = lock_of(r, value);
	struct list_node *n;

	do {
		special_lock(lock);
		n = list_pop(h, false);
		special_unlock(lock);
		if (n)
			object_drop(k, (uint8_t *)n - f->node_offset);
	} while (n);
}

static void release_tree(struct skep *k, const struct record *r, void *value, const struct special *f)
{
	struct tree_root *root = (struct tree_root *)((uint8_t *)value + f->offset);
	uint32_t *lock = lock_of(r, value);
	struct tree_node *n;

	do {
		special_lock(lock);
		n = root->first;
		if (n)
			tree_remove(root, n);
		special_unlock(lock);
		if (n)
			object_drop(k, (uint8_t *)n - f->node_offset);
	} while (n);
}

static void release_async(struct skep *k, const struct record *r, void *value,
                          const struct special *f)
{
	(void)r;
	async_end(k, (uint8_t *)value + f->offset);
}

const special_release_fn special_release[SPECIAL_KINDS] = {
	[SPECIAL_TIMER] = release_async,
	[SPECIAL_WORKQUEUE] = release_async,
	[SPECIAL_KPTR_UNREF] = release_pointer,
	[SPECIAL_KPTR_REF] = release_pointer,
	[SPECIAL_KPTR_PERCPU] = release_pointer,
	[SPECIAL_LIST_HEAD] = release_list,
	[SPECIAL_RB_ROOT] = release_tree,
};
