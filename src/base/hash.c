/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds of hash.h. */
#include "base/hash.h"

#include <sys/random.h>

/* Digits of pi: constants that hide nothing. */
static const struct hash_seed fixed = {
	{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89}};

void hash_seed_fixed(struct hash_seed *s)
{
	*s = fixed;
}

void hash_seed_random(struct hash_seed *s, const uint64_t fallback[2])
{
	struct hash_seed drawn;

	if (getrandom(&drawn, sizeof(drawn), GRND_NONBLOCK) == (ssize_t)sizeof(drawn)) {
		*s = drawn;
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		s->secret[i] = hash_words(&fixed, fallback[0] + i, fallback[1], (uintptr_t)s);
}
