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

/*
 * A kernel counts at a rate of its own; 250 a second, from five minutes before 32 bits overflow, is
 * common.
 */
HELPER_FN(jiffies64)
{
	enum { PER_SECOND = 250 };
	const uint64_t first = (uint32_t)(-300 * PER_SECOND);

	return first + now(CLOCK_BOOTTIME) / (1000000000u / PER_SECOND);
}
