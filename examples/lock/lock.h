/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waits for a lock, as its policy sees them: in the order of arrival. */
#ifndef LOCK_H
#define LOCK_H

enum { WAITERS = 64 };

struct waiter {
	unsigned int group, priority; /* of two priorities the larger one is more urgent */
	unsigned int ticket;          /* counts arrivals */
	unsigned int passed;          /* how often others who came later went first */
};

struct lock_state {
	unsigned long long waiters; /* const struct waiter[WAITERS] */
	unsigned int n;             /* of them */
	unsigned int group;         /* of who has just left */
	unsigned int pick;          /* out: the place of who goes next */
	unsigned int unused;
};

#endif
