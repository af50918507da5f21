/* SPDX-License-Identifier: BSD-2-Clause */
/* What entering a program costs: taken off the times of the others. */
#include "bench.h"

BENCH(empty, "an empty program")
{
	opaque((u32)(long)ctx);
	return 2;
}
