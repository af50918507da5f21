/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiplications, divisions and remainders of both widths by numbers that are not constant. */
#include "bench.h"

BENCH(muldiv, "64- and 32-bit multiplication, division, remainder")
{
	INPUT(p, ctx);
	u64 x = load64(p), sum = 0;

	for (u32 i = 0; i < 300; i++) {
		const u8 *at = p + ((i * 8) & 0x3e8);
		u64 y = load64(at) >> (i & 31) | 1;
		u32 z = load32(at + 8) >> (i & 15) | 1;

		x = x * 6364136223846793005ull + y;
		sum += x / y + x % (y >> 9 | 1);
		sum = sum * 31 + (u32)x / z + (u32)(x >> 32) % z;
	}
	return fold64(sum);
}
