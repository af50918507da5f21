/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How times are taken: subjects that are compared run side by side, in rounds, each for a slice of
 * time per round, so that a slow moment of the host hits all of them; the figure is the median of
 * the rounds.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

enum { MEASURE_MAX_ROUNDS = 101 };

struct subject {
	/*
	 * Does the thing `repeat` times; answers the time it took in ns, or a negative number:
	 * failed.
	 */
	double (*run)(void *arg, uint64_t repeat);
	void *arg; /* NULL run: the subject is absent, its figures are NAN */
	double median, least; /* ns for doing it once: set by measure() */
	uint64_t repeat;      /* in a slice: set by measure() */
	double round[MEASURE_MAX_ROUNDS];
};

struct plan {
	unsigned rounds;   /* at most MEASURE_MAX_ROUNDS */
	double slice;      /* ns a subject runs per round */
	uint64_t max_repeat; /* 0: no limit */
};

void measure(struct subject *subjects, unsigned n, const struct plan *plan);

/*
 * Time for loops of this thread that only compute: what it had of its CPU, so that other processes
 * on the machine do not count. (BPF_PROG_TEST_RUN's duration leaves them out as well.)
 */
double cpu_ns(void);
double clock_ns(void); /* time of day, for what waits or is done by several */
double median(double *values, unsigned n); /* sorts them; NAN for none */

/* A geometric mean that is being collected; NANs are left out. */
struct geomean {
	double log_sum;
	unsigned n;
};

void geomean_add(struct geomean *g, double value);
double geomean(const struct geomean *g); /* NAN for none */

/* Stays on one CPU (-1: the last one allowed). The CPU, or a negative errno. */
int pin_cpu(int cpu);

#endif
