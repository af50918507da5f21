/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: many producers (programs), one consumer in user space that maps the pages.
 *
 * The file that clients map, as libbpf expects it:
 *
 *   | consumer page | producer page | data, max_entries bytes | the same again |
 *     position 8      position 8
 *
 * The kernel maps the data twice so that a record that wraps is contiguous. A file cannot alias its
 * own pages, and need not: a record that begins before the end of the data simply continues behind
 * it, and nobody reads its tail through the first half.
 *
 * A record is an 8-byte header (length with the bits BUSY and DISCARD; distance of its page from
 * the start of the ring, in pages) and the data, rounded up to 8. Positions only grow.
 *
 * What can be trusted. Clients may write what they map, so the positions that decide where programs
 * write live here, in private memory; the shared producer position is a copy. From the shared pages
 * come only the consumer's position and the lengths of finished records, and both can do no more
 * than make a reservation fail, or give away again a place that the client itself has spoilt.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "maps/maps.h"

#define RING_BUSY 0x80000000u
#define RING_DISCARD 0x40000000u

enum {
	HEADER = 8,
	RECORD_MAX = UINT32_MAX / 4, /* the two bits above it are taken */
};

struct header {
	_Atomic uint32_t len;
	uint32_t page_off;
};

struct map_ring {
	struct map map;
	uint64_t mask;
	size_t page;
	uint8_t *data;
	_Atomic uint64_t *consumer, *shared_producer; /* in shared pages */
	/* Under map.lock; producer may be read without. */
	_Atomic uint64_t producer;
	uint64_t pending; /* the oldest record that is still busy, or producer */
};

static struct map_ring *ring_of(const struct map *m)
{
	return (struct map_ring *)m;
}

