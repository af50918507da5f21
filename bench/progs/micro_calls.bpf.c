/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The price of entering a program, of a helper call, a bpf-to-bpf call and a tail call: see
 * micro.h.
 */
#include "micro.h"

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp") int empty(__attribute__((unused)) bench_ctx *ctx)
{
	return XDP_PASS;
}

NOINLINE u64 callee(u64 x)
{
	__asm__ volatile("" : "+r"(x));
	return x;
}

MICRO(plain)
MICRO(helper_call, x += bpf_xdp_get_buff_len(ctx))
MICRO(local_call, x = callee(x))

/* A program that tail-calls itself until that fails, with an index that is not constant. */
int tail_call(bench_ctx *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(bench_ctx *));
} programs SEC(".maps") = {.values = {[0] = (void *)&tail_call}};

SEC("xdp") int tail_call(bench_ctx *ctx)
{
	bpf_tail_call(ctx, &programs, ctx->rx_queue_index);
	return XDP_PASS;
}
