/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_loop(): calls a function of the program with 0, 1, 2 ... until it answers other than 0. */
#include <errno.h>

#include "helpers/helpers.h"

enum { MAX_LOOPS = 8 * 1024 * 1024 };

HELPER_FN(loop)
{
	const struct callback *cb = (const struct callback *)(uintptr_t)r2;
	uint32_t n = (uint32_t)r1;

	if (r4)
		return (uint64_t)-EINVAL;
	if (n > MAX_LOOPS)
		return (uint64_t)-E2BIG;
	for (uint32_t i = 0; i < n; i++)
		if (cb->call(i, r3, 0, 0, 0, cpu, cb))
			return i + 1;
	return n;
}
