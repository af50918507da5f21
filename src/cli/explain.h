/* SPDX-License-Identifier: BSD-2-Clause */
/* Why programs are refused, for people: the texts in explain/, and what a log tells (diagnose.c). */
#ifndef SKEP_CLI_EXPLAIN_H
#define SKEP_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct explanation {
	unsigned code;
	unsigned then; /* the log goes on with this code's line, 0: it ends with its own */
	bool in_c;     /* the examples are C, not assembler; "": there are none */
	const char *title, *needed, *help;
	const char *only, *without;
	const char *setup, *wrong, *right;
};

/* The row of a code, or NULL. */
const struct explanation *explanation_find(unsigned code);

enum { DIAGNOSIS_STEPS = 4, DIAGNOSIS_CONDITIONS = 3 };

/* Where in the source: text is the line itself. */
struct place_in_source {
	char text[160], file[120];
	unsigned line, column; /* 0: unknown */
	unsigned insn;         /* and which instruction it is */
	char code[120];        /* as the log prints it */
};

/* A condition on the way to the fault. */
struct condition {
	struct place_in_source at;
	bool jumped; /* it held, and the jump was taken */
};

/* What a log of level 1 or higher says of a refusal. */
struct diagnosis {
	char reason[512];      /* its last line that is a reason */
	char detail[512];      /* the reason in the line before, which says more, or "" */
	unsigned code;         /* of reject.def, 0: not known */
	bool placed;           /* at is known */
	struct place_in_source at;
	char known[200];       /* what was known of the register: "R1=map_value_or_null(...)" */
	int reg;               /* the register that the reason names, or -1 */
	struct place_in_source steps[DIAGNOSIS_STEPS]; /* where its value came from, latest first */
	unsigned nsteps;
	bool was_lost;         /* what the register pointed to was given away, or became void: there */
	struct place_in_source lost;
	struct condition conditions[DIAGNOSIS_CONDITIONS]; /* of the way to the fault, latest first */
	unsigned branches;     /* how many there were in all */
	unsigned processed, states;
	uint64_t us;
};

void diagnose(const char *log, struct diagnosis *d);
/* Finds columns: in line_info of the object's .BTF.ext section. */
struct btf;
void diagnose_columns(struct diagnosis *d, const struct btf *btf, const void *btf_ext, size_t len);

#endif
