/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier as its callers see it.
 *
 * Today it checks structure only (see verify.c for the list of passes) and translates the program;
 * until the analysis of values is complete, nothing but the checked engine may run what it passes,
 * unless the user trusts the program.
 */
#ifndef SKEP_VERIFIER_VERIFY_H
#define SKEP_VERIFIER_VERIFY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct prog;
struct map;
struct buf;

/* What the verifier asks its caller: descriptors are the caller's business. */
struct verify_env {
	void *arg;
	/*
	 * A new reference to the map of a descriptor, or to the i-th of the load's fd_array.
	 * -EBADF, -EINVAL
	 */
	int (*map_of_fd)(void *arg, int32_t fd, struct map **out);
	int (*map_of_index)(void *arg, int32_t index, struct map **out);
	struct buf *log;    /* the kernel's text; NULL: nobody wants it */
	uint32_t log_level; /* 1, 2, 4 as in bpf(2) */
	bool trust; /* check structure only: the user vouches for the program */
};

/*
 * Checks p->orig and makes p->insns, funcs, aux, maps. 0, or the errno that BPF_PROG_LOAD gives
 * (-EINVAL, -EACCES, -E2BIG, -ENOMEM ...), with the reason at the end of the log. What was made
 * stays in p and goes with it.
 */
int verify(struct prog *p, const struct verify_env *env);

/* The code of reject.def whose message a line of a log is, or 0; a code's message as a format, or NULL. */
unsigned reject_code(const char *line);
const char *reject_format(unsigned code);

#endif
