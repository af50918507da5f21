/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts pings per CPU, in the map `woo`, and says so. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, long);
	__uint(max_entries, 1);
} woo SEC(".maps");

SEC("xdp") int count_pings(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	__u32 key = 0;
	long *count;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_ICMP)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&woo, &key);
	if (count) {
		(*count)++;
		bpf_printk("got ping %ld", *count);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
