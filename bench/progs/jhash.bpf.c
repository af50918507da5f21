/* SPDX-License-Identifier: BSD-2-Clause */
/* Bob Jenkins' lookup3 hash (public domain) over 1 KiB: 32-bit rotates, subtractions and xors. */
#include "bench.h"

enum { PASSES = 5 };

INLINE u32 lookup3(const u8 *p, u32 seed)
{
	u32 a, b, c;

	a = b = c = 0xdeadbeef + BENCH_BYTES + seed;
	/* 85 blocks of 12 bytes, the last 4 bytes by themselves. */
	for (u32 i = 0; i < 85; i++) {
		a += load32(p + 12 * i);
		b += load32(p + 12 * i + 4);
		c += load32(p + 12 * i + 8);
		a -= c, a ^= rol32(c, 4), c += b;
		b -= a, b ^= rol32(a, 6), a += c;
		c -= b, c ^= rol32(b, 8), b += a;
		a -= c, a ^= rol32(c, 16), c += b;
		b -= a, b ^= rol32(a, 19), a += c;
		c -= b, c ^= rol32(b, 4), b += a;
	}
	a += load32(p + 12 * 85);
	c ^= b, c -= rol32(b, 14);
	a ^= c, a -= rol32(c, 11);
	b ^= a, b -= rol32(a, 25);
	c ^= b, c -= rol32(b, 16);
	a ^= c, a -= rol32(c, 4);
	b ^= a, b -= rol32(a, 14);
	c ^= b, c -= rol32(b, 24);
	return c;
}

BENCH(jhash, "lookup3 hash over 1 KiB, five times (32-bit rotates)")
{
	INPUT(p, ctx);
	u32 hash = 0;

	for (u32 i = 0; i < PASSES; i++)
		hash = lookup3(p, hash);
	return hash;
}
