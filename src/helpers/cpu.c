/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program asks about the CPU it runs on: its number, its memory node, its random numbers. */
#define _GNU_SOURCE
#include <sched.h>
#include <stddef.h>

#include "core/core.h"
#include "helpers/helpers.h"

/* Programs whose fix-up was skipped or that call through a table come here. */
HELPER_FN(get_smp_processor_id)
{
	return cpu->id;
}

HELPER_FN(get_numa_node_id)
{
	unsigned here, node;

	return getcpu(&here, &node) ? 0 : node;
}

/* xorshift128+: the state belongs to the CPU slot, so no lock. */
HELPER_FN(get_prandom_u32)
{
	uint64_t a = cpu->random[0], b = cpu->random[1];

	cpu->random[0] = b;
	a ^= a << 23;
	cpu->random[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
	return (uint32_t)((cpu->random[1] + b) >> 32);
}
