/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for a brief lock: see brief.h. */
#include "base/brief.h"

#include <time.h>

#include "base/lock.h"

enum {
	PAUSES_FIRST = 8,
	PAUSES_LAST = 512, /* about ten microseconds: a holder that takes longer is not running */
	SLEEP_NS = 20000,
};

void brief_slow(_Atomic uint32_t *word)
{
	const struct timespec nap = {.tv_nsec = SLEEP_NS};
	unsigned pauses = PAUSES_FIRST;

	do {
		for (unsigned i = 0; i < pauses; i++)
			pause_cpu();
		if (pauses < PAUSES_LAST)
			pauses *= 2;
		else
			nanosleep(&nap, NULL);
	} while (!brief_try(word));
}
