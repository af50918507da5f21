/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verifier as a judge of programs: Skep's or the real kernel's, asked by bpf(2), and what it answered.
 *
 * Every question is asked in a process of its own, which the answer outlives: a verifier that crashes, or
 * that takes longer than its time, has given an answer, too.
 */
#ifndef SKEP_TESTS_VERIFIER_JUDGE_H
#define SKEP_TESTS_VERIFIER_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct skep;
struct test;

enum { JUDGE_LINE = 512, JUDGE_LOG = 16 << 20, JUDGE_SECONDS = 20 };

struct answer {
	bool asked;      /* false: what the program needs (a map, BTF) could not be made; line says which */
	int err;         /* 0: accepted; a positive errno */
	int signal;      /* the judge died of it; SIGALRM: it took too long */
	unsigned processed, states, peak_states;
	uint64_t us;     /* verification time by the log's own line, 0: none */
	char line[JUDGE_LINE]; /* the last line of the log that is no statistics */
	char *log;       /* all of it: memory that judge_log() lends until the next question */
};

enum judge_who { JUDGE_SKEP, JUDGE_KERNEL, JUDGES };

extern const char *const judge_names[JUDGES];

/* NULL: the judge is there; or why not. */
const char *judge_absent(enum judge_who who);

/* Loads the test's first program, with log_level, on a Skep of its own or on the kernel. */
void judge_test(enum judge_who who, const struct test *t, unsigned log_level, struct answer *out);

/*
 * Asks anything: fn runs in the child and fills in asked, err and the log (JUDGE_LOG bytes at out->log); k
 * is NULL for the kernel.
 */
typedef void (*judge_fn)(struct skep *k, const void *question, struct answer *out);
void judge_ask(enum judge_who who, judge_fn fn, const void *question, struct answer *out);

/* Where two answers differ in what counts (verdict, errno, last line), in words; NULL: nowhere. */
const char *answer_differs(const struct answer *a, const struct answer *b);

/* "EACCES: invalid mem access", "accepted", "died of signal 6". */
const char *answer_text(const struct answer *a, char *buf, size_t size);

#endif
