/* SPDX-License-Identifier: BSD-2-Clause */
/* The program type: all there is to say about it. */
#ifndef OREORE_TYPE_H
#define OREORE_TYPE_H

#include <skep_hook.h>
#include "oreore.h"

static const struct skep_field oreore_fields[] = {
	SKEP_FIELD(struct oreore, in, SKEP_READ),
	SKEP_FIELD(struct oreore, out, SKEP_READ | SKEP_WRITE),
	{0},
};

static const struct skep_range oreore_returns[] = {{SKEP_ANY_ATTACH, 0, 0}};

static const struct skep_type oreore_type = {
	SKEP_TYPE_HEAD("oreore", SKEP_USER_FIRST + 0x42),
	.ctx_size = sizeof(struct oreore),
	.fields = oreore_fields,
	.returns = oreore_returns,
};

#endif
