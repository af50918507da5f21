/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a client has its arenas. */
#ifndef SKEP_SYS_ARENA_H
#define SKEP_SYS_ARENA_H

#include "sys/client.h"

struct map;

/*
 * Of an arena without map_extra: its place is where the client has mapped it, which nobody told us. Other
 * maps, and arenas that are placed or mapped nowhere, are left alone.
 */
void arena_find_user(const struct client *c, struct map *m);

#endif
