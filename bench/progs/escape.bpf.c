/* SPDX-License-Identifier: BSD-2-Clause */
/* SLIP framing (RFC 1055): copies 1 KiB into a global ring, byte by byte, escaping two codes. */
#include "bench.h"

enum { END = 0xc0, ESC = 0xdb, ESC_END = 0xdc, ESC_ESC = 0xdd, SIZE = 2048 };

static u8 out[SIZE];

BENCH(escape, "copying bytes with escapes (stores to a global)")
{
	INPUT(p, ctx);
	u32 n = load32(p) & (SIZE - 1), hash = 0;

	for (u32 i = 0; i < BENCH_BYTES; i++) {
		u8 c = p[i];

		if (c == END || c == ESC) {
			out[n] = ESC;
			n = (n + 1) & (SIZE - 1);
			c = c == END ? ESC_END : ESC_ESC;
		}
		out[n] = c;
		n = (n + 1) & (SIZE - 1);
	}
	out[n] = END;
	for (u32 i = 0; i < 64; i += 4)
		hash = hash * 31 + load32(out + ((n - i) & (SIZE - 4)));
	return hash + n;
}
