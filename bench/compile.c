/* SPDX-License-Identifier: BSD-2-Clause */
/* Section "compile": what the JIT takes to compile the bench programs, by the helper skep-jit-time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "native.h"
#include "progs/bench.h"
#include "report.h"
#include "sections.h"

/* Reads the helper's lines; answers ns per 1000 instructions over all programs, NAN: it failed. */
static double read_lines(struct bench *b, FILE *lines)
{
	double insns = 0, ns = 0, worst = 0;
	unsigned n, bytes;
	char name[64], worst_name[64] = "";
	double took;

	while (fscanf(lines, "%63s %u %u %lf", name, &n, &bytes, &took) == 4) {
		json_t *json = report_row(b, "compile");

		json_object_set_new(json, "name", json_string(name));
		json_object_set_new(json, "insns", json_integer(n));
		json_object_set_new(json, "bytes", json_integer(bytes));
		report_number(json, "ns", took);
		insns += n;
		ns += took;
		if (took / n > worst) {
			worst = took / n;
			snprintf(worst_name, sizeof(worst_name), "%s", name);
		}
	}
	if (insns > 0)
		printf("\nJIT: %.0f instructions compiled in %.1f us: %.1f us per 1000 (%s: %.1f)\n", insns,
		       ns / 1000, ns / insns, worst_name, worst);
	return insns > 0 ? ns / insns : NAN;
}

void section_compile(struct bench *b)
{
	char command[1 << 15];
	unsigned n;
	const struct bench_native *program = native_rows(&n);
	size_t len;
	FILE *lines;

	if (!bench_wants(b, "compile"))
		return;
	len = (size_t)snprintf(command, sizeof(command), "'%s/skep-jit-time' %u", b->dir,
	                       b->plan.rounds);
	for (unsigned i = 0; i < n && len < sizeof(command); i++)
		len += (size_t)snprintf(command + len, sizeof(command) - len, " '%s/%s.bpf.o'", b->dir,
		                        program[i].name);
	lines = len < sizeof(command) ? popen(command, "re") : NULL;
	if (!lines) {
		b->errors++;
		return;
	}
	target_most(b, "JIT compile time per 1000 instructions", read_lines(b, lines), 20, "us");
	if (pclose(lines))
		b->errors++;
}
