/* SPDX-License-Identifier: BSD-2-Clause */
/* The storage engine: an index in a file, its program type and the helper that reads a page. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <skep_hook.h>
#include "btree.h"

struct store {
	int fd;
	unsigned int npages, depth;
	struct page root;
	struct page buffer; /* the page read last: valid until the next */
};

/* Builds an index of n keys, key(i) = 7 i + 3 -> value(i) = key * key, in a temporary file. */
bool store_open(struct store *s, unsigned int n);
void store_close(struct store *s);
const struct page *store_read(struct store *s, unsigned long long number);
/* The same walk in C, one call for each page. */
bool store_lookup(struct store *s, unsigned long long key, unsigned long long *value);

/* Adds type and helper to a kernel. The helper finds the store by its context. */
struct request {
	struct lookup seen;
	struct store *store;
};
extern const struct skep_type btree_type;
int btree_add(struct skep *k, char message[SKEP_MESSAGE]);

#endif
