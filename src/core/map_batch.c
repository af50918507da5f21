/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks over maps, many elements at a time: see map_batch_read() in map.h.
 *
 * Types whose elements have an order of places (hash maps) walk themselves; of all others the place is
 * the latest key, and the walk is next_key and a look-up for each.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"

size_t map_token_size(const struct map *m)
{
	return m->ops->batch ? sizeof(uint32_t) : m->key_size;
}

int map_lookup_id(struct map *m, const void *key, void *value, uint64_t flags)
{
	uint32_t id;

	if (!m->ops->get_id)
		return map_lookup(m, key, value, flags);
	id = m->ops->get_id(m, key);
	if (!id)
		return -ENOENT;
	memcpy(value, &id, sizeof(id));
	return 0;
}

/* An element that went between finding its key and looking it up is left out. */
static int read_by_keys(struct map *m, struct map_batch *b)
{
	size_t value_size = map_value_size(m);
	const void *latest = b->first ? NULL : b->at;
	int err = 0;

	while (b->n < b->room) {
		uint8_t *key = b->keys + (size_t)b->n * m->key_size;

		err = map_next_key(m, latest, key);
		if (err)
			break;
		memcpy(b->at, key, m->key_size);
		latest = b->at;
		err = map_lookup_id(m, key, b->values + b->n * value_size, b->flags);
		if (err && err != -ENOENT)
			break;
		b->n += !err;
		err = 0;
	}
	if (latest)
		b->first = false;
	return err;
}

int map_batch_read(struct map *m, struct map_batch *b)
{
	int err;

	b->n = 0;
	if (!m->ops->batch)
		return read_by_keys(m, b);
	if (b->first)
		memset(b->at, 0, sizeof(uint32_t));
	err = m->ops->batch(m, b);
	b->first = false;
	return err;
}
