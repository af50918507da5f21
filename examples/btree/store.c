/* SPDX-License-Identifier: BSD-2-Clause */
/* See store.h. */
#define _GNU_SOURCE
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- The type --------------------------------------------------------------------------------- */

static const struct skep_field fields[] = {
	SKEP_FIELD(struct lookup, key, SKEP_READ),
	SKEP_FIELD(struct lookup, value, SKEP_READ | SKEP_WRITE),
	SKEP_FIELD_MEM(struct lookup, page, SKEP_MEM_RDONLY, PAGE),
	SKEP_FIELD(struct lookup, reads, SKEP_READ | SKEP_WRITE),
	{0},
};
static const struct skep_range returns[] = {{SKEP_ANY_ATTACH, 0, 1}};
static const char *const calls[] = {"read_page", NULL};
const struct skep_type btree_type = {
	SKEP_TYPE_HEAD("btree", SKEP_USER_FIRST),
	.ctx_size = sizeof(struct lookup), .real_ctx_size = sizeof(struct request),
	.fields = fields, .returns = returns, .calls = calls,
};

static uint64_t read_page(uint64_t number, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct skep_cpu *cpu)
{
	struct request *r = skep_cpu_ctx(cpu);

	return (uintptr_t)store_read(r->store, number);
}

static const struct skep_helper helper = {
	SKEP_HELPER_HEAD("read_page", READ_PAGE, read_page),
	.arg = {SKEP_ARG_ANY}, .ret = SKEP_RET_MEM_OR_NULL, .ret_size = PAGE,
};

int btree_add(struct skep *k, char message[SKEP_MESSAGE])
{
	int err = skep_helper_add(k, &helper, message);

	return err ? err : skep_type_add(k, &btree_type, message);
}

/* --- The storage ------------------------------------------------------------------------------ */

const struct page *store_read(struct store *s, unsigned long long number)
{
	if (number >= s->npages)
		return NULL;
	return pread(s->fd, &s->buffer, PAGE, (off_t)number * PAGE) == PAGE ? &s->buffer : NULL;
}

static unsigned int find(const struct page *p, unsigned long long key)
{
	unsigned int low = 0, high = p->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (p->key[mid] <= key)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : FANOUT;
}

bool store_lookup(struct store *s, unsigned long long key, unsigned long long *value)
{
	const struct page *p = &s->root;

	while (p) {
		unsigned int at = find(p, key);

		if (at == FANOUT)
			return false;
		if (p->leaf) {
			*value = p->to[at];
			return p->key[at] == key;
		}
		p = store_read(s, p->to[at]);
	}
	return false;
}

static bool put(struct store *s, const struct page *p)
{
	return pwrite(s->fd, p, PAGE, (off_t)s->npages++ * PAGE) == PAGE;
}

/* One level over the n entries of the level below: the pages' first keys and numbers. */
static unsigned int level(struct store *s, unsigned long long (*entry)[2], unsigned int n, bool leaf, bool *fine)
{
	unsigned int pages = 0;

	for (unsigned int i = 0; i < n; pages++) {
		struct page p = {.leaf = leaf};

		for (; p.n < FANOUT && i < n; i++, p.n++) {
			p.key[p.n] = entry[i][0];
			p.to[p.n] = entry[i][1];
		}
		entry[pages][0] = p.key[0];
		entry[pages][1] = s->npages;
		*fine &= put(s, &p);
		s->root = p;
	}
	s->depth++;
	return pages;
}

bool store_open(struct store *s, unsigned int n)
{
	unsigned long long (*entry)[2] = malloc(sizeof(*entry) * (n + 1));
	bool fine = true;

	*s = (struct store){.fd = memfd_create("btree", MFD_CLOEXEC)};
	if (!entry || s->fd < 0)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		entry[i][0] = 7ull * i + 3;
		entry[i][1] = entry[i][0] * entry[i][0];
	}
	n = level(s, entry, n, true, &fine);
	while (n > 1)
		n = level(s, entry, n, false, &fine);
	free(entry);
	return fine;
}

void store_close(struct store *s)
{
	close(s->fd);
}
