/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Internet checksums (RFC 1071) and their update when part of a packet changes (RFC 1624).
 *
 * Sums are kept in 32 bits with end-around carry over 16-bit words as they stand in memory,
 * whatever the host's byte order; a checksum field is the complement of the sum folded to 16 bits.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/pkt.h"
#include "core/uapi.h"
#include "helpers/helpers.h"

enum {
	SIZE_BITS = 0xf,
	PSEUDO_HDR = 1 << 4,
	MARK_MANGLED_0 = 1 << 5,
	MARK_ENFORCE = 1 << 6,
	IPV6 = 1 << 7,
	MAX_OFFSET = 0xffff,
	MANGLED_0 = 0xffff, /* the checksum of a UDP packet that would be 0, which means none */
};

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

static uint32_t sum_add(uint32_t a, uint32_t b)
{
	uint32_t sum = a + b;

	return sum + (sum < b);
}

static uint16_t sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t sum_bytes(const void *bytes, uint32_t len, uint32_t sum)
{
	const uint8_t *at = bytes;
	uint32_t word;

	for (; len >= 4; at += 4, len -= 4) {
		memcpy(&word, at, 4);
		sum = sum_add(sum, word);
	}
	word = 0;
	memcpy(&word, at, len);
	return sum_add(sum, word);
}

/* The checksum after `from` became `to`, words of 32 bits or, zero-extended, 16. */
static uint16_t replace(uint16_t check, uint32_t from, uint32_t to)
{
	return (uint16_t)~sum_fold(sum_add(sum_add(~(uint32_t)check, ~from), to));
}

/* The same in 16 bits, where it differs by which of the two zeros comes out. */
static uint16_t replace16(uint16_t check, uint16_t from, uint16_t to)
{
	uint16_t sum = (uint16_t)~check, part;

	part = (uint16_t)~from;
	sum = (uint16_t)(sum + part);
	sum = (uint16_t)(sum + (sum < part));
	sum = (uint16_t)(sum + to);
	sum = (uint16_t)(sum + (sum < to));
	return (uint16_t)~sum;
}

/*
 * Common to both layers. size: of from and to; 0: `to` is a difference as bpf_csum_diff() gives it.
 */
static int update(uint16_t *check, uint64_t from, uint64_t to, uint64_t size)
{
	switch (size) {
	case 0:
		if (from)
			return -EINVAL;
		*check = (uint16_t)~sum_fold(sum_add((uint32_t)to, ~(uint32_t)*check));
		return 0;
	case 2:
		*check = replace16(*check, (uint16_t)from, (uint16_t)to);
		return 0;
	case 4:
		*check = replace(*check, (uint32_t)from, (uint32_t)to);
		return 0;
	default:
		return -EINVAL;
	}
}

static uint8_t *field_at(uint64_t ctx, uint32_t offset)
{
	const struct skb *skb = (const struct skb *)(uintptr_t)ctx;

	if (offset > MAX_OFFSET || offset & 1)
		return NULL;
	return pkt_at(&skb->pkt, offset, sizeof(uint16_t));
}

HELPER_FN(l3_csum_replace)
{
	uint8_t *at = field_at(r1, (uint32_t)r2);
	uint16_t check;
	int err;

	if (r5 & ~(uint64_t)SIZE_BITS)
		return fail(EINVAL);
	if (!at)
		return fail(EFAULT);
	memcpy(&check, at, sizeof(check));
	err = update(&check, r3, r4, r5);
	if (!err)
		memcpy(at, &check, sizeof(check));
	return (uint64_t)(int64_t)err;
}

HELPER_FN(l4_csum_replace)
{
	uint8_t *at = field_at(r1, (uint32_t)r2);
	uint16_t check;
	int err;

	if (r5 & ~(uint64_t)(SIZE_BITS | PSEUDO_HDR | MARK_MANGLED_0 | MARK_ENFORCE | IPV6))
		return fail(EINVAL);
	if (!at)
		return fail(EFAULT);
	memcpy(&check, at, sizeof(check));
	if (r5 & MARK_MANGLED_0 && !(r5 & MARK_ENFORCE) && !check)
		return 0;
	err = update(&check, r3, r4, r5 & SIZE_BITS);
	if (err)
		return (uint64_t)(int64_t)err;
	if (r5 & MARK_MANGLED_0 && !check)
		check = MANGLED_0;
	memcpy(at, &check, sizeof(check));
	return 0;
}

HELPER_FN(csum_diff)
{
	const void *from = (const void *)(uintptr_t)r1, *to = (const void *)(uintptr_t)r3;
	uint32_t from_size = (uint32_t)r2, to_size = (uint32_t)r4, seed = (uint32_t)r5;

	if (to_size)
		seed = sum_bytes(to, to_size, seed);
	if (from_size)
		seed = sum_add(seed, ~sum_bytes(from, from_size, 0));
	return sum_fold(seed);
}

/* Skep's packets carry no checksum of a device's that would have to follow. */
HELPER_FN(csum_update)
{
	return fail(ENOTSUPP);
}

HELPER_FN(csum_level)
{
	enum { QUERY, INC, DEC, RESET };

	if (r2 == QUERY)
		return fail(EACCES);
	return r2 <= RESET ? 0 : fail(EINVAL);
}
