/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registries: the only place that knows every map type, helper, hook and engine. Everybody else
 * reaches them through k->reg.
 */
#include "sys/tables.h"

#include "exec/exec.h"
#include "helpers/helpers.h"
#include "helpers/kfuncs.h"
#include "hooks/hooks.h"
#include "maps/maps.h"

const struct registry tables = {
	.map_types = map_types,
	.nmap_types = NMAP_TYPES,
	.helpers = helpers,
	.nhelpers = HELPER_COUNT,
	.kfuncs = kfuncs,
	.nkfuncs = KFUNC_COUNT,
	.hooks = hooks,
	.nhooks = HOOK_COUNT,
	.interp = &engine_interp,
	.checked = &engine_checked,
#ifdef SKEP_HAVE_JIT
	.jit = &engine_jit,
#endif
};

void tables_release(struct skep *k)
{
	jit_pool_free(k);
}
