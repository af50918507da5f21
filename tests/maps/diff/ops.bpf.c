// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs that carry out lists of operations on one map: `ops` in, `results` out. The test gives
 * the map `subject` its type and sizes, and loads the programs that the kernel has for such a type.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "ops.h"

char _license[] SEC("license") = "GPL";

/* Set before loading, so that the verifier knows them. */
const volatile uint32_t value_size = 8;
const volatile uint32_t lock_at = 0;  /* where the lock is in a value that has one */
const volatile uint32_t plain_at = 0; /* a byte of it that is not the lock */

struct shared shared;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 1);
} subject SEC(".maps");

static __always_inline void answer(uint32_t i, int64_t ret, uint64_t read)
{
	struct result *r = &shared.results[i & (RUN_OPS - 1)];

	r->ret = ret;
	r->digest = read;
}

#define KEY(op) (shared.keys[(op)->key & (KEYS - 1)])
#define VALUE(op) (shared.values[(op)->value & (VALUES - 1)])

static __always_inline void found(uint32_t i, const uint8_t *value)
{
	answer(i, value != 0, value ? digest(value, value_size) : 0);
}

#define PROGRAM(name) \
	SEC("xdp") int name(struct xdp_md *ctx) \
	{ \
		bpf_loop(shared.nops, step_##name, 0, 0); \
		return XDP_PASS; \
	}

#define STEP(name) static long step_##name(uint32_t i, void *arg)
#define OP_OF(i) (&shared.ops[(i) & (RUN_OPS - 1)])

STEP(do_lookup)
{
	const struct op *op = OP_OF(i);
	uint8_t *value = bpf_map_lookup_elem(&subject, KEY(op));

	found(i, value);
	if (value && op->name == OP_WRITE) {
		value[0] = op->value;
		value[value_size - 1] += op->value;
	}
	return 0;
}
PROGRAM(do_lookup)

STEP(do_update)
{
	const struct op *op = OP_OF(i);

	if (op->name == OP_UPDATE)
		answer(i, bpf_map_update_elem(&subject, KEY(op), VALUE(op), op->flags), 0);
	else
		answer(i, bpf_map_delete_elem(&subject, KEY(op)), 0);
	return 0;
}
PROGRAM(do_update)

STEP(do_percpu)
{
	const struct op *op = OP_OF(i);

	found(i, bpf_map_lookup_percpu_elem(&subject, KEY(op), op->count));
	return 0;
}
PROGRAM(do_percpu)

struct bpf_map;

struct each {
	uint64_t digest;
	uint32_t left;
};

static long one(struct bpf_map *map, const void *key, uint8_t *value, struct each *each)
{
	each->digest += digest(value, value_size);
	return each->left-- == 1;
}

STEP(do_each)
{
	const struct op *op = OP_OF(i);
	/* To the end, or of unordered maps only how far it got. */
	struct each each = {.left = op->count};
	int64_t ret = bpf_for_each_map_elem(&subject, one, &each, op->flags);

	answer(i, ret, op->count ? 0 : each.digest);
	return 0;
}
PROGRAM(do_each)

STEP(do_queue)
{
	const struct op *op = OP_OF(i);
	int64_t ret;

	if (op->name == OP_PUSH) {
		answer(i, bpf_map_push_elem(&subject, VALUE(op), op->flags), 0);
		return 0;
	}
	if (op->name == OP_POP)
		ret = bpf_map_pop_elem(&subject, shared.taken);
	else
		ret = bpf_map_peek_elem(&subject, shared.taken);
	answer(i, ret, digest(shared.taken, value_size));
	return 0;
}
PROGRAM(do_queue)

STEP(do_bloom)
{
	const struct op *op = OP_OF(i);

	if (op->name == OP_ADD)
		answer(i, bpf_map_push_elem(&subject, VALUE(op), op->flags), 0);
	else
		answer(i, bpf_map_peek_elem(&subject, VALUE(op)), 0);
	return 0;
}
PROGRAM(do_bloom)

STEP(do_inner)
{
	const struct op *op = OP_OF(i);
	void *map = bpf_map_lookup_elem(&subject, KEY(op));
	uint32_t zero = 0;
	uint64_t *value = map ? bpf_map_lookup_elem(map, &zero) : 0;

	answer(i, (map != 0) + (value != 0), value ? *value : 0);
	return 0;
}
PROGRAM(do_inner)

static __always_inline int64_t ring_record(const struct op *op, void *record, uint32_t size)
{
	if (!record)
		return 0;
	__builtin_memcpy(record, VALUE(op), size);
	if (op->name == OP_SUBMIT)
		bpf_ringbuf_submit(record, op->flags);
	else
		bpf_ringbuf_discard(record, op->flags);
	return 1;
}

STEP(do_ring)
{
	const struct op *op = OP_OF(i);

	switch (op->name) {
	case OP_OUTPUT:
		answer(i, bpf_ringbuf_output(&subject, VALUE(op), op->count & (VALUE_MAX - 1),
		                             op->flags), 0);
		break;
	case OP_QUERY:
		answer(i, bpf_ringbuf_query(&subject, op->flags), 0);
		break;
	default:
		switch (op->count & 3) {
		case 0:
			answer(i, ring_record(op, bpf_ringbuf_reserve(&subject, 8, 0), 8), 0);
			break;
		case 1:
			answer(i, ring_record(op, bpf_ringbuf_reserve(&subject, 3, 0), 3), 0);
			break;
		case 2:
			answer(i, ring_record(op, bpf_ringbuf_reserve(&subject, 100, 0), 100), 0);
			break;
		default:
			answer(i, ring_record(op, bpf_ringbuf_reserve(&subject, 700, 0), 700), 0);
		}
	}
	return 0;
}
PROGRAM(do_ring)

STEP(do_locked)
{
	const struct op *op = OP_OF(i);
	uint8_t *value = bpf_map_lookup_elem(&subject, KEY(op));
	uint8_t now;

	if (!value) {
		answer(i, 0, 0);
		return 0;
	}
	bpf_spin_lock((struct bpf_spin_lock *)(value + lock_at));
	value[plain_at] += op->value;
	now = value[plain_at];
	bpf_spin_unlock((struct bpf_spin_lock *)(value + lock_at));
	answer(i, 1, now);
	return 0;
}
PROGRAM(do_locked)
