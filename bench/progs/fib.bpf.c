/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibonacci numbers modulo 2^64: the shortest dependent loop there is. */
#include "bench.h"

BENCH(fib, "dependent 64-bit adds")
{
	INPUT(p, ctx);
	u64 a = load64(p), b = load64(p + 8);

	for (u32 i = 0; i < 8000; i++) {
		u64 next = a + b;

		a = b;
		b = next;
	}
	return fold64(b);
}
