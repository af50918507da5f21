/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program tags: prog_tag(). Requires: nothing.
 *
 * SHA-256 as FIPS 180-4 gives it. The program is hashed through a buffer of a few blocks, in which
 * the wide loads of maps are cleared; a wide load may straddle two fills.
 */
#include <string.h>

#include "core/prog.h"

enum { BLOCK = 64, PSEUDO_MAP_FD = 1, PSEUDO_MAP_VALUE = 2, LDDW = 0x18 };

static const uint32_t round_constants[64] = {
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

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void compress(uint32_t h[8], const uint8_t block[BLOCK])
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[i - 7] +
		       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
	memcpy(s, h, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
		              ((e & s[5]) ^ (~e & s[6])) + round_constants[i] + w[i];
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
		              ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

/*
 * Copies slots, clearing what stands for a map. *wide: the slot before was the first half of such.
 */
static void copy_cleared(struct insn *to, const struct insn *from, uint32_t n, bool *wide)
{
	memcpy(to, from, n * sizeof(*to));
	for (uint32_t i = 0; i < n; i++) {
		bool second = *wide && !to[i].code;

		*wide = to[i].code == LDDW &&
		        (to[i].src == PSEUDO_MAP_FD || to[i].src == PSEUDO_MAP_VALUE);
		if (*wide || second)
			to[i].imm = 0;
	}
}

void prog_tag(const struct insn *insns, uint32_t n, uint8_t tag[BPF_TAG_SIZE])
{
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	struct insn block[BLOCK / sizeof(struct insn)];
	uint8_t *bytes = (uint8_t *)block;
	uint64_t bits = (uint64_t)n * sizeof(*insns) * 8;
	uint32_t per_block = BLOCK / sizeof(*insns);
	bool wide = false;
	size_t len;

	for (; n >= per_block; n -= per_block, insns += per_block) {
		copy_cleared(block, insns, per_block, &wide);
		compress(h, bytes);
	}
	copy_cleared(block, insns, n, &wide);
	len = n * sizeof(*insns);
	bytes[len++] = 0x80;
	memset(bytes + len, 0, BLOCK - len);
	if (len > BLOCK - 8) {
		compress(h, bytes);
		memset(bytes, 0, BLOCK);
	}
	store_be32(bytes + BLOCK - 8, (uint32_t)(bits >> 32));
	store_be32(bytes + BLOCK - 4, (uint32_t)bits);
	compress(h, bytes);
	store_be32(tag, h[0]);
	store_be32(tag + 4, h[1]);
}
