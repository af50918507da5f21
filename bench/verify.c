/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "verify": what verification takes, in Skep and in the kernel.
 *
 * Each program is loaded by both in turn, some rounds; what counts is the line "verification time" of the log,
 * which both print by the same clock, and of the rounds the fastest: all that disturbs makes it longer. The
 * programs of verify_progs.c are made up to have one kind of work each; those of the bench's objects are small
 * and count in the sum. What hits the budget of a million instructions is measured for memory as well, in a
 * process of its own.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glob.h>
#include <malloc.h>
#include <math.h>
#include <skep.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"
#include "report.h"
#include "sections.h"
#include "verify_progs.h"

enum side { SKEP, KERNEL, SIDES };
enum { LOG_SIZE = 1 << 16, ROUNDS = 7, LONG_US = 1000 };

struct cost {
	double us, insns; /* NAN: not there */
};

struct sums {
	double us[SIDES], insns[SIDES], worst_time, worst_insns;
	unsigned programs;
};

static struct skep *verifier; /* one that verifies */
static char log_text[LOG_SIZE];

static void read_log(struct cost *c)
{
	const char *time = strstr(log_text, "verification time "), *insns = strstr(log_text, "processed ");
	double us = time ? strtod(time + 18, NULL) : NAN;

	if (isnan(c->us) || us < c->us)
		c->us = us;
	c->insns = insns ? strtod(insns + 10, NULL) : NAN;
}

/* False: what was to be measured did not come to its end. */
static bool load_once(enum side side, const struct verify_prog *p, struct cost *c)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_level = 4, .log_buf = log_text, .log_size = LOG_SIZE);
	int map, fd;

	log_text[0] = '\0';
	skep_bpf_bind(side == SKEP ? verifier : NULL);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, VERIFY_VALUE, 1, NULL);
	verify_prog_bind(p, map);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", p->insns, p->n, &opts);
	if (fd >= 0)
		close(fd);
	close(map);
	skep_bpf_bind(NULL);
	read_log(c);
	return (fd < 0) == p->endless && !isnan(c->us);
}

static void print_row(struct bench *b, struct sums *s, const char *name, const struct cost *cost)
{
	json_t *row = report_row(b, "verify");
	double time = cost[SKEP].us / cost[KERNEL].us, insns = cost[SKEP].insns / cost[KERNEL].insns;

	json_object_set_new(row, "name", json_string(name));
	report_number(row, "skep_us", cost[SKEP].us);
	report_number(row, "kernel_us", cost[KERNEL].us);
	report_number(row, "skep_insns", cost[SKEP].insns);
	report_number(row, "kernel_insns", cost[KERNEL].insns);
	printf("%-44s", name);
	print_cell(cost[SKEP].us, 12, 0);
	print_cell(cost[KERNEL].us, 12, 0);
	print_cell(time, 12, 3);
	print_cell(cost[SKEP].insns, 12, 0);
	print_cell(insns, 14, 3);
	print_cell(cost[SKEP].us * 1000 / cost[SKEP].insns, 14, 1);
	printf("\n");
	fflush(stdout);
	if (isnan(time))
		return;
	for (int side = 0; side < SIDES; side++) {
		s->us[side] += cost[side].us;
		s->insns[side] += cost[side].insns;
	}
	s->programs++;
	if (cost[KERNEL].us >= LONG_US && time > s->worst_time)
		s->worst_time = time;
	if (insns > s->worst_insns)
		s->worst_insns = insns;
}

static void measure_made(struct bench *b, struct sums *s, struct verify_prog *p)
{
	struct cost cost[SIDES] = {{NAN, NAN}, {NAN, NAN}};

	for (unsigned round = 0; round < (b->quick ? 1 : ROUNDS); round++)
		for (int side = 0; side < (b->no_kernel ? KERNEL : SIDES); side++)
			if (!load_once((enum side)side, p, &cost[side])) {
				fprintf(stderr, "bench: %s is not judged as expected by %s: %s\n", p->name,
				        side == SKEP ? "Skep" : "the kernel", log_text);
				b->errors++;
				return;
			}
	print_row(b, s, p->name, cost);
}

/* --- Objects ---------------------------------------------------------------------------------- */

