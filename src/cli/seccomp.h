/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep seccomp: what its files share. A filter is asked about calls: struct seccomp_data, as 16 words.
 *
 *   word 0 nr   1 arch   2, 3 instruction pointer   4 + 2i, 5 + 2i   argument i, low and high half
 */
#ifndef SKEP_CLI_SECCOMP_H
#define SKEP_CLI_SECCOMP_H

#include "cli/filter.h"

enum { WORD_NR, WORD_ARCH, WORD_IP, WORD_ARGS = 4, WORDS = 16 };

struct call {
	uint32_t word[WORDS];
};

/* seccomp_names.c */
const char *arch_name(uint32_t arch); /* or NULL */
uint32_t arch_native(void);
bool arch_find(const char *name, uint32_t *arch);
/* The name of a system call in room, or its number. */
const char *call_name(uint32_t arch, uint32_t nr, char room[64]);
bool call_is_known(uint32_t arch, uint32_t nr);
bool call_find(uint32_t arch, const char *name, uint32_t *nr);
const char *word_name(unsigned word);
/* "ALLOW", "ERRNO(EPERM)" ... */
const char *action_name(uint32_t ret, char room[64]);
enum { CALLS_MAX = 1024 };

/* seccomp_walk.c: what a filter can look at when arch and nr are these. */
struct walk {
	struct walk_at {
		bool reached, known; /* A has this value for certain */
		uint32_t value;
		uint16_t from; /* words that A may come from */
	} *at;             /* [n] */
	uint32_t *pool[WORDS]; /* values of each word that make a difference */
	unsigned npool[WORDS];
};

/* nr, arch: NULL if they may be anything. -ENOMEM or 0. */
int walk(const struct filter *f, const uint32_t *nr, const uint32_t *arch, struct walk *w);
void walk_free(struct walk *w);
/* The values of b that a has not got join a. */
int walk_join(struct walk *a, const struct walk *b);
/* Call number i of those that make a difference; false: there are no more. */
bool walk_call(const struct walk *w, unsigned i, struct call *c);

uint32_t verdict(const struct filter *f, const struct call *c);

#endif
