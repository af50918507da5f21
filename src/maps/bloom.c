/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bloom filters: sets of values that answer "perhaps" or "certainly not".
 *
 * One row of bits; a value sets, and asks for, map_extra of them (5 when that is 0). Their places
 * come from one 64-bit hash of the value: the halves a and b give a, a + b, a + 2b ..., b odd, so
 * that the places of a value differ. The row has the bits that make one answer in a hundred wrong
 * at most when max_entries values are in it with the usual number of hashes: n * k / ln 2, rounded
 * up to a power of two, as the kernel sizes it.
 *
 * Bits are only ever set, so nobody takes a lock. For bpf(2) an update is a push and a look-up a
 * peek, whose value is what is asked for.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "maps/maps.h"

enum {
	HASHES = 5,
	HASHES_MAX = 15,
	VALUE_MAX = 4 << 20, /* the kernel's largest allocation */
};

struct map_bloom {
	struct map map;
	_Atomic uint64_t *words;
	uint32_t mask; /* bits - 1 */
	uint32_t hashes;
	struct hash_seed seed;
};

static struct map_bloom *bloom_of(const struct map *m)
{
	return (struct map_bloom *)m;
}

static int bloom_check(const struct skep *k, const struct map_attr *attr)
{
	(void)k;
	if (attr->key_size != 0 || attr->value_size == 0 || attr->max_entries == 0 ||
	    attr->extra > HASHES_MAX ||
	    (attr->flags & ~(uint32_t)(BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_F_RDONLY |
	                               BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)))
		return -EINVAL;
	return attr->value_size > VALUE_MAX ? -E2BIG : 0;
}

/* n * k / ln 2, of which 7/5 is a good approximation, as a power of two of at least one word. */
static uint32_t mask_for(uint32_t entries, uint32_t hashes)
{
	uint64_t bits = (uint64_t)entries * hashes / 5 * 7;

	if (bits > UINT32_MAX / 2)
		return UINT32_MAX;
	return bits < 64 ? 63 : (uint32_t)((1ull << (64 - __builtin_clzll(bits - 1))) - 1);
}

static size_t words_size(const struct map_bloom *b)
{
	return ((size_t)b->mask + 1) / 8;
}

static bool bloom_has(const struct map *m, const void *value)
{
	const struct map_bloom *b = bloom_of(m);
	uint64_t hash = hash_bytes(&b->seed, value, m->value_size);
	uint32_t at = (uint32_t)hash, step = (uint32_t)(hash >> 32) | 1;

	for (uint32_t i = 0; i < b->hashes; i++, at += step) {
		uint64_t word = atomic_load_explicit(&b->words[(at & b->mask) / 64],
		                                     memory_order_relaxed);

		if (!(word >> (at & 63) & 1))
			return false;
	}
	return true;
}

static int bloom_peek(struct map *m, void *value)
{
	return bloom_has(m, value) ? 0 : -ENOENT;
}

static int bloom_push(struct map *m, const void *value, uint64_t flags)
{
	struct map_bloom *b = bloom_of(m);
	uint64_t hash;
	uint32_t at, step;

	if (flags != BPF_ANY)
		return -EINVAL;
	hash = hash_bytes(&b->seed, value, m->value_size);
	at = (uint32_t)hash;
	step = (uint32_t)(hash >> 32) | 1;
	for (uint32_t i = 0; i < b->hashes; i++, at += step) {
		_Atomic uint64_t *word = &b->words[(at & b->mask) / 64];
		uint64_t bit = 1ull << (at & 63);

		/* A line that has the bit already need not become ours. */
		if (!(atomic_load_explicit(word, memory_order_relaxed) & bit))
			atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	}
	return 0;
}


static int bloom_init(struct map *m, const struct map_attr *attr)
{
	struct map_bloom *b = bloom_of(m);

	b->hashes = attr->extra ? (uint32_t)attr->extra : HASHES;
	b->mask = mask_for(m->max_entries, b->hashes);
	b->words = mem_map(&m->obj.k->mem, words_size(b));
	if (!b->words)
		return -ENOMEM;
	if (m->flags & BPF_F_ZERO_SEED)
		hash_seed_fixed(&b->seed);
	else
		hash_seed_random(&b->seed, m->obj.k->hash_seed);
	m->memory = sizeof(*b) + words_size(b);
	return 0;
}

static void bloom_fini(struct map *m)
{
	mem_unmap(&m->obj.k->mem, (void *)bloom_of(m)->words, words_size(bloom_of(m)));
}

/* --- bpf(2)'s side: there is no key ------------------------------------------------------ */

static int bloom_copy_out(struct map *m, const void *key, void *value, uint64_t flags)
{
	(void)key;
	(void)flags;
	return bloom_peek(m, value);
}

static int bloom_copy_in(struct map *m, const void *key, const void *value, uint64_t flags)
{
	(void)key;
	return bloom_push(m, value, flags);
}

static int bloom_copy_delete(struct map *m, const void *key)
{
	(void)m;
	(void)key;
	return -EOPNOTSUPP;
}

static int bloom_next_key(struct map *m, const void *key, void *next)
{
	(void)m;
	(void)key;
	(void)next;
	return -EOPNOTSUPP;
}

const struct map_ops map_bloom_filter_ops = {
	.name = "bloom_filter",
	.size = sizeof(struct map_bloom),
	.check = bloom_check,
	.init = bloom_init,
	.fini = bloom_fini,
	.push = bloom_push,
	.peek = bloom_peek,
	.copy_out = bloom_copy_out,
	.copy_in = bloom_copy_in,
	.copy_delete = bloom_copy_delete,
	.next_key = bloom_next_key,
	.asks_by_value = true,
	.takes_extra = true,
};
