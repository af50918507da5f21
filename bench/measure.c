/* SPDX-License-Identifier: BSD-2-Clause */
/* Interleaved rounds and their medians: see measure.h. */
#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static double read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, unsigned n)
{
	if (!n)
		return NAN;
	qsort(values, n, sizeof(*values), compare_double);
	return n & 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void geomean_add(struct geomean *g, double value)
{
	if (!isfinite(value) || value <= 0)
		return;
	g->log_sum += log(value);
	g->n++;
}

double geomean(const struct geomean *g)
{
	return g->n ? exp(g->log_sum / g->n) : NAN;
}

int pin_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0) {
		if (sched_getaffinity(0, sizeof(set), &set))
			return -errno;
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				cpu = i;
	}
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : cpu;
}

/*
 * Finds how often s must be done to fill a slice: in few steps, because a step may have a high
 * fixed cost (a system call of 16 ms whose reported duration is 1 us).
 */
static void calibrate(struct subject *s, const struct plan *plan)
{
	double limit = plan->max_repeat ? (double)plan->max_repeat : 1e9, repeat = 1, took;

	for (;;) {
		s->repeat = (uint64_t)repeat;
		took = s->run(s->arg, s->repeat);
		if (took < 0) {
			s->run = NULL;
			return;
		}
		if (took > plan->slice / 4 || repeat >= limit)
			break;
		repeat *= fmax(2, fmin(100, plan->slice / 2 / (took + 1)));
		repeat = fmin(repeat, limit);
	}
	if (took < plan->slice)
		s->repeat = (uint64_t)fmin(repeat * plan->slice / took, limit);
}

void measure(struct subject *subjects, unsigned n, const struct plan *plan)
{
	for (unsigned i = 0; i < n; i++)
		if (subjects[i].run)
			calibrate(&subjects[i], plan);
	for (unsigned round = 0; round < plan->rounds; round++)
		for (unsigned k = 0; k < n; k++) {
			struct subject *s = &subjects[(k + round) % n];

			if (s->run)
				s->round[round] = s->run(s->arg, s->repeat) / (double)s->repeat;
		}
	for (unsigned i = 0; i < n; i++) {
		struct subject *s = &subjects[i];

		s->median = s->run ? median(s->round, plan->rounds) : NAN;
		s->least = s->run ? s->round[0] : NAN;
	}
}
