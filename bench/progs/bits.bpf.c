/* SPDX-License-Identifier: BSD-2-Clause */
/* Population count, bit reversal, leading zeros and parity, by shifts and masks. */
#include "bench.h"

INLINE u64 reverse(u64 x)
{
	x = (x >> 1 & 0x5555555555555555ull) | (x & 0x5555555555555555ull) << 1;
	x = (x >> 2 & 0x3333333333333333ull) | (x & 0x3333333333333333ull) << 2;
	x = (x >> 4 & 0x0f0f0f0f0f0f0f0full) | (x & 0x0f0f0f0f0f0f0f0full) << 4;
	return __builtin_bswap64(x);
}

INLINE u64 count(u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return x * 0x0101010101010101ull >> 56;
}

INLINE u64 leading_zeros(u64 x)
{
	for (u32 n = 1; n < 64; n *= 2)
		x |= x >> n;
	return 64 - count(x);
}

BENCH(bits, "popcount, bit reversal, leading zeros, 64-bit masks")
{
	INPUT(p, ctx);
	u64 x = load64(p);

	for (u32 i = 0; i < BENCH_BYTES; i += 8) {
		x ^= load64(p + i);
		x = reverse(x) + count(x);
		x += leading_zeros(x >> (x & 31)) << 17;
	}
	return fold64(x);
}
