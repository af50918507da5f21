/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4) of 512 bytes, without padding: eight words of state and a schedule on the
 * stack, more than BPF has registers for.
 */
#include "bench.h"

static const u32 round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

enum { BLOCKS = 8 };

INLINE u32 schedule(u32 w[16], u32 i)
{
	u32 w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];

	w[i & 15] += (ror32(w1, 7) ^ ror32(w1, 18) ^ w1 >> 3) + w[(i + 9) & 15] +
	             (ror32(w14, 17) ^ ror32(w14, 19) ^ w14 >> 10);
	return w[i & 15];
}

INLINE void block(u32 state[8], const u8 *p)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];
	u32 e = state[4], f = state[5], g = state[6], h = state[7];
	u32 w[16];

	for (u32 i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(load32(p + 4 * i));
	for (u32 i = 0; i < 64; i++) {
		u32 word = i < 16 ? w[i & 15] : schedule(w, i);
		u32 t1 = h + (ror32(e, 6) ^ ror32(e, 11) ^ ror32(e, 25)) + ((e & f) ^ (~e & g)) +
		         round_constant[i] + word;
		u32 t2 = (ror32(a, 2) ^ ror32(a, 13) ^ ror32(a, 22)) +
		         ((a & b) ^ (a & c) ^ (b & c));

		h = g, g = f, f = e, e = d + t1;
		d = c, c = b, b = a, a = t1 + t2;
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

BENCH(sha256, "SHA-256 of 512 bytes (spills, state on the stack)")
{
	INPUT(p, ctx);
	u32 state[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	for (u32 i = 0; i < BLOCKS; i++)
		block(state, p + 64 * i);
	return state[0] ^ rol32(state[1], 5) ^ rol32(state[4], 11) ^ rol32(state[7], 17);
}
