/* SPDX-License-Identifier: BSD-2-Clause */
/* The contended half of lock.h: spin a little, then sleep on the word. */
#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 100 };

void lock_slow(struct lock *l)
{
	for (int i = 0; i < SPINS; i++) {
		pause_cpu();
		if (atomic_load_explicit(&l->word, memory_order_relaxed) == 0 && lock_try(l))
			return;
	}
	/* Whoever sleeps leaves 2 behind, also when it wins: others may still be asleep. */
	while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0)
		syscall(SYS_futex, &l->word, FUTEX_WAIT, 2, NULL, NULL, 0);
}

void unlock_slow(struct lock *l)
{
	syscall(SYS_futex, &l->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
