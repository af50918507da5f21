/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any objects, each program judged by Skep and by the real kernel: verdict, errno, last log line, instructions
 * processed and verification time, side by side in one run.
 *
 *   compare [-m PERCENT] OBJECT...
 *
 * Prints the programs in which they differ, then sums. With -m it fails when fewer than so many percent agree.
 * Programs that even the kernel is not asked about (a map of another kernel, a hook that this one lacks) are
 * counted apart.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "objects.h"

enum { TIMED_FROM_US = 1000, REPEATS = 3 };

static struct {
	unsigned programs, agree, unasked, both_accept, over;
	uint64_t processed[JUDGES], us[JUDGES];
	double worst;
	char worst_name[200];
} sums;

/* The fastest of a few times, for programs that take long enough to be measured. */
static void measure(enum judge_who who, const struct object_case *c, struct answer *a)
{
	for (int i = 1; i < REPEATS && a->us >= TIMED_FROM_US; i++) {
		struct answer again;

		judge_object(who, c, 4, &again);
		if (again.us && again.us < a->us)
			a->us = again.us;
	}
}

static void add_sums(const struct object_case *c, const struct answer *got)
{
	double ratio;

	sums.both_accept++;
	for (int who = 0; who < JUDGES; who++) {
		sums.processed[who] += got[who].processed;
		sums.us[who] += got[who].us;
	}
	if (got[JUDGE_KERNEL].us < TIMED_FROM_US || !got[JUDGE_SKEP].us)
		return;
	ratio = (double)got[JUDGE_SKEP].us / (double)got[JUDGE_KERNEL].us;
	sums.over += ratio > 0.5;
	if (ratio > sums.worst) {
		sums.worst = ratio;
		snprintf(sums.worst_name, sizeof(sums.worst_name), "%s", c->name);
	}
}

static void compare(void *arg, const struct object_case *c)
{
	struct answer got[JUDGES];
	char text[JUDGES][600];
	const char *differs;

	for (int who = 0; who < JUDGES; who++) {
		judge_object(who, c, 4, &got[who]);
		if (got[who].err && got[who].asked)
			judge_object(who, c, 5, &got[who]);
	}
	sums.programs++;
	if (!got[JUDGE_KERNEL].asked) {
		sums.unasked++;
		return;
	}
	differs = answer_differs(&got[JUDGE_KERNEL], &got[JUDGE_SKEP]);
	if (!differs) {
		sums.agree++;
		for (int who = 0; !got[who].err && who < JUDGES; who++)
			measure(who, c, &got[who]);
		if (!got[JUDGE_KERNEL].err)
			add_sums(c, got);
		return;
	}
	printf("%-44s %-10s kernel: %s\n%-55s skep:   %s\n", c->name, differs,
	       answer_text(&got[JUDGE_KERNEL], text[0], 600), "",
	       answer_text(&got[JUDGE_SKEP], text[1], 600));
}

int main(int argc, char **argv)
{
	double least = 0, percent;
	unsigned asked;
	int option;

	while ((option = getopt(argc, argv, "m:")) != -1) {
		if (option != 'm')
			return 2;
		least = atof(optarg);
	}
	if (judge_absent(JUDGE_KERNEL)) {
		printf("skipped: %s\n", judge_absent(JUDGE_KERNEL));
		return 0;
	}
	for (int i = optind; i < argc; i++)
		objects_programs(argv[i], compare, NULL);
	asked = sums.programs - sums.unasked;
	percent = asked ? 100.0 * sums.agree / asked : 100;
	printf("%u programs, of which %u the kernel was not asked about; %u agree (%.2f %%)\n", sums.programs,
	       sums.unasked, sums.agree, percent);
	printf("accepted by both: %u; instructions: skep %llu, kernel %llu; time: skep %llu us, kernel %llu us\n",
	       sums.both_accept, (unsigned long long)sums.processed[JUDGE_SKEP],
	       (unsigned long long)sums.processed[JUDGE_KERNEL], (unsigned long long)sums.us[JUDGE_SKEP],
	       (unsigned long long)sums.us[JUDGE_KERNEL]);
	if (sums.worst > 0)
		printf("above 1 ms: %u take more than half of the kernel's time, the worst %.2f of it: %s\n",
		       sums.over, sums.worst, sums.worst_name);
	return percent < least;
}
