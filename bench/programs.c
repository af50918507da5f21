/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "programs": each bench program in every place, one table row each.
 *
 * Before anything is timed, each place runs the program once and the results are compared; after
 * the timing they are compared again, so a place that goes wrong when repeated is seen too.
 *
 * The first program is empty, and its time is taken off those of the others: the kernel's test run
 * costs some 25 ns around a program, which says nothing about the code of its JIT.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "place.h"
#include "progs/bench.h"
#include "report.h"
#include "sections.h"

enum column { NATIVE, JIT, INTERP, CHECKED, KERNEL, COLUMNS };

static const struct place *const place_of[COLUMNS] = {
	[NATIVE] = &place_native,
	[JIT] = &place_jit,
	[INTERP] = &place_interp,
	[CHECKED] = &place_checked,
	[KERNEL] = &place_kernel,
};

/* Ratios of columns that are printed, and whose geometric means count. */
static const struct ratio {
	const char *name;
	enum column of, to;
} ratios[] = {
	{"jit/kernel", JIT, KERNEL},
	{"jit/native", JIT, NATIVE},
	{"interp/native", INTERP, NATIVE},
	{"checked/interp", CHECKED, INTERP},
	{"kernel/native", KERNEL, NATIVE},
};

enum { RATIOS = sizeof(ratios) / sizeof(ratios[0]) };

struct row {
	const struct bench_native *program;
	struct loaded loaded[COLUMNS];
	struct runner runner[COLUMNS];
	struct subject subject[COLUMNS]; /* run is NULL where the program is not */
};

static void open_cell(struct bench *b, struct row *r, int c)
{
	const struct place *p = place_of[c];
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", b->dir, r->program->name);
	if (p->load(p, path, &r->loaded[c])) {
		b->errors++;
		return;
	}
	if (p->find(&r->loaded[c], r->program->name, &r->runner[c])) {
		p->unload(&r->loaded[c]);
		b->errors++;
		return;
	}
	r->subject[c].run = r->runner[c].run;
	r->subject[c].arg = &r->runner[c];
}

static void close_row(struct row *r)
{
	for (int c = 0; c < COLUMNS; c++)
		if (r->runner[c].run) {
			place_of[c]->put(&r->runner[c]);
			place_of[c]->unload(&r->loaded[c]);
		}
}

/* Runs it once everywhere; where that fails the place is left out. */
static void run_once(struct bench *b, struct row *r)
{
	for (int c = 0; c < COLUMNS; c++)
		if (r->subject[c].run && r->subject[c].run(r->subject[c].arg, 1) < 0) {
			fprintf(stderr, "bench: %s cannot be run: %s\n", r->program->name,
			        place_of[c]->name);
			r->subject[c].run = NULL;
			b->errors++;
		}
}

/* `--dump`: for objdump -D -b binary -mi386:x86-64. */
static void dump_code(struct bench *b, const struct row *r, int c)
{
	const struct runner *run = &r->runner[c];
	char path[4096];
	uint8_t *code = malloc(run->code_size);
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.%s.bin", b->dump, r->program->name, place_of[c]->name);
	out = code && !place_of[c]->code(run, code) ? fopen(path, "we") : NULL;
	if (!out || fwrite(code, 1, run->code_size, out) != run->code_size) {
		fprintf(stderr, "bench: %s cannot be written\n", path);
		b->errors++;
	}
	if (out)
		fclose(out);
	free(code);
}

static void compare_results(struct bench *b, const struct row *r)
{
	for (int c = NATIVE + 1; c < COLUMNS; c++)
		if (r->subject[c].run && r->runner[c].result != r->runner[NATIVE].result) {
			fprintf(stderr, "bench: %s: %s answers 0x%08x, native code 0x%08x\n",
			        r->program->name, place_of[c]->name, r->runner[c].result,
			        r->runner[NATIVE].result);
			b->mismatches++;
		}
}

static void print_head(void)
{
	printf("%-12s", "ns per run");
	for (int c = 0; c < COLUMNS; c++)
		printf("%12s", place_of[c]->name);
	for (int i = 0; i < RATIOS; i++)
		printf("  %s", ratios[i].name);
	printf("\n");
}

static double ratio_of(const struct row *r, int i)
{
	return r->subject[ratios[i].of].median / r->subject[ratios[i].to].median;
}

static void print_row(struct bench *b, const struct row *r)
{
	json_t *json = report_row(b, "programs");

	json_object_set_new(json, "name", json_string(r->program->name));
	json_object_set_new(json, "what", json_string(r->program->what));
	printf("%-12s", r->program->name);
	for (int c = 0; c < COLUMNS; c++) {
		char key[32];

		print_cell(r->subject[c].median, 12, r->subject[c].median < 100 ? 1 : 0);
		snprintf(key, sizeof(key), "%s_ns", place_of[c]->name);
		report_number(json, key, r->subject[c].median);
		snprintf(key, sizeof(key), "%s_least_ns", place_of[c]->name);
		report_number(json, key, r->subject[c].least);
		if (r->runner[c].code_size) {
			snprintf(key, sizeof(key), "%s_bytes", place_of[c]->name);
			report_number(json, key, r->runner[c].code_size);
		}
	}
	for (int i = 0; i < RATIOS; i++) {
		print_cell(ratio_of(r, i), 2 + (int)strlen(ratios[i].name), 2);
		report_number(json, ratios[i].name, ratio_of(r, i));
	}
	printf("\n");
	fflush(stdout);
}

