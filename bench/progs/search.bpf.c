/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks for 6 bytes in 1 KiB, naively, in an alphabet of four: compares that mostly fail soon. */
#include "bench.h"

enum { NEEDLE = 6 };

BENCH(search, "substring search (byte compares, early exits)")
{
	INPUT(p, ctx);
	u32 hash = load32(p);

	for (u32 i = 16; i < BENCH_BYTES - NEEDLE; i++) {
		u32 n;

		for (n = 0; n < NEEDLE; n++)
			if ((p[n] & 3) != (p[i + n] & 3))
				break;
		hash = hash * 31 + n;
	}
	return hash;
}
