/* SPDX-License-Identifier: BSD-2-Clause */
/* A map that is pinned by its name. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} kept SEC(".maps");

SEC("xdp")
int pinned(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&kept, &key);

	if (n)
		++*n;
	return XDP_PASS;
}
