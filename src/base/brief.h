/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock that is held for a few accesses to memory: the lowest bit of a word. The other bits belong to
 * whoever holds it, and all zero is unlocked.
 *
 * To release it is a store, not an atomic operation: the next work of this thread need not wait until
 * the stores under the lock have left the CPU. The price: nobody is woken. Who waits looks less and less
 * often, so that the holder can go on without the line being taken away from it, and in the end sleeps
 * for some microseconds at a time: the holder may have been preempted. Not recursive, not fair; for
 * locks that a process may die with, or that are held for long, see lock.h.
 */
#ifndef SKEP_BASE_BRIEF_H
#define SKEP_BASE_BRIEF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

void brief_slow(_Atomic uint32_t *word);

static inline bool brief_try(_Atomic uint32_t *word)
{
	uint32_t was = atomic_load_explicit(word, memory_order_relaxed);

	return !(was & 1) &&
	       atomic_compare_exchange_strong_explicit(word, &was, was | 1, memory_order_acquire,
	                                               memory_order_relaxed);
}

static inline void brief_take(_Atomic uint32_t *word)
{
	if (__builtin_expect(!brief_try(word), 0))
		brief_slow(word);
}

static inline void brief_release(_Atomic uint32_t *word)
{
	atomic_store_explicit(word, atomic_load_explicit(word, memory_order_relaxed) - 1,
	                      memory_order_release);
}

#endif
