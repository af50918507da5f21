/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "programs": each bench program in every place, one table row each.
 *
 * Before anything is timed, each place runs the program once and the results are compared; after the
 * timing they are compared again, so a place that goes wrong when repeated is seen too.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "native.h"
#include "place.h"
#include "progs/bench.h"
#include "report.h"
#include "sections.h"

enum column { NATIVE, KERNEL, COLUMNS };

static const struct place *const place_of[COLUMNS] = {
	[NATIVE] = &place_native,
	[KERNEL] = &place_kernel,
};

/* Ratios of columns that are printed, and whose geometric means count. */
static const struct ratio {
	const char *name;
	enum column of, to;
} ratios[] = {
	{"kernel/native", KERNEL, NATIVE},
};

enum { RATIOS = sizeof(ratios) / sizeof(ratios[0]) };

struct row {
	const struct bench_native *program;
	struct runner runner[COLUMNS];
	struct subject subject[COLUMNS];
};

static void open_row(struct bench *b, struct row *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", b->dir, r->program->name);
	for (int c = 0; c < COLUMNS; c++) {
		struct runner *run = &r->runner[c];

		if (c == KERNEL && b->no_kernel)
			continue;
		run->data = bench_frame;
		run->len = FRAME_LEN;
		if (place_of[c]->open(place_of[c], path, r->program->name, run)) {
			b->errors++;
			run->run = NULL;
		}
		r->subject[c].run = run->run;
		r->subject[c].arg = run;
	}
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

static void close_row(struct row *r)
{
	for (int c = 0; c < COLUMNS; c++)
		if (r->runner[c].run)
			place_of[c]->close(&r->runner[c]);
}

static void print_head(void)
{
	printf("%-12s", "program");
	for (int c = 0; c < COLUMNS; c++)
		printf(" %11s", place_of[c]->name);
	for (int i = 0; i < RATIOS; i++)
		printf("  %s", ratios[i].name);
	printf("\n");
}

static void print_row(struct bench *b, const struct row *r, struct geomean *means)
{
	json_t *json = report_row(b, "programs");

	json_object_set_new(json, "name", json_string(r->program->name));
	json_object_set_new(json, "what", json_string(r->program->what));
	printf("%-12s", r->program->name);
	for (int c = 0; c < COLUMNS; c++) {
		char key[32];

		print_cell(r->subject[c].median, 9, 0);
		printf(" ns");
		snprintf(key, sizeof(key), "%s_ns", place_of[c]->name);
		report_number(json, key, r->subject[c].median);
		if (r->runner[c].code_size) {
			snprintf(key, sizeof(key), "%s_bytes", place_of[c]->name);
			report_number(json, key, r->runner[c].code_size);
		}
	}
	for (int i = 0; i < RATIOS; i++) {
		double value = r->subject[ratios[i].of].median / r->subject[ratios[i].to].median;

		print_cell(value, 2 + (int)strlen(ratios[i].name), 2);
		report_number(json, ratios[i].name, value);
		geomean_add(&means[i], value);
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

void section_programs(struct bench *b)
{
	struct geomean means[RATIOS] = {{0}};
	unsigned n;
	const struct bench_native *program = native_rows(&n);

	print_head();
	for (unsigned i = 0; i < n; i++) {
		struct row r = {.program = &program[i]};

		if (!bench_wants(b, "programs") && !bench_wants(b, program[i].name))
			continue;
		open_row(b, &r);
		for (int c = 0; c < COLUMNS; c++)
			if (r.subject[c].run && r.subject[c].run(r.subject[c].arg, 1) < 0)
				r.subject[c].run = NULL, b->errors++;
		compare_results(b, &r);
		measure(r.subject, COLUMNS, &b->plan);
		compare_results(b, &r);
		print_row(b, &r, means);
		close_row(&r);
	}
	print_means(b, means);
}
