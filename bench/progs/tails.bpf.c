/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains of 33 tail calls, the most there may be, with an index that the compiler does not know.
 * The state between the programs is in a global variable.
 */
#include "bench.h"

enum { LINKS = 32 };

struct {
	u64 hash;
	u32 left, next;
} state;

#ifdef __bpf__

int tails_even(bench_ctx *ctx);
int tails_odd(bench_ctx *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(u32));
	__array(values, int(bench_ctx *));
} table SEC(".maps") = {.values = {[0] = (void *)&tails_even, [1] = (void *)&tails_odd}};

#define PROGRAM(name) SEC("xdp") int name(bench_ctx *ctx)
#define TAIL_CALL(ctx, index) bpf_tail_call(ctx, &table, index)

#else

u32 tails_even(bench_ctx *ctx);
u32 tails_odd(bench_ctx *ctx);

static u32 (*volatile table[2])(bench_ctx *) = {tails_even, tails_odd};

#define PROGRAM(name) u32 name(bench_ctx *ctx)
#define TAIL_CALL(ctx, index) __attribute__((musttail)) return table[(index) & 1](ctx)

#endif

PROGRAM(tails_even)
{
	if (state.left == 0)
		return fold64(state.hash);
	state.left--;
	state.hash = (state.hash + 1) * 0x9e3779b97f4a7c15ull;
	TAIL_CALL(ctx, state.hash >> 40 & 1);
	return 1;
}

PROGRAM(tails_odd)
{
	if (state.left == 0)
		return fold64(state.hash ^ 1);
	state.left--;
	state.hash = (state.hash ^ 0x55) * 0x9e3779b97f4a7c15ull;
	TAIL_CALL(ctx, state.hash >> 40 & 1);
	return 2;
}

BENCH(tails, "a chain of 33 tail calls")
{
	INPUT(p, ctx);
	state.hash = load64(p);
	state.left = LINKS;
	TAIL_CALL(ctx, state.hash & 1);
	return 3;
}
