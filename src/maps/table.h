/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table below all keyed map types: look-ups without locks, a lock per group for writers.
 *
 * Storage is one block; elements are known by number, from 1:
 *
 *   groups     [ngroups]   64 bytes each: up to 11 elements that hash here, and their lock
 *   spares     [nspares]   an element in no group for each CPU, and some more for bpf(2)
 *   pool parts [nparts]    free elements: pool.h
 *   elements   [nelems]    | link 4 | home 4 | key, rounded up to 8 | value, rounded up to 8 |
 *   values                 per-CPU types: a plane of values per CPU, none in the elements
 *
 * A group:
 *
 *   | tag 0 ... tag 7 | tag 8 ... tag 10 | 0 | chain | state | elem 0 ... elem 10 |
 *     8 bytes           3 bytes            1   4       4       44
 *
 * A tag is a byte of the element's hash, never 0; 0 marks a free place. All eleven are compared at
 * once in two words, so that a hit touches one cache line and the element, and a miss usually just
 * the line; and so does a writer: what threads share is one line for each key. A table that is full
 * has eight elements a group on average. What finds no place (one in thirty, then) is linked into the
 * group's chain. The state is a lock (base/brief.h) and the number of elements taken out so far.
 *
 * Readers and writers. A writer holds the group's lock, fills in an element while nobody can see
 * it, and publishes it with one store. Elements taken out may be filled anew while a reader looks
 * at them; then the reader sees wrong contents, but never leaves the storage. What a reader finds
 * by a tag and an equal key stands. When it finds less than that - a tag whose element has another
 * key, or a chain to follow - it looks again and makes sure that nothing was taken out of the
 * group meanwhile; after some failures it takes the lock. So a key that is there all the time is
 * always found.
 *
 * Replacing a value is: fill in the CPU's spare element, put it in the old one's place, keep the
 * old one as the spare. Programs that hold the old value's address keep seeing the old value for a
 * while, as in the kernel, and a full table can be updated.
 */
#ifndef SKEP_MAPS_TABLE_H
#define SKEP_MAPS_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/brief.h"
#include "base/copy.h"
#include "base/hash.h"
#include "maps/pool.h"

struct mem;

enum { GROUP_PLACES = 11, GROUP_TARGET = 8 };

struct group {
	_Atomic uint64_t tags[2]; /* tags 0-7; tags 8-10, and the chain's first element << 32 */
	_Atomic uint32_t state;   /* bit 0: locked; above: grows when an element is taken out */
	_Atomic uint32_t elem[GROUP_PLACES];
};

/* Its CPU's alone; those behind the CPUs' are taken and put back by whoever needs one. */
struct spare {
	_Atomic uint32_t ref; /* 0: taken, or the type has no use for them */
} __attribute__((aligned(64)));

struct elem {
	_Atomic uint32_t link; /* the next in a chain or on the pool's stack; 0: none */
	_Atomic uint32_t home; /* number of its group + 1, 0: in none; ELEM_RECENT: for lru.c */
	uint8_t key[];         /* padded with zeros to a multiple of 8 */
};

#define ELEM_RECENT 0x80000000u

struct table {
	struct group *groups;
	uint32_t group_mask;
	uint32_t nspares;
	struct spare *spares;
	uint8_t *elems;       /* of element 0, which does not exist */
	uint8_t *values;      /* of element 0, CPU 0 */
	size_t stride;        /* of elements */
	size_t value_stride;  /* of values: the same, where they stand in the elements */
	size_t plane;         /* from one CPU's values to the next CPU's, or 0 */
	uint32_t key_size, value_size;
	uint32_t max_entries; /* elements in the pool */
	uint32_t nelems;      /* with the spare ones */
	uint32_t ncpus;
	struct hash_seed seed;
	struct pool pool;
	void *storage;
	size_t size;
};

struct table_shape {
	uint32_t key_size, value_size, max_entries;
	uint32_t ncpus;
	bool per_cpu;   /* a value for each CPU */
	bool split;     /* the pool's parts are kept apart, one a CPU: pool.h */
	bool zero_seed; /* the same hash in every table */
};

/* All zero storage, nothing touched but a line per part and spare. 0 or -ENOMEM. t is zeroed. */
int table_init(struct table *t, const struct mem *mem, const struct table_shape *shape,
               const uint64_t fallback_seed[2]);
void table_fini(struct table *t, const struct mem *mem);

/* Where a key belongs. */
struct table_spot {
	uint64_t hash;
	struct group *group;
};

static inline struct elem *table_elem(const struct table *t, uint32_t ref)
{
	return (struct elem *)(t->elems + ref * t->stride);
}

static inline uint8_t *table_value(const struct table *t, uint32_t ref, unsigned cpu)
{
	return t->values + ref * t->value_stride + cpu * t->plane;
}

static inline uint64_t table_hash(const struct table *t, const void *key, uint32_t key_size)
{
	return hash_bytes(&t->seed, key, key_size);
}

static inline struct group *table_group(const struct table *t, uint64_t hash)
{
	return &t->groups[hash & t->group_mask];
}

static inline struct table_spot table_spot(const struct table *t, uint64_t hash)
{
	return (struct table_spot){.hash = hash, .group = table_group(t, hash)};
}

