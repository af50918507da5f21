/* SPDX-License-Identifier: BSD-2-Clause */
/* 512 calls of the cheapest helper that no one inlines. */
#include "bench.h"

#ifndef __bpf__
NOINLINE u64 bpf_xdp_get_buff_len(bench_ctx *ctx)
{
	__asm__ volatile(""); /* or one call would do for all */
	return (u64)(ctx->end - ctx->data);
}
#endif

BENCH(helpers, "helper calls")
{
	u64 sum = 0;

	for (u32 i = 0; i < 512; i++)
		sum = sum * 3 + bpf_xdp_get_buff_len(ctx);
	return fold64(sum);
}
