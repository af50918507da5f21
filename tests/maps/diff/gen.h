/* SPDX-License-Identifier: BSD-2-Clause */
/* Random cases for the differential test: a map, keys and values, operations on it. */
#ifndef TESTS_MAPS_DIFF_GEN_H
#define TESTS_MAPS_DIFF_GEN_H

#include "side.h"

enum { CASE_OPS = 4096 };

struct kind; /* of map: a row of gen.c's table */

struct test_case {
	const struct kind *kind;
	struct shape shape;
	struct material material;
	bool lossy; /* forgets what it likes: see lossy.h */
	unsigned n;
	struct op ops[CASE_OPS];
};

unsigned gen_kinds(void);
const char *gen_kind_name(unsigned kind);
uint32_t gen_kind_type(unsigned kind);
/* The same case for the same kind and seed; false: it would take too much memory. */
/* without: operations to leave out, bits of enum op_name. */
bool gen_case(struct test_case *c, unsigned kind, uint64_t seed, uint64_t without);
void gen_free(struct test_case *c);

uint64_t random_next(uint64_t *state);

#endif
