/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators: numbers, and bits that are set. Their state is on the program's stack, laid out as
 * the kernel's: an iterator that came to its end, or was made of nonsense, is empty.
 */
#include <errno.h>
#include <string.h>

#include "core/core.h"
#include "helpers/kfuncs.h"
#include "helpers/probe.h"

enum { NUMBERS_MAX = 8 << 20, WORDS_MAX = 511 };

struct iter_num {
	int32_t now, end;
};

KFUNC_FN(bpf_iter_num_new)
{
	struct iter_num *it = (struct iter_num *)(uintptr_t)r1;
	int32_t start = (int32_t)r2, end = (int32_t)r3;

	*it = (struct iter_num){0, 0};
	if (start > end)
		return (uint64_t)-EINVAL;
	if ((int64_t)end - start > NUMBERS_MAX)
		return (uint64_t)-E2BIG;
	*it = (struct iter_num){(int32_t)((uint32_t)start - 1), end};
	return 0;
}

KFUNC_FN(bpf_iter_num_next)
{
	struct iter_num *it = (struct iter_num *)(uintptr_t)r1;

	/* One below the smallest number is the largest: compared after the step. */
	if ((int32_t)((uint32_t)it->now + 1) >= it->end) {
		*it = (struct iter_num){0, 0};
		return 0;
	}
	it->now = (int32_t)((uint32_t)it->now + 1);
	return (uintptr_t)&it->now;
}

KFUNC_FN(bpf_iter_num_destroy)
{
	*(struct iter_num *)(uintptr_t)r1 = (struct iter_num){0, 0};
	return 0;
}

struct iter_bits {
	union {
		uint64_t *many;
		uint64_t one;
	} bits;
	int32_t nbits, at;
};

_Static_assert(sizeof(struct iter_bits) == 16, "struct bpf_iter_bits");

KFUNC_FN(bpf_iter_bits_new)
{
	struct iter_bits *it = (struct iter_bits *)(uintptr_t)r1;
	const struct mem *mem = &cpu->k->mem;
	uint32_t words = (uint32_t)r3;
	uint64_t *bits = &it->bits.one;

	memset(it, 0, sizeof(*it));
	it->at = -1;
	if (!r2 || !words)
		return (uint64_t)-EINVAL;
	if (words > WORDS_MAX)
		return (uint64_t)-E2BIG;
	if (words > 1)
		bits = mem->alloc(mem->arg, words * sizeof(*bits));
	if (!bits)
		return (uint64_t)-ENOMEM;
	if (probe_memory(bits, words * (uint32_t)sizeof(*bits), r2)) {
		if (words > 1)
			mem_free(mem, bits);
		it->bits.one = 0;
		return (uint64_t)-EFAULT;
	}
	if (words > 1)
		it->bits.many = bits;
	it->nbits = (int32_t)(words * 64);
	return 0;
}

KFUNC_FN(bpf_iter_bits_next)
{
	struct iter_bits *it = (struct iter_bits *)(uintptr_t)r1;
	const uint64_t *bits = it->nbits > 64 ? it->bits.many : &it->bits.one;
	int32_t at = it->at + 1;

	if (!it->nbits || it->at >= it->nbits)
		return 0;
	for (; at < it->nbits; at = (at | 63) + 1) {
		uint64_t left = bits[at / 64] >> (at % 64);

		if (left) {
			it->at = at + __builtin_ctzll(left);
			return (uintptr_t)&it->at;
		}
	}
	it->at = it->nbits;
	return 0;
}

KFUNC_FN(bpf_iter_bits_destroy)
{
	struct iter_bits *it = (struct iter_bits *)(uintptr_t)r1;

	if (it->nbits > 64)
		mem_free(&cpu->k->mem, it->bits.many);
	return 0;
}
