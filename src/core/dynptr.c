/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs: see dynptr.h. What differs between types is how the bytes are reached. */
#include "core/dynptr.h"

#include <errno.h>
#include <string.h>

#include "core/pkt.h"

int dynptr_check(const struct dynptr *d, uint64_t offset, uint64_t len)
{
	uint64_t size = dynptr_size(d);

	return len > size || offset > size - len ? -E2BIG : 0;
}

/*
 * Bytes of a packet, counted from data. What stands in fragments follows end; one_piece: no bytes that
 * lie in more than one fragment, of a page each.
 */
static uint8_t *xdp_bytes(const struct xdp *x, uint64_t at, uint64_t len, bool one_piece)
{
	enum { PAGE = 4096 };
	uint64_t linear = (uint64_t)(x->pkt.end - x->pkt.data), have = linear + x->frag_bytes;

	if (at > have || len > have - at)
		return NULL;
	if (one_piece && at + len > linear &&
	    (at < linear || (at - linear) / PAGE != (at + len - 1 - linear) / PAGE))
		return NULL;
	return x->pkt.data + at;
}

static uint8_t *meta_bytes(const struct skb *skb, uint64_t at, uint64_t len)
{
	uint64_t have = (uint64_t)(skb->pkt.data - skb->pkt.meta);

	return at <= have && len <= have - at ? skb->pkt.meta + at : NULL;
}

/* The bytes [offset, offset + len), or NULL where the packet does not have them any more. */
static uint8_t *bytes(const struct dynptr *d, uint64_t offset, uint64_t len, bool one_piece)
{
	uint64_t at = (uint64_t)d->offset + offset;

	switch (dynptr_type(d)) {
	case DYNPTR_LOCAL:
	case DYNPTR_RINGBUF:
		return (uint8_t *)d->data + at;
	case DYNPTR_SKB:
		return pkt_at(&((const struct skb *)d->data)->pkt, at, len);
	case DYNPTR_XDP:
		return xdp_bytes(d->data, at, len, one_piece);
	case DYNPTR_SKB_META:
		return meta_bytes(d->data, at, len);
	default:
		return NULL;
	}
}

/* What reaching too far in a packet answers: the kernel's loads of each type say so. */
static int64_t missing(const struct dynptr *d)
{
	return dynptr_type(d) == DYNPTR_SKB ? -EFAULT : -EINVAL;
}

int64_t dynptr_read(void *to, uint64_t len, const struct dynptr *d, uint64_t offset, uint64_t flags)
{
	const uint8_t *from;

	if (!d->data || flags)
		return -EINVAL;
	if (dynptr_check(d, offset, len))
		return -E2BIG;
	from = bytes(d, offset, len, false);
	if (!from)
		return missing(d);
	memmove(to, from, len);
	return 0;
}

int64_t dynptr_write(const struct dynptr *d, uint64_t offset, const void *from, uint64_t len,
                     uint64_t flags)
{
	enum { STORE_FLAGS = 3, INVALIDATE_HASH = 2 };
	uint8_t *to;

	if (!d->data || dynptr_rdonly(d))
		return -EINVAL;
	if (dynptr_check(d, offset, len))
		return -E2BIG;
	if (flags & ~(uint64_t)(dynptr_type(d) == DYNPTR_SKB ? STORE_FLAGS : 0))
		return -EINVAL;
	to = bytes(d, offset, len, false);
	if (!to)
		return missing(d);
	memmove(to, from, len);
	if (flags & INVALIDATE_HASH)
		((struct skb *)d->data)->hash = 0;
	return 0;
}

void *dynptr_data(const struct dynptr *d, uint64_t offset, uint64_t len)
{
	enum dynptr_type type = dynptr_type(d);

	if (!d->data || dynptr_check(d, offset, len) || dynptr_rdonly(d))
		return NULL;
	return type == DYNPTR_LOCAL || type == DYNPTR_RINGBUF ? bytes(d, offset, len, true) : NULL;
}

void *dynptr_slice(const struct dynptr *d, uint64_t offset, void *buffer, uint64_t len, bool writable)
{
	uint8_t *at;

	if (!d->data || dynptr_check(d, offset, len) || (writable && dynptr_rdonly(d)))
		return NULL;
	at = bytes(d, offset, len, true);
	if (at || !buffer || dynptr_type(d) != DYNPTR_XDP)
		return at;
	at = bytes(d, offset, len, false);
	return at ? memcpy(buffer, at, len) : NULL;
}
