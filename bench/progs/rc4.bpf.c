/* SPDX-License-Identifier: BSD-2-Clause */
/* The RC4 key stream, 768 bytes of it: 256 bytes of state on the stack, indexed by data. */
#include "bench.h"

BENCH(rc4, "byte table on the stack, indexed by data")
{
	INPUT(p, ctx);
	u8 s[256];
	u32 hash = 0, j = 0;

	for (u32 i = 0; i < 256; i++)
		s[i] = (u8)i;
	for (u32 i = 0; i < 256; i++) {
		u8 t = s[i];

		j = (j + t + p[i & 15]) & 255;
		s[i] = s[j];
		s[j] = t;
	}
	j = 0;
	for (u32 i = 1; i < 768; i++) {
		u8 t = s[i & 255], u;

		j = (j + t) & 255;
		u = s[j];
		s[i & 255] = u;
		s[j] = t;
		hash = hash * 31 + (s[(t + u) & 255] ^ p[i]);
	}
	return hash;
}
