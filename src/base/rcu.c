/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writers' side of rcu.h.
 *
 * The period number only grows. A reader publishes the period it entered in; after the writer has
 * advanced the period and made its unpublishing stores visible to all (membarrier), every reader that
 * could still hold the object shows an older period. The writer waits for those, and for no later ones.
 */
#include "base/rcu.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ThreadSanitizer does not know membarrier(2): it must see real fences. */
#ifdef __SANITIZE_THREAD__
enum { UNDER_TSAN = 1 };
#else
enum { UNDER_TSAN = 0 };
#endif

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

static struct rcu_reader *reader(const struct rcu *rcu, unsigned i)
{
	return (struct rcu_reader *)((char *)rcu->readers + (size_t)i * rcu->stride);
}

void rcu_init(struct rcu *rcu, struct rcu_reader *readers, unsigned n, unsigned stride)
{
	*rcu = (struct rcu){.nreaders = n, .readers = readers, .stride = stride};
	atomic_init(&rcu->period, 1);
	rcu->fence = UNDER_TSAN || membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
	for (unsigned i = 0; i < n; i++)
		reader(rcu, i)->fence = rcu->fence;
}

static void barrier_everywhere(const struct rcu *rcu)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!rcu->fence)
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

static void wait_for(const struct rcu_reader *r, uint64_t period)
{
	for (unsigned tries = 0;; tries++) {
		uint64_t seen = atomic_load_explicit(&r->period, memory_order_acquire);

		if (!seen || seen >= period)
			return;
		if (tries < 64)
			sched_yield();
		else
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
}

uint64_t rcu_start(struct rcu *rcu)
{
	uint64_t period = atomic_fetch_add(&rcu->period, 1) + 1;

	barrier_everywhere(rcu);
	return period;
}

bool rcu_over(const struct rcu *rcu, uint64_t period)
{
	for (unsigned i = 0; i < rcu->nreaders; i++) {
		uint64_t seen = atomic_load_explicit(&reader(rcu, i)->period, memory_order_acquire);

		if (seen && seen < period)
			return false;
	}
	return true;
}

void rcu_synchronize(struct rcu *rcu)
{
	uint64_t period;

	lock_take(&rcu->writer);
	period = atomic_fetch_add(&rcu->period, 1) + 1;
	barrier_everywhere(rcu);
	for (unsigned i = 0; i < rcu->nreaders; i++)
		wait_for(reader(rcu, i), period);
	barrier_everywhere(rcu);
	lock_release(&rcu->writer);
}
