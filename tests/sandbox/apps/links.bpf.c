/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs for links of several kinds. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

SEC("xdp") int on_device(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp") int instead(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("raw_tp/sched_switch") int on_raw(void *ctx)
{
	return 0;
}

SEC("tp/sched/sched_switch") int on_tracepoint(void *ctx)
{
	return 0;
}

SEC("perf_event") int on_event(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
