/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long jobs: how far they are, and Ctrl-C.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/exec.h"

enum { FIRST_NS = 1000000000, EVERY_NS = 200000000 };

volatile int interrupted;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void progress(const char *what, uint64_t done, uint64_t total)
{
	static uint64_t next;
	static bool shown;
	uint64_t now;

	if (!isatty(STDERR_FILENO))
		return;
	now = now_ns();
	if (!next)
		next = now + FIRST_NS;
	if (done == total || interrupted) {
		if (shown)
			fputs("\r\033[K", stderr);
		next = 0;
		shown = false;
	} else if (now >= next) {
		fprintf(stderr, "\r\033[K%s: %" PRIu64 " of %" PRIu64 " (%" PRIu64 "%%)", what, done, total,
		        total ? done * 100 / total : 0);
		next = now + EVERY_NS;
		shown = true;
	}
}
