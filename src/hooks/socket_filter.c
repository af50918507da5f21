/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket filter hook: programs that say how much of a packet a socket gets. They read the
 * packet by packet loads and bpf_skb_load_bytes() only, from the network header on.
 */
#include "core/helper.h"
#include "core/uapi.h"
#include "hooks/skb.h"

static int test_run(struct prog *p, struct test_run *t)
{
	return skb_test_run(p, t, false);
}

static uint64_t run_frame(const struct prog *p, struct pkt *frame, const struct skb_in *in,
                          struct cpu *cpu)
{
	return skb_run_frame(p, frame, in, cpu, false);
}

const struct hook hook_socket_filter = {
	.name = "socket_filter",
	.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_SOCKET_FILTER),
	.ctx_size = sizeof(struct sk_buff_md),
	.fields = skb_fields_filter,
	.ld_abs = true,
	.regions = skb_regions_filter,
	.test_run = test_run,
	.run_frame = run_frame,
};
