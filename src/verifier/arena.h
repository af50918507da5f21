/* SPDX-License-Identifier: BSD-2-Clause */
/* What arena.c offers to the other passes. */
#ifndef SKEP_VERIFIER_ARENA_H
#define SKEP_VERIFIER_ARENA_H

#include "verifier/state.h"

enum { ARENA_INSNS = 7 }; /* at most in place of one */

/* A program refers to this arena: it has one, and its user must have said where. */
int arena_use(struct verifier *v, struct map *m);
/* What a function begins with: the base is loaded. Answers how many instructions. */
unsigned arena_prefix(const struct verifier *v, uint32_t pc, struct insn out[ARENA_INSNS]);
/* What takes the place of an instruction that uses the arena; answers how many, 0: it does not. */
unsigned arena_lower(const struct verifier *v, uint32_t pc, struct insn out[ARENA_INSNS]);

#endif
