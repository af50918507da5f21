/* SPDX-License-Identifier: BSD-2-Clause */
/* Tail calls through an array that the declaration fills. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

int drop(struct xdp_md *ctx);
int pass(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} next SEC(".maps") = {
	.values = {[1] = (void *)&drop, [2] = (void *)&pass},
};

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	bpf_tail_call(ctx, &next, data[0]);
	return XDP_TX;
}
