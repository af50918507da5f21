/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reference counts and id tables: see obj.h.
 *
 * An id table is a hash by id, open addressing with linear probing. Ids are handed out in order, so
 * neighbours sit side by side. Removal shifts later entries back, so there are no tombstones.
 */
#include "core/obj.h"

#include <errno.h>

enum { FIRST_CAP = 16 };

static unsigned home(const struct id_table *t, uint32_t id)
{
	return id & (t->cap - 1);
}

static void place(struct id_table *t, struct obj *o)
{
	unsigned i = home(t, o->id);

	while (t->slot[i])
		i = (i + 1) & (t->cap - 1);
	t->slot[i] = o;
}

static int grow(struct id_table *t, const struct mem *mem)
{
	struct id_table wider = *t;

	wider.cap = t->cap ? t->cap * 2 : FIRST_CAP;
	wider.slot = mem_zalloc_array(mem, wider.cap, sizeof(wider.slot[0]));
	if (!wider.slot)
		return -ENOMEM;
	for (unsigned i = 0; i < t->cap; i++)
		if (t->slot[i])
			place(&wider, t->slot[i]);
	mem_free(mem, t->slot);
	*t = wider;
	return 0;
}

static struct obj **find(const struct id_table *t, uint32_t id)
{
	if (!t->cap)
		return NULL;
	for (unsigned i = home(t, id); t->slot[i]; i = (i + 1) & (t->cap - 1))
		if (t->slot[i]->id == id)
			return &t->slot[i];
	return NULL;
}

static void unpublish(struct id_table *t, uint32_t id)
{
	struct obj **at = find(t, id);
	unsigned gap, i;

	if (!at)
		return;
	gap = (unsigned)(at - t->slot);
	for (i = (gap + 1) & (t->cap - 1); t->slot[i]; i = (i + 1) & (t->cap - 1)) {
		unsigned want = home(t, t->slot[i]->id);

		/* May the entry at i move to the gap? Not when its home lies behind the gap. */
		if (((i - want) & (t->cap - 1)) >= ((i - gap) & (t->cap - 1))) {
			t->slot[gap] = t->slot[i];
			gap = i;
		}
	}
	t->slot[gap] = NULL;
	t->used--;
}

void obj_init(struct obj *o, struct skep *k, enum obj_kind kind, void (*free)(struct obj *))
{
	o->kind = kind;
	o->k = k;
	o->free = free;
	o->id = 0;
	o->desc = NULL;
	atomic_init(&o->refs, 1);
}

/* id 0: the next one */
int obj_publish_as(struct obj *o, uint32_t id)
{
	struct id_table *t = &o->k->ids[o->kind];
	int err = 0;

	lock_take(&o->k->lock);
	if ((t->used + 1) * 2 > t->cap)
		err = grow(t, &o->k->mem);
	if (!err) {
		o->id = id ? id : ++t->last_id;
		place(t, o);
		t->used++;
	}
	lock_release(&o->k->lock);
	return err;
}

int obj_publish(struct obj *o)
{
	return obj_publish_as(o, 0);
}

void obj_put(struct obj *o)
{
	struct skep *k;

	if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
		return;
	k = o->k;
	if (o->id) {
		lock_take(&k->lock);
		unpublish(&k->ids[o->kind], o->id);
		lock_release(&k->lock);
	}
	o->free(o);
}

/* Takes a reference unless the count has already fallen to 0. */
static bool obj_get_live(struct obj *o)
{
	uint32_t refs = atomic_load_explicit(&o->refs, memory_order_relaxed);

	while (refs)
		if (atomic_compare_exchange_weak(&o->refs, &refs, refs + 1))
			return true;
	return false;
}

struct obj *obj_by_id(struct skep *k, enum obj_kind kind, uint32_t id)
{
	struct obj *found = NULL, **at;

	lock_take(&k->lock);
	at = find(&k->ids[kind], id);
	if (at && obj_get_live(*at))
		found = *at;
	lock_release(&k->lock);
	return found;
}

uint32_t obj_next_id(struct skep *k, enum obj_kind kind, uint32_t after)
{
	const struct id_table *t = &k->ids[kind];
	uint32_t best = 0;

	lock_take(&k->lock);
	for (unsigned i = 0; i < t->cap; i++) {
		uint32_t id = t->slot[i] ? t->slot[i]->id : 0;

		if (id > after && (!best || id < best))
			best = id;
	}
	lock_release(&k->lock);
	return best;
}
