/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hooks of skb programs share. */
#ifndef SKEP_HOOKS_SKB_H
#define SKEP_HOOKS_SKB_H

#include "hooks/hooks.h"

/* The public context. */
struct sk_buff_md {
	uint32_t len, pkt_type, mark, queue_mapping, protocol;
	uint32_t vlan_present, vlan_tci, vlan_proto;
	uint32_t priority, ingress_ifindex, ifindex, tc_index;
	uint8_t cb[20];
	uint32_t hash, tc_classid, data, data_end, napi_id;
	uint32_t family, remote_ip4, local_ip4;
	uint8_t remote_ip6[16], local_ip6[16];
	uint32_t remote_port, local_port, data_meta;
	uint64_t flow_keys, tstamp;
	uint32_t wire_len, gso_segs;
	uint64_t sk;
	uint32_t gso_size;
	uint8_t tstamp_type;
	uint64_t hwtstamp;
};

extern const struct ctx_field skb_fields_filter[], skb_fields_cls[], skb_fields_cgroup[],
	skb_fields_lwt[], skb_fields_sk_skb[], skb_fields_flow[];

/* The context and, where programs may look into it, the packet. */
unsigned skb_regions_filter(const void *ctx, struct region *r, unsigned max);
unsigned skb_regions_cls(const void *ctx, struct region *r, unsigned max);

/* Test runs; link: the program sees the link header. */
int skb_test_run(struct prog *p, struct test_run *t, bool link);
uint64_t skb_run_frame(const struct prog *p, struct pkt *frame, const struct skb_in *in,
                       struct cpu *cpu, bool link);

#endif
