/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks type-length-value records with big-endian fields, checking bounds at each: packet options.
 */
#include "bench.h"

BENCH(tlv, "type-length-value records, big-endian fields, bounds checks")
{
	const u8 *start = packet_start(ctx), *end = packet_end(ctx);
	u32 at = 0, records = 0;
	u64 sum = 0;

	for (u32 i = 0; i < 800; i++) {
		const u8 *p;

		at &= BENCH_BYTES - 1;
		p = start + at;
		if (p + 10 > end)
			break;
		switch (p[0] & 3) {
		case 0:
			sum += __builtin_bswap64(load64(p + 2));
			break;
		case 1:
			sum ^= (u64)__builtin_bswap32(load32(p + 2)) << 16;
			break;
		case 2:
			sum += __builtin_bswap16(*(const u16 *)(p + 2)) * 31;
			break;
		default:
			sum = rol64(sum, 7) + p[2];
		}
		at += 2 + (p[1] & 15);
		records++;
	}
	return fold64(sum) + records;
}
