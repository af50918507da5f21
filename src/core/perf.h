/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf rings: what perf_event_open() of a software event "BPF output" gives, as far as BPF is concerned.
 *
 * The file that clients map, as the kernel lays it out:
 *
 *   | struct perf_event_mmap_page, 1 page | data, a power of two pages, chosen when it is mapped |
 *     data_head, data_tail at 1024, 1032
 *
 * The file is as large as the largest ring may be; how much of it is the ring is said by
 * perf_ring_resize(). Records are struct perf_event_header and what sample_type asks for; they wrap.
 *
 * Clients may write all of it. What safety rests on, head and size, stands in private memory; from
 * data_tail follows only whether there is room.
 */
#ifndef SKEP_CORE_PERF_H
#define SKEP_CORE_PERF_H

#include "base/pages.h"
#include "core/obj.h"

/* struct perf_event_attr of <linux/perf_event.h>, its first version. */
struct perf_attr {
	uint32_t type, size;
	uint64_t config, sample_period, sample_type, read_format;
	uint64_t bits; /* disabled: bit 0, watermark: bit 14 */
	uint32_t wakeup; /* events or, with watermark, bytes */
	uint32_t bp_type;
	uint64_t config1;
};

enum {
	PERF_SOFTWARE = 1,   /* PERF_TYPE_SOFTWARE */
	PERF_BPF_OUTPUT = 10, /* PERF_COUNT_SW_BPF_OUTPUT */
	PERF_RING_MAX = 16 << 20,
};

struct perf_ring {
	struct obj obj; /* OBJ_PERF */
	struct pages pages;
	struct perf_attr attr;
	uint32_t cpu; /* the CPU slot whose events it takes */
	uint32_t page;
	_Atomic bool enabled;
	_Atomic int event_fd; /* + 1; 0: nobody waits */
	struct lock lock;
	/* Under lock. */
	uint64_t size; /* of the data; 0: not mapped yet */
	uint64_t head, lost;
	uint64_t woken;  /* watermark: the head at which there was a wake-up */
	uint32_t events; /* since the last wake-up */
};

/* What a program puts out: two pieces, one behind the other. */
struct perf_sample {
	const void *data, *tail;
	uint32_t size, tail_size;
};

/* An event for one CPU with one reference. -EINVAL: not one of ours; -ENOMEM ... */
int perf_ring_new(struct skep *k, const struct perf_attr *attr, uint32_t cpu, struct perf_ring **out);
/* The ring has so many bytes of data from now on, once and for all. -EINVAL: no power of two pages. */
int perf_ring_resize(struct perf_ring *r, uint64_t size);
/* A record. -ENOSPC: no room, it is counted as lost. */
int perf_ring_put(struct perf_ring *r, const struct perf_sample *s);
bool perf_ring_readable(struct perf_ring *r);
int perf_ring_event_fd(struct perf_ring *r);

struct perf_consumer {
	/* Raw data of a sample, padding included, as perf_buffer__poll() gives it. Non-zero: stop. */
	int (*sample)(void *arg, const void *data, size_t size);
	void (*lost)(void *arg, uint64_t n); /* may be NULL */
	void *arg;
};

/* Samples seen, or what sample() answered when negative; -EIO: somebody has written into the ring. */
int64_t perf_ring_consume(struct perf_ring *r, const struct perf_consumer *c);

static inline struct perf_ring *perf_of(struct obj *o)
{
	return (struct perf_ring *)o;
}

#endif
