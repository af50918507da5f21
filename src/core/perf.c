/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf rings: see perf.h. Records and their order: perf_event_open(2). */
#define _GNU_SOURCE
#include "core/perf.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	HEAD_AT = 1024, /* of struct perf_event_mmap_page */
	RECORD_LOST = 2,
	RECORD_SAMPLE = 9,
	MISC_KERNEL = 1,
	LOST_SIZE = 24,
	SIZE_MAX_RECORD = 65528, /* its length is 16 bits */
};

enum sample_bit {
	SAMPLE_IP = 1 << 0,
	SAMPLE_TID = 1 << 1,
	SAMPLE_TIME = 1 << 2,
	SAMPLE_ADDR = 1 << 3,
	SAMPLE_ID = 1 << 6,
	SAMPLE_CPU = 1 << 7,
	SAMPLE_PERIOD = 1 << 8,
	SAMPLE_STREAM_ID = 1 << 9,
	SAMPLE_RAW = 1 << 10,
	SAMPLE_IDENTIFIER = 1 << 16,
	SAMPLE_KNOWN = SAMPLE_IP | SAMPLE_TID | SAMPLE_TIME | SAMPLE_ADDR | SAMPLE_ID | SAMPLE_CPU |
	               SAMPLE_PERIOD | SAMPLE_STREAM_ID | SAMPLE_RAW | SAMPLE_IDENTIFIER,
};

#define BIT_DISABLED ((uint64_t)1 << 0)
#define BIT_WATERMARK ((uint64_t)1 << 14)

struct header {
	uint32_t type;
	uint16_t misc, size;
};

/* The part of the first page that readers look at. */
struct control {
	_Atomic uint64_t data_head, data_tail;
	uint64_t data_offset, data_size;
};

static struct control *control_of(const struct perf_ring *r)
{
	return (struct control *)((uint8_t *)r->pages.base + HEAD_AT);
}

static uint8_t *data_of(const struct perf_ring *r)
{
	return (uint8_t *)r->pages.base + r->page;
}

static void perf_free(struct obj *o)
{
	struct perf_ring *r = perf_of(o);

	pages_free(&r->pages);
	if (r->event_fd)
		close(r->event_fd - 1);
	mem_free(&o->k->mem, r);
}

int perf_ring_new(struct skep *k, const struct perf_attr *attr, uint32_t cpu, struct perf_ring **out)
{
	struct perf_ring *r;
	int err;

	if (attr->type != PERF_SOFTWARE || attr->config != PERF_BPF_OUTPUT ||
	    (attr->sample_type & ~(uint64_t)SAMPLE_KNOWN) || cpu >= k->ncpus)
		return -EINVAL;
	r = mem_zalloc(&k->mem, sizeof(*r));
	if (!r)
		return -ENOMEM;
	obj_init(&r->obj, k, OBJ_PERF, perf_free);
	r->attr = *attr;
	r->cpu = cpu;
	r->page = (uint32_t)sysconf(_SC_PAGESIZE);
	r->enabled = !(attr->bits & BIT_DISABLED);
	err = pages_alloc(&r->pages, &k->mem, "perf-event", r->page + (size_t)PERF_RING_MAX);
	if (!err)
		err = obj_publish(&r->obj);
	if (err) {
		pages_free(&r->pages);
		mem_free(&k->mem, r);
		return err;
	}
	*out = r;
	return 0;
}

int perf_ring_resize(struct perf_ring *r, uint64_t size)
{
	int err = 0;

	if (!size || (size & (size - 1)) || size % r->page || size > PERF_RING_MAX)
		return -EINVAL;
	lock_take(&r->lock);
	if (!r->size) {
		control_of(r)->data_offset = r->page;
		control_of(r)->data_size = size;
		r->size = size;
	} else if (r->size != size) {
		err = -EINVAL;
	}
	lock_release(&r->lock);
	return err;
}

int perf_ring_event_fd(struct perf_ring *r)
{
	int none = 0, fd = atomic_load(&r->event_fd) - 1;

	if (fd >= 0)
		return fd;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (atomic_compare_exchange_strong(&r->event_fd, &none, fd + 1))
		return fd;
	close(fd); /* another thread was first */
	return none - 1;
}

static void wake(struct perf_ring *r)
{
	int fd = atomic_load_explicit(&r->event_fd, memory_order_acquire) - 1;
	uint64_t one = 1;

	/* It fails only when the counter is full, and then it is readable already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) != sizeof(one))
		return;
}

/* --- Producing: all under the lock ------------------------------------------------------- */

static void put_bytes(struct perf_ring *r, const void *from, size_t len)
{
	uint64_t at = r->head & (r->size - 1), first = r->size - at;

	if (first > len)
		first = len;
	memcpy(data_of(r) + at, from, first);
	memcpy(data_of(r), (const uint8_t *)from + first, len - first);
	r->head += len;
}

/* The fields in front of the raw data; how many words. */
static unsigned sample_fields(const struct perf_ring *r, uint64_t out[10])
{
	uint64_t type = r->attr.sample_type;
	struct timespec now;
	unsigned n = 0;

	if (type & SAMPLE_IDENTIFIER)
		out[n++] = r->obj.id;
	if (type & SAMPLE_IP)
		out[n++] = 0;
	if (type & SAMPLE_TID)
		out[n++] = (uint64_t)(uint32_t)gettid() << 32 | (uint32_t)getpid();
	if (type & SAMPLE_TIME) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		out[n++] = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	}
	if (type & SAMPLE_ADDR)
		out[n++] = 0;
	if (type & SAMPLE_ID)
		out[n++] = r->obj.id;
	if (type & SAMPLE_STREAM_ID)
		out[n++] = r->obj.id;
	if (type & SAMPLE_CPU)
		out[n++] = r->cpu;
	if (type & SAMPLE_PERIOD)
		out[n++] = r->attr.sample_period;
	return n;
}

