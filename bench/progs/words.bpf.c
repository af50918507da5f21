/* SPDX-License-Identifier: BSD-2-Clause */
/* A tokenizer over random bytes: counts words, numbers and marks, with branches on every byte. */
#include "bench.h"

enum state { OUTSIDE, IN_WORD, IN_NUMBER };

BENCH(words, "branchy state machine over bytes")
{
	INPUT(p, ctx);
	u32 words = 0, numbers = 0, marks = 0, value = 0, state = OUTSIDE;

	for (u32 i = 0; i < BENCH_BYTES; i++) {
		u8 c = p[i] & 0x7f;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
			if (state != IN_WORD)
				words++;
			state = IN_WORD;
		} else if (c >= '0' && c <= '9') {
			if (state == IN_WORD)
				continue;
			if (state == OUTSIDE)
				numbers++;
			value = value * 10 + (c - '0');
			state = IN_NUMBER;
		} else {
			if (c == '.' || c == ',' || c == ';')
				marks++;
			state = OUTSIDE;
		}
	}
	return words * 0x10001 + numbers * 257 + marks + value * 7;
}
