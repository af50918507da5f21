/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public API: maps. See skep.h for what it promises; struct skep_map is struct map.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "skep.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/handle.h"

int handle_from_fd(struct skep *k, int fd, enum obj_kind kind, struct obj **out)
{
	struct client c = client_self(k);

	return fd_resolve(k, &c, fd, kind, out, NULL);
}

struct obj *handle_from_name(struct skep *k, enum obj_kind kind, const char *name,
                             const char *(*name_of)(const struct obj *))
{
	for (uint32_t id = 0; (id = obj_next_id(k, kind, id));) {
		struct obj *o = obj_by_id(k, kind, id);

		if (o && strcmp(name_of(o), name) == 0)
			return o;
		obj_put(o);
	}
	return NULL;
}

int handle_fd(struct obj *o)
{
	struct client c = client_self(o->k);

	return fd_install(&c, o, ACCESS_RW);
}

int skep_map_from_fd(struct skep *k, int fd, struct skep_map **out)
{
	struct obj *o;
	int err = handle_from_fd(k, fd, OBJ_MAP, &o);

	if (!err)
		*out = (struct skep_map *)o;
	return err;
}

int skep_map_from_id(struct skep *k, uint32_t id, struct skep_map **out)
{
	struct obj *o = obj_by_id(k, OBJ_MAP, id);

	if (o)
		*out = (struct skep_map *)o;
	return o ? 0 : -ENOENT;
}

static const char *map_name_of(const struct obj *o)
{
	return ((const struct map *)o)->name;
}

int skep_map_from_name(struct skep *k, const char *name, struct skep_map **out)
{
	struct obj *o = handle_from_name(k, OBJ_MAP, name, map_name_of);

	if (o)
		*out = (struct skep_map *)o;
	return o ? 0 : -ENOENT;
}

int skep_map_new(struct skep *k, const struct skep_map_def *def, struct skep_map **out)
{
	struct map_attr attr = {.type = def->type,
	                        .key_size = def->key_size,
	                        .value_size = def->value_size,
	                        .max_entries = def->max_entries,
	                        .flags = def->flags};
	struct map *m;
	int err = 0;

	if (def->name) {
		size_t len = strlen(def->name);

		if (len >= sizeof(attr.name))
			return -EINVAL;
		memcpy(attr.name, def->name, len);
		err = name_check(attr.name);
	}
	if (!err)
		err = map_create(k, &attr, &m);
	if (!err)
		*out = (struct skep_map *)m;
	return err;
}

int skep_map_fd(struct skep_map *map)
{
	return handle_fd(&((struct map *)map)->obj);
}

void skep_map_put(struct skep_map *map)
{
	if (map)
		obj_put(&((struct map *)map)->obj);
}

void skep_map_info(const struct skep_map *map, struct skep_map_info *out)
{
	const struct map *m = (const struct map *)map;

	*out = (struct skep_map_info){
		.id = m->obj.id,
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
		.memory = map_memory(m),
		.value_bytes = map_value_size(m),
		.name = m->name,
		.type_name = m->ops->name,
	};
}

int skep_map_has_sizes(const struct skep_map *map, size_t key_size, size_t value_bytes)
{
	const struct map *m = (const struct map *)map;

	return m->key_size == key_size && map_value_size(m) == value_bytes;
}

int skep_map_lookup(struct skep_map *map, const void *key, void *value)
{
	return map_lookup((struct map *)map, key, value, 0);
}

int skep_map_update(struct skep_map *map, const void *key, const void *value, uint64_t flags)
{
	return map_update((struct map *)map, key, value, flags);
}

int skep_map_delete(struct skep_map *map, const void *key)
{
	return map_delete((struct map *)map, key);
}

int skep_map_next_key(struct skep_map *map, const void *key, void *next)
{
	return map_next_key((struct map *)map, key, next);
}

int skep_map_take(struct skep_map *map, const void *key, void *value)
{
	return map_take((struct map *)map, key, value, 0);
}

void *skep_map_pointer(struct skep_map *map, const void *key, unsigned int cpu)
{
	struct map *m = (struct map *)map;

	if (m->type != BPF_MAP_TYPE_ARRAY && m->type != BPF_MAP_TYPE_PERCPU_ARRAY)
		return NULL;
	return cpu < m->obj.k->ncpus ? m->ops->lookup(m, key, cpu) : NULL;
}

/* --- Many at once ------------------------------------------------------------------------- */

