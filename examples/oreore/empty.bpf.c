/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "oreore.h"

SEC("oreore")
int empty(struct oreore *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