static void load_object(enum side side, const char *path, struct cost *all)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *prog, *one;

	if (!object)
		return;
	skep_bpf_bind(side == SKEP ? verifier : NULL);
	bpf_object__for_each_program(prog, object) {
		bpf_program__set_log_buf(prog, log_text, LOG_SIZE);
		bpf_program__set_log_level(prog, 4);
	}
	/* One text for all programs, and each overwrites it: so one program an object is looked at. */
	one = bpf_object__next_program(object, NULL);
	bpf_object__for_each_program(prog, object)
		bpf_program__set_autoload(prog, prog == one);
	log_text[0] = '\0';
	if (!bpf_object__load(object))
		read_log(all);
	bpf_object__close(object);
	skep_bpf_bind(NULL);
}

static void measure_objects(struct bench *b, struct sums *s)
{
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*.bpf.o", b->dir);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct cost cost[SIDES] = {{NAN, NAN}, {NAN, NAN}};

		for (unsigned round = 0; round < (b->quick ? 1 : ROUNDS); round++)
			for (int side = 0; side < (b->no_kernel ? KERNEL : SIDES); side++)
				load_object((enum side)side, found.gl_pathv[i], &cost[side]);
		if (!isnan(cost[SKEP].us))
			print_row(b, s, strrchr(found.gl_pathv[i], '/') + 1, cost);
	}
	globfree(&found);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static double status_mb(const char *key)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	double kb = NAN;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kb = strtod(line + strlen(key), NULL);
	if (f)
		fclose(f);
	return kb / 1024;
}

static double measure_memory(const struct verify_prog *p)
{
	struct cost cost = {NAN, NAN};
	double mb = NAN;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return NAN;
	pid = fork();
	if (!pid) {
		FILE *f = fopen("/proc/self/clear_refs", "we");
		double before;

		malloc_trim(0);
		if (f) {
			fputs("5", f); /* the peak begins anew */
			fclose(f);
		}
		before = status_mb("VmRSS:");
		load_once(SKEP, p, &cost);
		mb = status_mb("VmHWM:") - before;
		_exit(write(ends[1], &mb, sizeof(mb)) != sizeof(mb));
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &mb, sizeof(mb)) != sizeof(mb))
		mb = NAN;
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return mb;
}

static void measure_endless(struct bench *b, double *worst_s, double *worst_mb)
{
	*worst_s = *worst_mb = 0;
	for (unsigned i = 0; i < verify_nprogs; i++) {
		struct verify_prog p = verify_progs[i];
		struct cost cost = {NAN, NAN};
		json_t *row;
		double mb;

		if (!p.long_running || !verify_prog_make(&p))
			continue;
		if (!load_once(SKEP, &p, &cost)) {
			fprintf(stderr, "bench: %s is not judged as expected: %s\n", p.name, log_text);
			b->errors++;
		}
		mb = measure_memory(&p);
		free(p.insns);
		row = report_row(b, "verify_memory");
		json_object_set_new(row, "name", json_string(p.name));
		report_number(row, "seconds", cost.us / 1e6);
		report_number(row, "mb", mb);
		printf("%-44s", p.name);
		print_cell(cost.us / 1e6, 12, 2);
		print_cell(mb, 12, 1);
		printf("\n");
		*worst_s = cost.us / 1e6 > *worst_s ? cost.us / 1e6 : *worst_s;
		*worst_mb = mb > *worst_mb ? mb : *worst_mb;
	}
}

void section_verify(struct bench *b)
{
	const struct skep_options options = {.size = sizeof(options), .engine = SKEP_ENGINE_INTERP};
	struct sums s = {0};
	double seconds, mb;

	if (!bench_wants(b, "verify") || skep_new(&options, &verifier))
		return;
	printf("\n%-44s%12s%12s%12s%12s%14s%14s\n", "us to verify", "skep", "kernel", "skep/kernel",
	       "insns", "insns/kernel", "skep ns/insn");
	for (unsigned i = 0; i < verify_nprogs; i++) {
		struct verify_prog p = verify_progs[i];

		if (!verify_prog_make(&p))
			continue;
		measure_made(b, &s, &p);
		free(p.insns);
	}
	measure_objects(b, &s);
	printf("\n%-44s%12s%12s\n", "a million instructions", "seconds", "MB");
	measure_endless(b, &seconds, &mb);
	skep_free(verifier);
	target_most(b, "verification time, sum over the programs / the kernel's",
	            s.us[SKEP] / s.us[KERNEL], 0.5, "x");
	target_most(b, "verification time, the worst above 1 ms / the kernel's",
	            s.programs ? s.worst_time : NAN, 0.5, "x");
	target_most(b, "instructions verified, the worst program / the kernel's",
	            s.programs ? s.worst_insns : NAN, 1.05, "x");
	target_most(b, "verifying a million instructions", seconds, 3, "s");
	target_most(b, "memory to verify a million instructions", mb, 64, "MB");
}
