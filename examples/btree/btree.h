/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index on disk: pages of 4096 bytes, sorted keys in each. Inner pages lead to pages, leaves to values.
 */
#ifndef BTREE_H
#define BTREE_H

enum { PAGE = 4096, FANOUT = 255, /* 2^n - 1 */ DEPTH_MAX = 8, READ_PAGE = 0x534b1000 };

struct page {
	unsigned int n, leaf, unused[2];
	unsigned long long key[FANOUT];
	unsigned long long to[FANOUT]; /* of a leaf: values; else: pages whose first key is that */
};
_Static_assert(sizeof(struct page) == PAGE, "a page of the disk");

/* What the program gets: a key and the root, in memory already. */
struct lookup {
	unsigned long long key;
	unsigned long long value; /* out, if the program answers 1 */
	unsigned long long page;  /* const struct page *, where the walk begins */
	unsigned int reads;       /* out: pages that were asked for */
	unsigned int unused;
};

#endif
