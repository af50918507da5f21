/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: the buffer, and the two contexts of ours that stand on it.
 *
 *   head        meta      data             end          limit
 *    |  headroom | metadata | packet bytes  |  tailroom  |
 *
 * head <= meta <= data <= end <= limit. A packet without metadata has meta == data. XDP gives
 * programs PKT_HEADROOM bytes before data and lets them move data, end and meta; metadata is at
 * most 255 bytes, a multiple of 4.
 */
#ifndef SKEP_CORE_PKT_H
#define SKEP_CORE_PKT_H

#include <stddef.h>
#include <stdint.h>

#include "core/sock.h"

enum { PKT_HEADROOM = 256, PKT_TAILROOM = 320 };

struct pkt {
	uint8_t *data, *end, *meta;
	uint8_t *head, *limit;
};

/* Context of XDP programs; public layout: struct xdp_md. */
struct xdp {
	struct pkt pkt; /* first */
	uint32_t ingress_ifindex, rx_queue_index, egress_ifindex;
	/*
	 * Bytes of the packet in fragments: they stand right behind end, but programs reach them
	 * through helpers only; limit is then how far they may grow. 0 for a packet in one piece.
	 */
	uint32_t frag_bytes;
};

struct mem;

/*
 * Context of socket filters, tc and the other skb programs; public layout: struct __sk_buff. data
 * is the link header for tc, the network header for sockets. len is kept equal to end - data.
 */
struct skb {
	struct pkt pkt; /* first */
	uint8_t *mac, *network; /* headers: what negative offsets of packet loads count from */
	const struct mem *mem;  /* for skb_room(); NULL: the buffer may not grow */
	void *grown;            /* a buffer of our own, or NULL */
	/* Sizes are the kernel's: programs can tell by loading parts of public fields. */
	uint32_t len;
	uint32_t mark, hash, priority;
	uint32_t ingress_ifindex, ifindex, napi_id;
	uint32_t vlan_present, wire_len;
	uint16_t protocol, vlan_proto; /* network order */
	uint16_t vlan_tci;
	uint16_t queue_mapping, tc_index, tc_classid;
	uint16_t gso_segs, gso_size;
	uint8_t pkt_type, tstamp_type;
	uint8_t encapsulated; /* a helper has put an outer header around it */
	uint64_t tstamp, hwtstamp;
	uint8_t cb[20]; /* 5 words of scratch */
	uint32_t remote_port; /* of sock, in network order */
	struct bpf_sock *sk;  /* the socket it belongs to: &sock, another or NULL */
	void *flow_keys;      /* of a flow dissector */
	struct bpf_sock sock;
	bool has_tunnel; /* the following hold */
	struct tunnel {  /* what came with it out of a tunnel, or is to go with it into one */
		uint64_t flags; /* of bpf_skb_set_tunnel_key(); TUNNEL_RX */
		uint32_t id, label;
		uint8_t tos, ttl;
		uint32_t src[4], dst[4]; /* an IPv4 address is [0]; network order */
		uint8_t options[255];
		uint8_t options_len; /* 0: there are none */
	} tunnel; /* last: not cleared */
};

/*
 * A packet as an Ethernet driver hands it up: protocol and pkt_type from the frame, as a device
 * whose address is all zero sees it. The buffer stays the caller's. data is the link header.
 */
void skb_init(struct skb *skb, const struct pkt *frame);
/* Moves data behind the link header (there must be one), as for sockets. */
void skb_pull_link(struct skb *skb);
/* Sees to it that there are so many bytes in front of data and behind end. 0, -ENOMEM. */
int skb_room(struct skb *skb, uint32_t head, uint32_t tail);
/* Gives back what skb_room() allocated. */
void skb_fini(struct skb *skb);

/*
 * LD_ABS and LD_IND: size bytes at offset as an unsigned number in host order. Negative offsets
 * count from the network (SKF_NET_OFF) or link header (SKF_LL_OFF). 0, or -EFAULT: the program ends
 * with 0.
 */
int skb_load(const struct skb *skb, int64_t offset, unsigned size, uint64_t *value);

/*
 * The bytes [offset, offset + size) of the packet from data on, or NULL where there are not so
 * many.
 */
static inline uint8_t *pkt_at(const struct pkt *p, uint64_t offset, uint64_t size)
{
	uint64_t len = (uint64_t)(p->end - p->data);

	return offset <= len && size <= len - offset ? p->data + offset : NULL;
}

#endif
