/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 over 1 KiB, bit by bit. The opaque multiplication is on purpose: of a mask (0 - bit) in
 * its place, or of a branch, the verifier of Linux 6.18 makes a state for every bit, and in this
 * loop it dies of a NULL pointer.
 */
#include "bench.h"

BENCH(crc32_bits, "CRC-32 over 1 KiB, bit by bit")
{
	INPUT(p, ctx);
	u32 crc = ~0u;

	for (u32 i = 0; i < BENCH_BYTES; i++) {
		crc ^= p[i];
		for (u32 bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ opaque(crc & 1) * 0xedb88320;
	}
	return ~crc;
}