static int ring_check(const struct skep *k, const struct map_attr *attr)
{
	uint32_t size = attr->max_entries;

	(void)k;
	if (attr->flags & ~(uint32_t)BPF_F_NUMA_NODE)
		return -EINVAL;
	if (attr->key_size || attr->value_size || !size || (size & (size - 1)) ||
	    size % (uint32_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	return 0;
}

static int ring_init(struct map *m, const struct map_attr *attr)
{
	struct map_ring *r = ring_of(m);
	uint8_t *base;
	int err;

	(void)attr;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->mask = m->max_entries - 1;
	err = pages_alloc(&m->pages, &m->obj.k->mem, "bpf-map",
	                  2 * r->page + 2 * (size_t)m->max_entries);
	if (err)
		return err;
	base = m->pages.base;
	r->consumer = (_Atomic uint64_t *)base;
	r->shared_producer = (_Atomic uint64_t *)(base + r->page);
	r->data = base + 2 * r->page;
	m->memory = sizeof(*r) + 2 * r->page + m->max_entries;
	return 0;
}

static struct header *header_at(const struct map_ring *r, uint64_t pos)
{
	return (struct header *)(r->data + (pos & r->mask));
}

static uint64_t record_size(uint32_t len)
{
	return ((uint64_t)(len & ~(RING_BUSY | RING_DISCARD)) + HEADER + 7) & ~(uint64_t)7;
}

/* --- Producing --------------------------------------------------------------------------- */

/* Moves pending past what has been finished. */
static void advance_pending(struct map_ring *r, uint64_t producer)
{
	uint64_t pos = r->pending;

	while (pos < producer) {
		uint32_t len = atomic_load_explicit(&header_at(r, pos)->len, memory_order_relaxed);

		if (len & RING_BUSY)
			break;
		pos += record_size(len);
	}
	r->pending = pos < producer ? pos : producer;
}

/* A busy record of size bytes, or NULL: no room. */
static struct header *reserve(struct map_ring *r, uint64_t size)
{
	struct header *h = NULL;
	uint64_t consumer, producer, end;

	if (size > RECORD_MAX || record_size((uint32_t)size) > r->mask + 1)
		return NULL;
	consumer = atomic_load_explicit(r->consumer, memory_order_acquire);
	lock_take(&r->map.lock);
	producer = atomic_load_explicit(&r->producer, memory_order_relaxed);
	end = producer + record_size((uint32_t)size);
	advance_pending(r, producer);
	if (end - consumer <= r->mask && end - r->pending <= r->mask) {
		h = header_at(r, producer);
		atomic_store_explicit(&h->len, (uint32_t)size | RING_BUSY, memory_order_relaxed);
		h->page_off = (uint32_t)(((uint8_t *)h - r->data) / r->page + 2);
		atomic_store_explicit(&r->producer, end, memory_order_release);
		atomic_store_explicit(r->shared_producer, end, memory_order_release);
	}
	lock_release(&r->map.lock);
	return h;
}

/* Shows the record to the consumer and wakes it when this is what it waits for. */
static void finish(struct map_ring *r, struct header *h, uint64_t flags, bool discard)
{
	uint32_t len = atomic_load_explicit(&h->len, memory_order_relaxed) & ~RING_BUSY;
	uint64_t consumer, at = (uint64_t)((uint8_t *)h - r->data);

	/* Ordered before reading the consumer's position: one of the two sees the other. */
	atomic_exchange(&h->len, discard ? len | RING_DISCARD : len);
	consumer = atomic_load_explicit(r->consumer, memory_order_acquire);
	if ((flags & BPF_RB_FORCE_WAKEUP) ||
	    ((consumer & r->mask) == at && !(flags & BPF_RB_NO_WAKEUP)))
		map_wake(&r->map);
}

static void *ring_reserve(struct map *m, uint64_t size, uint64_t flags)
{
	struct header *h = flags ? NULL : reserve(ring_of(m), size);

	return h ? h + 1 : NULL;
}

static bool ring_finish(struct map *m, void *record, uint64_t flags, bool discard)
{
	struct map_ring *r = ring_of(m);
	uint64_t at = (uint64_t)((uint8_t *)record - HEADER - r->data);

	if (at > r->mask || (at & 7))
		return false;
	finish(r, (struct header *)(r->data + at), flags, discard);
	return true;
}

static int64_t ring_output(struct map *m, const void *data, uint64_t size, uint64_t flags)
{
	struct header *h;

	if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	h = reserve(ring_of(m), size);
	if (!h)
		return -EAGAIN;
	memcpy(h + 1, data, size);
	finish(ring_of(m), h, flags, false);
	return 0;
}

static uint64_t ring_query(const struct map *m, uint64_t what)
{
	const struct map_ring *r = ring_of(m);
	uint64_t producer = atomic_load_explicit(&r->producer, memory_order_acquire);
	uint64_t consumer = atomic_load_explicit(r->consumer, memory_order_acquire);

	switch (what) {
	case BPF_RB_AVAIL_DATA:
		return producer - consumer;
	case BPF_RB_RING_SIZE:
		return r->mask + 1;
	case BPF_RB_CONS_POS:
		return consumer;
	case BPF_RB_PROD_POS:
		return producer;
	default:
		return 0;
	}
}

/* --- Consuming --------------------------------------------------------------------------- */

static bool ring_readable(const struct map *m)
{
	return ring_query(m, BPF_RB_AVAIL_DATA) != 0;
}

/* What an honest ring cannot hold is -EIO: somebody wrote into the shared pages. */
static int64_t ring_consume(struct map *m, int (*fn)(void *arg, const void *data, size_t len),
                            void *arg)
{
	struct map_ring *r = ring_of(m);
	uint64_t pos = atomic_load_explicit(r->consumer, memory_order_relaxed), producer;
	int64_t n = 0;

	for (;;) {
		struct header *h = header_at(r, pos);
		uint32_t len;
		int stop = 0;

		/* Ordered after storing the position: see finish(). */
		producer = atomic_load(&r->producer);
		if (pos == producer)
			return n;
		if (producer - pos > r->mask + 1 || (pos & 7))
			return -EIO;
		len = atomic_load_explicit(&h->len, memory_order_acquire);
		if (len & RING_BUSY)
			return n;
		if (record_size(len) > producer - pos)
			return -EIO;
		if (!(len & RING_DISCARD)) {
			n++;
			stop = fn(arg, h + 1, len);
		}
		pos += record_size(len);
		atomic_store(r->consumer, pos);
		if (stop)
			return stop < 0 ? stop : n;
	}
}

/* --- What may be touched ----------------------------------------------------------------- */

/* Records that are reserved and not finished: where a program may write. */
static bool ring_region(struct map *m, uintptr_t addr, struct region *region)
{
	struct map_ring *r = ring_of(m);
	uint64_t producer, off = addr - (uintptr_t)r->data;
	bool found = false;

	if (off > 2 * r->mask + 1)
		return false;
	lock_take(&m->lock);
	producer = atomic_load_explicit(&r->producer, memory_order_relaxed);
	advance_pending(r, producer);
	for (uint64_t pos = r->pending; !found && pos < producer;) {
		struct header *h = header_at(r, pos);
		uint32_t len = atomic_load_explicit(&h->len, memory_order_relaxed);
		uintptr_t start = (uintptr_t)(h + 1);

		pos += record_size(len);
		len &= ~(RING_BUSY | RING_DISCARD);
		found = addr >= start && addr - start < len;
		if (found)
			*region = (struct region){.start = start,
			                          .size = len,
			                          .writable = true,
			                          .name = "ring buffer record"};
	}
	lock_release(&m->lock);
	return found;
}

/* The consumer page may be written, the rest only read. */
static int ring_mmap_ok(const struct map *m, uint64_t offset, uint64_t len, bool write)
{
	const struct map_ring *r = ring_of(m);

	if (write && (offset != 0 || len != r->page))
		return -EPERM;
	return offset > m->pages.size || len > m->pages.size - offset ? -EINVAL : 0;
}

const struct map_ops map_ringbuf_ops = {
	.name = "ringbuf",
	.size = sizeof(struct map_ring),
	.check = ring_check,
	.init = ring_init,
	.region = ring_region,
	.ring_output = ring_output,
	.ring_reserve = ring_reserve,
	.ring_finish = ring_finish,
	.ring_query = ring_query,
	.ring_consume = ring_consume,
	.mmap_ok = ring_mmap_ok,
	.readable = ring_readable,
};
