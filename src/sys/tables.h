/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_TABLES_H
#define SKEP_SYS_TABLES_H

#include "core/core.h"

/* Everything that this build of Skep has: map types, helpers, hooks, engines. */
extern const struct registry tables;
/* Frees what those parts keep in a kernel, after its last object has gone. */
void tables_release(struct skep *k);

#endif
