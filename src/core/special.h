/* SPDX-License-Identifier: BSD-2-Clause */
/* Special fields one by one: spin locks, and how each kind ends. Whole values: record.h. */
#ifndef SKEP_CORE_SPECIAL_H
#define SKEP_CORE_SPECIAL_H

#include "core/record.h"

/*
 * A spin lock, as struct bpf_spin_lock: what a program holds for as long as its section runs. Not for a
 * thread that holds one already.
 */
void special_lock_slow(uint32_t *lock);

static inline bool special_trylock(uint32_t *lock)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE,
	                                   __ATOMIC_RELAXED);
}

static inline void special_lock(uint32_t *lock)
{
	if (__builtin_expect(!special_trylock(lock), 0))
		special_lock_slow(lock);
}

static inline void special_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* How a field of each kind gives up what it holds; NULL: it holds nothing. */
typedef void (*special_release_fn)(struct skep *k, const struct record *r, void *value,
                                   const struct special *f);
extern const special_release_fn special_release[SPECIAL_KINDS];

#endif
