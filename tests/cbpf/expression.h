/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions of pcap-filter(7), made up from its grammar, and a list of well-known ones. */
#ifndef SKEP_TESTS_CBPF_EXPRESSION_H
#define SKEP_TESTS_CBPF_EXPRESSION_H

#include <stddef.h>
#include <stdint.h>

extern const char *const known_expressions[]; /* the last is NULL */

/* At most `room` bytes. What comes out need not compile for every link type. */
void random_expression(uint64_t *seed, char *to, size_t room);

#endif
