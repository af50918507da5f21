/* SPDX-License-Identifier: BSD-2-Clause */
/* See side_sys.h. Of maps without an order of keys, what depends on it is not part of a result. */
#include "side_sys.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "skep.h"

int side_bpf(struct side *s, int cmd, union bpf_attr *a)
{
	long ret;

	if (s->k)
		return skep_bpf(s->k, cmd, a, sizeof(*a));
	ret = syscall(SYS_bpf, cmd, a, sizeof(*a));
	return ret < 0 ? -errno : (int)ret;
}

static uint64_t bytes_digest(const uint8_t *bytes, size_t len)
{
	uint64_t h = len, word = 0;

	for (; len >= 8; len -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, bytes, len);
	return mix(h, word);
}

static const uint8_t *key_at(const struct side *s, const struct op *op, uint32_t more)
{
	return op->key == NO_KEY ? NULL : s->material->keys[(op->key + more) % KEYS];
}

/* The value of number v as bpf(2) moves it: another one for each CPU, or a descriptor. */
static void value_fill(const struct side *s, uint32_t v, uint8_t *out)
{
	size_t part = s->value_bytes == s->shape.value ? s->value_bytes : (s->shape.value + 7) & ~7u;

	if (s->fds) {
		memcpy(out, &s->fd[v % VALUES], 4);
		return;
	}
	for (size_t at = 0; at < s->value_bytes; at += part, v++) {
		const struct material *m = s->material;

		memcpy(out + at, m->large ? m->large + v % VALUES * part : m->values[v % VALUES],
		       part);
	}
}

static uint64_t value_digest(const struct side *s, const uint8_t *value)
{
	uint32_t id;

	uint64_t h = s->value_bytes;

	if (!s->fds) {
		/* Of each CPU's value what is value, not what is there to make it round. */
		for (size_t at = 0; at < s->value_bytes; at += (s->shape.value + 7) & ~7u)
			h = mix(h, bytes_digest(value + at, s->shape.value));
		return h;
	}
	memcpy(&id, value, 4);
	for (uint32_t i = 0; i < VALUES; i++)
		if (s->id[i] == id)
			return 1 + i;
	return id == 0xa5a5a5a5 ? id : UINT64_MAX;
}

static int element(struct side *s, int cmd, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr a = {.map_fd = (uint32_t)s->map, .key = (uintptr_t)key,
	                    .value = (uintptr_t)value, .flags = flags};

	return side_bpf(s, cmd, &a);
}

static struct result look_up(struct side *s, int cmd, const struct op *op)
{
	struct result r;

	memset(s->buffer, 0xa5, s->value_bytes);
	if (s->shape.type == BPF_MAP_TYPE_BLOOM_FILTER)
		value_fill(s, op->value, s->buffer);
	r.ret = element(s, cmd, key_at(s, op, 0), s->buffer, op->flags);
	r.digest = value_digest(s, s->buffer);
	return r;
}

static struct result next_key(struct side *s, const struct op *op)
{
	uint8_t next[KEY_MAX];
	struct result r;

	memset(next, 0xa5, sizeof(next));
	r.ret = element(s, BPF_MAP_GET_NEXT_KEY, s->ordered ? key_at(s, op, 0) : NULL, next, 0);
	r.digest = s->ordered ? bytes_digest(next, s->shape.key) : 0;
	return r;
}

/* Of an element that a walk met: as it comes, or so that the order does not matter. */
static void meet(const struct side *s, struct result *r, const uint8_t *key, const uint8_t *value)
{
	uint64_t h = mix(bytes_digest(key, s->shape.key), value_digest(s, value));

	r->digest = s->ordered ? mix(r->digest, h) : r->digest + mix(h, 3);
}

enum { WALK_MAX = 100000 };

/* Answers the number of elements, or what went wrong; `clear` deletes each. */
static struct result walk(struct side *s, bool clear)
{
	uint8_t keys[2][KEY_MAX];
	const void *at = NULL;
	struct result r = {0};
	int err = 0;

	for (int i = 0; i < WALK_MAX; i++) {
		uint8_t *key = keys[i & 1];

		err = element(s, BPF_MAP_GET_NEXT_KEY, at, key, 0);
		if (err)
			break;
		memset(s->buffer, 0xa5, s->value_bytes);
		element(s, BPF_MAP_LOOKUP_ELEM, key, s->buffer, 0);
		err = clear ? element(s, BPF_MAP_DELETE_ELEM, key, NULL, 0) : 0;
		if (err)
			break;
		meet(s, &r, key, s->buffer);
		r.ret++;
		at = key;
	}
	r.digest = mix(r.digest, (uint64_t)err);
	return r;
}

/* The whole map in batches of count; more when a bucket has more than that. */
static struct result batch_read(struct side *s, int cmd, const struct op *op)
{
	uint8_t *keys = s->buffer + s->value_bytes * BATCH_MAX;
	uint8_t token[2][KEY_MAX];
	uint32_t count = op->count;
	struct result r = {0};
	const void *at = NULL;

