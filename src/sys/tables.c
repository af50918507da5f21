/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registries: the only place that knows every map type, helper, hook and engine. Everybody else
 * reaches them through k->reg.
 */
#include "sys/tables.h"

#include "helpers/helpers.h"
#include "hooks/hooks.h"

const struct registry tables = {
	.helpers = helpers,
	.nhelpers = HELPER_COUNT,
	.hooks = hooks,
	.nhooks = HOOK_COUNT,
};
