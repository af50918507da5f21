/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls between BPF functions, two levels deep, that clang must not inline. */
#include "bench.h"

NOINLINE u64 mix(u64 a, u64 b)
{
	return (a ^ b >> 7) * 0x9e3779b97f4a7c15ull;
}

NOINLINE u64 step(u64 a, u64 b, u64 c)
{
	return mix(a, b) + mix(b, c);
}

BENCH(calls, "bpf-to-bpf calls")
{
	INPUT(p, ctx);
	u64 a = load64(p), b = load64(p + 8);

	for (u32 i = 0; i < 256; i++) {
		u64 next = step(a, b, i);

		a = b;
		b = next;
	}
	return fold64(a + b);
}
