/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded hashing of keys that an attacker may choose (addresses and ports in packets).
 *
 * Method: the folded product. Two words are xored with secrets, multiplied to 128 bits, and the
 * halves of the product are xored: every bit of the result depends on every bit of both words. A
 * second fold with further secrets separates what the first may have left close together.
 *
 * Why not a cryptographic function: nobody outside sees hash values, and the secrets, 256 bits
 * drawn for each map, are not reused; to make keys collide one has to know them. SipHash gives a
 * proof for that and takes three times as long for the usual key of 4 to 16 bytes, which would be
 * half the cost of a look-up. Why not CRC or FNV: their collisions do not depend on the seed.
 *
 * The value is the same on hosts of either byte order only for the same memory contents; it never
 * leaves the process.
 */
#ifndef SKEP_BASE_HASH_H
#define SKEP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_seed {
	uint64_t secret[4];
};

/* Secrets from the system's generator, or from `fallback` where it has none to give yet. */
void hash_seed_random(struct hash_seed *s, const uint64_t fallback[2]);
/* Always the same: for maps whose creator asked for a seed of zero. */
void hash_seed_fixed(struct hash_seed *s);

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_words(const struct hash_seed *s, uint64_t a, uint64_t b, size_t len)
{
	uint64_t once = hash_fold(a ^ s->secret[0], b ^ s->secret[1]);

	return hash_fold(once ^ s->secret[2], s->secret[3] ^ len);
}

static inline uint64_t hash_load(const void *from, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, from, len);
	return word;
}

/*
 * Any length. With a length known at compile time this is a dozen instructions for up to 16 bytes.
 */
static inline uint64_t hash_bytes(const struct hash_seed *s, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t a = 0, b = 0, chain = 0;
	size_t left = len;

	for (; left > 16; left -= 16, p += 16)
		chain = hash_fold(hash_load(p, 8) ^ s->secret[2] ^ chain,
		                  hash_load(p + 8, 8) ^ s->secret[1]);
	if (left > 8) {
		a = hash_load(p, 8);
		b = hash_load(p + left - 8, 8); /* may overlap the first: no byte-wise tail */
	} else if (left == 8) {
		a = hash_load(p, 8);
	} else if (left >= 4) {
		a = hash_load(p, 4) << 32 | hash_load(p + left - 4, 4);
	} else {
		for (size_t i = 0; i < left; i++)
			a = a << 8 | p[i];
	}
	return hash_words(s, a ^ chain, b, len);
}

#endif
