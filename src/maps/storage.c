/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local storage: a value for each task, inode, socket or control group that was given one.
 *
 * For bpf(2) a key is a descriptor of the thing; for programs, a pointer to it. Both become the two
 * words of a struct host_id, and those are the key of a chained hash that doubles as it fills. Things
 * come to their end without telling us: their values stay until they are deleted or the map goes.
 *
 * A value that is deleted may be given to the next thing that needs one, also while a program still
 * holds its address, as in hash maps; its memory goes with the map.
 */
#include <errno.h>
#include <string.h>

#include "base/copy.h"
#include "core/host.h"
#include "core/record.h"
#include "maps/maps.h"

enum {
	VALUE_MAX = 65407, /* the kernel's limit, in this version */
	FIRST_BUCKETS = 16,
	GET_CREATES = 1, /* BPF_LOCAL_STORAGE_GET_F_CREATE */
};

struct store {
	struct store *next;
	struct host_id id;
	uint64_t value[]; /* value_size bytes, and padding */
};

struct map_storage {
	struct map map;
	/* Under map.lock. */
	struct store **bucket;
	uint32_t nbuckets, n;
	struct store *spare; /* deleted, for the next one */
	uint64_t made;       /* stores, used or spare */
};

static struct map_storage *storage_of(const struct map *m)
{
	return (struct map_storage *)m;
}

static int storage_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if ((attr->flags & ~(uint32_t)(BPF_F_NO_PREALLOC | BPF_F_CLONE)) ||
	    !(attr->flags & BPF_F_NO_PREALLOC) || attr->max_entries || attr->key_size != 4 ||
	    !attr->value_size || !attr->has_btf)
		return -EINVAL;
	return attr->value_size > VALUE_MAX ? -E2BIG : 0;
}

static size_t store_size(const struct map *m)
{
	return sizeof(struct store) + ((m->value_size + 7u) & ~7u);
}

static int storage_init(struct map *m, const struct map_attr *attr)
{
	struct map_storage *s = storage_of(m);

	(void)attr;
	s->bucket = mem_zalloc_array(&m->obj.k->mem, FIRST_BUCKETS, sizeof(s->bucket[0]));
	s->nbuckets = FIRST_BUCKETS;
	return s->bucket ? 0 : -ENOMEM;
}

static void free_chain(struct map *m, struct store *e)
{
	while (e) {
		struct store *next = e->next;

		mem_free(&m->obj.k->mem, e);
		e = next;
	}
}

static void storage_fini(struct map *m)
{
	struct map_storage *s = storage_of(m);

	for (uint32_t i = 0; i < s->nbuckets; i++) {
		for (struct store *e = s->bucket[i]; e && m->record; e = e->next)
			record_release(m->obj.k, m->record, e->value, m->record->mask);
		free_chain(m, s->bucket[i]);
	}
	free_chain(m, s->spare);
	mem_free(&m->obj.k->mem, s->bucket);
}

static uint64_t storage_memory(const struct map *m)
{
	const struct map_storage *s = storage_of(m);

	return sizeof(*s) + s->nbuckets * sizeof(s->bucket[0]) + s->made * store_size(m);
}

/* --- Under the lock ---------------------------------------------------------------------- */

static struct store **chain_of(const struct map_storage *s, const struct host_id *id)
{
	uint64_t mix = (id->a ^ id->b * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;

	return &s->bucket[mix >> 32 & (s->nbuckets - 1)];
}

static struct store **find(const struct map_storage *s, const struct host_id *id)
{
	struct store **at = chain_of(s, id);

	while (*at && ((*at)->id.a != id->a || (*at)->id.b != id->b))
		at = &(*at)->next;
	return at;
}

/* More buckets, if there is memory for them: it works without. */
static void widen(struct map *m)
{
	struct map_storage *s = storage_of(m), old = *s;
	struct store **bucket = mem_zalloc_array(&m->obj.k->mem, s->nbuckets * 2u, sizeof(*bucket));

	if (!bucket)
		return;
	s->bucket = bucket;
	s->nbuckets *= 2;
	for (uint32_t i = 0; i < old.nbuckets; i++)
		for (struct store *e = old.bucket[i], *next; e; e = next) {
			struct store **at = chain_of(s, &e->id);

			next = e->next;
			e->next = *at;
			*at = e;
		}
	mem_free(&m->obj.k->mem, old.bucket);
}

static void write_value(struct map *m, struct store *e, const void *value, uint64_t flags)
{
	if (m->record && (flags & BPF_F_LOCK))
		record_copy_in_locked(m->record, e->value, value, m->value_size);
	else if (m->record)
		record_copy_in(m->record, e->value, value, m->value_size);
	else
		copy_to_shared(e->value, value, m->value_size);
}

static struct store *add(struct map *m, const struct host_id *id, const void *value)
{
	struct map_storage *s = storage_of(m);
	struct store *e = s->spare, **at;

