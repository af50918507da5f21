/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of kfuncs, by name, and the functions behind its rows: see core/kfunc.h. */
#ifndef SKEP_HELPERS_KFUNCS_H
#define SKEP_HELPERS_KFUNCS_H

#include "core/core.h"
#include "core/kfunc.h"

enum {
	KFUNC_COUNT = 0
#define KFUNC(...) +1
#include "helpers/kfuncs.def"
#undef KFUNC
};

extern const struct kfunc kfuncs[KFUNC_COUNT];

/* The definition of a row's function. */
#define KFUNC_FN(name)                                                                             \
	uint64_t kfunc_##name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,     \
	                      struct cpu *cpu)

#define KFUNC_DECLARE_FN(name) KFUNC_FN(name);
#define KFUNC_DECLARE_NO(name)
#define KFUNC(name, fn, ...) KFUNC_DECLARE_##fn(name)
#include "helpers/kfuncs.def"
#undef KFUNC

#endif
