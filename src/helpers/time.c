/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks. */
#include <time.h>

#include "helpers/helpers.h"

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

HELPER_FN(ktime_get_ns)
{
	return now(CLOCK_MONOTONIC);
}

HELPER_FN(ktime_get_boot_ns)
{
	return now(CLOCK_BOOTTIME);
}

HELPER_FN(ktime_get_coarse_ns)
{
	return now(CLOCK_MONOTONIC_COARSE);
}

HELPER_FN(ktime_get_tai_ns)
{
	return now(CLOCK_TAI);
}
