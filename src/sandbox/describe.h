/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc/PID/fdinfo says of an object: see describe.c. */
#ifndef SKEP_SANDBOX_DESCRIBE_H
#define SKEP_SANDBOX_DESCRIBE_H

#include <stddef.h>

struct obj;

/* Lines of text with a NUL behind; answers their length, less than size. */
int describe_fdinfo(struct obj *o, char *text, size_t size);

#endif
