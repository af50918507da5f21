/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of Skep's on every packet of a capture in memory: a subject of which one run is one
 * packet.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include <stdint.h>

struct capture;
struct runner;

struct replay {
	const struct capture *capture;
	const struct runner *runner;
};

/* Goes on from the first packet each time it is called, through the capture as often as needed. */
double replay_run(void *replay, uint64_t repeat);

#endif
