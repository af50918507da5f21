/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorting network (odd-even transposition) over 32 words on the stack, without branches. */
#include "bench.h"

enum { N = 32 };

INLINE u32 sorted_hash(const u8 *p)
{
	u32 word[N], hash = 0;

	for (u32 i = 0; i < N; i++)
		word[i] = load32(p + 4 * i);
	for (u32 round = 0; round < N; round++)
		for (u32 i = round & 1; i + 1 < N; i += 2) {
			u64 low = word[i], high = word[i + 1];
			u32 swap = (u32)((low ^ high) & (u64)((s64)(high - low) >> 63));

			word[i] = (u32)low ^ swap;
			word[i + 1] = (u32)high ^ swap;
		}
	for (u32 i = 0; i < N; i++)
		hash = hash * 31 + word[i];
	return hash;
}

BENCH(sort, "sorting networks over words on the stack")
{
	INPUT(p, ctx);
	u32 hash = 0;

	for (u32 i = 0; i < 8; i++)
		hash = hash * 31 + sorted_hash(p + 128 * i);
	return hash;
}
