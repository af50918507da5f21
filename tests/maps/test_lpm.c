/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LPM tries: matches, order, every length of key, against a list that is searched from end to end.
 */
#include "kit.h"

#include <errno.h>
#include <stdio.h>

struct key {
	uint32_t len;
	uint8_t data[256];
};

enum { KEYS_MAX = 400 };

/* What must be in the map. */
struct model {
	struct key keys[KEYS_MAX];
	uint64_t values[KEYS_MAX];
	uint32_t n, size; /* of data */
};

static unsigned bit(const struct key *k, uint32_t i)
{
	return k->data[i / 8] >> (7 - i % 8) & 1;
}

static bool agree(const struct key *a, const struct key *b, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (bit(a, i) != bit(b, i))
			return false;
	return true;
}

static int model_exact(const struct model *m, const struct key *k)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->keys[i].len == k->len && agree(&m->keys[i], k, k->len))
			return (int)i;
	return -1;
}

static int model_longest(const struct model *m, const struct key *k)
{
	int best = -1;

	for (uint32_t i = 0; i < m->n; i++)
		if (m->keys[i].len <= k->len && agree(&m->keys[i], k, m->keys[i].len) &&
		    (best < 0 || m->keys[i].len > m->keys[best].len))
			best = (int)i;
	return best;
}

/* Is a before b: to the left of it, or inside it? */
static bool before(const struct key *a, const struct key *b)
{
	uint32_t min = a->len < b->len ? a->len : b->len;

	for (uint32_t i = 0; i < min; i++)
		if (bit(a, i) != bit(b, i))
			return bit(b, i);
	return a->len > b->len;
}

static void check_order(struct map *map, const struct model *m)
{
	struct key at, next;
	uint32_t n = 0;
	int err;

	for (err = map_next_key(map, NULL, &next); !err; err = map_next_key(map, &at, &next)) {
		int i = model_exact(m, &next);

		assert_true(i >= 0);
		assert_memory_equal(m->keys[i].data, next.data, m->size);
		if (n++)
			assert_true(before(&at, &next));
		at = next;
	}
	assert_int_equal(err, -ENOENT);
	assert_int_equal(n, m->n);
}

/* Few different bytes, so that prefixes contain one another and share long beginnings. */
static void random_key(struct key *k, uint32_t size, uint64_t *seed)
{
	uint64_t shape = kit_random(seed);
	uint32_t same = shape % 3 ? (uint32_t)(shape >> 8) % (size + 1) : 0;

	memset(k, 0, sizeof(*k));
	for (uint32_t i = 0; i < size; i++) {
		uint64_t r = kit_random(seed);

		k->data[i] =
			i < same ? 0x55 : (uint8_t)(r & 1 ? 0x55u ^ 1u << (r >> 8 & 7) : r >> 16);
	}
	k->len = (uint32_t)(kit_random(seed) % (size * 8 + 1));
	if (shape >> 32 & 1)
		k->len = size * 8;
}

static void step(struct map *map, struct model *m, uint64_t *seed)
{
	uint64_t r = kit_random(seed), value = r, flags = r >> 8 & 3;
	struct key k;
	int i;

	random_key(&k, m->size, seed);
	if (m->n && (r & 1)) { /* one that is there, or near */
		k = m->keys[(r >> 16) % m->n];
		if (r & 2)
			k.data[(r >> 32) % m->size] ^= (uint8_t)(1 << (r >> 40 & 7));
	}
	i = model_exact(m, &k);
	if (flags == 3) {
		assert_int_equal(map_delete(map, &k), i < 0 ? -ENOENT : 0);
		if (i >= 0) {
			m->keys[i] = m->keys[--m->n];
			m->values[i] = m->values[m->n];
		}
	} else if (m->n < KEYS_MAX) {
		int want = i >= 0 && flags == BPF_NOEXIST ? -EEXIST
		           : i < 0 && flags == BPF_EXIST  ? -ENOENT
		           : i < 0 && m->n == map->max_entries ? -ENOSPC
		                                               : 0;

		assert_int_equal(map_update(map, &k, &value, flags), want);
		if (!want) {
			i = i < 0 ? (int)m->n++ : i;
			m->keys[i] = k;
			m->values[i] = value;
		}
	}
	for (int j = 0; j < 3; j++) {
		uint64_t *live;

		random_key(&k, m->size, seed);
		if (m->n && j) {
			k = m->keys[kit_random(seed) % m->n];
			k.len = j == 1 ? m->size * 8
			               : (uint32_t)(kit_random(seed) % (m->size * 8 + 1));
			k.data[m->size - 1] ^= (uint8_t)(r >> 48);
		}
		i = model_longest(m, &k);
		live = map->ops->lookup(map, &k, 0);
		assert_int_equal(live != NULL, i >= 0);
		if (live)
			assert_int_equal(*live, m->values[i]);
	}
}

