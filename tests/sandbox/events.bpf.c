/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a number to a ring buffer for each run. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

long counter;

SEC("xdp") int emit(struct xdp_md *ctx)
{
	long *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return XDP_ABORTED;
	*e = counter++;
	bpf_ringbuf_submit(e, 0);
	bpf_printk("event %ld", counter);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
