/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of the differential generator, for the test and for the BPF programs that carry
 * them out by the thousand (ops.bpf.c): one row each.
 *
 *   OP(name, program)   program: the one in ops.bpf.c that does it; none: bpf(2) does
 */
#ifndef TESTS_MAPS_DIFF_OPS_H
#define TESTS_MAPS_DIFF_OPS_H

#ifdef __bpf__
typedef unsigned char uint8_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
#include <stdint.h>
#endif

#define DIFF_OPS(OP) \
	OP(LOOKUP, do_lookup) \
	OP(WRITE, do_lookup) /* into the value that a look-up finds */ \
	OP(UPDATE, do_update) \
	OP(DELETE, do_update) \
	OP(LOOKUP_CPU, do_percpu) \
	OP(FOR_EACH, do_each) \
	OP(PUSH, do_queue) \
	OP(POP, do_queue) \
	OP(PEEK, do_queue) \
	OP(ADD, do_bloom) \
	OP(TEST, do_bloom) \
	OP(INNER, do_inner) /* looks a map up, and element 0 of it */ \
	OP(OUTPUT, do_ring) \
	OP(SUBMIT, do_ring) \
	OP(DISCARD, do_ring) \
	OP(QUERY, do_ring) \
	OP(LOCKED, do_locked) /* adds to a byte of the value, under its spin lock */ \
	OP(SYS_LOOKUP, none) \
	OP(SYS_UPDATE, none) \
	OP(SYS_DELETE, none) \
	OP(SYS_TAKE, none) \
	OP(SYS_NEXT, none) \
	OP(SYS_WALK, none) /* all keys and values, in any order */ \
	OP(SYS_CLEAR, none) /* walks and deletes what it stands on */ \
	OP(SYS_BATCH_LOOKUP, none) \
	OP(SYS_BATCH_TAKE, none) \
	OP(SYS_BATCH_UPDATE, none) \
	OP(SYS_BATCH_DELETE, none) \
	OP(SYS_CONSUME, none) /* what programs wrote to a ring buffer */ \
	OP(SYS_FREEZE, none)

enum op_name {
#define OP(name, program) OP_##name,
	DIFF_OPS(OP)
#undef OP
	OPS
};

enum {
	KEYS = 64,
	KEY_MAX = 512,
	VALUES = 16,
	VALUE_MAX = 8192, /* of values that programs handle */
	RUN_OPS = 1024,   /* at most, in one run of a program */
};

struct op {
	uint8_t name;
	uint8_t key;   /* of KEYS */
	uint8_t value; /* of VALUES */
	uint8_t cpu;
	uint32_t count;
	uint64_t flags;
};

struct result {
	int64_t ret;
	uint64_t digest; /* of what was read */
};

/* The memory that the programs share with the test. */
struct shared {
	uint32_t nops;
	struct op ops[RUN_OPS];
	struct result results[RUN_OPS];
	uint8_t keys[KEYS][KEY_MAX];
	uint8_t values[VALUES][VALUE_MAX];
	uint8_t taken[VALUE_MAX];
};

static inline __attribute__((always_inline)) uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

enum { DIGEST_WORDS = 8 };

/* Of a value as programs read it: its first words and its last bytes. */
static inline __attribute__((always_inline)) uint64_t digest(const uint8_t *value, uint32_t size)
{
	uint64_t h = 1;

#pragma GCC unroll 8
	for (uint32_t i = 0; i < DIGEST_WORDS; i++)
		if (i * 8 + 8 <= size)
			h = mix(h, *(const uint64_t *)(value + i * 8));
#pragma GCC unroll 8
	for (uint32_t i = 1; i < 8; i++)
		if (i <= size)
			h = mix(h, value[size - i]);
	return h;
}

#endif
