/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps in a map: which one is used is user space's to choose. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
} one SEC(".maps"), two SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 2);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&one, &two}};

__u32 which;

SEC("xdp") int run(struct xdp_md *ctx)
{
	__u32 key = which;
	void *inner = bpf_map_lookup_elem(&outer, &key);
	__u64 value = 7;

	if (!inner)
		return XDP_ABORTED;
	key = 1;
	return bpf_map_update_elem(inner, &key, &value, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
