/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 over 1 KiB: 64-bit rotates, four words of state. */
#include "bench.h"

enum { PASSES = 5 };

struct sip {
	u64 a, b, c, d;
};

INLINE void sip_round(struct sip *v)
{
	v->a += v->b, v->c += v->d;
	v->b = rol64(v->b, 13) ^ v->a, v->d = rol64(v->d, 16) ^ v->c;
	v->a = rol64(v->a, 32);
	v->c += v->b, v->a += v->d;
	v->b = rol64(v->b, 17) ^ v->c, v->d = rol64(v->d, 21) ^ v->a;
	v->c = rol64(v->c, 32);
}

INLINE u64 siphash24(const u8 *p, u64 key0, u64 key1)
{
	const u64 last = (u64)BENCH_BYTES << 56;
	struct sip v = {
		key0 ^ 0x736f6d6570736575ull, key1 ^ 0x646f72616e646f6dull,
		key0 ^ 0x6c7967656e657261ull, key1 ^ 0x7465646279746573ull,
	};

	for (u32 i = 0; i < BENCH_BYTES; i += 8) {
		u64 word = load64(p + i);

		v.d ^= word;
		sip_round(&v);
		sip_round(&v);
		v.a ^= word;
	}
	v.d ^= last;
	sip_round(&v);
	sip_round(&v);
	v.a ^= last;
	v.c ^= 0xff;
	for (u32 i = 0; i < 4; i++)
		sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}

BENCH(siphash, "SipHash-2-4 over 1 KiB, five times (64-bit rotates)")
{
	INPUT(p, ctx);
	u64 hash = 0;

	for (u32 i = 0; i < PASSES; i++)
		hash = siphash24(p, 0x0706050403020100ull ^ hash, 0x0f0e0d0c0b0a0908ull);
	return fold64(hash);
}
