/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User ring buffers: user space produces, programs drain.
 *
 * The file is laid out as that of a ring buffer (ringbuf.c), with the roles exchanged: clients may
 * write all but the first page, which holds the consumer's position. A record that wraps goes on
 * behind the end of the data, where the file is as long again.
 *
 * What can be trusted: nothing in there. The position from which programs read is kept in private
 * memory, and a record's length is loaded once, checked against the ring and what has been produced;
 * its bytes may change while a program looks at them, as in the kernel.
 *
 * One program drains at a time: a second one is told that the ring is busy.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/dynptr.h"
#include "maps/maps.h"

enum {
	HEADER = 8,
	RECORDS_MAX = 128 * 1024, /* in one drain */
};

#define RECORD_BUSY 0x80000000u
#define RECORD_DISCARD 0x40000000u

struct map_user_ring {
	struct map map;
	uint64_t mask;
	size_t page;
	uint8_t *data;
	_Atomic uint64_t *shared_consumer, *producer; /* in shared pages */
	_Atomic uint64_t consumer; /* written by who drains */
	_Atomic bool draining;
};

static struct map_user_ring *ring_of(const struct map *m)
{
	return (struct map_user_ring *)m;
}

static int ring_check(const struct skep *k, const struct map_attr *attr)
{
	uint32_t size = attr->max_entries;

	(void)k;
	if ((attr->flags & ~(uint32_t)BPF_F_NUMA_NODE) || attr->key_size || attr->value_size ||
	    (size & (size - 1)) || size == 0 || size % (uint32_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	return 0;
}

static int ring_init(struct map *m, const struct map_attr *attr)
{
	struct map_user_ring *r = ring_of(m);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *base;
	int err = pages_alloc(&m->pages, &m->obj.k->mem, "bpf-map",
	                      2 * page + 2 * (size_t)attr->max_entries);

	if (err)
		return err;
	base = m->pages.base;
	r->page = page;
	r->mask = attr->max_entries - 1;
	r->shared_consumer = (_Atomic uint64_t *)base;
	r->producer = (_Atomic uint64_t *)(base + page);
	r->data = base + 2 * page;
	/* The second half is there for records that wrap; the kernel has it twice in the tables. */
	m->memory = sizeof(*r) + 2 * page + attr->max_entries;
	return 0;
}

struct record {
	const uint8_t *data;
	uint32_t len;
	uint64_t end; /* the position behind it */
};

/* The next record. -ENODATA, -EAGAIN: one to be skipped; -EINVAL, -E2BIG: what cannot be one. */
static int peek(struct map_user_ring *r, struct record *rec)
{
	uint64_t producer = atomic_load_explicit(r->producer, memory_order_acquire);
	uint64_t pos = atomic_load_explicit(&r->consumer, memory_order_relaxed), total;
	uint8_t *header = r->data + (pos & r->mask);
	uint32_t word;

	if (producer & 7)
		return -EINVAL;
	if (pos >= producer)
		return -ENODATA;
	word = atomic_load_explicit((_Atomic uint32_t *)header, memory_order_acquire);
	rec->len = word & ~(RECORD_BUSY | RECORD_DISCARD);
	total = ((uint64_t)rec->len + HEADER + 7) & ~(uint64_t)7;
	if (total > producer - pos)
		return -EINVAL;
	if (total > r->mask + 1)
		return -E2BIG;
	rec->data = header + HEADER;
	rec->end = pos + total;
	if (word & RECORD_BUSY)
		return -ENODATA;
	return word & RECORD_DISCARD ? -EAGAIN : 0;
}

static void move_to(struct map_user_ring *r, uint64_t pos)
{
	atomic_store_explicit(&r->consumer, pos, memory_order_relaxed);
	atomic_store_explicit(r->shared_consumer, pos, memory_order_release);
}

/* How many records fn saw, or what was wrong with the next; *moved: was anything consumed? */
static int64_t drain(struct map_user_ring *r, struct callback *fn, uint64_t arg, struct cpu *cpu,
                     bool *moved)
{
	int64_t n = 0;

	for (int i = 0; i < RECORDS_MAX; i++) {
		struct record rec = {0};
		struct dynptr d;
		int err = peek(r, &rec);
		uint64_t stop;

		if (err == -ENODATA)
			break;
		if (err && err != -EAGAIN)
			return err;
		*moved = true;
		if (err) {
			move_to(r, rec.end);
			continue;
		}
		dynptr_init(&d, (void *)rec.data, DYNPTR_LOCAL, 0, rec.len);
		stop = fn->call((uintptr_t)&d, arg, 0, 0, 0, cpu, fn);
		move_to(r, rec.end);
		n++;
		if (stop)
			break;
	}
	return n;
}

static int64_t ring_drain(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                          struct cpu *cpu)
{
	struct map_user_ring *r = ring_of(m);
	bool moved = false;
	int64_t ret;

	if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	if (atomic_exchange_explicit(&r->draining, true, memory_order_acquire))
		return -EBUSY;
	ret = drain(r, fn, arg, cpu, &moved);
	atomic_store_explicit(&r->draining, false, memory_order_release);
	if ((flags & BPF_RB_FORCE_WAKEUP) || (moved && !(flags & BPF_RB_NO_WAKEUP)))
		map_wake(m);
	return ret;
}

/* Its descriptor is for writing: is there room? */
static bool ring_has_room(const struct map *m)
{
	const struct map_user_ring *r = ring_of(m);
	uint64_t producer = atomic_load_explicit(r->producer, memory_order_acquire);

	return producer - atomic_load_explicit(&r->consumer, memory_order_acquire) <= r->mask;
}

/* What a program reads through the dynptr of a record. */
static bool ring_region(struct map *m, uintptr_t addr, struct region *region)
{
	const struct map_user_ring *r = ring_of(m);
	size_t size = 2 * (r->mask + 1);

	if (addr - (uintptr_t)r->data >= size)
		return false;
	*region = (struct region){.start = (uintptr_t)r->data,
	                          .size = size,
	                          .writable = true,
	                          .name = "user ring buffer"};
	return true;
}

/* The consumer page may be read only. */
static int ring_mmap_ok(const struct map *m, uint64_t offset, uint64_t len, bool write)
{
	const struct map_user_ring *r = ring_of(m);

	if (write && offset < r->page)
		return -EPERM;
	return offset > m->pages.size || len > m->pages.size - offset ? -EINVAL : 0;
}

const struct map_ops map_user_ringbuf_ops = {
	.name = "user_ringbuf",
	.size = sizeof(struct map_user_ring),
	.check = ring_check,
	.init = ring_init,
	.region = ring_region,
	.user_ring_drain = ring_drain,
	.mmap_ok = ring_mmap_ok,
	.readable = ring_has_room,
};
