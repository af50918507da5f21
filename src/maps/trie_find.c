/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest match: the readers' side of trie.h.
 *
 * One function, compiled for data that fits in a register (IPv4, MAC, anything up to 8 bytes) and
 * for longer data, each with and without the processor's bit count, which a program for any x86-64
 * must not take for granted.
 */
#include "base/lock.h"
#include "maps/trie.h"

enum { TRIES = 16 };

#if defined(__x86_64__)
#define WITH_POPCNT __attribute__((target("popcnt")))
#else
#define WITH_POPCNT
#endif

/* The items of lengths 0 ... 5 that contain value c: its ancestors in the tree of trie.h. */
#define BIT(i) ((uint64_t)1 << (i))
#define ABOVE(c)                                                                                  \
	(BIT(1) | BIT(2 | (c) >> 5) | BIT(4 | (c) >> 4) | BIT(8 | (c) >> 3) | BIT(16 | (c) >> 2) | \
	 BIT(32 | (c) >> 1))
#define ABOVE4(c) ABOVE(c), ABOVE((c) + 1), ABOVE((c) + 2), ABOVE((c) + 3)
#define ABOVE16(c) ABOVE4(c), ABOVE4((c) + 4), ABOVE4((c) + 8), ABOVE4((c) + 12)

static const uint64_t above[64] = {ABOVE16(0), ABOVE16(16), ABOVE16(32), ABOVE16(48)};

static inline __attribute__((always_inline)) unsigned count_bits(uint64_t x, bool hw)
{
	if (hw)
		return (unsigned)__builtin_popcountll(x);
	x -= x >> 1 & 0x5555555555555555u;
	x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)(x * 0x0101010101010101u >> 56);
}

static inline uint64_t big_endian(uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(x);
#else
	return x;
#endif
}

static inline __attribute__((always_inline)) uint64_t elem_word(const struct trie_elem *e,
                                                                uint32_t i)
{
	uint32_t word = atomic_load_explicit(&e->word[i], memory_order_relaxed);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(word);
#else
	return word;
#endif
}

/* Is the element's prefix, at most len bits, one of the data's? first: its first 8 bytes. */
static inline __attribute__((always_inline)) bool elem_matches(const struct trie_elem *e,
                                                               const uint8_t *data, uint64_t first,
                                                               uint32_t len, uint32_t size)
{
	uint32_t bits = atomic_load_explicit(&e->len, memory_order_relaxed), i = 2;
	uint64_t differ;

	if (bits > len)
		return false;
	differ = elem_word(e, 0) << 32 ^ first;
	if (size > 4)
		differ ^= elem_word(e, 1);
	if (size <= 8 || bits <= 64)
		return bits == 0 || differ >> (64 - bits) == 0;
	if (differ)
		return false;
	for (bits -= 64; bits > 32; bits -= 32, i++)
		if (elem_word(e, i) != trie_bits(data, size, i * 32, 32))
			return false;
	return (elem_word(e, i) ^ trie_bits(data, size, i * 32, 32)) >> (32 - bits) == 0;
}

/* The longest prefix among the short ones of a trie with an open first node; len < TRIE_TOP. */
static uint32_t find_short(const struct trie *t, uint64_t first, uint32_t len)
{
	uint32_t i = 1u << len | (len ? (uint32_t)(first >> (64 - len)) : 0), elem = 0;

	for (; i && !elem; i >>= 1)
		elem = __atomic_load_n(&t->shorts[i], __ATOMIC_ACQUIRE);
	return elem;
}

/* The element of the longest of the prefixes in `match` of a node. */
static inline __attribute__((always_inline)) uint32_t longest(const struct trie_node *n,
                                                              uint64_t match, bool hw)
{
	uint64_t child = atomic_load_explicit(&n->child, memory_order_relaxed);
	uint64_t prefix = atomic_load_explicit(&n->prefix, memory_order_relaxed);
	uint64_t below = BIT(63 - __builtin_clzll(match)) - 1;
	uint32_t at = count_bits(child, hw) + count_bits(prefix & below, hw);

	return atomic_load_explicit(&n->ref[at], memory_order_acquire) & ~TRIE_LEAF;
}

static inline __attribute__((always_inline)) bool path_agrees(const struct trie_node *n,
                                                              const struct trie_key *key,
                                                              uint64_t first, uint32_t bit,
                                                              uint32_t skip, uint32_t size)
{
	uint64_t path = atomic_load_explicit(&n->path, memory_order_relaxed);

	if (size > 8)
		return path == trie_bits(key->data, size, bit - skip, skip);
	return path == first << (bit - skip) >> (64 - skip);
}

/*
 * One attempt. Answers an element or 0; *torn when it came upon something that cannot be, which
 * only happens when memory was used again meanwhile.
 */
