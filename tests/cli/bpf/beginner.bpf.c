// SPDX-License-Identifier: BSD-2-Clause
/* What beginners get wrong: each program is refused, and tests/cli/cli.py looks at the explanation. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[64]);
} table SEC(".maps");

SEC("?xdp") int null_check(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&counts, &key);

	*n += 1;
	return XDP_PASS;
}

SEC("?xdp") int packet_bounds(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if (data + 8 > end)
		return XDP_DROP;
	return eth->h_proto == 8 ? XDP_PASS : XDP_DROP;
}

SEC("?xdp") int lost_check(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if (data + sizeof(*eth) > end)
		return XDP_DROP;
	if (bpf_xdp_adjust_head(ctx, 4))
		return XDP_DROP;
	return eth->h_proto == 8 ? XDP_PASS : XDP_DROP;
}

SEC("?xdp") int unbounded_loop(struct xdp_md *ctx)
{
	__u32 n = 0;

	do {
		asm volatile("" : "+r"(n));
	} while (!n);
	return n & 1;
}

static __attribute__((noinline)) int deep(int n)
{
	char buf[300];

	for (int i = 0; i < 300; i++)
		((volatile char *)buf)[i] = n;
	return ((volatile char *)buf)[n & 15];
}

SEC("?xdp") int stack_too_large(struct xdp_md *ctx)
{
	char buf[300];

	for (int i = 0; i < 300; i++)
		((volatile char *)buf)[i] = i;
	return deep(((volatile char *)buf)[3]);
}

SEC("?xdp") int uninitialised(struct xdp_md *ctx)
{
	asm volatile("r0 = r7" ::: "r0");
	return XDP_PASS;
}

SEC("?xdp") int missing_release(struct xdp_md *ctx)
{
	__u64 *e = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!e)
		return XDP_DROP;
	*e = 1;
	if (ctx->rx_queue_index)
		return XDP_PASS;
	bpf_ringbuf_submit(e, 0);
	return XDP_PASS;
}

SEC("?xdp") int use_after_release(struct xdp_md *ctx)
{
	__u64 *e = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!e)
		return XDP_DROP;
	bpf_ringbuf_submit(e, 0);
	return *e & 1;
}

SEC("?xdp") int wrong_helper(struct xdp_md *ctx)
{
	char b[4];
	return bpf_skb_load_bytes(ctx, 0, b, 4);
}

SEC("?xdp") int index_unchecked(struct xdp_md *ctx)
{
	__u32 key = 0, i = ctx->rx_queue_index;
	char *t = bpf_map_lookup_elem(&table, &key);

	if (!t)
		return XDP_DROP;
	if (i > 64)
		return XDP_DROP;
	return t[i];
}

SEC("?tracepoint/syscalls/sys_enter_openat") int gpl(void *ctx)
{
	long v;
	bpf_probe_read_kernel(&v, 8, ctx);
	return 0;
}

char LICENSE[] SEC("license") = "MIT";
