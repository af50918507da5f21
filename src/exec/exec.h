/* SPDX-License-Identifier: BSD-2-Clause */
/* The engines: see struct engine in core/prog.h. sys/tables.c lists them. */
#ifndef SKEP_EXEC_EXEC_H
#define SKEP_EXEC_EXEC_H

#include "core/prog.h"

extern const struct engine engine_interp;  /* trusts the program as a JIT does */
extern const struct engine engine_checked; /* resolves every access; the first bad one ends the run */
extern const struct engine engine_jit;     /* defined where the host has a back end: see jit.h */

/* Frees the executable memory of a kernel, after its last program has gone. */
void jit_pool_free(struct skep *k);

/*
 * What the checked engine found, as one line: where in the program, the instruction, what is wrong, the
 * address and what it is close to. It stays in f->text.
 */
const char *fault_text(struct fault *f);

#endif
