/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trie below LPM maps: prefixes of up to 2048 bits, longest match, readers without locks.
 *
 * Nodes look at six bits of the key. Such a node has room for 64 children, one for each value, and
 * for the 63 prefixes that end in it; both kinds are numbered as a complete binary tree is:
 *
 *    1           the prefix that ends right before the six bits      (length 0)
 *    2 ... 3     those that go on for one bit                        (length 1)
 *    ...
 *    32 ... 63   those that go on for five bits                      (length 5)
 *    64 ... 127  children, by the value of all six bits
 *
 * Two 64-bit maps say which are there; references to those, and only those, follow in the order of
 * their numbers, children first. The longest prefix of a node that matches is the highest bit that
 * the map of prefixes has in common with the ancestors of the value: no loop, no walking bit by
 * bit.
 *
 * Where a subtree holds one prefix only, the reference leads to its element at once. Where all
 * prefixes of a subtree agree on further bits, its node stands that much lower and carries them
 * (`path`, `skip`, up to 60 bits; longer ones take a node with a single child in between). So the
 * depth grows with the logarithm of the number of prefixes, base 64, whatever the length of the
 * keys.
 *
 * A trie for many prefixes begins with a node of twelve bits, laid open: for each of the 4096
 * values the reference that follows (`top`) and the longest of the shorter prefixes that contain it
 * (`cover`). The shorter prefixes themselves are `shorts`, numbered as above (1 ... 4095).
 *
 *   node     | child map 8 | prefix map 8 | path 8 | bit 2 | skip 1 | class 1 | link 4 | references |
 *   element  | prefix length 4 | data | padding | value, aligned to 8 |
 *
 * A reference is the number of an element with the top bit set, or that of a node (in steps of 32
 * bytes), or 0.
 *
 * Readers and the writer (one at a time, under the map's lock). A node is never changed but for
 * single references; the writer makes a copy and publishes it with one store to the reference that
 * leads to it. What is replaced keeps its contents and waits; when enough waits or memory is short,
 * `recycled` is counted up and all of it may be written again. A reader that sees the same count
 * before and after has looked at nothing that was written again, and otherwise tries once more.
 * Until it knows, it may have read nonsense: so it checks that references stay within the storage
 * and that bits only go up.
 */
#ifndef SKEP_MAPS_TRIE_H
#define SKEP_MAPS_TRIE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct lock;
struct mem;

#define TRIE_LEAF 0x80000000u

enum {
	TRIE_STEP = 6,       /* bits of a node */
	TRIE_SKIP_MAX = 60,  /* a multiple of TRIE_STEP that fits in path */
	TRIE_UNIT = 32,      /* bytes between numbers of nodes */
	TRIE_PER_UNIT = 8,   /* references in a unit */
	TRIE_CLASSES = 17,   /* nodes of 1 ... 16 units of references */
	TRIE_DATA_MAX = 256, /* bytes of a prefix */
	TRIE_TOP = 12,       /* bits of the first node of a large trie */
	TRIE_WAITING = 64, /* what waits at most: readers try again once in so many replacements */
	TRIE_DEPTH_MAX = TRIE_DATA_MAX * 8 / TRIE_STEP + 2,
};

struct trie_node {
	_Atomic uint64_t child, prefix;
	_Atomic uint64_t path;  /* the last `skip` bits before `bit`, right-aligned */
	_Atomic uint32_t where; /* bit | skip << 16 | class << 24 */
	uint32_t link;          /* while it waits or is free */
	_Atomic uint32_t ref[];
};

struct trie_elem {
	_Atomic uint32_t len;  /* of a free element: the next one */
	_Atomic uint32_t
		word[]; /* the data as its creator wrote it, also behind the prefix; zero-padded */
};

/* A key as bpf(2) and programs write it, at any address. */
struct trie_key {
	uint32_t len;
	uint8_t data[];
} __attribute__((packed));

struct trie {
	_Atomic uint32_t root;
	_Atomic uint32_t recycled;
	uint8_t *nodes, *elems; /* of number 0, which does not exist */
	size_t stride;          /* of elements */
	uint32_t value_off;
	uint32_t data_size;
	uint32_t unit_limit, elem_limit; /* numbers stay below */
	_Atomic uint32_t *top, *cover;   /* [4096], or NULL: begin at root */
	uint32_t *shorts;                /* [4096]; elements, without TRIE_LEAF */

	/* The writer's. */
	uint32_t count;
	uint32_t fresh_unit, fresh_elem; /* from here on nothing has ever been used */
	uint32_t free_node[TRIE_CLASSES], free_elem;
	uint32_t waiting_nodes, nwaiting_nodes; /* a list, as nodes have a link to spare */
	uint32_t waiting_elem[TRIE_WAITING], nwaiting_elems;
	void *node_storage, *elem_storage;
	size_t node_size, elem_size, top_size;
};

/* t is zeroed. 0 or -ENOMEM. */
int trie_init(struct trie *t, const struct mem *mem, uint32_t data_size, uint32_t value_size,
              uint32_t max_entries);
void trie_fini(struct trie *t, const struct mem *mem);
/* Bytes in use or used at some time. */
uint64_t trie_memory(const struct trie *t);

static inline struct trie_node *trie_node(const struct trie *t, uint32_t ref)
{
	return (struct trie_node *)(t->nodes + (size_t)ref * TRIE_UNIT);
}

static inline struct trie_elem *trie_elem(const struct trie *t, uint32_t elem)
{
	return (struct trie_elem *)(t->elems + elem * t->stride);
}

static inline const uint8_t *trie_data(const struct trie_elem *e)
{
	return (const uint8_t *)e->word;
}

static inline void *trie_value(const struct trie *t, uint32_t elem)
{
	return t->elems + elem * t->stride + t->value_off;
}

/* --- Memory, for the writer (trie_mem.c) ------------------------------------------------- */

/* A node with room for n references, its class set, or 0. */
uint32_t trie_node_new(struct trie *t, unsigned n);
/* An element for a key, written; or 0. */
uint32_t trie_elem_new(struct trie *t, const struct trie_key *key);
/* Readers may be looking at it; it will be used again later. */
void trie_node_retire(struct trie *t, uint32_t ref);
void trie_elem_retire(struct trie *t, uint32_t elem);

/* --- Bits of keys ------------------------------------------------------------------------ */

/* n <= 60 bits from bit `at`, right-aligned; what lies behind the data is zero. */
static inline uint64_t trie_bits(const uint8_t *data, uint32_t size, uint32_t at, uint32_t n)
{
	uint32_t byte = at / 8, left = at % 8 + n;
	uint64_t bits;

	if (!n)
		return 0;
	if (byte + 8 <= size) {
		memcpy(&bits, data + byte, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		bits = __builtin_bswap64(bits);
#endif
	} else {
		bits = 0;
		for (uint32_t i = 0; i < 8; i++)
			bits = bits << 8 | (byte + i < size ? data[byte + i] : 0);
	}
	if (left <= 64)
		bits >>= 64 - left;
	else
		bits = bits << (left - 64) |
		       (uint64_t)(byte + 8 < size ? data[byte + 8] : 0) >> (72 - left);
	return bits & (~(uint64_t)0 >> (64 - n));
}

static inline uint32_t trie_chunk(const uint8_t *data, uint32_t size, uint32_t at)
{
	return (uint32_t)trie_bits(data, size, at, TRIE_STEP);
}

/* --- Finding ----------------------------------------------------------------------------- */

/*
 * The element of the longest prefix that matches, at most key->len bits; or 0. From any thread,
 * without the lock: `lock` is taken after several attempts that a writer has spoilt.
 */
typedef uint32_t (*trie_lookup_fn)(const struct trie *t, struct lock *lock,
                                   const struct trie_key *key);
/* The version for this size of data and this processor. */
trie_lookup_fn trie_lookup_pick(uint32_t data_size);

/* The following with the lock held. */
uint32_t trie_exact(const struct trie *t, const struct trie_key *key);
/*
 * elem, of trie_elem_new(), takes the place of one with the same prefix or is added. 0 or -ENOMEM.
 */
int trie_put(struct trie *t, uint32_t elem);
/* 0, -ENOENT, or -ENOMEM: nothing has changed. */
int trie_remove(struct trie *t, const struct trie_key *key);
/*
 * The element after the key's, or the first for NULL and when there is none; 0 at the end. What
 * lies left comes before what lies right, and longer prefixes before the shorter ones that contain
 * them.
 */
uint32_t trie_next(const struct trie *t, const struct trie_key *key);

#endif
