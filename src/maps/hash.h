/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hash map types share: see hash.c. */
#ifndef SKEP_MAPS_HASH_H
#define SKEP_MAPS_HASH_H

#include "core/map.h"
#include "maps/table.h"

struct map_hash {
	struct map map;
	struct table table;
};

static inline struct map_hash *hash_of(const struct map *m)
{
	return (struct map_hash *)m;
}

/* What the kernel checks for all of them; flags: those that the type knows. */
int hash_check(const struct map_attr *attr, uint32_t flags, bool per_cpu);
int hash_init(struct map *m, bool per_cpu, bool split);
void hash_fini(struct map *m);
/* BPF_NOEXIST and BPF_EXIST against what is there: 0, -EEXIST, -ENOENT. */
int hash_flags_check(uint64_t flags, bool exists);
int hash_next_key(struct map *m, const void *key, void *next);
int64_t hash_for_each(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                      struct cpu *cpu);
bool hash_region(struct map *m, uintptr_t addr, struct region *r);

#endif
