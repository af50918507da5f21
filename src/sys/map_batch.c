/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s BATCH commands on maps.
 *
 * The caller's arrays of keys and values are moved in pieces. How far a command came is written to
 * `count`, which is 0 from the start, so that whoever gets EFAULT knows that nothing was promised.
 * The rules, which are Linux 6.18's:
 *
 *   - A place in a walk is 4 bytes for hash maps, and for all others the latest key.
 *   - What is left of a hash map may not fit: ENOSPC, and the caller comes again with more room.
 *   - ENOENT is the end of a walk; what was read before counts.
 *   - Updates and deletions stop at the first that fails.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/map.h"

enum { PIECE = 1 << 16 }; /* bytes of keys and values moved at a time, at least one element */

struct batch {
	struct call *call;
	struct map *m;
	size_t value_size;
	uint32_t done;
	/* A piece. */
	uint8_t *keys, *values;
	uint32_t room;
};

static const struct attr_map_batch *attr_of(const struct batch *b)
{
	return &b->call->a.batch;
}

static int answer_count(struct batch *b, uint32_t n)
{
	return call_answer(b->call, offsetof(struct attr_map_batch, count), n);
}

static int get_room(struct batch *b, uint32_t room)
{
	const struct mem *mem = &b->m->obj.k->mem;
	size_t each = b->m->key_size + b->value_size;

	if (room <= b->room)
		return 0;
	mem_free(mem, b->keys);
	b->keys = mem->alloc(mem->arg, room * each);
	if (!b->keys)
		return -ENOMEM;
	b->values = b->keys + (size_t)room * b->m->key_size;
	b->room = room;
	return 0;
}

static uint32_t first_room(const struct batch *b)
{
	size_t fit = PIECE / (b->m->key_size + b->value_size);
	uint32_t count = attr_of(b)->count;

	return fit < 1 ? 1 : fit < count ? (uint32_t)fit : count;
}

/*
 * What all four do first. op: MAP_BATCH_...; 0 and *b filled in, 1 when there is nothing to do, or the
 * errno of the command.
 */
static int begin(struct batch *b, struct call *call, unsigned op, unsigned access)
{
	const struct attr_map_batch *a = &call->a.batch;
	bool lock = a->elem_flags & BPF_F_LOCK;
	int err;

	*b = (struct batch){.call = call};
	err = map_of_fd(call, a->map_fd, access, &b->m);
	if (err)
		return err;
	b->value_size = map_value_size(b->m);
	if (!(b->m->ops->batches & op))
		err = -ENOTSUPP;
	else if (a->elem_flags & ~(uint64_t)BPF_F_LOCK)
		err = -EINVAL;
	else if (lock)
		err = map_flags_check(b->m, a->elem_flags);
	/* Only a walk over places looks at these. */
	if (!err && b->m->ops->batch && op & (MAP_BATCH_LOOKUP | MAP_BATCH_TAKE) && a->flags)
		err = -EINVAL;
	if (!err && !a->count)
		err = 1;
	if (!err)
		err = answer_count(b, 0);
	if (!err)
		err = get_room(b, first_room(b));
	if (err)
		obj_put(&b->m->obj);
	return err;
}

static int end(struct batch *b, int err)
{
	mem_free(&b->m->obj.k->mem, b->keys);
	obj_put(&b->m->obj);
	return err;
}

/* --- Reading ------------------------------------------------------------------------------ */

static int write_piece(struct batch *b, uint32_t n)
{
	const struct attr_map_batch *a = attr_of(b);
	size_t key_size = b->m->key_size;
	int err = client_write(b->call->c, a->keys + b->done * key_size, b->keys, n * key_size);

	if (!err)
		err = client_write(b->call->c, a->values + b->done * b->value_size, b->values,
		                   n * b->value_size);
	if (!err)
		b->done += n;
	return err;
}

