/* SPDX-License-Identifier: BSD-2-Clause */
/* A perf buffer. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

__u64 number;

SEC("xdp") int run(struct xdp_md *ctx)
{
	__u64 e[2] = {number, ~number};

	number++;
	return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, e, sizeof(e)) ? XDP_ABORTED
	                                                                             : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
