/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: a piece of memory whose size is known at run time only, as programs hold it on their stack.
 *
 * The 16 bytes are those of the public struct bpf_dynptr, laid out as in the kernel:
 *
 *   data (8) | size: bits 0..23, type: bits 28..30, read-only: bit 31 | offset (4)
 *
 * data is the memory itself (LOCAL, RINGBUF) or the context of ours that owns a packet (SKB, XDP, META),
 * whose bytes are then reached through it at each use, because helpers move them. A dynptr of no memory,
 * as a failed helper leaves it, is all zero and answers -EINVAL to everything.
 */
#ifndef SKEP_CORE_DYNPTR_H
#define SKEP_CORE_DYNPTR_H

#include <stdbool.h>
#include <stdint.h>

enum dynptr_type {
	DYNPTR_INVALID,
	DYNPTR_LOCAL,
	DYNPTR_RINGBUF,
	DYNPTR_SKB,
	DYNPTR_XDP,
	DYNPTR_SKB_META,
};

enum { DYNPTR_MAX_SIZE = (1 << 24) - 1, DYNPTR_STACK_SIZE = 16 };

struct dynptr {
	void *data; /* NULL: of no memory */
	uint32_t bits, offset;
};

#define DYNPTR_TYPE_SHIFT 28
#define DYNPTR_RDONLY (1u << 31)

static inline uint32_t dynptr_size(const struct dynptr *d)
{
	return d->bits & DYNPTR_MAX_SIZE;
}

static inline enum dynptr_type dynptr_type(const struct dynptr *d)
{
	return (enum dynptr_type)(d->bits >> DYNPTR_TYPE_SHIFT & 7);
}

static inline bool dynptr_rdonly(const struct dynptr *d)
{
	return d->bits & DYNPTR_RDONLY;
}

static inline void dynptr_set_size(struct dynptr *d, uint32_t size)
{
	d->bits = (d->bits & ~(uint32_t)DYNPTR_MAX_SIZE) | size;
}

static inline void dynptr_init(struct dynptr *d, void *data, enum dynptr_type type, uint32_t offset,
                               uint32_t size)
{
	d->data = data;
	d->offset = offset;
	d->bits = size | (uint32_t)type << DYNPTR_TYPE_SHIFT;
}

static inline void dynptr_clear(struct dynptr *d)
{
	*d = (struct dynptr){0};
}

/* Are so many bytes from offset on inside? 0, -E2BIG */
int dynptr_check(const struct dynptr *d, uint64_t offset, uint64_t len);

/* What bpf_dynptr_read(), _write() and _data() answer. -EINVAL, -E2BIG ... */
int64_t dynptr_read(void *to, uint64_t len, const struct dynptr *d, uint64_t offset, uint64_t flags);
int64_t dynptr_write(const struct dynptr *d, uint64_t offset, const void *from, uint64_t len,
                     uint64_t flags);
void *dynptr_data(const struct dynptr *d, uint64_t offset, uint64_t len);
/*
 * What bpf_dynptr_slice() answers: the bytes themselves where they stand in one piece, else a copy in
 * buffer (which may be NULL: then NULL). writable: as bpf_dynptr_slice_rdwr(), NULL for read-only ones.
 */
void *dynptr_slice(const struct dynptr *d, uint64_t offset, void *buffer, uint64_t len, bool writable);

#endif
