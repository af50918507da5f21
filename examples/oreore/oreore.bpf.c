/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "oreore.h"

SEC("oreore")
int add42(struct oreore *ctx)
{
	ctx->out = ctx->in + 42;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
