/* SPDX-License-Identifier: BSD-2-Clause */
/* Three policies of a lock. They answer who goes next; whoever was passed eight times goes first. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lock.h"

enum { PATIENCE = 8 };

SEC("lock")
int fifo(struct lock_state *s)
{
	s->pick = 0;
	return 0;
}

SEC("lock")
int groups(struct lock_state *s)
{
	const struct waiter *w = (const struct waiter *)s->waiters;
	unsigned int pick = 0, n = s->n, group = s->group;

	if (w->passed < PATIENCE)
		for (unsigned int i = 0; i < WAITERS && i < n; i++)
			if (w[i].group == group) {
				pick = i;
				break;
			}
	s->pick = pick;
	return 0;
}

SEC("lock")
int priority(struct lock_state *s)
{
	const struct waiter *w = (const struct waiter *)s->waiters;
	unsigned int pick = 0, n = s->n, best = 0;

	if (w->passed < PATIENCE)
		for (unsigned int i = 0; i < WAITERS && i < n; i++)
			if (w[i].priority > best) {
				best = w[i].priority;
				pick = i;
			}
	s->pick = pick;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
