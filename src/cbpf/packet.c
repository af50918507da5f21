/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What filters can ask of a packet beside its bytes: headers, protocol, netlink attributes, the place of
 * the payload. The link types are those of captures.
 */
#include <string.h>

#include "cbpf/cbpf.h"

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* --- Netlink attributes ---------------------------------------------------------------------- */

struct attr { /* in the order of the host; behind it the value, then padding to 4 bytes */
	uint16_t len, type;
};

enum { ATTR_TYPE = 0x3fff }; /* above: flags */

/* The attribute of a type among those in data[at, end), or 0. */
static uint32_t attr_find(const struct skep_cbpf_packet *p, uint64_t at, uint64_t end, uint32_t type)
{
	struct attr a;

	while (at + sizeof(a) <= end) {
		memcpy(&a, p->data + at, sizeof(a));
		if (a.len < sizeof(a) || a.len > end - at)
			break;
		if ((a.type & ATTR_TYPE) == type)
			return (uint32_t)at;
		at += (a.len + 3u) & ~3u;
	}
	return 0;
}

uint32_t cbpf_nlattr(const struct skep_cbpf_packet *p, uint32_t at, uint32_t type, bool nested)
{
	struct attr a;

	if (p->len < sizeof(a) || at > p->len - sizeof(a))
		return 0;
	if (!nested)
		return attr_find(p, at, p->len, type);
	memcpy(&a, p->data + at, sizeof(a));
	if (a.len > p->len - at)
		return 0;
	return attr_find(p, at + sizeof(a), (uint64_t)at + a.len, type);
}

/* --- The payload ----------------------------------------------------------------------------- */

enum {
	ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8,
	IP_HOP = 0, IP_ICMP = 1, IP_IGMP = 2, IP_TCP = 6, IP_UDP = 17, IP_DCCP = 33, IP_ROUTE = 43,
	IP_FRAGMENT = 44, IP_ICMPV6 = 58, IP_DEST = 60, IP_SCTP = 132, IP_UDPLITE = 136,
	VLAN_HEADERS = 2, IPV6_HEADERS = 16,
};

/* Where the transport header is, its protocol, and whether the packet is a fragment. */
struct place {
	uint32_t at;
	uint8_t protocol;
	bool fragment;
};

static bool has(const struct skep_cbpf_packet *p, uint32_t at, uint32_t size)
{
	return at <= p->len && size <= p->len - at;
}

static bool find_ipv4(const struct skep_cbpf_packet *p, uint32_t at, struct place *to)
{
	const uint8_t *ip = p->data + at;

	if (!has(p, at, 20) || (ip[0] & 0xf) < 5)
		return false;
	*to = (struct place){at + (ip[0] & 0xfu) * 4, ip[9], get16(ip + 6) & 0x3fff};
	return true;
}

static bool find_ipv6(const struct skep_cbpf_packet *p, uint32_t at, struct place *to)
{
	const uint8_t *ext;

	if (!has(p, at, 40))
		return false;
	*to = (struct place){at + 40, p->data[at + 6], false};
	for (unsigned i = 0; i < IPV6_HEADERS; i++) {
		ext = p->data + to->at;
		switch (to->protocol) {
		case IP_HOP: case IP_ROUTE: case IP_DEST:
			if (!has(p, to->at, 2))
				return false;
			to->at += (ext[1] + 1u) * 8;
			break;
		case IP_FRAGMENT:
			if (!has(p, to->at, 8))
				return false;
			to->fragment = true;
			to->at += 8;
			to->protocol = ext[0];
			return true;
		default:
			return true;
		}
		to->protocol = ext[0];
	}
	return false;
}

static uint32_t transport_size(const struct skep_cbpf_packet *p, const struct place *t)
{
	switch (t->protocol) {
	case IP_TCP: {
		uint32_t size = has(p, t->at, 13) ? (p->data[t->at + 12] >> 4) * 4u : 0;

		return has(p, t->at, 13) && size < 20 ? 20 : size;
	}
	case IP_DCCP:
		return has(p, t->at, 9) ? (p->data[t->at + 8] & 1 ? 16 : 12) : 0;
	case IP_SCTP:
		return 12;
	case IP_UDP: case IP_UDPLITE: case IP_ICMP: case IP_ICMPV6: case IP_IGMP:
		return 8;
	}
	return 0;
}

