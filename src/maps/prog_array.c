/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prog arrays: the jump tables of tail calls.
 *
 * Engines read the slots themselves (struct map_prog_array in core/map.h); here is bpf(2)'s side. A
 * slot holds a reference to its program. A program that is replaced may be running: the end of a
 * program waits for all readers, so giving back the reference after the exchange is all there is to
 * do.
 *
 * A prog array that holds a program which refers to that very array would never go; like the
 * kernel, it is emptied when no client can reach it any more (release_uref).
 */
#include <errno.h>
#include <string.h>

#include "core/prog.h"
#include "maps/array.h"
#include "maps/maps.h"

static int prog_array_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->key_size != 4 || attr->value_size != 4 || attr->max_entries == 0 ||
	    (attr->flags & ~(uint32_t)(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)))
		return -EINVAL;
	return 0;
}

static int prog_array_init(struct map *m, const struct map_attr *attr)
{
	(void)attr;
	m->memory = sizeof(struct map_prog_array) + m->max_entries * sizeof(struct prog *);
	return 0;
}

/* The slot of a key, or NULL. */
static _Atomic(struct prog *) *slot_of(struct map *m, const void *key)
{
	struct map_prog_array *a = (struct map_prog_array *)m;
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index < m->max_entries ? &a->slot[index] : NULL;
}

/* Takes over the reference to p, which may be NULL. Was the slot in use? */
static bool exchange(struct map *m, _Atomic(struct prog *) *slot, struct prog *p)
{
	struct prog *old;

	lock_take(&m->lock);
	old = atomic_exchange_explicit(slot, p, memory_order_acq_rel);
	lock_release(&m->lock);
	if (old)
		obj_put(&old->obj);
	return old;
}

static int prog_array_set(struct map *m, const void *key, struct obj *o, uint64_t flags)
{
	struct prog *p = (struct prog *)((char *)o - offsetof(struct prog, obj));
	_Atomic(struct prog *) *slot = slot_of(m, key);
	int err = array_set_ok(m, key, flags);

	if (err)
		return err;
	if (!map_prog_array_fits(m, p))
		return -EINVAL;
	atomic_store(&p->shared, true);
	exchange(m, slot, p);
	return 0;
}

static int prog_array_remove(struct map *m, const void *key)
{
	_Atomic(struct prog *) *slot = slot_of(m, key);

	if (!slot)
		return -E2BIG;
	return exchange(m, slot, NULL) ? 0 : -ENOENT;
}

static uint32_t prog_array_id(struct map *m, const void *key)
{
	_Atomic(struct prog *) *slot = slot_of(m, key);
	uint32_t id = 0;
	struct prog *p;

	if (!slot)
		return 0;
	lock_take(&m->lock); /* nobody takes it out and frees it meanwhile */
	p = atomic_load_explicit(slot, memory_order_relaxed);
	if (p)
		id = p->obj.id;
	lock_release(&m->lock);
	return id;
}

static void prog_array_clear(struct map *m)
{
	struct map_prog_array *a = (struct map_prog_array *)m;

	for (uint32_t i = 0; i < m->max_entries; i++)
		exchange(m, &a->slot[i], NULL);
}

/* What bpf(2) reads is the program's id. */
static int prog_array_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	uint32_t id = prog_array_id(m, key);

	(void)flags;
	if (!id)
		return -ENOENT;
	memcpy(value, &id, sizeof(id));
	return 0;
}

const struct map_ops map_prog_array_ops = {
	.name = "prog_array",
	.size = sizeof(struct map_prog_array),
	.entry_size = sizeof(struct prog *),
	.check = prog_array_check,
	.init = prog_array_init,
	.fini = prog_array_clear,
	.copy_delete = prog_array_remove,
	.copy_out = prog_array_copy_out,
	.next_key = array_next_key,
	.fd_kind = OBJ_PROG,
	.set_ok = array_set_ok,
	.set = prog_array_set,
	.get_id = prog_array_id,
	.release_uref = prog_array_clear,
	.no_inner = true,
};
