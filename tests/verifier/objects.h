/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases that need types: the programs of an object made by clang, each loaded for itself through libbpf.
 *
 * X.bpf.o has its answers in X.verdicts: a line a program, sorted by name,
 *     NAME accept PROCESSED
 *     NAME reject ERRNO PROCESSED LAST LINE OF THE LOG
 * A program's name begins with what it is meant to show: ok_ or no_.
 */
#ifndef SKEP_TESTS_VERIFIER_OBJECTS_H
#define SKEP_TESTS_VERIFIER_OBJECTS_H

#include "judge.h"

struct object_case {
	const char *path; /* of the object */
	const char *prog;
	char name[200]; /* "kptr/ok_exchange" */
	bool lacks;     /* its answer, or the program of an answer */
	struct answer want;
};

/* Calls fn for each program of the object. False after a message. */
bool objects_each(const char *path, const char *answers,
                  void (*fn)(void *arg, const struct object_case *c), void *arg);
/* The same for any object: its programs have no answers. */
bool objects_programs(const char *path, void (*fn)(void *arg, const struct object_case *c), void *arg);
/* Writes the kernel's answers. */
bool objects_record(const char *path, const char *answers);

void judge_object(enum judge_who who, const struct object_case *c, unsigned log_level,
                  struct answer *out);

#endif
