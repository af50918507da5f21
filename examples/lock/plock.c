/* SPDX-License-Identifier: BSD-2-Clause */
/* See plock.h. */
#include "plock.h"

#include <string.h>

static const struct skep_field fields[] = {
	SKEP_FIELD_MEM(struct lock_state, waiters, SKEP_MEM_RDONLY, sizeof(struct waiter) * WAITERS),
	SKEP_FIELD(struct lock_state, n, SKEP_READ),
	SKEP_FIELD(struct lock_state, group, SKEP_READ),
	SKEP_FIELD(struct lock_state, pick, SKEP_READ | SKEP_WRITE),
	{0},
};
static const struct skep_range returns[] = {{SKEP_ANY_ATTACH, 0, 0}};
const struct skep_type lock_type = {
	SKEP_TYPE_HEAD("lock", SKEP_USER_FIRST), .ctx_size = sizeof(struct lock_state), .fields = fields,
	.returns = returns,
};

/* --- The policies in C ------------------------------------------------------------------------- */

enum { PATIENCE = 8 };

static const struct waiter *waiters(const struct lock_state *s)
{
	return (const struct waiter *)(uintptr_t)s->waiters;
}

unsigned int fifo_in_c(const struct lock_state *s)
{
	return 0;
}

unsigned int groups_in_c(const struct lock_state *s)
{
	const struct waiter *w = waiters(s);

	for (unsigned int i = 0; w->passed < PATIENCE && i < s->n; i++)
		if (w[i].group == s->group)
			return i;
	return 0;
}

unsigned int priority_in_c(const struct lock_state *s)
{
	const struct waiter *w = waiters(s);
	unsigned int pick = 0, best = 0;

	for (unsigned int i = 0; w->passed < PATIENCE && i < s->n; i++)
		if (w[i].priority > best) {
			best = w[i].priority;
			pick = i;
		}
	return pick;
}

/* --- The lock ---------------------------------------------------------------------------------- */

void plock_init(struct plock *l, struct skep_point *point, policy_fn policy)
{
	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->inner, NULL);
	l->point = point;
	l->policy = policy;
}

unsigned int plock_pick(struct plock *l, struct skep_cpu *cpu)
{
	struct lock_state s = {.waiters = (uintptr_t)l->waiter, .n = l->n, .group = l->group};
	uint64_t ret = 1;

	if (!l->point)
		return l->policy(&s);
	if (!skep_point_run(l->point, &s, cpu, &ret) || ret || s.pick >= l->n)
		return 0;
	return s.pick;
}

/* Room is what callers see to: no more than WAITERS threads. */
void plock_take(struct plock *l, unsigned int group, unsigned int priority)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	unsigned int turn = 0;

	pthread_mutex_lock(&l->inner);
	if (l->held) {
		l->waiter[l->n] = (struct waiter){group, priority, l->tickets++, 0};
		l->cond[l->n] = &cond;
		l->turn[l->n++] = &turn;
		while (!turn)
			pthread_cond_wait(&cond, &l->inner);
	}
	l->held = 1;
	l->group = group;
	pthread_mutex_unlock(&l->inner);
}

void plock_release(struct plock *l, struct skep_cpu *cpu)
{
	pthread_mutex_lock(&l->inner);
	l->held = 0;
	if (l->n) {
		unsigned int i = plock_pick(l, cpu);

		for (unsigned int k = 0; k < i; k++)
			l->waiter[k].passed++;
		l->held = 1; /* it is handed over */
		*l->turn[i] = 1;
		pthread_cond_signal(l->cond[i]);
		l->n--;
		memmove(&l->waiter[i], &l->waiter[i + 1], (l->n - i) * sizeof(l->waiter[0]));
		memmove(&l->cond[i], &l->cond[i + 1], (l->n - i) * sizeof(l->cond[0]));
		memmove(&l->turn[i], &l->turn[i + 1], (l->n - i) * sizeof(l->turn[0]));
	}
	pthread_mutex_unlock(&l->inner);
}