static inline __attribute__((always_inline)) uint32_t walk(const struct trie *t,
                                                           const struct trie_key *key,
                                                           uint64_t first, bool *torn,
                                                           uint32_t size, bool hw)
{
	const struct trie_node *best = NULL, *n;
	uint64_t best_match = 0, child, match;
	uint32_t ref, found = 0, at_least = 0, len = key->len, chunk;

	if (t->top && len < TRIE_TOP)
		return find_short(t, first, len);
	if (t->top) {
		chunk = (uint32_t)(first >> (64 - TRIE_TOP));
		found = atomic_load_explicit(&t->cover[chunk], memory_order_acquire);
		ref = atomic_load_explicit(&t->top[chunk], memory_order_acquire);
	} else {
		ref = atomic_load_explicit(&t->root, memory_order_acquire);
	}
	while (ref && ref < t->unit_limit) {
		uint32_t where, bit, skip;

		n = trie_node(t, ref);
		where = atomic_load_explicit(&n->where, memory_order_relaxed);
		bit = where & 0xffff;
		skip = where >> 16 & 0xff;
		if (bit > len)
			break;
		if (bit < at_least || skip > TRIE_SKIP_MAX || skip > bit)
			goto torn;
		at_least = bit + TRIE_STEP;
		if (skip && !path_agrees(n, key, first, bit, skip, size))
			break;
		/* A prefix may end with the data: then there is no bit left. */
		if (size > 8)
			chunk = trie_chunk(key->data, size, bit);
		else
			chunk = bit < 64 ? (uint32_t)(first << bit >> 58) : 0;
		match = atomic_load_explicit(&n->prefix, memory_order_relaxed) & above[chunk];
		if (len - bit < TRIE_STEP - 1)
			match &= BIT(2u << (len - bit)) - 1;
		best = match ? n : best;
		best_match = match ? match : best_match;
		child = atomic_load_explicit(&n->child, memory_order_relaxed);
		if (len - bit < TRIE_STEP || !(child >> chunk & 1))
			break;
		ref = atomic_load_explicit(&n->ref[count_bits(child & (BIT(chunk) - 1), hw)],
		                           memory_order_acquire);
	}
	if (ref & TRIE_LEAF) {
		ref &= ~TRIE_LEAF;
		if (ref >= t->elem_limit)
			goto torn;
		if (elem_matches(trie_elem(t, ref), key->data, first, len, size))
			return ref;
	} else if (ref >= t->unit_limit) {
		goto torn;
	}
	ref = best ? longest(best, best_match, hw) : found;
	if (ref < t->elem_limit)
		return ref;
torn:
	*torn = true;
	return 0;
}

static inline __attribute__((always_inline)) uint32_t
lookup(const struct trie *t, struct lock *lock, const struct trie_key *key, uint32_t size, bool hw)
{
	bool torn;
	uint64_t first = 0;
	uint32_t elem;

	if (key->len > size * 8)
		return 0;
	memcpy(&first, key->data, size > 8 ? 8 : size);
	first = big_endian(first);
	for (int i = 0; i < TRIES; i++) {
		uint32_t recycled = atomic_load_explicit(&t->recycled, memory_order_acquire);

		torn = false;
		elem = walk(t, key, first, &torn, size, hw);
		atomic_thread_fence(memory_order_acquire);
		if (recycled == atomic_load_explicit(&t->recycled, memory_order_relaxed) && !torn)
			return elem;
	}
	lock_take(lock);
	elem = walk(t, key, first, &torn, size, hw);
	lock_release(lock);
	return elem;
}

#define LOOKUP(name, size, hw, target)                                                            \
	target static uint32_t name(const struct trie *t, struct lock *lock,                      \
	                            const struct trie_key *key)                                   \
	{                                                                                         \
		return lookup(t, lock, key, size, hw);                                            \
	}
LOOKUP(lookup_4, 4, true, WITH_POPCNT)
LOOKUP(lookup_narrow, t->data_size > 8 ? 8 : t->data_size, true, WITH_POPCNT)
LOOKUP(lookup_wide, t->data_size < 9 ? 9 : t->data_size, true, WITH_POPCNT)
LOOKUP(plain_4, 4, false, )
LOOKUP(plain_narrow, t->data_size > 8 ? 8 : t->data_size, false, )
LOOKUP(plain_wide, t->data_size < 9 ? 9 : t->data_size, false, )
#undef LOOKUP

trie_lookup_fn trie_lookup_pick(uint32_t data_size)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("popcnt"))
		return data_size == 4 ? plain_4 : data_size <= 8 ? plain_narrow : plain_wide;
#endif
	return data_size == 4 ? lookup_4 : data_size <= 8 ? lookup_narrow : lookup_wide;
}
