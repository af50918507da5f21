/* SPDX-License-Identifier: BSD-2-Clause */
/* Twelve ChaCha20 blocks (RFC 8439): sixteen words of state that ten registers cannot hold. */
#include "bench.h"

INLINE void quarter(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b, *d = rol32(*d ^ *a, 16);
	*c += *d, *b = rol32(*b ^ *c, 12);
	*a += *b, *d = rol32(*d ^ *a, 8);
	*c += *d, *b = rol32(*b ^ *c, 7);
}

INLINE void double_round(u32 x[16])
{
	quarter(&x[0], &x[4], &x[8], &x[12]);
	quarter(&x[1], &x[5], &x[9], &x[13]);
	quarter(&x[2], &x[6], &x[10], &x[14]);
	quarter(&x[3], &x[7], &x[11], &x[15]);
	quarter(&x[0], &x[5], &x[10], &x[15]);
	quarter(&x[1], &x[6], &x[11], &x[12]);
	quarter(&x[2], &x[7], &x[8], &x[13]);
	quarter(&x[3], &x[4], &x[9], &x[14]);
}

BENCH(chacha, "12 ChaCha20 blocks (16 live words: spills)")
{
	INPUT(p, ctx);
	u32 hash = 0;

	for (u32 block = 0; block < 12; block++) {
		u32 x[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

		for (u32 i = 4; i < 16; i++)
			x[i] = load32(p + 4 * i);
		x[12] = block;
		for (u32 i = 0; i < 10; i++)
			double_round(x);
		for (u32 i = 0; i < 16; i++)
			hash = hash * 31 + x[i];
	}
	return hash;
}
