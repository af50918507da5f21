/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet loads of LD_ABS and LD_IND: see pkt.h.
 *
 * Offsets from 0 count from data. The two negative windows are those of <linux/filter.h>; through them
 * headers in front of data can be read, as far as the buffer holds any.
 */
#include "core/pkt.h"

#include <errno.h>

enum {
	NET_OFF = -0x100000, /* SKF_NET_OFF */
	LL_OFF = -0x200000,  /* SKF_LL_OFF */
	ETH_HLEN = 14,
};

int skb_load(const struct skb *skb, int64_t offset, unsigned size, uint64_t *value)
{
	const uint8_t *low = skb->pkt.data;
	uint64_t v = 0;
	int64_t at = offset; /* from low */

	if (offset < 0) {
		low = skb->pkt.head;
		if (offset >= NET_OFF)
			at = skb->mac - low + ETH_HLEN + (offset - NET_OFF);
		else if (offset >= LL_OFF)
			at = skb->mac - low + (offset - LL_OFF);
		else
			return -EFAULT;
	}
	if (at < 0 || at + size > skb->pkt.end - low)
		return -EFAULT;
	for (unsigned i = 0; i < size; i++)
		v = v << 8 | low[at + i];
	*value = v;
	return 0;
}