uint32_t cbpf_payload(const struct skep_cbpf_packet *p)
{
	uint32_t at = p->network;
	uint16_t protocol = p->protocol;
	struct place t;

	for (unsigned i = 0; i < VLAN_HEADERS && (protocol == ETHER_VLAN || protocol == ETHER_QINQ); i++) {
		if (!has(p, at, 4))
			return 0;
		protocol = get16(p->data + at + 2);
		at += 4;
	}
	if (protocol == ETHER_IPV4 ? !find_ipv4(p, at, &t)
	                           : protocol != ETHER_IPV6 || !find_ipv6(p, at, &t))
		return 0;
	return t.fragment ? t.at : t.at + transport_size(p, &t);
}

/* --- Link types ------------------------------------------------------------------------------ */

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14, LINK_RAW = 101,
       LINK_COOKED = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_COOKED2 = 276 };
enum { ARP_ETHER = 1, ARP_LOOPBACK = 772, ARP_NONE = 0xfffe };
enum { PACKET_BROADCAST = 1, PACKET_MULTICAST = 2 };
enum { ETHER_802_3 = 1, ETHER_802_2 = 4, ETHER_LEAST = 0x600 };

/* Where a link type has its network header and its ethertype; protocol_at 255: by the IP version. */
static const struct link {
	uint16_t type, hatype;
	uint8_t header, protocol_at;
} links[] = {
	{LINK_ETHERNET, ARP_ETHER, 14, 12},
	{LINK_COOKED, ARP_ETHER, 16, 14},
	{LINK_COOKED2, ARP_ETHER, 20, 0},
	{LINK_NULL, ARP_LOOPBACK, 4, 255},
	{LINK_RAW, ARP_NONE, 0, 255},
	{LINK_RAW_BSD, ARP_NONE, 0, 255},
	{LINK_RAW_OPENBSD, ARP_NONE, 0, 255},
	{LINK_IPV4, ARP_NONE, 0, 255},
	{LINK_IPV6, ARP_NONE, 0, 255},
};

static uint16_t protocol_of(const struct skep_cbpf_packet *p, const struct link *l)
{
	uint16_t type;

	if (l->protocol_at == 255)
		return p->data[l->header] >> 4 == 6 ? ETHER_IPV6 : ETHER_IPV4;
	type = get16(p->data + l->protocol_at);
	if (type >= ETHER_LEAST || l->type != LINK_ETHERNET)
		return type;
	return has(p, 14, 2) && p->data[14] == 0xff && p->data[15] == 0xff ? ETHER_802_3 : ETHER_802_2;
}

static uint8_t pkt_type_of(const struct skep_cbpf_packet *p, const struct link *l)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (l->type == LINK_COOKED)
		return p->data[1]; /* it says itself */
	if (l->type == LINK_COOKED2)
		return p->data[10];
	if (l->type != LINK_ETHERNET || !(p->data[0] & 1))
		return 0;
	return memcmp(p->data, everybody, sizeof(everybody)) ? PACKET_MULTICAST : PACKET_BROADCAST;
}

void skep_cbpf_packet_init(struct skep_cbpf_packet *p, const void *data, uint32_t len, uint32_t wire_len,
                           uint32_t link_type)
{
	const struct link *l = NULL;

	*p = (struct skep_cbpf_packet){
		.data = data, .len = len, .wire_len = wire_len < len ? len : wire_len, .network = len,
		.ifindex = 1, .hatype = ARP_NONE,
	};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && !l; i++)
		if (links[i].type == link_type)
			l = &links[i];
	if (!l)
		return;
	p->hatype = l->hatype;
	if (len <= l->header)
		return;
	p->network = l->header;
	p->protocol = protocol_of(p, l);
	p->pkt_type = pkt_type_of(p, l);
	p->payload = cbpf_payload(p);
}