int skep_map_update_batch(struct skep_map *map, const void *keys, const void *values, uint32_t *n,
                          uint64_t flags)
{
	struct map *m = (struct map *)map;
	size_t value_size = map_value_size(m);
	int err = 0;
	uint32_t i;

	for (i = 0; i < *n; i++) {
		err = map_update(m, (const uint8_t *)keys + (size_t)i * m->key_size,
		                 (const uint8_t *)values + i * value_size, flags);
		if (err)
			break;
	}
	*n = i;
	return err;
}

int skep_map_delete_batch(struct skep_map *map, const void *keys, uint32_t *n)
{
	struct map *m = (struct map *)map;
	int err = 0;
	uint32_t i;

	for (i = 0; i < *n; i++) {
		err = map_delete(m, (const uint8_t *)keys + (size_t)i * m->key_size);
		if (err)
			break;
	}
	*n = i;
	return err;
}

enum { WALK_AHEAD = 64 }; /* elements that a walk reads at a time */

struct skep_walk {
	struct map *m;
	struct map_batch b;
	size_t value_size;
	bool ended;
	/* Of skep_walk_next(): made at the first call. */
	uint8_t *keys, *values;
	uint32_t room, next, there;
};

int skep_walk_new(struct skep_map *map, uint32_t flags, struct skep_walk **out)
{
	struct map *m = (struct map *)map;
	const struct mem *mem = &m->obj.k->mem;
	bool take = flags & SKEP_WALK_TAKE;
	struct skep_walk *w;

	if (flags & ~(uint32_t)SKEP_WALK_TAKE)
		return -EINVAL;
	if (!m->ops->next_key || !m->key_size || (take && !(m->ops->batches & MAP_BATCH_TAKE)))
		return -ENOTSUPP;
	w = mem_zalloc(mem, sizeof(*w) + map_token_size(m));
	if (!w)
		return -ENOMEM;
	w->m = m;
	w->value_size = map_value_size(m);
	w->b = (struct map_batch){.at = w + 1, .first = true, .take = take};
	*out = w;
	return 0;
}

void skep_walk_free(struct skep_walk *w)
{
	if (!w)
		return;
	mem_free(&w->m->obj.k->mem, w->keys);
	mem_free(&w->m->obj.k->mem, w);
}

int64_t skep_walk_read(struct skep_walk *w, void *keys, void *values, uint32_t room)
{
	int err;

	if (w->ended || !room)
		return 0;
	w->b.keys = keys;
	w->b.values = values;
	w->b.room = room;
	err = map_batch_read(w->m, &w->b);
	w->ended = err == -ENOENT;
	return err && !w->ended ? err : (int64_t)w->b.n;
}

static int walk_get_room(struct skep_walk *w)
{
	const struct mem *mem = &w->m->obj.k->mem;
	uint32_t room = w->room ? w->room * 2 : WALK_AHEAD;

	mem_free(mem, w->keys);
	w->room = 0;
	w->keys = mem->alloc(mem->arg, room * (w->m->key_size + w->value_size + 8));
	if (!w->keys)
		return -ENOMEM;
	w->values = w->keys + (((size_t)room * w->m->key_size + 7) & ~(size_t)7);
	w->room = room;
	return 0;
}

static int walk_fill(struct skep_walk *w)
{
	int64_t n = w->room ? 0 : -ENOSPC;

	do {
		if (n == -ENOSPC && walk_get_room(w) != 0)
			return -ENOMEM;
		n = skep_walk_read(w, w->keys, w->values, w->room);
	} while (n == -ENOSPC || (n == 0 && !w->ended));
	w->next = 0;
	w->there = n > 0 ? (uint32_t)n : 0;
	return n < 0 ? (int)n : 0;
}

int skep_walk_next(struct skep_walk *w, const void **key, const void **value)
{
	int err = w->next == w->there ? walk_fill(w) : 0;

	if (err || w->next == w->there)
		return err;
	*key = w->keys + (size_t)w->next * w->m->key_size;
	*value = w->values + w->next * w->value_size;
	w->next++;
	return 1;
}

/* --- Consumers ---------------------------------------------------------------------------- */

int64_t skep_ringbuf_consume(struct skep_map *map, int (*fn)(void *arg, const void *data,
                                                             size_t len),
                             void *arg)
{
	struct map *m = (struct map *)map;

	return m->ops->ring_consume ? m->ops->ring_consume(m, fn, arg) : -EINVAL;
}

int skep_map_event_fd(struct skep_map *map)
{
	return map_event_fd((struct map *)map);
}

void skep_events_settle(struct skep *k)
{
	map_events_settle(k);
}
