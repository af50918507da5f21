/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of cases in which Skep still differs from the kernel: a text file, a name a line, sorted. */
#ifndef SKEP_TESTS_VERIFIER_PENDING_H
#define SKEP_TESTS_VERIFIER_PENDING_H

#include <stdbool.h>
#include <stddef.h>

struct pending {
	char **names;
	size_t n, cap;
};

/* False after a message. A file that is not there is an empty list. */
bool pending_read(struct pending *p, const char *path);
bool pending_write(struct pending *p, const char *path);
void pending_add(struct pending *p, const char *name);
bool pending_has(const struct pending *p, const char *name);
void pending_free(struct pending *p);

#endif