static bool has_room(const struct perf_ring *r, uint64_t size)
{
	uint64_t tail = atomic_load_explicit(&control_of(r)->data_tail, memory_order_acquire);

	/* One byte always stays free; a tail that makes no sense spoils what its writer reads. */
	return r->size && ((tail - r->head - 1) & (r->size - 1)) >= size;
}

static void put_lost(struct perf_ring *r)
{
	struct {
		struct header h;
		uint64_t id, lost;
	} rec = {{RECORD_LOST, 0, LOST_SIZE}, r->obj.id, r->lost};

	put_bytes(r, &rec, sizeof(rec));
	r->lost = 0;
}

static bool wants_wake(struct perf_ring *r)
{
	uint64_t mark = r->attr.bits & BIT_WATERMARK && r->attr.wakeup ? r->attr.wakeup
	                                                               : r->size / 2;
	bool want = false;

	if (r->head - r->woken > mark) {
		r->woken = r->head;
		want = true;
	}
	if (!(r->attr.bits & BIT_WATERMARK) && r->attr.wakeup &&
	    ++r->events >= r->attr.wakeup) {
		r->events = 0;
		want = true;
	}
	return want;
}

static void put_sample(struct perf_ring *r, const struct perf_sample *s, const uint64_t *fields,
                       unsigned n, uint32_t raw, uint16_t size)
{
	static const uint8_t zeros[8];
	struct header h = {RECORD_SAMPLE, MISC_KERNEL, size};

	put_bytes(r, &h, sizeof(h));
	put_bytes(r, fields, n * sizeof(fields[0]));
	if (!(r->attr.sample_type & SAMPLE_RAW))
		return;
	put_bytes(r, &raw, sizeof(raw));
	put_bytes(r, s->data, s->size);
	put_bytes(r, s->tail, s->tail_size);
	put_bytes(r, zeros, raw - s->size - s->tail_size);
}

int perf_ring_put(struct perf_ring *r, const struct perf_sample *s)
{
	/* The raw data and its length fill whole words. */
	uint64_t raw = (((uint64_t)s->size + s->tail_size + 4 + 7) & ~(uint64_t)7) - 4, size;
	uint64_t fields[10];
	unsigned n = sample_fields(r, fields);
	bool room, awake = false;

	size = sizeof(struct header) + n * sizeof(fields[0]);
	if (r->attr.sample_type & SAMPLE_RAW)
		size += raw + sizeof(uint32_t);
	if (size > SIZE_MAX_RECORD)
		return -E2BIG;
	lock_take(&r->lock);
	room = has_room(r, size + (r->lost ? LOST_SIZE : 0));
	if (room) {
		if (r->lost)
			put_lost(r);
		put_sample(r, s, fields, n, (uint32_t)raw, (uint16_t)size);
		atomic_store_explicit(&control_of(r)->data_head, r->head, memory_order_release);
		awake = wants_wake(r);
	} else {
		r->lost++;
	}
	lock_release(&r->lock);
	if (awake)
		wake(r);
	return room ? 0 : -ENOSPC;
}

bool perf_ring_readable(struct perf_ring *r)
{
	uint64_t tail = atomic_load_explicit(&control_of(r)->data_tail, memory_order_acquire);
	bool some;

	lock_take(&r->lock);
	some = r->head != tail;
	lock_release(&r->lock);
	return some;
}

/* --- Consuming --------------------------------------------------------------------------- */

static void get_bytes(const struct perf_ring *r, uint64_t pos, void *to, size_t len)
{
	uint64_t at = pos & (r->size - 1), first = r->size - at;

	if (first > len)
		first = len;
	memcpy(to, data_of(r) + at, first);
	memcpy((uint8_t *)to + first, data_of(r), len - first);
}

static int deliver(const struct perf_ring *r, const uint8_t *rec, const struct header *h,
                   const struct perf_consumer *c, int64_t *n)
{
	uint64_t fields[10], lost;
	size_t at = sizeof(*h);
	uint32_t raw;

	if (h->type == RECORD_LOST && h->size >= LOST_SIZE) {
		memcpy(&lost, rec + 16, sizeof(lost));
		if (c->lost)
			c->lost(c->arg, lost);
		return 0;
	}
	at += sample_fields(r, fields) * sizeof(fields[0]);
	if (h->type != RECORD_SAMPLE || at + sizeof(raw) > h->size)
		return 0;
	memcpy(&raw, rec + at, sizeof(raw));
	if (raw > h->size - at - sizeof(raw))
		return -EIO;
	++*n;
	return c->sample(c->arg, rec + at + sizeof(raw), raw);
}

int64_t perf_ring_consume(struct perf_ring *r, const struct perf_consumer *c)
{
	struct control *ctl = control_of(r);
	uint64_t tail = atomic_load_explicit(&ctl->data_tail, memory_order_relaxed), head;
	uint64_t copy[(SIZE_MAX_RECORD + 8) / 8];
	int64_t n = 0;

	lock_take(&r->lock);
	head = r->head;
	lock_release(&r->lock);
	if (head - tail > r->size)
		return -EIO;
	while (tail != head) {
		struct header h;
		int stop;

		get_bytes(r, tail, &h, sizeof(h));
		if (h.size < sizeof(h) || h.size > head - tail || h.size > sizeof(copy))
			return -EIO;
		get_bytes(r, tail, copy, h.size);
		stop = deliver(r, (uint8_t *)copy, &h, c, &n);
		tail += h.size;
		atomic_store_explicit(&ctl->data_tail, tail, memory_order_release);
		if (stop)
			return stop < 0 ? stop : n;
	}
	return n;
}
