/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "compile": what the JIT takes to compile the bench programs, by the helper skep-jit-time.
 */
#include <stdio.h>
#include <string.h>

#include "native.h"
#include "progs/bench.h"
#include "report.h"
#include "sections.h"

/* Sums for a straight line through (instructions, ns) by least squares. */
struct fit {
	double n, x, y, xx, xy;
};

static void fit_add(struct fit *f, double x, double y)
{
	f->n++;
	f->x += x;
	f->y += y;
	f->xx += x * x;
	f->xy += x * y;
}

/* Reads the helper's lines. */
static void read_lines(struct bench *b, FILE *lines, struct fit *f)
{
	unsigned insns, bytes;
	char name[64];
	double ns;

	while (fscanf(lines, "%63s %u %u %lf", name, &insns, &bytes, &ns) == 4) {
		json_t *json = report_row(b, "compile");

		json_object_set_new(json, "name", json_string(name));
		json_object_set_new(json, "insns", json_integer(insns));
		json_object_set_new(json, "bytes", json_integer(bytes));
		report_number(json, "ns", ns);
		fit_add(f, insns, ns);
	}
}

/*
 * A program costs something by itself and something for each instruction: both from the fit. The
 * target is about a program of 1000 instructions.
 */
static void report_fit(struct bench *b, const struct fit *f)
{
	double slope = (f->n * f->xy - f->x * f->y) / (f->n * f->xx - f->x * f->x);
	double fixed = (f->y - slope * f->x) / f->n, thousand = (fixed + slope * 1000) / 1000;
	json_t *json = report_row(b, "compile_fit");

	printf("\nJIT, %.0f programs of %.0f instructions in all: %.1f us; "
	       "a program: %.2f us, and %.1f us per 1000 instructions\n",
	       f->n, f->x, f->y / 1000, fixed / 1000, slope);
	report_number(json, "fixed_ns", fixed);
	report_number(json, "ns_per_insn", slope);
	target_most(b, "JIT compile time of a program of 1000 instructions", thousand, 20, "us");
}

void section_compile(struct bench *b)
{
	char command[1 << 15];
	unsigned n;
	const struct bench_native *program = native_rows(&n);
	struct fit fit = {0};
	size_t len;
	FILE *lines;

	if (!bench_wants(b, "compile"))
		return;
	len = (size_t)snprintf(command, sizeof(command), "'%s/skep-jit-time' %u", b->dir,
	                       b->plan.rounds);
	for (unsigned i = 0; i < n && len < sizeof(command); i++)
		len += (size_t)snprintf(command + len, sizeof(command) - len, " '%s/%s.bpf.o'",
		                        b->dir, program[i].name);
	len += (size_t)snprintf(command + len, sizeof(command) - len, " '%s/ddos.bpf.o'", b->dir);
	lines = len < sizeof(command) ? popen(command, "re") : NULL;
	if (!lines) {
		b->errors++;
		return;
	}
	read_lines(b, lines, &fit);
	report_fit(b, &fit);
	if (pclose(lines))
		b->errors++;
}
