/* SPDX-License-Identifier: BSD-2-Clause */
/* FNV-1a, 64 bits, over 1 KiB: a load, an xor and a multiplication a byte. */
#include "bench.h"

BENCH(fnv, "FNV-1a over 1 KiB")
{
	INPUT(p, ctx);
	u64 hash = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < BENCH_BYTES; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return fold64(hash);
}