static void print_means(struct bench *b, const struct geomean *means)
{
	json_t *json = report_row(b, "program_means");

	printf("%-12s", "mean");
	for (int c = 0; c < COLUMNS; c++)
		printf("%12s", "");
	for (int i = 0; i < RATIOS; i++) {
		print_cell(geomean(&means[i]), 2 + (int)strlen(ratios[i].name), 2);
		report_number(json, ratios[i].name, geomean(&means[i]));
	}
	printf("\n");
}

/* `--tap`: are the results equal? A test for each program in each place, without figures. */
unsigned programs_check(struct bench *b)
{
	unsigned n, failed = 0, number = 0;
	const struct bench_native *program = native_rows(&n);

	printf("1..%u\n", n * (COLUMNS - 1));
	for (unsigned i = 0; i < n; i++) {
		struct row r = {.program = &program[i]};

		for (int c = 0; c < COLUMNS; c++)
			if (c != KERNEL || !b->no_kernel)
				open_cell(b, &r, c);
		run_once(b, &r);
		for (int c = NATIVE + 1; c < COLUMNS; c++) {
			bool skip = c == KERNEL && b->no_kernel;
			uint32_t want = r.runner[NATIVE].result;
			bool ok = r.subject[c].run && r.runner[c].result == want &&
			          r.subject[c].run(r.subject[c].arg, 1) >= 0 &&
			          r.runner[c].result == want;

			failed += !ok && !skip;
			printf("%sok %u - %s: %s as native code%s%s\n", ok || skip ? "" : "not ",
			       ++number, program[i].name, place_of[c]->name, skip ? " # SKIP " : "",
			       skip ? b->no_kernel : "");
		}
		close_row(&r);
	}
	return failed;
}

/* What the table says about the targets of the project. */
struct summary {
	struct geomean ratio[RATIOS];
	double worst_jit;          /* jit/kernel, the largest */
	double worst_size;         /* code size of the JIT / the kernel's, the largest */
	double jit_bytes, kernel_bytes;
};

static void sum_up(struct summary *s, const struct row *r)
{
	double jit = r->runner[JIT].code_size, kernel = r->runner[KERNEL].code_size;

	for (int i = 0; i < RATIOS; i++)
		geomean_add(&s->ratio[i], ratio_of(r, i));
	s->worst_jit = fmax(s->worst_jit, r->subject[JIT].median / r->subject[KERNEL].median);
	if (jit > 0 && kernel > 0) {
		s->jit_bytes += jit;
		s->kernel_bytes += kernel;
		s->worst_size = fmax(s->worst_size, jit / kernel);
	}
}

static void set_targets(struct bench *b, const struct summary *s)
{
	target_most(b, "JIT time / kernel JIT's: the worst program", s->worst_jit, 1, "x");
	target_most(b, "JIT time / kernel JIT's: geometric mean", geomean(&s->ratio[0]), 0.85, "x");
	target_most(b, "JIT code size / kernel JIT's: the worst program", s->worst_size, 1, "x");
	target_most(b, "JIT code size / kernel JIT's: all programs",
	            s->jit_bytes / s->kernel_bytes, 1, "x");
	target_most(b, "interpreter / native: geometric mean", geomean(&s->ratio[2]), 10, "x");
	target_most(b, "checked / interpreter: geometric mean", geomean(&s->ratio[3]), 2, "x");
}

/* Opens, compares, times and closes one program; off is what entering one costs. */
static void do_row(struct bench *b, struct row *r, const double off[COLUMNS])
{
	for (int c = 0; c < COLUMNS; c++)
		if (c != KERNEL || !b->no_kernel)
			open_cell(b, r, c);
	run_once(b, r);
	for (int c = 0; c < COLUMNS && b->dump; c++)
		if (r->runner[c].code_size)
			dump_code(b, r, c);
	compare_results(b, r);
	measure(r->subject, COLUMNS, &b->plan);
	compare_results(b, r);
	for (int c = 0; c < COLUMNS; c++)
		r->subject[c].median -= off[c], r->subject[c].least -= off[c];
	print_row(b, r);
	close_row(r);
}

static bool wanted(const struct bench *b, const struct bench_native *program)
{
	return bench_wants(b, "programs") || bench_wants(b, program->name);
}

void section_programs(struct bench *b)
{
	struct summary sum = {.worst_jit = NAN, .worst_size = NAN};
	double entering[COLUMNS] = {0};
	unsigned n, done = 0;
	const struct bench_native *program = native_rows(&n); /* program[0] is the empty one */

	for (unsigned i = 1; i < n; i++) {
		struct row empty = {.program = &program[0]}, r = {.program = &program[i]};

		if (!wanted(b, &program[i]))
			continue;
		if (!done++) {
			print_head();
			do_row(b, &empty, entering);
			for (int c = 0; c < COLUMNS; c++)
				entering[c] = empty.subject[c].median;
		}
		do_row(b, &r, entering);
		sum_up(&sum, &r);
	}
	if (done == n - 1) {
		print_means(b, sum.ratio);
		set_targets(b, &sum);
	}
}
