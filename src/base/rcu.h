/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-copy-update for a fixed set of readers (the CPU slots of a kernel).
 *
 * A reader brackets its accesses with rcu_read_enter/leave: two plain stores, nestable. A writer
 * unpublishes an object, then calls rcu_synchronize(): when that returns, no reader that could have
 * seen the object is still inside. The store-load barrier that readers would need is paid by the
 * writer with membarrier(2); where the host lacks it, readers use a full barrier.
 */
#ifndef SKEP_BASE_RCU_H
#define SKEP_BASE_RCU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"

struct rcu_reader {
	/* 0 outside; inside: the domain's period when it entered (never 0). Written by its owner only. */
	_Atomic uint64_t period;
	uint32_t depth;
	bool fence; /* this host has no membarrier(2) */
} __attribute__((aligned(64)));

struct rcu {
	struct lock writer;
	_Atomic uint64_t period;
	unsigned nreaders;
	struct rcu_reader *readers; /* the owner's array, stride bytes apart */
	unsigned stride;
	bool fence;
};

/* readers: the first of n, stride bytes apart, zeroed. */
void rcu_init(struct rcu *rcu, struct rcu_reader *readers, unsigned n, unsigned stride);
void rcu_synchronize(struct rcu *rcu);
/* The same without waiting: begins a grace period, and says whether it is over. Any thread may ask. */
uint64_t rcu_start(struct rcu *rcu);
bool rcu_over(const struct rcu *rcu, uint64_t period);

static inline void rcu_read_enter(const struct rcu *rcu, struct rcu_reader *r)
{
	if (r->depth++)
		return;
	atomic_store_explicit(&r->period, atomic_load_explicit(&rcu->period, memory_order_relaxed),
	                      memory_order_relaxed);
	if (__builtin_expect(r->fence, 0))
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst);
}

static inline void rcu_read_leave(struct rcu_reader *r)
{
	if (--r->depth == 0)
		atomic_store_explicit(&r->period, 0, memory_order_release);
}

#endif