	if (s->n >= s->nbuckets && s->nbuckets < 1u << 30)
		widen(m);
	if (e) {
		s->spare = e->next;
		clear_shared(e->value, store_size(m) - sizeof(*e));
	} else {
		e = mem_zalloc(&m->obj.k->mem, store_size(m));
		s->made += e != NULL;
	}
	if (!e)
		return NULL;
	if (m->record)
		record_init(m->record, e->value);
	if (value)
		write_value(m, e, value, 0);
	e->id = *id;
	at = chain_of(s, id);
	e->next = *at;
	*at = e;
	s->n++;
	return e;
}

static int take_out(struct map *m, const struct host_id *id)
{
	struct map_storage *s = storage_of(m);
	struct store **at = find(s, id), *e = *at;

	if (!e)
		return -ENOENT;
	*at = e->next;
	if (m->record)
		record_release(m->obj.k, m->record, e->value, m->record->mask);
	e->next = s->spare;
	s->spare = e;
	s->n--;
	return 0;
}

/* --- Programs ---------------------------------------------------------------------------- */

static void *storage_get(struct map *m, const struct host_id *id, const void *value, uint64_t flags)
{
	struct store *e;

	if (flags & ~(uint64_t)GET_CREATES)
		return NULL;
	lock_take(&m->lock);
	e = *find(storage_of(m), id);
	if (!e && (flags & GET_CREATES))
		e = add(m, id, value);
	lock_release(&m->lock);
	return e ? e->value : NULL;
}

static int storage_delete(struct map *m, const struct host_id *id)
{
	int err;

	lock_take(&m->lock);
	err = take_out(m, id);
	lock_release(&m->lock);
	return err;
}

static bool storage_region(struct map *m, uintptr_t addr, struct region *r)
{
	struct map_storage *s = storage_of(m);
	bool found = false;

	lock_take(&m->lock);
	for (uint32_t i = 0; i < s->nbuckets && !found; i++)
		for (struct store *e = s->bucket[i]; e && !found; e = e->next) {
			found = addr - (uintptr_t)e->value < m->value_size;
			if (found)
				*r = (struct region){.start = (uintptr_t)e->value,
				                     .size = m->value_size,
				                     .writable = true,
				                     .name = "map value"};
		}
	lock_release(&m->lock);
	return found;
}

/* --- bpf(2)'s side ----------------------------------------------------------------------- */

static int id_of(const struct map *m, const void *key, struct host_id *id)
{
	struct host_sock s;
	int32_t fd;
	int err;

	memcpy(&fd, key, sizeof(fd));
	switch (m->type) {
	case BPF_MAP_TYPE_TASK_STORAGE:
		return host_task(fd, id);
	case BPF_MAP_TYPE_INODE_STORAGE:
		return host_inode(fd, id);
	case BPF_MAP_TYPE_CGRP_STORAGE:
		id->b = 0;
		return host_cgroup(fd, &id->a);
	default:
		err = host_sock(fd, &s);
		*id = (struct host_id){s.cookie, 0};
		return err;
	}
}

static int storage_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	struct store *e;
	struct host_id id;
	int err = id_of(m, key, &id);

	if (err)
		return err;
	lock_take(&m->lock);
	e = *find(storage_of(m), &id);
	if (!e)
		err = -ENOENT;
	else if (m->record && (flags & BPF_F_LOCK))
		record_copy_out_locked(m->record, value, e->value, m->value_size);
	else if (m->record)
		record_copy_out(m->record, value, e->value, m->value_size);
	else
		copy_from_shared(value, e->value, m->value_size);
	lock_release(&m->lock);
	return err;
}

static int put(struct map *m, const struct host_id *id, const void *value, uint64_t flags)
{
	struct store *e = *find(storage_of(m), id);
	uint64_t how = flags & ~(uint64_t)BPF_F_LOCK;

	if (e && how == BPF_NOEXIST)
		return -EEXIST;
	if (!e && how == BPF_EXIST)
		return -ENOENT;
	if (!e)
		return add(m, id, value) ? 0 : -ENOMEM;
	write_value(m, e, value, flags);
	return 0;
}

static int storage_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	struct host_id id;
	int err = id_of(m, key, &id);

	if (err)
		return err;
	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	lock_take(&m->lock);
	err = put(m, &id, value, flags);
	lock_release(&m->lock);
	return err;
}

static int storage_copy_delete(struct map *m, const void *key)
{
	struct host_id id;
	int err = id_of(m, key, &id);

	return err ? err : storage_delete(m, &id);
}

#define STORAGE_OPS                                                                               \
	.size = sizeof(struct map_storage), .check = storage_check, .init = storage_init,         \
	.fini = storage_fini, .memory = storage_memory, .region = storage_region,                 \
	.storage_get = storage_get, .storage_delete = storage_delete,                             \
	.copy_out = storage_copy_out, .copy_in = storage_copy_in,                                 \
	.copy_delete = storage_copy_delete

const struct map_ops map_sk_storage_ops = {.name = "sk_storage", STORAGE_OPS};
const struct map_ops map_inode_storage_ops = {.name = "inode_storage", STORAGE_OPS};
const struct map_ops map_task_storage_ops = {.name = "task_storage", STORAGE_OPS};
const struct map_ops map_cgrp_storage_ops = {.name = "cgrp_storage", STORAGE_OPS};
