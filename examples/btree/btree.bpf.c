/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk, next to the storage: only the value comes back. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "btree.h"

static const struct page *(*read_page)(unsigned long long number) = (void *)READ_PAGE;

/*
 * The last key that is not above `key`, in eight halvings; FANOUT: there is none. Without branches: each
 * would double the ways that the verifier has to follow. Keys are below 2^63.
 */
static __always_inline unsigned int find(const struct page *p, unsigned long long key)
{
	unsigned long long low = 0, n = p->n;

	if (n > FANOUT || !n || p->key[0] > key)
		return FANOUT;
	for (unsigned int step = 128; step; step /= 2) {
		unsigned long long at = (low + step) & FANOUT; /* reads no further than the page */
		unsigned long long there = (at - n) >> 63, fits = (p->key[at] - key - 1) >> 63;

		barrier_var(there);
		barrier_var(fits);
		low = (low + (step & -(there & fits))) & FANOUT;
	}
	barrier_var(low);
	return low;
}

SEC("btree")
int lookup(struct lookup *ctx)
{
	const struct page *p = (const struct page *)ctx->page;
	unsigned long long key = ctx->key;
	unsigned int reads = 0;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		unsigned int at = find(p, key);

		if (at >= FANOUT)
			break;
		if (p->leaf) {
			ctx->reads = reads;
			if (p->key[at] != key)
				return 0;
			ctx->value = p->to[at];
			return 1;
		}
		p = read_page(p->to[at]);
		reads++;
		if (!p)
			break;
	}
	ctx->reads = reads;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
