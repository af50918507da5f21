/* SPDX-License-Identifier: BSD-2-Clause */
/* A program for sockets. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("socket") int filter(struct __sk_buff *skb)
{
	return (int)skb->len;
}

SEC("xdp") int other(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
