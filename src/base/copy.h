/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to memory that other threads may be reading or writing.
 *
 * Maps promise what the kernel promises: words of 8 aligned bytes are not torn, larger values may
 * be. The shared side is aligned to 8 bytes. ThreadSanitizer is shown the word-wise atomic accesses
 * that this is meant to be; otherwise the compiler may use whatever moves whole words.
 */
#ifndef SKEP_BASE_COPY_H
#define SKEP_BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
enum { COPY_BY_WORDS_UP_TO = 1 << 30 };
#else
enum { COPY_BY_WORDS_UP_TO = 64 };
#endif

static inline void copy_from_shared(void *to, const void *shared, size_t len)
{
	const uint64_t *from = shared;
	const uint8_t *tail;
	uint8_t *out = to;

	if (len > COPY_BY_WORDS_UP_TO) {
		memcpy(to, shared, len);
		return;
	}
	for (; len >= 8; len -= 8, out += 8) {
		uint64_t word = __atomic_load_n(from++, __ATOMIC_RELAXED);

		memcpy(out, &word, 8);
	}
	tail = (const uint8_t *)from;
	if (len & 4) {
		uint32_t half = __atomic_load_n((const uint32_t *)tail, __ATOMIC_RELAXED);

		memcpy(out, &half, 4);
		tail += 4;
		out += 4;
	}
	for (size_t i = 0; i < (len & 3); i++)
		out[i] = __atomic_load_n(tail + i, __ATOMIC_RELAXED);
}

static inline void copy_to_shared(void *shared, const void *from, size_t len)
{
	uint64_t *to = shared;
	const uint8_t *in = from;
	uint8_t *tail;

	if (len > COPY_BY_WORDS_UP_TO) {
		memcpy(shared, from, len);
		return;
	}
	for (; len >= 8; len -= 8, in += 8) {
		uint64_t word;

		memcpy(&word, in, 8);
		__atomic_store_n(to++, word, __ATOMIC_RELAXED);
	}
	tail = (uint8_t *)to;
	if (len & 4) {
		uint32_t half;

		memcpy(&half, in, 4);
		__atomic_store_n((uint32_t *)tail, half, __ATOMIC_RELAXED);
		tail += 4;
		in += 4;
	}
	for (size_t i = 0; i < (len & 3); i++)
		__atomic_store_n(tail + i, in[i], __ATOMIC_RELAXED);
}

static inline void clear_shared(void *shared, size_t len)
{
	uint64_t *to = shared;

	if (len > COPY_BY_WORDS_UP_TO) {
		memset(shared, 0, len);
		return;
	}
	for (; len >= 8; len -= 8)
		__atomic_store_n(to++, 0, __ATOMIC_RELAXED);
	for (size_t i = 0; i < len; i++)
		__atomic_store_n((uint8_t *)to + i, 0, __ATOMIC_RELAXED);
}

#endif
