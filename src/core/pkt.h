/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: the buffer, and the two contexts of ours that stand on it.
 *
 *   head        meta      data             end          limit
 *    |  headroom | metadata | packet bytes  |  tailroom  |
 *
 * head <= meta <= data <= end <= limit. A packet without metadata has meta == data. XDP gives programs
 * PKT_HEADROOM bytes before data and lets them move data, end and meta; metadata is at most 255 bytes,
 * a multiple of 4.
 */
#ifndef SKEP_CORE_PKT_H
#define SKEP_CORE_PKT_H

#include <stddef.h>
#include <stdint.h>

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
	 * Bytes of the packet in fragments: they stand right behind end, but programs reach them through
	 * helpers only. 0 for a packet in one piece.
	 */
	uint32_t frag_bytes;
};

/* Context of socket filters, tc and the other skb programs; public layout: struct __sk_buff. */
struct skb {
	struct pkt pkt; /* first; data is the mac header for tc, the payload for sockets */
	uint8_t *mac;   /* where LD_ABS(SKF_LL_OFF) and the flow counts from */
	uint32_t len;
	uint32_t pkt_type, mark, queue_mapping;
	uint32_t protocol; /* network order in the low 16 bits */
	uint32_t vlan_present, vlan_tci, vlan_proto;
	uint32_t priority;
	uint32_t ingress_ifindex, ifindex;
	uint32_t tc_index, tc_classid;
	uint32_t hash;
	uint32_t napi_id;
	uint32_t family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
	uint32_t gso_segs, gso_size, wire_len;
	uint64_t tstamp, hwtstamp;
	uint8_t tstamp_type;
	uint8_t cb[20]; /* 5 words of scratch */
};

/*
 * LD_ABS and LD_IND: size bytes at offset as an unsigned number in host order. Negative offsets count
 * from the network (SKF_NET_OFF) or link header (SKF_LL_OFF). 0, or -EFAULT: the program ends with 0.
 */
int skb_load(const struct skb *skb, int64_t offset, unsigned size, uint64_t *value);

#endif
