/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "threads": what an operation on a map costs a thread when another does the same, in Skep
 * and in the kernel. Each thread has a CPU; the clock is its own CPU time, so what counts is the
 * caches and locks that two share. The figures: ns alone, ns beside the other, by how much that is
 * more.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "progs/micro.h"
#include "report.h"
#include "sections.h"

enum { THREADS = 2, ROUNDS = 9, SLICE_NS = 5000000 };

struct worker {
	pthread_t thread;
	struct runner runner;
	pthread_barrier_t *start;
	uint64_t repeat;
	int cpu;
	double ns;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pthread_barrier_wait(w->start);
	w->ns = w->runner.run(&w->runner, w->repeat) / (double)w->repeat;
	return NULL;
}

/* The mean over n threads that begin together; NAN: they could not be run. */
static double run_threads(const struct runner *runner, unsigned n, uint64_t repeat)
{
	pthread_barrier_t start;
	struct worker w[THREADS];
	double sum = 0;

	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		w[i] = (struct worker){.runner = *runner, .start = &start, .repeat = repeat,
		                       .cpu = (int)i};
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			return NAN; /* the bench ends with this */
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		sum += w[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / n;
}

struct figures {
	double alone, beside;
};

static struct figures measure_place(const struct bench *b, const struct runner *runner)
{
	double one[ROUNDS], two[ROUNDS];
	unsigned rounds = b->quick ? 1 : ROUNDS;
	double once = run_threads(runner, 1, 10);
	uint64_t repeat = b->quick ? 1 : (uint64_t)(SLICE_NS / (once + 1)) + 1;

	for (unsigned i = 0; i < rounds; i++) {
		one[i] = run_threads(runner, 1, repeat);
		two[i] = run_threads(runner, THREADS, repeat);
	}
	return (struct figures){median(one, rounds) / MICRO_LOOPS, median(two, rounds) / MICRO_LOOPS};
}

static void measure_row(struct bench *b, struct loaded *l, unsigned places, const char *prog,
                        const char *what)
{
	struct figures f[2] = {{NAN, NAN}, {NAN, NAN}};
	json_t *json = report_row(b, "threads");
	char name[100];

	for (unsigned i = 0; i < places; i++) {
		struct runner runner;

		if (l[i].place->find(&l[i], prog, &runner)) {
			b->errors++;
			continue;
		}
		runner.len = 64;
		f[i] = measure_place(b, &runner);
		l[i].place->put(&runner);
	}
	json_object_set_new(json, "name", json_string(what));
	report_number(json, "jit_alone", f[0].alone);
	report_number(json, "jit_beside", f[0].beside);
	report_number(json, "kernel_alone", f[1].alone);
	report_number(json, "kernel_beside", f[1].beside);
	printf("%-44s", what);
	for (int i = 0; i < 2; i++) {
		print_cell(f[i].alone, 10, 1);
		print_cell(f[i].beside, 10, 1);
		print_cell(f[i].beside / f[i].alone, 8, 2);
	}
	printf("\n");
	fflush(stdout);
	snprintf(name, sizeof(name), "two threads, %s: slower by / the kernel slower by", what);
	/* A neighbour makes these vary by a tenth. */
	target_most(b, name, f[0].beside / f[0].alone / (f[1].beside / f[1].alone), 1.1, "x");
}

static bool load(struct bench *b, const struct place *p, const char *object, struct loaded *l)
{
	struct runner fill;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", b->dir, object);
	if (p->load(p, path, l) || p->find(l, "fill", &fill)) {
		b->errors++;
		return false;
	}
	fill.run(&fill, 1);
	p->put(&fill);
	return true;
}

void section_threads(struct bench *b)
{
	static const struct {
		const char *object, *prog, *what;
	} rows[] = {
		{"micro_big", "half_lookup", "64 k hash: look up"},
		{"micro_big", "half_update", "64 k hash: update"},
		{"micro_big", "half_insert", "64 k hash: insert and delete"},
		{"micro_big", "lru_big_update", "64 k LRU hash: update"},
		{"micro_big", "lpm_64k_lookup", "LPM trie of 64 k prefixes: look up"},
		{"micro_helpers", "queue_push_pop", "queue: push and pop"},
	};
	unsigned places = b->no_kernel ? 1 : 2;
	struct loaded l[2];

	if (!bench_wants(b, "threads") || sysconf(_SC_NPROCESSORS_ONLN) < THREADS)
		return;
	printf("\n%-44s%10s%10s%8s%10s%10s%8s\n", "ns each, one thread and two", "jit", "two", "",
	       "kernel", "two", "");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool fresh = !i || strcmp(rows[i].object, rows[i - 1].object);
		bool last = i + 1 == sizeof(rows) / sizeof(rows[0]) ||
		            strcmp(rows[i].object, rows[i + 1].object);

		for (unsigned p = 0; fresh && p < places; p++)
			if (!load(b, p ? &place_kernel : &place_jit, rows[i].object, &l[p]))
				return;
		measure_row(b, l, places, rows[i].prog, rows[i].what);
		for (unsigned p = 0; last && p < places; p++)
			l[p].place->unload(&l[p]);
	}
}
