/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking hash maps many elements at a time, for bpf(2)'s BATCH commands and skep.h.
 *
 * The kernel's place in such a walk is the number of a bucket, one for each element that the map may
 * have, rounded up to a power of two, and a bucket is copied whole or not at all. Our groups are eight
 * times as large. So a bucket is a part of a group: the elements whose hash has certain three bits.
 * Where all of a group fits, nothing needs to be told apart.
 *
 * What stays in the map while a walk is under way is found exactly once, whatever else comes and goes.
 */
#include <errno.h>
#include <string.h>

#include "maps/hash.h"

enum { PART_BITS = 3, PART_SHIFT = 40, ALL_PARTS = 1 << PART_BITS };

struct walk {
	struct map *m;
	const struct table *t;
	uint32_t parts; /* of each group: less than ALL_PARTS only in maps of less than eight */
	struct map_batch *b;
};

/* The elements of a group, in order. The group's lock is held. */
struct cursor {
	const struct table *t;
	const struct group *g;
	int place;
	uint32_t ref; /* in the chain */
};

static uint32_t cursor_next(struct cursor *c)
{
	while (c->place < GROUP_PLACES) {
		uint64_t tags = atomic_load_explicit(&c->g->tags[c->place >= 8],
		                                     memory_order_relaxed);
		int place = c->place++;

		if (tags >> (place % 8 * 8) & 0xff)
			return atomic_load_explicit(&c->g->elem[place], memory_order_relaxed);
	}
	if (c->place++ == GROUP_PLACES)
		c->ref = (uint32_t)(atomic_load_explicit(&c->g->tags[1],
		                                         memory_order_relaxed) >> 32);
	else if (c->ref)
		c->ref = atomic_load_explicit(&table_elem(c->t, c->ref)->link,
		                              memory_order_relaxed);
	return c->ref;
}

static uint32_t part_of(const struct walk *w, uint32_t ref)
{
	uint64_t hash = table_hash(w->t, table_elem(w->t, ref)->key, w->t->key_size);

	return hash >> PART_SHIFT & (w->parts - 1);
}

static void read_element(struct walk *w, uint32_t ref)
{
	struct map *m = w->m;
	struct map_batch *b = w->b;
	uint8_t *value = b->values + b->n * map_value_size(m);

	copy_from_shared(b->keys + (size_t)b->n * m->key_size, table_elem(w->t, ref)->key,
	                 m->key_size);
	b->n++;
	if (b->take)
		return;
	if (m->ops->get_id)
		memcpy(value, &(*(struct map **)table_value(w->t, ref, 0))->obj.id, 4);
	else
		hash_read_value(m, ref, value, b->flags);
}

/* Elements of each part of a group, and of all. */
static uint32_t count_parts(const struct walk *w, const struct group *g, uint32_t n[ALL_PARTS])
{
	struct cursor c = {.t = w->t, .g = g};
	uint32_t ref, all = 0;

	memset(n, 0, ALL_PARTS * sizeof(n[0]));
	while ((ref = cursor_next(&c))) {
		n[part_of(w, ref)]++;
		all++;
	}
	return all;
}

static uint32_t count_all(const struct walk *w, const struct group *g)
{
	struct cursor c = {.t = w->t, .g = g};
	uint32_t all = 0;

	while (cursor_next(&c))
		all++;
	return all;
}

/* Copies the parts of a group from `part` on that fit, and answers the first that does not. */
static uint32_t read_group(struct walk *w, const struct group *g, uint32_t part)
{
	struct cursor c = {.t = w->t, .g = g};
	uint32_t room = w->b->room - w->b->n, ref, end = part, n[ALL_PARTS];
	bool whole = part == 0 && count_all(w, g) <= room;

	if (whole) {
		end = w->parts;
	} else {
		count_parts(w, g, n);
		for (; end < w->parts && n[end] <= room; end++)
			room -= n[end];
	}
	while (end > part && (ref = cursor_next(&c)))
		if (whole || (part_of(w, ref) >= part && part_of(w, ref) < end))
			read_element(w, ref);
	return end;
}

/* Deletes elements [from, b->n) and keeps those that nobody else has deleted meanwhile. */
static void take_elements(struct walk *w, uint32_t from)
{
	struct map *m = w->m;
	struct map_batch *b = w->b;
	size_t value_size = map_value_size(m);
	uint32_t n = from;

	for (uint32_t i = from; i < b->n; i++) {
		uint8_t *key = b->keys + (size_t)i * m->key_size;
		uint8_t *value = b->values + n * value_size;

		if (m->ops->get_id ? map_lookup_id(m, key, value, 0) || map_delete(m, key)
		                   : map_take(m, key, value, b->flags) != 0)
			continue;
		memmove(b->keys + (size_t)n * m->key_size, key, m->key_size);
		n++;
	}
	b->n = n;
}

static void prefetch_elements(const struct table *t, uint32_t group)
{
	const struct group *g = &t->groups[group & t->group_mask];

	for (int place = 0; place < GROUP_PLACES; place++)
		__builtin_prefetch(table_elem(t, atomic_load_explicit(&g->elem[place],
		                                                      memory_order_relaxed)));
}

int hash_batch(struct map *m, struct map_batch *b)
{
	enum { AHEAD = 2 };
	struct table *t = &hash_of(m)->table;
	struct walk w = {.m = m, .t = t, .b = b, .parts = ALL_PARTS};
	uint32_t at, group, part, end;

	while (w.parts > 1 && m->max_entries <= w.parts / 2)
		w.parts /= 2;
	memcpy(&at, b->at, sizeof(at));
	group = at / w.parts;
	part = at % w.parts;
	for (; group <= t->group_mask; group++, part = 0) {
		struct group *g = &t->groups[group];
		uint32_t from = b->n;

		prefetch_elements(t, group + AHEAD);
		if (!atomic_load_explicit(&g->tags[0], memory_order_relaxed) &&
		    !atomic_load_explicit(&g->tags[1], memory_order_relaxed))
			continue;
		group_lock(g);
		end = read_group(&w, g, part);
		group_unlock(g);
		if (b->take)
			take_elements(&w, from);
		if (end < w.parts) {
			at = group * w.parts + end;
			memcpy(b->at, &at, sizeof(at));
			return b->n ? 0 : -ENOSPC;
		}
	}
	at = (t->group_mask + 1) * w.parts;
	memcpy(b->at, &at, sizeof(at));
	return -ENOENT;
}