static void every_size_acts_like_a_list(void **state)
{
	static const uint32_t sizes[] = {1, 1,  2,  2,  3,  4,  4,  5,  6,  7,   8,   8,
	                                 9, 12, 15, 16, 16, 17, 31, 32, 64, 255, 256, 256};
	struct model *m = malloc(sizeof(*m));
	struct kit kit;

	kit_open(&kit, 1);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t max = sizes[i] > 32 ? 60 : 4 + 40 * i;
		uint64_t seed = i;
		struct map *map;

		memset(m, 0, sizeof(*m));
		m->size = sizes[i];
		max = max > KEYS_MAX ? KEYS_MAX : max;
		if (i & 1) /* large ones are built in another way */
			max += 10000;
		map = kit_map(&kit, BPF_MAP_TYPE_LPM_TRIE, 4 + sizes[i], 8, max, BPF_F_NO_PREALLOC);
		for (int s = 0; s < 1500; s++) {
			step(map, m, &seed);
			if (s % 100 == 99)
				check_order(map, m);
		}
		while (m->n) { /* taken down to nothing */
			assert_int_equal(map_delete(map, &m->keys[--m->n]), 0);
			if (m->n % 16 == 0)
				check_order(map, m);
		}
		kit_put(map);
	}
	free(m);
	kit_close(&kit);
}

static struct key v4(uint32_t len, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct key){len, {a, b, c, d}};
}

static void lengths_limit_what_matches(void **state)
{
	struct key k = v4(24, 192, 168, 1, 0);
	uint64_t value = 24;
	struct kit kit;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 3, BPF_F_NO_PREALLOC);
	assert_int_equal(map_update(m, &k, &value, 0), 0);
	k = v4(16, 192, 168, 77, 77);
	value = 16;
	assert_int_equal(map_update(m, &k, &value, 0), 0);
	k = v4(32, 192, 168, 1, 9);
	assert_int_equal(map_lookup(m, &k, &value, 0), 0);
	assert_int_equal(value, 24);
	k.len = 23;
	assert_int_equal(map_lookup(m, &k, &value, 0), 0);
	assert_int_equal(value, 16);
	k.len = 15;
	assert_int_equal(map_lookup(m, &k, &value, 0), -ENOENT);
	k.len = 33;
	assert_int_equal(map_lookup(m, &k, &value, 0), -ENOENT);
	assert_int_equal(map_update(m, &k, &value, 0), -EINVAL);
	assert_int_equal(map_delete(m, &k), -EINVAL);
	k = v4(0, 1, 2, 3, 4);
	assert_int_equal(map_update(m, &k, &value, 0), 0);
	k = v4(8, 10, 0, 0, 0);
	assert_int_equal(map_update(m, &k, &value, 0), -ENOSPC);
	assert_int_equal(map_next_key(m, &(struct key){0}, &k), -ENOENT); /* /0 is the last */
	assert_int_equal(map_next_key(m, &(struct key){40, {0}}, &k), 0);
	assert_int_equal(k.len, 24);
	kit_put(m);
	kit_close(&kit);
}

static void an_update_at_the_limit_replaces(void **state)
{
	struct kit kit;
	struct key k = v4(32, 1, 1, 1, 1);
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 1, BPF_F_NO_PREALLOC);
	for (uint64_t value = 0, got; value < 10000; value++) {
		assert_int_equal(map_update(m, &k, &value, 0), 0);
		assert_int_equal(map_lookup(m, &k, &got, 0), 0);
		assert_int_equal(got, value);
	}
	kit_put(m);
	kit_close(&kit);
}

/* Memory must not depend on history: fill, empty, fill with something else, many times. */
static void memory_is_used_again(void **state)
{
	enum { N = 2000 };
	uint64_t seed = 3, most = 0;
	struct kit kit;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_LPM_TRIE, 8, 8, N, BPF_F_NO_PREALLOC);
	for (int round = 0; round < 30; round++) {
		struct key k;

		for (uint64_t i = 0; i < N; i++) {
			uint64_t r = kit_random(&seed);

			memcpy(k.data, &r, 4);
			k.len = 8 + (uint32_t)(r >> 32) % 25;
			assert_int_equal(map_update(m, &k, &i, 0), 0);
		}
		while (map_next_key(m, NULL, &k) == 0)
			assert_int_equal(map_delete(m, &k), 0);
		if (round == 10)
			most = map_memory(m);
	}
	assert_in_range(map_memory(m), 1, most + most / 4);
	kit_put(m);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_acts_like_a_list),
		cmocka_unit_test(lengths_limit_what_matches),
		cmocka_unit_test(an_update_at_the_limit_replaces),
		cmocka_unit_test(memory_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
