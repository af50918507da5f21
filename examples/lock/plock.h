/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock that asks a policy whom to let in: a BPF program, or a C function. */
#ifndef PLOCK_H
#define PLOCK_H

#include <pthread.h>
#include <skep_hook.h>
#include "lock.h"

extern const struct skep_type lock_type;

typedef unsigned int (*policy_fn)(const struct lock_state *s);
unsigned int fifo_in_c(const struct lock_state *s);
unsigned int groups_in_c(const struct lock_state *s);
unsigned int priority_in_c(const struct lock_state *s);

struct plock {
	pthread_mutex_t inner;
	struct waiter waiter[WAITERS];
	pthread_cond_t *cond[WAITERS];
	unsigned int n, tickets, held, group;
	unsigned int *turn[WAITERS]; /* set when the lock is handed over */
	struct skep_point *point;    /* the policy; NULL: policy */
	policy_fn policy;
};

/* cpu: of the thread. A program that answers nonsense is as good as fifo. */
void plock_init(struct plock *l, struct skep_point *point, policy_fn policy);
void plock_take(struct plock *l, unsigned int group, unsigned int priority);
void plock_release(struct plock *l, struct skep_cpu *cpu);
unsigned int plock_pick(struct plock *l, struct skep_cpu *cpu); /* whom the policy would let in now */

#endif
