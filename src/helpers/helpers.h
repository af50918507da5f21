/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of helpers, by id, and the functions behind its rows: see core/helper.h. */
#ifndef SKEP_HELPERS_HELPERS_H
#define SKEP_HELPERS_HELPERS_H

#include "core/helper.h"

/* One more than the highest id; row 0 is the kernel's bpf_unspec, which nobody may call. */
enum { HELPER_COUNT = 212 };

extern const struct helper helpers[HELPER_COUNT];

/* The definition of a row's function. */
#define HELPER_FN(name)                                                                            \
	uint64_t helper_##name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,    \
	                       struct cpu *cpu)

#define HELPER_DECLARE_FN(name) HELPER_FN(name);
#define HELPER_DECLARE_NO(name)
#define HELPER(id, name, fn, ...) HELPER_DECLARE_##fn(name)
#include "helpers/helpers.def"
#undef HELPER

#endif
