/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of XDP programs: moving the ends of a packet, reaching all of it, sending it elsewhere.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "helpers/helpers.h"

enum {
	FRAME_HEADER = 40, /* that the kernel keeps at the start of the headroom */
	ETH_HEADER = 14,
	MAX_META = 252,
	MAX_OFFSET = 0xffff,
	BROADCAST = 1 << 3, /* BPF_F_BROADCAST */
	ACTION_BITS = 3, /* of bpf_redirect_map()'s flags: the answer for a key that is not there */
};

static struct xdp *xdp_of(uint64_t r)
{
	return (struct xdp *)(uintptr_t)r;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

HELPER_FN(xdp_adjust_head)
{
	struct pkt *p = &xdp_of(r1)->pkt;
	ptrdiff_t delta = (int32_t)r2, meta = p->data - p->meta;

	if (delta > p->end - p->data - ETH_HEADER ||
	    p->data - p->head + delta < FRAME_HEADER + meta)
		return fail(EINVAL);
	if (meta)
		memmove(p->meta + delta, p->meta, (size_t)meta);
	p->meta += delta;
	p->data += delta;
	return 0;
}

HELPER_FN(xdp_adjust_meta)
{
	struct pkt *p = &xdp_of(r1)->pkt;
	ptrdiff_t delta = (int32_t)r2, meta = p->data - p->meta - delta;

	if (meta < 0 || p->data - p->head - meta < FRAME_HEADER)
		return fail(EINVAL);
	if (meta % 4 || meta > MAX_META)
		return fail(EACCES);
	p->meta = p->data - meta;
	return 0;
}

/* Fragments grow to the end of their last page, and shrink before what stands in one piece does. */
static uint64_t adjust_frags(struct xdp *x, ptrdiff_t delta)
{
	struct pkt *p = &x->pkt;
	uint8_t *frags = p->end;

	if (p->end - p->data + x->frag_bytes + delta < ETH_HEADER ||
	    delta > p->limit - (frags + x->frag_bytes))
		return fail(EINVAL);
	if (delta > 0)
		memset(frags + x->frag_bytes, 0, (size_t)delta);
	if (delta + x->frag_bytes > 0) {
		x->frag_bytes = (uint32_t)(x->frag_bytes + delta);
		return 0;
	}
	p->end += delta + x->frag_bytes;
	p->limit = frags;
	x->frag_bytes = 0;
	return 0;
}

HELPER_FN(xdp_adjust_tail)
{
	struct xdp *x = xdp_of(r1);
	struct pkt *p = &x->pkt;
	ptrdiff_t delta = (int32_t)r2;

	if (x->frag_bytes)
		return adjust_frags(x, delta);
	if (delta > p->limit - p->end || p->end - p->data + delta < ETH_HEADER)
		return fail(EINVAL);
	if (delta > 0)
		memset(p->end, 0, (size_t)delta);
	p->end += delta;
	return 0;
}

static uint64_t whole_len(const struct xdp *x)
{
	return (uint64_t)(x->pkt.end - x->pkt.data) + x->frag_bytes;
}

HELPER_FN(xdp_get_buff_len)
{
	return whole_len(xdp_of(r1));
}

/* The fragments' bytes follow the linear ones, so both are one piece. */
static int reach(const struct xdp *x, uint32_t offset, uint32_t len, uint8_t **at)
{
	if (offset > MAX_OFFSET || len > MAX_OFFSET)
		return -EFAULT;
	if ((uint64_t)offset + len > whole_len(x))
		return -EINVAL;
	*at = x->pkt.data + offset;
	return 0;
}

HELPER_FN(xdp_load_bytes)
{
	uint8_t *at;
	int err = reach(xdp_of(r1), (uint32_t)r2, (uint32_t)r4, &at);

	if (!err)
		memcpy((void *)(uintptr_t)r3, at, (uint32_t)r4);
	return (uint64_t)(int64_t)err;
}

HELPER_FN(xdp_store_bytes)
{
	uint8_t *at;
	int err = reach(xdp_of(r1), (uint32_t)r2, (uint32_t)r4, &at);

	if (!err)
		memcpy(at, (const void *)(uintptr_t)r3, (uint32_t)r4);
	return (uint64_t)(int64_t)err;
}

/* To all devices of a map there need be none at the key. */
HELPER_FN(redirect_map)
{
	struct map *m = (struct map *)(uintptr_t)r1;
	uint64_t flags = r3 & m->ops->redirect_flags;
	struct redirect to = {.map = m, .key = (uint32_t)r2, .flags = (uint32_t)flags};

	if (r3 & ~(uint64_t)(ACTION_BITS | m->ops->redirect_flags))
		return XDP_ABORTED;
	if (!(flags & BROADCAST) &&
	    (!m->ops->redirect || !m->ops->redirect(m, (uint32_t)r2, &to)))
		return r3 & ACTION_BITS;
	cpu->redirect = to;
	return XDP_REDIRECT;
}
