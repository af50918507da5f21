/* SPDX-License-Identifier: BSD-2-Clause */
/* The map types, by number: what sys/tables.c registers. Rows: maps.def. */
#ifndef SKEP_MAPS_MAPS_H
#define SKEP_MAPS_MAPS_H

#include "core/map.h"

enum { NMAP_TYPES = BPF_MAP_TYPE_RHASH + 1 };

extern const struct map_ops *const map_types[NMAP_TYPES];

#define MAP(type, ops) extern const struct map_ops ops;
#include "maps/maps.def"
#undef MAP

#endif
