/* SPDX-License-Identifier: BSD-2-Clause */
/* The context's fields, as ctx.c checks accesses to them and fixup.c rewrites these. */
#ifndef SKEP_VERIFIER_CTX_H
#define SKEP_VERIFIER_CTX_H

#include "core/hook.h"

/* The field that an access of size bytes at off may touch, or NULL. */
const struct ctx_field *ctx_field_for(const struct prog *p, int off, unsigned size, bool write);

#endif
