/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract states that a verifier prints at log level 2, held against what registers really hold.
 *
 * For programs of RANDOM_SCALARS: straight on, but for jumps to the end. Those that are not taken make the
 * way that is followed first, and its states are read.
 */
#ifndef SKEP_TESTS_VERIFIER_STATES_H
#define SKEP_TESTS_VERIFIER_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/insn.h"

/*
 * Runs the program on a value of 64 random bytes, next to the log. True when every register lies inside its
 * state after each instruction; else why says where not. checked counts the comparisons.
 */
bool states_hold(const struct insn *insns, size_t n, const char *log, uint64_t *random, uint64_t *checked,
                 char *why, size_t size);

#endif
