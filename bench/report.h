/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run of the bench found: a table on stdout as it goes, a JSON document at the end, and the
 * table of targets.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "measure.h"

struct bench {
	struct plan plan;
	bool quick, tap;
	const char *filter;      /* of names; NULL: everything */
	const char *dump;        /* a directory for machine code, or NULL */
	const char *dir;         /* of the compiled programs and examples */
	const char *no_kernel;   /* why there is no kernel to compare with, or NULL */
	json_t *root;            /* the document; "targets" and the sections are its members */
	unsigned mismatches;     /* programs whose results differ between places */
	unsigned errors;         /* programs that could not be run */
};

/* Is a section or program of this name wanted? */
bool bench_wants(const struct bench *b, const char *name);

/* Appends to the array root[section], made when it is not there; answers the new object. */
json_t *report_row(struct bench *b, const char *section);
/* A number, or null when it is NAN. */
void report_number(json_t *row, const char *key, double value);

/* A cell of a table: the number in so many columns, "n/a" when NAN. */
void print_cell(double value, int width, int decimals);

/* A target of the project: measured must be <= limit. NAN: not measured in this run. */
void target_most(struct bench *b, const char *name, double measured, double limit,
                 const char *unit);
void targets_print(struct bench *b);

#endif
