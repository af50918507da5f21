/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that do nothing, to be attached. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp") int xdp_one(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp") int xdp_two(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tc") int tc_one(struct __sk_buff *skb)
{
	return 0;
}

SEC("tc") int tc_two(struct __sk_buff *skb)
{
	return 2;
}

char _license[] SEC("license") = "GPL";
