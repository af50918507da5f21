/* SPDX-License-Identifier: BSD-2-Clause */
/* Tail calls: a chain of programs in an array. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} next SEC(".maps");

int trail, missing;

SEC("xdp") int first(struct xdp_md *ctx)
{
	trail = trail * 10 + 1;
	bpf_tail_call(ctx, &next, 1);
	missing++;
	return XDP_ABORTED;
}

SEC("xdp") int second(struct xdp_md *ctx)
{
	trail = trail * 10 + 2;
	bpf_tail_call(ctx, &next, 2);
	missing++;
	return XDP_PASS;
}

SEC("xdp") int third(struct xdp_md *ctx)
{
	trail = trail * 10 + 3;
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
