/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of skb programs that read or write the packet or its metadata and leave its length alone.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/pkt.h"
#include "helpers/helpers.h"

enum {
	INVALIDATE_HASH = 1 << 1, /* BPF_F_INVALIDATE_HASH */
	STORE_FLAGS = 3,
	MAX_OFFSET = 0xffff,
	FROM_MAC = 0, /* BPF_HDR_START_MAC */
	FROM_NET = 1,
	PACKET_OTHERHOST = 3,
	NO_UID = 65534, /* what a packet without a socket belongs to */
};

static struct skb *skb_of(uint64_t r)
{
	return (struct skb *)(uintptr_t)r;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

/* Copies out of the packet; a failure leaves zeros. */
static uint64_t load(const uint8_t *at, uint64_t to, uint32_t len)
{
	if (!at) {
		memset((void *)(uintptr_t)to, 0, len);
		return fail(EFAULT);
	}
	memcpy((void *)(uintptr_t)to, at, len);
	return 0;
}

HELPER_FN(skb_load_bytes)
{
	uint32_t offset = (uint32_t)r2, len = (uint32_t)r4;
	const uint8_t *at = offset > INT_MAX ? NULL : pkt_at(&skb_of(r1)->pkt, offset, len);

	return load(at, r3, len);
}

HELPER_FN(skb_load_bytes_relative)
{
	const struct skb *skb = skb_of(r1);
	uint32_t offset = (uint32_t)r2, len = (uint32_t)r4;
	const uint8_t *from = r5 == FROM_MAC ? skb->mac : r5 == FROM_NET ? skb->network : NULL;
	int64_t end = (int64_t)offset + len;

	if (!from || offset > MAX_OFFSET || end > skb->pkt.end - from)
		return load(NULL, r3, len);
	return load(from + offset, r3, len);
}

HELPER_FN(skb_store_bytes)
{
	struct skb *skb = skb_of(r1);
	uint32_t offset = (uint32_t)r2, len = (uint32_t)r4;
	uint8_t *at = offset > INT_MAX ? NULL : pkt_at(&skb->pkt, offset, len);

	if (r5 & ~(uint64_t)STORE_FLAGS)
		return fail(EINVAL);
	if (!at)
		return fail(EFAULT);
	memcpy(at, (const void *)(uintptr_t)r3, len);
	if (r5 & INVALIDATE_HASH)
		skb->hash = 0;
	return 0;
}

/* All of a packet is in one piece already. */
HELPER_FN(skb_pull_data)
{
	return (uint32_t)r2 > skb_of(r1)->len ? fail(ENOMEM) : 0;
}

HELPER_FN(skb_change_type)
{
	struct skb *skb = skb_of(r1);

	if (skb->pkt_type > PACKET_OTHERHOST || (uint32_t)r2 > PACKET_OTHERHOST)
		return fail(EINVAL);
	skb->pkt_type = (uint8_t)r2;
	return 0;
}

/*
 * FNV-1a over the addresses and, where there are, ports: any value will do that packets of a flow
 * share.
 */
static uint32_t flow_hash(const struct skb *skb)
{
	static const uint8_t ipv4[2] = {0x08, 0x00}, ipv6[2] = {0x86, 0xdd};
	const uint8_t *net = skb->network;
	size_t left = (size_t)(skb->pkt.end - net), from = 0, to = left < 64 ? left : 64;
	uint32_t hash = 2166136261u;

	if (!memcmp(&skb->protocol, ipv4, 2) && left >= 24) {
		from = 12;
		to = 24;
	} else if (!memcmp(&skb->protocol, ipv6, 2) && left >= 44) {
		from = 8;
		to = 44;
	}
	for (size_t i = from; i < to; i++)
		hash = (hash ^ net[i]) * 16777619u;
	return hash ? hash : 1;
}

HELPER_FN(get_hash_recalc)
{
	struct skb *skb = skb_of(r1);

	if (!skb->hash)
		skb->hash = flow_hash(skb);
	return skb->hash;
}

HELPER_FN(set_hash_invalid)
{
	skb_of(r1)->hash = 0;
	return 0;
}

HELPER_FN(set_hash)
{
	skb_of(r1)->hash = (uint32_t)r2;
	return 0;
}

/*
 * No packet of Skep's belongs to a socket: these answer as in the kernel's test runs, for one of
 * root's.
 */
HELPER_FN(get_socket_cookie)
{
	return 1;
}

HELPER_FN(get_socket_uid)
{
	return 0;
}

enum { NOT_ECT = 0, CE = 3 }; /* the two bits of explicit congestion notification */

/* RFC 1624: the checksum grows less by as much as the byte grows, in ones' complement. */
static void set_ce_ipv4(uint8_t *ip)
{
	uint32_t grown = CE - (uint32_t)(ip[1] & CE);
	uint32_t check = (uint32_t)(ip[10] << 8 | ip[11]) + (0xffff - grown);

	check = (check & 0xffff) + (check >> 16);
	ip[1] |= CE;
	ip[10] = (uint8_t)(check >> 8);
	ip[11] = (uint8_t)check;
}

/* 1: the packet says so now, or did before; 0: its ends do not take part. */
HELPER_FN(skb_ecn_set_ce)
{
	static const uint8_t ipv4[2] = {0x08, 0x00}, ipv6[2] = {0x86, 0xdd};
	struct skb *skb = skb_of(r1);
	uint8_t *ip = skb->network;
	ptrdiff_t left = skb->pkt.end - ip;

	if (!memcmp(&skb->protocol, ipv4, 2) && left >= 20) {
		if ((ip[1] & CE) == NOT_ECT)
			return 0;
		if ((ip[1] & CE) != CE)
			set_ce_ipv4(ip);
		return 1;
	}
	if (!memcmp(&skb->protocol, ipv6, 2) && left >= 40) {
		if ((ip[1] >> 4 & CE) == NOT_ECT)
			return 0;
		ip[1] |= CE << 4;
		return 1;
	}
	return 0;
}
