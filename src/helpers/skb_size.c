/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of skb programs that make a packet longer or shorter.
 *
 * Two moves do everything in front: open a gap behind the first `off` bytes, which go down, and
 * close one. The headers' places go with them. What the kernel keeps in a descriptor (segments of
 * an offloaded packet, checksums of a device) Skep's packets have not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/pkt.h"
#include "core/uapi.h"
#include "helpers/helpers.h"

enum {
	MAX_LEN = 16064, /* of a packet, after these helpers */
	ETH_ADDRS = 12,
	ETH_HEADER = 14,
	VLAN = 4,
	ETH_P_IP = 0x0800,
	ETH_P_IPV6 = 0x86dd,
	ETH_P_8021Q = 0x8100,
	ETH_P_8021AD = 0x88a8,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
};

static struct skb *skb_of(uint64_t r)
{
	return (struct skb *)(uintptr_t)r;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

/* Moves data and what stands in front of it by so many bytes, up where positive. */
static void move_data(struct skb *skb, ptrdiff_t by)
{
	skb->pkt.data += by;
	skb->pkt.meta = skb->pkt.data;
	skb->mac += by;
	skb->network += by;
	skb->len = (uint32_t)(skb->pkt.end - skb->pkt.data);
}

static int open_gap(struct skb *skb, uint32_t off, uint32_t size)
{
	int err = off > skb->len ? -ENOMEM : skb_room(skb, size, 0);

	if (err)
		return err;
	move_data(skb, -(ptrdiff_t)size);
	memmove(skb->pkt.data, skb->pkt.data + size, off);
	memset(skb->pkt.data + off, 0, size);
	return 0;
}

static int close_gap(struct skb *skb, uint32_t off, uint32_t size)
{
	if ((uint64_t)off + size > skb->len)
		return -ENOMEM;
	memmove(skb->pkt.data + size, skb->pkt.data, off);
	move_data(skb, size);
	return 0;
}

/* --- Both ends ------------------------------------------------------------------------------ */

HELPER_FN(skb_change_tail)
{
	struct skb *skb = skb_of(r1);
	uint32_t len = (uint32_t)r2, min = (uint32_t)(skb->network - skb->pkt.data);
	int err;

	if (r3 || len > MAX_LEN || len < min)
		return fail(EINVAL);
	if (len > skb->len) {
		err = skb_room(skb, 0, len - skb->len);
		if (err)
			return (uint64_t)(int64_t)err;
		memset(skb->pkt.end, 0, len - skb->len);
	}
	skb->pkt.end = skb->pkt.data + len;
	skb->len = len;
	skb->hash = 0;
	return 0;
}

HELPER_FN(skb_change_head)
{
	struct skb *skb = skb_of(r1);
	uint64_t len = (uint64_t)skb->len + (uint32_t)r2;
	uint8_t *network;
	int err;

	if (r3 || len > MAX_LEN)
		return fail(EINVAL);
	err = skb_room(skb, (uint32_t)r2, 0);
	if (err)
		return (uint64_t)(int64_t)err;
	network = skb->network;
	move_data(skb, -(ptrdiff_t)(uint32_t)r2);
	skb->network = network;
	skb->mac = skb->pkt.data;
	memset(skb->pkt.data, 0, (uint32_t)r2);
	return 0;
}

/* --- VLAN tags: the outermost is kept beside the packet, as hardware hands it over ------------ */

static bool is_vlan(uint16_t protocol)
{
	return protocol == htons(ETH_P_8021Q) || protocol == htons(ETH_P_8021AD);
}

HELPER_FN(skb_vlan_push)
{
	struct skb *skb = skb_of(r1);
	uint16_t tag[2] = {skb->vlan_proto, htons(skb->vlan_tci)};

	if (skb->vlan_present) {
		int err = open_gap(skb, ETH_ADDRS, VLAN);

		if (err)
			return (uint64_t)(int64_t)err;
		memcpy(skb->pkt.data + ETH_ADDRS, tag, VLAN);
		skb->protocol = skb->vlan_proto;
	}
	skb->vlan_present = 1;
	skb->vlan_proto = is_vlan((uint16_t)r2) ? (uint16_t)r2 : htons(ETH_P_8021Q);
	skb->vlan_tci = (uint16_t)r3;
	skb->hash = 0;
	return 0;
}

/* Takes the tag out of the packet; the protocol is then what stood behind it. */
static int take_tag(struct skb *skb, uint16_t *tci)
{
	struct skb parsed;
	int err;

	if (skb->len < ETH_HEADER + VLAN)
		return -ENOMEM;
	memcpy(tci, skb->pkt.data + ETH_HEADER, sizeof(*tci));
	*tci = ntohs(*tci);
	err = close_gap(skb, ETH_ADDRS, VLAN);
	if (err)
		return err;
	skb_init(&parsed, &skb->pkt);
	skb->protocol = parsed.protocol;
	return 0;
}

HELPER_FN(skb_vlan_pop)
{
	struct skb *skb = skb_of(r1);
	uint16_t tci;
	int err = 0;

	skb->hash = 0;
	if (!skb->vlan_present && is_vlan(skb->protocol))
		err = take_tag(skb, &tci);
	skb->vlan_present = skb->vlan_tci = skb->vlan_proto = 0;
	if (!err && is_vlan(skb->protocol)) {
		uint16_t protocol = skb->protocol;

		err = take_tag(skb, &tci);
		if (!err) {
			skb->vlan_present = 1;
			skb->vlan_proto = protocol;
			skb->vlan_tci = tci;
		}
	}
	return (uint64_t)(int64_t)err;
}

/* --- Room for headers ----------------------------------------------------------------------- */

static uint32_t link_len(const struct skb *skb)
{
	return (uint32_t)(skb->network - skb->mac);
}

/* Between IPv4 and IPv6; the program writes the new header. */
HELPER_FN(skb_change_proto)
{
	struct skb *skb = skb_of(r1);
	uint16_t to = (uint16_t)r2;
	int err = -ENOTSUPP;

	if (r3)
		return fail(EINVAL);
	if (skb->protocol == htons(ETH_P_IP) && to == htons(ETH_P_IPV6))
		err = open_gap(skb, link_len(skb), IPV6_HEADER - IPV4_HEADER);
	else if (skb->protocol == htons(ETH_P_IPV6) && to == htons(ETH_P_IP))
		err = close_gap(skb, link_len(skb), IPV6_HEADER - IPV4_HEADER);
	if (err)
		return (uint64_t)(int64_t)err;
	skb->protocol = to;
	skb->hash = 0;
	return 0;
}

enum room_flags {
	ROOM_FIXED_GSO = 1 << 0,
	ROOM_ENCAP_IPV4 = 1 << 1,
	ROOM_ENCAP_IPV6 = 1 << 2,
	ROOM_ENCAP_L3 = ROOM_ENCAP_IPV4 | ROOM_ENCAP_IPV6,
	ROOM_ENCAP_GRE = 1 << 3,
	ROOM_ENCAP_UDP = 1 << 4,
	ROOM_ENCAP_L4 = ROOM_ENCAP_GRE | ROOM_ENCAP_UDP,
	ROOM_NO_CSUM_RESET = 1 << 5,
	ROOM_ENCAP_ETH = 1 << 6,
	ROOM_DECAP_IPV4 = 1 << 7,
	ROOM_DECAP_IPV6 = 1 << 8,
	ROOM_DECAP_L3 = ROOM_DECAP_IPV4 | ROOM_DECAP_IPV6,
	ROOM_FLAGS = 0x1ff, /* and, above bit 56, the length of an inner link header */
	MAX_ROOM = 0xfff,
};

static int check_encap(const struct skb *skb, uint32_t size, uint64_t flags)
{
	uint64_t inner_link = flags >> 56;

	if ((flags & ROOM_ENCAP_L3) == ROOM_ENCAP_L3 || (flags & ROOM_ENCAP_L4) == ROOM_ENCAP_L4)
		return -EINVAL;
	if (skb->encapsulated)
		return -EALREADY;
	if (inner_link > size || (flags & ROOM_ENCAP_ETH && inner_link < ETH_HEADER))
		return -EINVAL;
	return 0;
}

static int grow(struct skb *skb, uint32_t off, uint32_t size, uint64_t flags)
{
	int err = 0;

	if (flags & ROOM_ENCAP_L3)
		err = check_encap(skb, size, flags);
	if (!err)
		err = open_gap(skb, off, size);
	if (err)
		return err;
	if (flags & ROOM_ENCAP_L3) {
		skb->encapsulated = 1;
		skb->protocol = htons(flags & ROOM_ENCAP_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
	}
	return 0;
}

static int shrink(struct skb *skb, uint32_t off, uint32_t size, uint64_t flags)
{
	int err;

	if (flags & ~(uint64_t)(ROOM_FIXED_GSO | ROOM_DECAP_L3 | ROOM_NO_CSUM_RESET))
		return -EINVAL;
	err = close_gap(skb, off, size);
	if (!err && flags & ROOM_DECAP_L3)
		skb->protocol = htons(flags & ROOM_DECAP_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
	return err;
}

/* The shortest network packet that may be left; 0: the flags contradict each other. */
static uint32_t least(const struct skb *skb, bool shrinks, uint64_t flags)
{
	if (!(flags & ROOM_DECAP_L3))
		return skb->protocol == htons(ETH_P_IP) ? IPV4_HEADER : IPV6_HEADER;
	if (!shrinks || (flags & ROOM_DECAP_L3) == ROOM_DECAP_L3)
		return 0;
	return flags & ROOM_DECAP_IPV4 ? IPV4_HEADER : IPV6_HEADER;
}

HELPER_FN(skb_adjust_room)
{
	enum { MODE_NET, MODE_MAC };
	struct skb *skb = skb_of(r1);
	int32_t diff = (int32_t)r2;
	bool shrinks = diff < 0;
	uint32_t size = shrinks ? 0 - (uint32_t)diff : (uint32_t)diff, off = link_len(skb);
	uint32_t have = (uint32_t)(skb->pkt.end - skb->network), min;

	if (r4 & ~(ROOM_FLAGS | (uint64_t)0xff << 56))
		return fail(EINVAL);
	if (size > MAX_ROOM)
		return fail(EFAULT);
	if ((skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6)) ||
	    (uint32_t)r3 > MODE_MAC)
		return fail(ENOTSUPP);
	if ((uint32_t)r3 == MODE_NET)
		off += skb->protocol == htons(ETH_P_IP) ? IPV4_HEADER : IPV6_HEADER;
	min = least(skb, shrinks, r4);
	if (!min)
		return fail(EINVAL);
	if (shrinks ? size >= have || have - size < min : skb->len + size > MAX_LEN)
		return fail(ENOTSUPP);
	return (uint64_t)(int64_t)(shrinks ? shrink(skb, off, size, r4) : grow(skb, off, size, r4));
}
