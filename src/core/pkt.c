/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: see pkt.h.
 *
 * The two windows of negative offsets are those of <linux/filter.h>; through them headers in front
 * of data can be read, as far as the buffer holds any.
 */
#include "core/pkt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum {
	ETH_HEADER = 14,
	ETH_P_802_3 = 0x0001, /* kernel's names for frames that carry a length */
	ETH_P_802_2 = 0x0004,
	ETH_P_MIN = 0x0600,
	PACKET_HOST = 0,
	PACKET_MULTICAST = 2,
	PACKET_OTHERHOST = 3,
	NET_OFF = -0x100000, /* SKF_NET_OFF */
	LL_OFF = -0x200000,  /* SKF_LL_OFF */
};

/* The protocol of a frame, in network order as it stands there. */
static uint16_t frame_protocol(const uint8_t *frame, size_t len)
{
	uint16_t type;

	memcpy(&type, frame + 12, sizeof(type));
	if ((frame[12] << 8 | frame[13]) >= ETH_P_MIN)
		return type;
	type = len >= ETH_HEADER + 2 && frame[14] == 0xff && frame[15] == 0xff ? ETH_P_802_3
	                                                                       : ETH_P_802_2;
	return htons(type);
}

static uint8_t frame_pkt_type(const uint8_t *frame)
{
	static const uint8_t nobody[6];

	if (frame[0] & 1)
		return PACKET_MULTICAST;
	return memcmp(frame, nobody, sizeof(nobody)) ? PACKET_OTHERHOST : PACKET_HOST;
}

void skb_init(struct skb *skb, const struct pkt *frame)
{
	size_t len = (size_t)(frame->end - frame->data);

	memset(skb, 0, offsetof(struct skb, tunnel));
	skb->pkt = *frame;
	skb->pkt.meta = skb->pkt.data;
	skb->mac = frame->data;
	skb->network = frame->end;
	skb->len = (uint32_t)len;
	if (len < ETH_HEADER)
		return;
	skb->network = frame->data + ETH_HEADER;
	skb->protocol = frame_protocol(frame->data, len);
	skb->pkt_type = frame_pkt_type(frame->data);
}

void skb_pull_link(struct skb *skb)
{
	skb->pkt.data = skb->pkt.meta = skb->network;
	skb->len = (uint32_t)(skb->pkt.end - skb->pkt.data);
}

int skb_room(struct skb *skb, uint32_t head, uint32_t tail)
{
	struct pkt *p = &skb->pkt;
	size_t have_head = (size_t)(p->data - p->head), have_tail = (size_t)(p->limit - p->end);
	size_t len = (size_t)(p->end - p->data), before;
	uint8_t *wider;

	if (have_head >= head && have_tail >= tail)
		return 0;
	if (!skb->mem)
		return -ENOMEM;
	head = (head > have_head ? head : (uint32_t)have_head) + PKT_HEADROOM;
	tail = (tail > have_tail ? tail : (uint32_t)have_tail) + PKT_TAILROOM;
	wider = mem_zalloc(skb->mem, head + len + tail);
	if (!wider)
		return -ENOMEM;
	/* Metadata and headers in front of data move with it. */
	before = have_head < head ? have_head : head;
	memcpy(wider + head - before, p->data - before, before + len);
	skb->mac = wider + head - (p->data - skb->mac);
	skb->network = wider + head - (p->data - skb->network);
	p->meta = wider + head - (p->data - p->meta);
	p->data = wider + head;
	p->end = p->data + len;
	p->head = wider;
	p->limit = p->end + tail;
	if (skb->grown)
		mem_free(skb->mem, skb->grown);
	skb->grown = wider;
	return 0;
}

void skb_fini(struct skb *skb)
{
	if (skb->grown)
		mem_free(skb->mem, skb->grown);
	skb->grown = NULL;
}

int skb_load(const struct skb *skb, int64_t offset, unsigned size, uint64_t *value)
{
	const uint8_t *low = skb->pkt.data;
	uint64_t v = 0;
	int64_t at = offset; /* from low */

	if (offset < 0) {
		low = skb->pkt.head;
		if (offset >= NET_OFF)
			at = skb->network - low + (offset - NET_OFF);
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
