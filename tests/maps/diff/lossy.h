/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps that may forget (LRU maps that are full): what one side answered, against all that is
 * allowed. Which element goes is nobody's to know; but what is found must be what was put in last,
 * what was deleted stays away, the element put in last is there, and no more than max_entries are.
 */
#ifndef TESTS_MAPS_DIFF_LOSSY_H
#define TESTS_MAPS_DIFF_LOSSY_H

#include "gen.h"

/* The number of the first operation whose result is not allowed, or c->n. */
unsigned lossy_check(const struct test_case *c, const struct result *results);

#endif