/* Is the key of an element, which others may be overwriting, the one looked for? */
static inline bool table_key_is(const struct elem *e, const void *key, uint32_t size)
{
	const uint64_t *word = (const uint64_t *)e->key;
	const uint8_t *p = key;

	if (size == 4)
		return __atomic_load_n((const uint32_t *)e->key, __ATOMIC_RELAXED) ==
		       (uint32_t)hash_load(key, 4);
	for (; size >= 8; size -= 8, p += 8)
		if (__atomic_load_n(word++, __ATOMIC_RELAXED) != hash_load(p, 8))
			return false;
	return !size || __atomic_load_n(word, __ATOMIC_RELAXED) == hash_load(p, size);
}

/* Marks an element as recently used. */
static inline void table_touch(const struct table *t, uint32_t ref)
{
	struct elem *e = table_elem(t, ref);
	uint32_t home = atomic_load_explicit(&e->home, memory_order_relaxed);

	/*
	 * Most have the mark already; if the exchange fails, the element is somebody else's by now.
	 */
	if (!(home & ELEM_RECENT))
		atomic_compare_exchange_strong_explicit(&e->home, &home, home | ELEM_RECENT,
		                                        memory_order_relaxed, memory_order_relaxed);
}

/* The tag of a hash, in every byte of a word. */
static inline uint64_t table_tags(uint64_t hash)
{
	uint64_t tag = hash >> 56;

	return (tag + !tag) * 0x0101010101010101u;
}

/* The top bit of each byte of x that is zero; exact, no false alarms. */
static inline uint64_t table_zero_bytes(uint64_t x)
{
	const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;

	return ~(((x & low7) + low7) | x | low7);
}

/* The careful way of table_find(): see above. */
uint32_t table_find_slow(const struct table *t, const void *key, uint32_t key_size, uint64_t hash);

/*
 * The element of a key, or 0. key_size is a constant where the caller knows it: then this is fast.
 */
static inline __attribute__((always_inline)) uint32_t
table_find(const struct table *t, const void *key, uint32_t key_size)
{
	uint64_t hash = table_hash(t, key, key_size), want = table_tags(hash);
	struct group *g = table_group(t, hash);
	uint64_t high = atomic_load_explicit(&g->tags[1], memory_order_acquire);
	uint64_t low = atomic_load_explicit(&g->tags[0], memory_order_acquire);
	uint64_t at_low = table_zero_bytes(low ^ want);
	uint64_t at_high = table_zero_bytes(high ^ want) & 0xffffff;
	unsigned place;
	uint32_t ref;

	if (at_low)
		place = (unsigned)__builtin_ctzll(at_low) / 8;
	else if (at_high)
		place = 8 + (unsigned)__builtin_ctzll(at_high) / 8;
	else
		return high >> 32 ? table_find_slow(t, key, key_size, hash) : 0;
	ref = atomic_load_explicit(&g->elem[place], memory_order_acquire);
	if (ref && table_key_is(table_elem(t, ref), key, key_size) &&
	    (key_size <= 8 ||
	     ref == atomic_load_explicit(&g->elem[place], memory_order_acquire)))
		return ref;
	return table_find_slow(t, key, key_size, hash);
}

/* --- With the group's lock held ---------------------------------------------------------- */

static inline void group_lock(struct group *g)
{
	brief_take(&g->state);
}

static inline void group_unlock(struct group *g)
{
	brief_release(&g->state);
}

/*
 * Where in its group an element stands: a place, or in the chain behind the element `before` (0:
 * first).
 */
struct table_pos {
	uint32_t ref; /* 0: not there */
	int place;    /* -1: in the chain */
	uint32_t before;
};

struct table_pos table_find_locked(const struct table *t, const struct table_spot *s,
                                   const void *key);
/* The same for an element by its number. */
struct table_pos table_find_ref(const struct table *t, const struct table_spot *s, uint32_t ref);
/* Publishes a filled element in the group; its ELEM_RECENT stays as it is. */
void table_insert(struct table *t, const struct table_spot *s, uint32_t ref);
/* Takes it out. It keeps ELEM_RECENT: where it goes next, it is not the oldest. */
void table_remove(struct table *t, const struct table_spot *s, struct table_pos at);
/* Publishes a filled element in the place of another, as recently used. */
void table_replace(struct table *t, const struct table_spot *s, struct table_pos at, uint32_t by);
/*
 * A spare for table_replace(), and where to put the element that comes out. cpu: one that the caller
 * holds, or TABLE_ANY_CPU; then it may have to wait for another that has none either.
 */
enum { TABLE_ANY_CPU = -1 };
struct spare *table_spare(struct table *t, unsigned cpu, uint32_t *ref);

/* --- Walking ----------------------------------------------------------------------------- */

/*
 * Copies the key that follows *key (the first for NULL, or when the key is not there) in the order
 * of groups. -ENOENT: there is none.
 */
int table_next_key(const struct table *t, const void *key, void *next);

/* The elements of a group, at most max of them, leaving out the first skip. Takes the lock. */
unsigned table_group_elems(const struct table *t, uint32_t group, unsigned skip, uint32_t *refs,
                           unsigned max);

void table_key_write(struct elem *e, const void *key, uint32_t size);

#endif