/* 0: the caller's room is full; -ENOENT, -ENOSPC as map_batch_read(), other errors end all. */
static int read_pieces(struct batch *b, struct map_batch *walk)
{
	uint32_t count = attr_of(b)->count, left;
	int err = 0, write_err;

	while (!err && (left = count - b->done)) {
		walk->keys = b->keys;
		walk->values = b->values;
		walk->room = left < b->room ? left : b->room;
		err = map_batch_read(b->m, walk);
		if (err == -ENOSPC && walk->room < left) {
			err = get_room(b, b->room <= left / 2 ? b->room * 2 : left);
			continue;
		}
		if (err && err != -ENOENT)
			break;
		write_err = write_piece(b, walk->n);
		if (write_err)
			return write_err;
	}
	if (err == -ENOSPC && b->done)
		return 0;
	return err;
}

static int answer_walk(struct batch *b, struct map_batch *walk, int err)
{
	const struct attr_map_batch *a = attr_of(b);
	int write_err = answer_count(b, b->done);

	/* Without an element there is no latest key. */
	if (!write_err && (b->done || b->m->ops->batch))
		write_err = client_write(b->call->c, a->out_batch, walk->at, map_token_size(b->m));
	return write_err ? write_err : err;
}

static int read_all(struct batch *b, bool take)
{
	const struct attr_map_batch *a = attr_of(b);
	const struct mem *mem = &b->m->obj.k->mem;
	size_t size = map_token_size(b->m);
	struct map_batch walk = {
		.at = mem_zalloc(mem, size), .first = !a->in_batch, .take = take,
		.flags = a->elem_flags};
	int err = walk.at ? 0 : -ENOMEM;

	if (!err && a->in_batch)
		err = client_read(b->call->c, walk.at, a->in_batch, size);
	if (!err) {
		err = read_pieces(b, &walk);
		if (err != -EFAULT && err != -ENOMEM)
			err = answer_walk(b, &walk, err);
	}
	mem_free(mem, walk.at);
	return err;
}

static int lookup_batch(struct call *call, unsigned op, unsigned access)
{
	struct batch b;
	int err = begin(&b, call, op, access);

	if (err)
		return err < 0 ? err : 0;
	return end(&b, read_all(&b, op == MAP_BATCH_TAKE));
}

int cmd_map_lookup_batch(struct call *call)
{
	return lookup_batch(call, MAP_BATCH_LOOKUP, ACCESS_R);
}

int cmd_map_take_batch(struct call *call)
{
	return lookup_batch(call, MAP_BATCH_TAKE, ACCESS_RW);
}

/* --- Writing ------------------------------------------------------------------------------ */

static int read_piece(struct batch *b, uint32_t n, bool values)
{
	const struct attr_map_batch *a = attr_of(b);
	size_t key_size = b->m->key_size;
	int err = client_read(b->call->c, b->keys, a->keys + b->done * key_size, n * key_size);

	if (!err && values)
		err = client_read(b->call->c, b->values, a->values + b->done * b->value_size,
		                  n * b->value_size);
	return err;
}

static int write_one(struct batch *b, uint32_t i, bool update)
{
	const uint8_t *key = b->keys + (size_t)i * b->m->key_size;

	return update ? map_set_element(b->call, b->m, key, b->values + i * b->value_size,
	                                attr_of(b)->elem_flags)
	              : map_delete(b->m, key);
}

static int write_all(struct batch *b, bool update)
{
	uint32_t count = attr_of(b)->count, most = b->room;
	int err = 0, count_err;

	while (!err && b->done < count) {
		uint32_t n = count - b->done < most ? count - b->done : most;

		err = read_piece(b, n, update);
		if (err == -EFAULT && n > 1) { /* what comes before the bad address counts */
			most = 1;
			err = 0;
			continue;
		}
		for (uint32_t i = 0; !err && i < n; i++) {
			err = write_one(b, i, update);
			b->done += !err;
		}
	}
	count_err = answer_count(b, b->done);
	return count_err ? count_err : err;
}

static int write_batch(struct call *call, unsigned op)
{
	struct batch b;
	int err = begin(&b, call, op, ACCESS_W);

	if (err)
		return err < 0 ? err : 0;
	return end(&b, write_all(&b, op == MAP_BATCH_UPDATE));
}

int cmd_map_update_batch(struct call *call)
{
	return write_batch(call, MAP_BATCH_UPDATE);
}

int cmd_map_delete_batch(struct call *call)
{
	return write_batch(call, MAP_BATCH_DELETE);
}
