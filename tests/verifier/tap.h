/* SPDX-License-Identifier: BSD-2-Clause */
/* Results in TAP: one number for the whole program, and a skip that says why. */
#ifndef SKEP_TESTS_VERIFIER_TAP_H
#define SKEP_TESTS_VERIFIER_TAP_H

#include <stdbool.h>

/* Reports a result, with the printf-style name of what was tested; answers ok. */
bool tap(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tap_skip(const char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the plan; what main() answers. */
int tap_end(void);

#endif