	for (int i = 0; i < WALK_MAX; i++) {
		union bpf_attr a = {.batch = {.map_fd = (uint32_t)s->map, .in_batch = (uintptr_t)at,
		                              .out_batch = (uintptr_t)token[i & 1], .count = count,
		                              .keys = (uintptr_t)keys, .values = (uintptr_t)s->buffer,
		                              .elem_flags = op->flags}};
		int err = side_bpf(s, cmd, &a);

		if (err == -ENOSPC && !s->ordered && count * 2 <= BATCH_MAX) {
			count *= 2;
			continue;
		}
		r.ret = err;
		if (err && err != -ENOENT)
			break;
		for (uint32_t n = 0; n < a.batch.count && n < BATCH_MAX; n++)
			meet(s, &r, keys + n * s->shape.key, s->buffer + n * s->value_bytes);
		at = token[i & 1];
		if (err || !a.batch.count)
			break;
	}
	return r;
}

static struct result batch_write(struct side *s, int cmd, const struct op *op)
{
	uint8_t *keys = s->buffer + s->value_bytes * BATCH_MAX;
	union bpf_attr a = {.batch = {.map_fd = (uint32_t)s->map, .count = op->count,
	                              .keys = (uintptr_t)keys, .values = (uintptr_t)s->buffer,
	                              .elem_flags = op->flags}};
	struct result r;

	for (uint32_t n = 0; n < op->count && n < BATCH_MAX; n++) {
		memcpy(keys + n * s->shape.key, s->material->keys[(op->key + n) % KEYS],
		       s->shape.key);
		value_fill(s, op->value + n, s->buffer + n * s->value_bytes);
	}
	r.ret = side_bpf(s, cmd, &a);
	r.digest = a.batch.count;
	return r;
}

/* Takes all complete records out of a ring buffer, as libbpf does. */
static struct result consume(struct side *s)
{
	_Atomic uint64_t *consumer = (void *)s->ring.pages;
	_Atomic uint64_t *producer = (void *)s->ring.data;
	const uint8_t *data = s->ring.data + sysconf(_SC_PAGESIZE);
	uint64_t at = atomic_load(consumer), end = atomic_load(producer);
	struct result r = {0};

	while (at < end) {
		const uint8_t *record = data + (at & s->ring.mask);
		uint32_t head;

		memcpy(&head, record, 4);
		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		r.digest = mix(r.digest, head);
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			r.digest = mix(r.digest, bytes_digest(record + 8, head));
			r.ret++;
		}
		at += ((head & ~BPF_RINGBUF_DISCARD_BIT) + 8 + 7) & ~7ull;
		atomic_store(consumer, at);
	}
	return r;
}

struct result side_sys(struct side *s, const struct op *op)
{
	struct result r = {0};

	switch ((enum op_name)op->name) {
	case OP_SYS_LOOKUP:
		return look_up(s, BPF_MAP_LOOKUP_ELEM, op);
	case OP_SYS_TAKE:
		return look_up(s, BPF_MAP_LOOKUP_AND_DELETE_ELEM, op);
	case OP_SYS_UPDATE:
		value_fill(s, op->value, s->buffer);
		r.ret = element(s, BPF_MAP_UPDATE_ELEM, key_at(s, op, 0), s->buffer, op->flags);
		return r;
	case OP_SYS_DELETE:
		r.ret = element(s, BPF_MAP_DELETE_ELEM, key_at(s, op, 0), NULL, op->flags);
		return r;
	case OP_SYS_NEXT:
		return next_key(s, op);
	case OP_SYS_WALK:
		return walk(s, false);
	case OP_SYS_CLEAR:
		return walk(s, true);
	case OP_SYS_BATCH_LOOKUP:
		return batch_read(s, BPF_MAP_LOOKUP_BATCH, op);
	case OP_SYS_BATCH_TAKE:
		return batch_read(s, BPF_MAP_LOOKUP_AND_DELETE_BATCH, op);
	case OP_SYS_BATCH_UPDATE:
		return batch_write(s, BPF_MAP_UPDATE_BATCH, op);
	case OP_SYS_BATCH_DELETE:
		return batch_write(s, BPF_MAP_DELETE_BATCH, op);
	case OP_SYS_CONSUME:
		return consume(s);
	case OP_SYS_FREEZE: {
		union bpf_attr a = {.map_fd = (uint32_t)s->map};

		r.ret = side_bpf(s, BPF_MAP_FREEZE, &a);
		return r;
	}
	default:
		r.ret = -9999;
		return r;
	}
}

/* A command that is there says of a descriptor that is none EBADF. */
uint64_t side_lacks(struct side *s)
{
	static const struct {
		int cmd;
		uint8_t op;
	} commands[] = {
		{BPF_MAP_LOOKUP_AND_DELETE_ELEM, OP_SYS_TAKE},
		{BPF_MAP_LOOKUP_BATCH, OP_SYS_BATCH_LOOKUP},
		{BPF_MAP_LOOKUP_AND_DELETE_BATCH, OP_SYS_BATCH_TAKE},
		{BPF_MAP_UPDATE_BATCH, OP_SYS_BATCH_UPDATE},
		{BPF_MAP_DELETE_BATCH, OP_SYS_BATCH_DELETE},
	};
	uint64_t lacks = 0;

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		union bpf_attr a = {.map_fd = UINT32_MAX};

		if (commands[i].cmd != BPF_MAP_LOOKUP_AND_DELETE_ELEM)
			a = (union bpf_attr){.batch = {.map_fd = UINT32_MAX}};
		if (side_bpf(s, commands[i].cmd, &a) != -EBADF)
			lacks |= 1ull << commands[i].op;
	}
	return lacks;
}
