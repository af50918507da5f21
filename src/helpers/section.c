/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections: read sections, preemption, interrupts, resilient spin locks.
 *
 * A program runs in a read section from its beginning to its end, and there is nothing that could interrupt
 * it: these calls matter to the verifier only. A resilient lock holds the number of the CPU slot that has
 * it, so that taking it twice is found out at once; waiting in a circle is found out by the time it takes.
 */
#include <errno.h>
#include <sched.h>
#include <time.h>

#include "helpers/kfuncs.h"

#define NOTHING(name)                                                                             \
	KFUNC_FN(name)                                                                            \
	{                                                                                         \
		return 0;                                                                         \
	}
NOTHING(bpf_rcu_read_lock)
NOTHING(bpf_rcu_read_unlock)
NOTHING(bpf_preempt_disable)
NOTHING(bpf_preempt_enable)
NOTHING(bpf_local_irq_restore)
#undef NOTHING

KFUNC_FN(bpf_local_irq_save)
{
	*(uint64_t *)(uintptr_t)r1 = 0;
	return 0;
}

static uint64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int lock_resilient(uint32_t *lock, uint32_t self)
{
	enum { PATIENCE_MS = 250 };
	uint64_t start = 0;

	for (unsigned tries = 0;; tries++) {
		uint32_t holder = 0;

		if (__atomic_compare_exchange_n(lock, &holder, self, false, __ATOMIC_ACQUIRE,
		                                __ATOMIC_RELAXED))
			return 0;
		if (holder == self)
			return -EDEADLK;
		if (tries % 64 != 63)
			continue;
		if (!start)
			start = milliseconds();
		else if (milliseconds() - start >= PATIENCE_MS)
			return -ETIMEDOUT;
		sched_yield();
	}
}

KFUNC_FN(bpf_res_spin_lock)
{
	return (uint64_t)lock_resilient((uint32_t *)(uintptr_t)r1, cpu->id + 1);
}

KFUNC_FN(bpf_res_spin_lock_irqsave)
{
	*(uint64_t *)(uintptr_t)r2 = 0;
	return (uint64_t)lock_resilient((uint32_t *)(uintptr_t)r1, cpu->id + 1);
}

KFUNC_FN(bpf_res_spin_unlock)
{
	__atomic_store_n((uint32_t *)(uintptr_t)r1, 0, __ATOMIC_RELEASE);
	return 0;
}

KFUNC_FN(bpf_res_spin_unlock_irqrestore)
{
	__atomic_store_n((uint32_t *)(uintptr_t)r1, 0, __ATOMIC_RELEASE);
	return 0;
}
