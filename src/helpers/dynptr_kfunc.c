/* SPDX-License-Identifier: BSD-2-Clause */
/* The dynptr family that programs call by name; that by number: dynptr.c. See core/dynptr.h. */
#include <errno.h>
#include <string.h>

#include "core/dynptr.h"
#include "core/pkt.h"
#include "helpers/kfuncs.h"

static struct dynptr *dynptr_at(uint64_t r)
{
	return (struct dynptr *)(uintptr_t)r;
}

KFUNC_FN(bpf_dynptr_slice)
{
	return (uintptr_t)dynptr_slice(dynptr_at(r1), r2, (void *)(uintptr_t)r3, r4, false);
}

KFUNC_FN(bpf_dynptr_slice_rdwr)
{
	return (uintptr_t)dynptr_slice(dynptr_at(r1), r2, (void *)(uintptr_t)r3, r4, true);
}

KFUNC_FN(bpf_dynptr_adjust)
{
	struct dynptr *d = dynptr_at(r1);
	uint64_t size = dynptr_size(d);

	if (!d->data || r2 > r3)
		return (uint64_t)-EINVAL;
	if (r2 > size || r3 > size)
		return (uint64_t)-ERANGE;
	d->offset += (uint32_t)r2;
	dynptr_set_size(d, (uint32_t)(r3 - r2));
	return 0;
}

KFUNC_FN(bpf_dynptr_is_null)
{
	return !dynptr_at(r1)->data;
}

KFUNC_FN(bpf_dynptr_is_rdonly)
{
	return dynptr_at(r1)->data && dynptr_rdonly(dynptr_at(r1));
}

KFUNC_FN(bpf_dynptr_size)
{
	return dynptr_at(r1)->data ? dynptr_size(dynptr_at(r1)) : (uint32_t)-EINVAL;
}

KFUNC_FN(bpf_dynptr_clone)
{
	if (!dynptr_at(r1)->data) {
		dynptr_clear(dynptr_at(r2));
		return (uint64_t)-EINVAL;
	}
	*dynptr_at(r2) = *dynptr_at(r1);
	return 0;
}

/* r1, r2: to and where; r3, r4: from and where; r5: bytes. */
KFUNC_FN(bpf_dynptr_copy)
{
	const struct dynptr *to = dynptr_at(r1), *from = dynptr_at(r3);
	uint8_t part[256];
	uint8_t *a, *b;
	int64_t err = 0;

	if (!to->data || !from->data || dynptr_rdonly(to))
		return (uint64_t)-EINVAL;
	if (dynptr_check(to, r2, r5) || dynptr_check(from, r4, r5))
		return (uint64_t)-E2BIG;
	a = dynptr_slice(to, r2, NULL, r5, true);
	b = dynptr_slice(from, r4, NULL, r5, false);
	if (a && b) {
		memmove(a, b, r5);
		return 0;
	}
	for (uint64_t at = 0; !err && at < r5; at += sizeof(part)) {
		uint64_t n = r5 - at < sizeof(part) ? r5 - at : sizeof(part);

		err = dynptr_read(part, n, from, r4 + at, 0);
		if (!err)
			err = dynptr_write(to, r2 + at, part, n, 0);
	}
	return (uint64_t)err;
}

/* r2: where, r3: bytes, r4: of this value. */
KFUNC_FN(bpf_dynptr_memset)
{
	const struct dynptr *d = dynptr_at(r1);
	uint8_t part[256];
	uint8_t *a;
	int64_t err = 0;

	if (!d->data || dynptr_rdonly(d))
		return (uint64_t)-EINVAL;
	if (dynptr_check(d, r2, r3))
		return (uint64_t)-E2BIG;
	a = dynptr_slice(d, r2, NULL, r3, true);
	if (a) {
		memset(a, (int)(uint8_t)r4, r3);
		return 0;
	}
	memset(part, (int)(uint8_t)r4, sizeof(part));
	for (uint64_t at = 0; !err && at < r3; at += sizeof(part))
		err = dynptr_write(d, r2 + at, part,
		                   r3 - at < sizeof(part) ? r3 - at : sizeof(part), 0);
	return (uint64_t)err;
}

/* Of a context's packet, as long as that is now. */
static uint64_t of_packet(uint64_t ctx, uint64_t flags, struct dynptr *d, enum dynptr_type type,
                          uint64_t size)
{
	if (flags) {
		dynptr_clear(d);
		return (uint64_t)-EINVAL;
	}
	dynptr_init(d, (void *)(uintptr_t)ctx, type, 0, (uint32_t)size);
	return 0;
}

KFUNC_FN(bpf_dynptr_from_skb)
{
	const struct skb *skb = (const struct skb *)(uintptr_t)r1;

	return of_packet(r1, r2, dynptr_at(r3), DYNPTR_SKB,
	                 (uint64_t)(skb->pkt.end - skb->pkt.data));
}

KFUNC_FN(bpf_dynptr_from_skb_meta)
{
	const struct skb *skb = (const struct skb *)(uintptr_t)r1;

	return of_packet(r1, r2, dynptr_at(r3), DYNPTR_SKB_META,
	                 (uint64_t)(skb->pkt.data - skb->pkt.meta));
}

KFUNC_FN(bpf_dynptr_from_xdp)
{
	const struct xdp *x = (const struct xdp *)(uintptr_t)r1;

	return of_packet(r1, r2, dynptr_at(r3), DYNPTR_XDP,
	                 (uint64_t)(x->pkt.end - x->pkt.data) + x->frag_bytes);
}
