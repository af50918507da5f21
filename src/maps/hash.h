/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hash map types share: see hash.c.
 *
 * A type differs from the plain one in where it gets an element for a new key (`alloc`) and in what
 * a look-up leaves behind.
 */
#ifndef SKEP_MAPS_HASH_H
#define SKEP_MAPS_HASH_H

#include "core/map.h"
#include "maps/table.h"

struct map_hash {
	struct map map;
	struct table table;
	/* An element for a new key, or 0; called with the lock of s->group held. */
	uint32_t (*alloc)(struct map *m, const struct table_spot *s, unsigned cpu);
	int full; /* the errno when alloc has none */
};

/* In place of a CPU's number: bpf(2), which moves the values of all CPUs. */
enum { HASH_ALL_CPUS = TABLE_ANY_CPU };

static inline struct map_hash *hash_of(const struct map *m)
{
	return (struct map_hash *)m;
}

/* What the kernel checks for all of them; flags: those that the type knows. */
int hash_check(const struct map_attr *attr, uint32_t flags, bool per_cpu);
/* value_size: as programs see it. */
int hash_init(struct map *m, uint32_t value_size, bool split);
void hash_fini(struct map *m);
/* Entry points for calls from programs. */
void hash_set_calls(struct map *m, helper_fn lookup);

void *hash_lookup_percpu(struct map *m, const void *key, unsigned cpu);
int hash_update(struct map *m, const void *key, const void *value, uint64_t flags, unsigned cpu);
int hash_remove(struct map *m, const void *key);
/* The same, and copy the value that was there, as bpf(2) moves it, to *old, which may be NULL. */
int hash_exchange(struct map *m, const void *key, const void *value, uint64_t flags, unsigned cpu,
                  void *old);
int hash_take(struct map *m, const void *key, unsigned cpu, void *old);
/* A value as bpf(2) moves it: of a per-CPU map, those of all CPUs. */
void hash_read_value(const struct map *m, uint32_t ref, void *value, uint64_t flags);
/* Of a map with a record: ends what the special fields of an element hold. */
void hash_release_special(struct map *m, uint32_t ref);
const void *hash_key_of(struct map *m, const void *value, uint32_t *index);
void hash_each_value(struct map *m, void (*fn)(void *value, void *arg), void *arg);
/* bpf(2)'s BATCH commands: hash_batch.c. */
int hash_batch(struct map *m, struct map_batch *b);
int hash_next_key(struct map *m, const void *key, void *next);
int64_t hash_for_each(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
                      struct cpu *cpu);
bool hash_region(struct map *m, uintptr_t addr, struct region *r);
/* bpf(2)'s side, which leaves no trace in a look-up. */
int hash_copy_out(struct map *m, const void *key, void *value, uint64_t flags);
int hash_copy_take(struct map *m, const void *key, void *value, uint64_t flags);
int hash_copy_in(struct map *m, const void *key, const void *value, uint64_t flags);

#endif
