/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk in the manner of Collatz: halve or triple, as the lowest bit says. It is long, because
 * branch predictors learn even thousands of random steps by heart; in parts, each a global
 * function, which the kernel's verifier looks at once (on one path it goes through 8192 undecided
 * branches, no more). Noise is mixed in, so that the walk never ends.
 */
#include "bench.h"

enum { STEPS = 3000, PARTS = 32 };

u64 walk_part(bench_ctx *ctx, u64 n);

__attribute__((noinline)) u64 walk_part(bench_ctx *ctx, u64 n)
{
	INPUT(p, ctx);
	u64 odd = 0;

	for (u32 i = 0; i < STEPS; i++) {
		u64 noise = load64(p + (i & 1008));

		if (n & 1) {
			n = 3 * n + 1;
			odd += n >> 7;
		} else {
			n = n >> 1 ^ noise;
			odd ^= i;
		}
	}
	return n + odd;
}

BENCH(walk, "a branch that is taken at random, 96000 times")
{
	u64 n = 27;

	for (u32 i = 0; i < PARTS; i++)
		n = walk_part(ctx, n);
	return fold64(n);
}
