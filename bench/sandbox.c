/* SPDX-License-Identifier: BSD-2-Clause */
/* Section "sandbox": what a call costs a client in a sandbox, beside the same client on the kernel. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "sections.h"

enum { CALLS_MAX = 16 };

struct cost {
	char name[16];
	double ns;
};

/* Runs the client; answers how many lines it printed, 0 when it failed. */
static unsigned run_client(const struct bench *b, bool in_sandbox, struct cost *out)
{
	char command[8192];
	unsigned n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "%s%s%s/served %d", in_sandbox ? b->dir : "",
	         in_sandbox ? "/../skep run -- " : "", b->dir, b->plan.rounds);
	f = popen(command, "r");
	while (f && n < CALLS_MAX && fscanf(f, "%15s %lf", out[n].name, &out[n].ns) == 2)
		n++;
	return f && pclose(f) == 0 ? n : 0;
}

void section_sandbox(struct bench *b)
{
	struct cost served[CALLS_MAX], real[CALLS_MAX];
	unsigned n = run_client(b, true, served), nreal = b->no_kernel ? 0 : run_client(b, false, real);
	double worst = NAN;

	if (!n) {
		fprintf(stderr, "bench: the client of the section \"sandbox\" has failed\n");
		b->errors++;
		return;
	}
	printf("\n%-12s %12s %12s %8s   a call of a client, ns\n", "sandbox", "served", "kernel", "ratio");
	for (unsigned i = 0; i < n; i++) {
		double kernel = i < nreal ? real[i].ns : NAN, ratio = served[i].ns / kernel;
		json_t *row = report_row(b, "sandbox");

		json_object_set_new(row, "call", json_string(served[i].name));
		report_number(row, "served_ns", served[i].ns);
		report_number(row, "kernel_ns", kernel);
		printf("%-12s ", served[i].name);
		print_cell(served[i].ns, 12, 0);
		print_cell(kernel, 13, 0);
		print_cell(ratio, 9, 1);
		printf("\n");
		if (!strcmp(served[i].name, "other"))
			target_most(b, "a call that the sandbox does not serve / outside of it", ratio, 2, "x");
		else if (isnan(worst) || ratio > worst)
			worst = ratio;
	}
	target_most(b, "served call / the kernel's, the worst", worst, 15, "x");
}
