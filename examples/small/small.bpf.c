/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest useful filter: drops packets of at most 100 bytes, and counts both kinds. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} sizes SEC(".maps");

SEC("xdp")
int small(struct xdp_md *ctx)
{
	__u32 key = ctx->data_end - ctx->data > 100;
	__u64 *n = bpf_map_lookup_elem(&sizes, &key);

	if (n)
		*n += 1;
	return key ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
