/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of map types, made from maps.def. */
#include "maps/maps.h"

const struct map_ops *const map_types[NMAP_TYPES] = {
#define MAP(type, ops) [BPF_MAP_TYPE_##type] = &ops,
#include "maps/maps.def"
#undef MAP
};
