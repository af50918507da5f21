/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers. bpf_ringbuf_submit() and _discard() get nothing but the record: its ring is looked
 * for among the maps of the program, because what stands in front of the record is memory that
 * clients may map, and no address is taken from there.
 */
#include <errno.h>

#include "core/dynptr.h"
#include "core/map.h"
#include "core/prog.h"
#include "helpers/helpers.h"

static struct map *map_of(uint64_t r)
{
	return (struct map *)(uintptr_t)r;
}

HELPER_FN(ringbuf_output)
{
	struct map *m = map_of(r1);

	if (!m->ops->ring_output)
		return (uint64_t)-ENOTSUPP;
	return (uint64_t)m->ops->ring_output(m, (const void *)(uintptr_t)r2, r3, r4);
}

HELPER_FN(ringbuf_reserve)
{
	struct map *m = map_of(r1);

	return m->ops->ring_reserve ? (uintptr_t)m->ops->ring_reserve(m, r2, r3) : 0;
}

struct record {
	void *data;
	uint64_t flags;
	bool discard;
};

static bool finish_in(struct map *m, void *arg)
{
	const struct record *r = arg;

	return m->ops->ring_finish && m->ops->ring_finish(m, r->data, r->flags, r->discard);
}

static void finish(struct cpu *cpu, uint64_t record, uint64_t flags, bool discard)
{
	struct record r = {(void *)(uintptr_t)record, flags, discard};

	map_any(cpu->prog->maps, cpu->prog->nmaps, finish_in, &r);
}

HELPER_FN(ringbuf_submit)
{
	finish(cpu, r1, r2, false);
	return 0;
}

HELPER_FN(ringbuf_discard)
{
	finish(cpu, r1, r2, true);
	return 0;
}

HELPER_FN(ringbuf_query)
{
	struct map *m = map_of(r1);

	return m->ops->ring_query ? m->ops->ring_query(m, r2) : 0;
}

/* A failure leaves a dynptr of no memory, which may be submitted or discarded. */
HELPER_FN(ringbuf_reserve_dynptr)
{
	struct map *m = map_of(r1);
	struct dynptr *d = (struct dynptr *)(uintptr_t)r4;
	uint32_t size = (uint32_t)r2;
	void *record;

	dynptr_clear(d);
	if (r3)
		return (uint64_t)-EINVAL;
	if (size > DYNPTR_MAX_SIZE)
		return (uint64_t)-E2BIG;
	record = m->ops->ring_reserve ? m->ops->ring_reserve(m, size, 0) : NULL;
	if (!record)
		return (uint64_t)-EINVAL;
	dynptr_init(d, record, DYNPTR_RINGBUF, 0, size);
	return 0;
}

static void finish_dynptr(struct cpu *cpu, uint64_t dynptr, uint64_t flags, bool discard)
{
	struct dynptr *d = (struct dynptr *)(uintptr_t)dynptr;

	if (d->data)
		finish(cpu, (uintptr_t)d->data, flags, discard);
	dynptr_clear(d);
}

HELPER_FN(ringbuf_submit_dynptr)
{
	finish_dynptr(cpu, r1, r2, false);
	return 0;
}

HELPER_FN(ringbuf_discard_dynptr)
{
	finish_dynptr(cpu, r1, r2, true);
	return 0;
}

HELPER_FN(user_ringbuf_drain)
{
	struct map *m = map_of(r1);

	if (!m->ops->user_ring_drain)
		return (uint64_t)-ENOTSUPP;
	return (uint64_t)m->ops->user_ring_drain(m, (struct callback *)(uintptr_t)r2, r3, r4, cpu);
}
