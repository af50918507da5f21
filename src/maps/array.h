/* SPDX-License-Identifier: BSD-2-Clause */
/* What all types with a number as key share. */
#ifndef SKEP_MAPS_ARRAY_H
#define SKEP_MAPS_ARRAY_H

#include <stdint.h>

struct map;

/*
 * The number after *key; the first for NULL and for a number out of range. -ENOENT after the last.
 */
int array_next_key(struct map *m, const void *key, void *next);
/* map_ops.set_ok of arrays of objects. */
int array_set_ok(const struct map *m, const void *key, uint64_t flags);

#endif
