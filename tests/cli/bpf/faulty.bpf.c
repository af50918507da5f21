/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads behind the packet: no verifier lets it pass, the checked engine ends the run. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int faulty(struct xdp_md *ctx)
{
	volatile __u32 *data = (void *)(long)ctx->data;

	return data[25] & 3; /* bytes 100 to 103 */
}
