/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock of one 32-bit word: a short spin, then sleep in the kernel (futex). All zero is unlocked.
 * Works between processes that share the page. Not recursive, not fair.
 */
#ifndef SKEP_BASE_LOCK_H
#define SKEP_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
};

void lock_slow(struct lock *l);
void unlock_slow(struct lock *l);

/* In a loop that waits for another thread. */
static inline void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline bool lock_try(struct lock *l)
{
	uint32_t free = 0;

	return atomic_compare_exchange_strong_explicit(&l->word, &free, 1, memory_order_acquire,
	                                               memory_order_relaxed);
}

static inline void lock_take(struct lock *l)
{
	if (__builtin_expect(!lock_try(l), 0))
		lock_slow(l);
}

static inline void lock_release(struct lock *l)
{
	if (__builtin_expect(atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2, 0))
		unlock_slow(l);
}

#endif
