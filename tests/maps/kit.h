/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of maps share: a kernel without sys/, maps in one line, memory that fails on
 * demand.
 */
#ifndef TESTS_MAPS_KIT_H
#define TESTS_MAPS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/map.h"

/* Lets `left` allocations and mappings through, then fails; counts what is alive. */
struct kit_mem {
	long left; /* negative: no limit */
	_Atomic long asked, alive;
};

struct kit {
	struct skep k;
	struct kit_mem mem;
};

/* A kernel of ncpus CPUs with the map types. */
void kit_open(struct kit *kit, unsigned ncpus);
void kit_close(struct kit *kit); /* asserts that nothing is left allocated */

/* 0 or -errno; *out with one reference. */
int kit_try(struct kit *kit, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
            uint32_t flags, struct map **out);
struct map *kit_map(struct kit *kit, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
                    uint32_t flags);
void kit_put(struct map *m);

/* Deterministic random numbers: splitmix64. */
uint64_t kit_random(uint64_t *state);

#endif
