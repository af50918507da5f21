/* SPDX-License-Identifier: BSD-2-Clause */
/* Places, for those who look for other sandboxes: see place.c. */
#ifndef SKEP_SANDBOX_PLACE_H
#define SKEP_SANDBOX_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The directory in which this user's sandboxes are. 0 or -ENAMETOOLONG. */
int place_base(char *path, size_t size);
bool place_name_ok(const char *name);
/* The pid of the supervisor of the sandbox in this directory, 0 when none lives. */
int place_owner(const char *dir);
/* Removes what a dead sandbox left. */
void place_clear(const char *dir);

#endif
