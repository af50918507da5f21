/* SPDX-License-Identifier: BSD-2-Clause */
/* Why programs are refused, for people: explain.def, and what a log tells (diagnose.c). */
#ifndef SKEP_CLI_EXPLAIN_H
#define SKEP_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct explanation {
	unsigned code;
	const char *title, *needed, *fix, *setup, *wrong, *right;
};

/* The row of a code, or NULL. */
const struct explanation *explanation_find(unsigned code);

enum { DIAGNOSIS_STEPS = 4 };

/* Where in the source: text is the line itself. */
struct place_in_source {
	char text[160], file[120];
	unsigned line, column; /* 0: unknown */
	unsigned insn;         /* and which instruction it is */
	char code[120];        /* as the log prints it */
};

/* What a log of level 1 or higher says of a refusal. */
struct diagnosis {
	char reason[512];      /* its last line that is no statistics */
	unsigned code;         /* of reject.def, 0: not known */
	bool placed;           /* at is known */
	struct place_in_source at;
	char known[200];       /* what was known of the register: "R1=map_value_or_null(...)" */
	int reg;               /* the register that the reason names, or -1 */
	struct place_in_source steps[DIAGNOSIS_STEPS]; /* where its value came from, latest first */
	unsigned nsteps;
	unsigned branches;     /* conditions that the way to the fault took */
	unsigned processed, states;
	uint64_t us;
};

void diagnose(const char *log, struct diagnosis *d);
/* Finds columns: in line_info of the object's .BTF.ext section. */
struct btf;
void diagnose_columns(struct diagnosis *d, const struct btf *btf, const void *btf_ext, size_t len);

#endif
