/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash maps: flags, full maps, all key sizes, iteration while deleting, against a model. */
#include "kit.h"

#include <errno.h>

static void flags_say_what_must_be_there(void **state)
{
	struct kit kit;
	uint64_t key = 5, value = 1;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_HASH, 8, 8, 4, 0);
	assert_int_equal(map_lookup(m, &key, &value, 0), -ENOENT);
	assert_int_equal(map_delete(m, &key), -ENOENT);
	assert_int_equal(map_update(m, &key, &value, BPF_EXIST), -ENOENT);
	assert_int_equal(map_update(m, &key, &value, BPF_NOEXIST), 0);
	assert_int_equal(map_update(m, &key, &value, BPF_NOEXIST), -EEXIST);
	assert_int_equal(map_update(m, &key, &value, 3), -EINVAL);
	value = 2;
	assert_int_equal(map_update(m, &key, &value, BPF_EXIST), 0);
	value = 0;
	assert_int_equal(map_lookup(m, &key, &value, 0), 0);
	assert_int_equal(value, 2);
	assert_int_equal(map_delete(m, &key), 0);
	assert_int_equal(map_next_key(m, NULL, &key), -ENOENT);
	kit_put(m);
	kit_close(&kit);
}

static void a_full_map_takes_updates_only(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 7, 8, 9, 12, 13, 100, 1000};
	struct kit kit;

	kit_open(&kit, 2);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i];
		struct map *m =
			kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 4, n, i & 1 ? BPF_F_NO_PREALLOC : 0);

		for (uint32_t key = 0; key < n; key++)
			assert_int_equal(map_update(m, &key, &key, BPF_ANY), 0);
		assert_int_equal(map_update(m, &n, &n, BPF_ANY), -E2BIG);
		for (int again = 0; again < 3; again++)
			for (uint32_t key = 0; key < n; key++)
				assert_int_equal(map_update(m, &key, &n, BPF_ANY), 0);
		for (uint32_t key = 0, value; key < n; key++) {
			assert_int_equal(map_lookup(m, &key, &value, 0), 0);
			assert_int_equal(value, n);
		}
		assert_int_equal(map_delete(m, &(uint32_t){0}), 0);
		assert_int_equal(map_update(m, &n, &n, BPF_ANY), 0);
		assert_int_equal(map_update(m, &(uint32_t){0}, &n, BPF_ANY), -E2BIG);
		kit_put(m);
	}
	kit_close(&kit);
}

/* Random operations on few keys of one size, against a plain array of what must be there. */
static void act_like_a_model(struct kit *kit, uint32_t key_size, uint32_t value_size, uint64_t seed)
{
	enum { KEYS = 64, MAX = 40, STEPS = 4000 };
	uint8_t *keys = calloc(KEYS, key_size), *value = malloc(value_size),
		*got = malloc(value_size);
	int held[KEYS], n = 0;
	struct map *m = kit_map(kit, BPF_MAP_TYPE_HASH, key_size, value_size, MAX, 0);

	memset(held, -1, sizeof(held));
	for (int i = 0; i < KEYS; i++) /* keys that differ in one byte only, the last as a rule */
		keys[i * key_size + (i % 8 ? key_size - 1 : 0)] = (uint8_t)(i + 1);
	for (int step = 0; step < STEPS; step++) {
		uint64_t r = kit_random(&seed);
		int i = (int)(r % KEYS), flags = (int)((r >> 8) % 3), want = 0;
		uint8_t *key = keys + (size_t)i * key_size;

		switch (r >> 16 & 3) {
		case 0:
			want = held[i] < 0 ? -ENOENT : 0;
			assert_int_equal(map_delete(m, key), want);
			n -= !want;
			held[i] = -1;
			break;
		case 1:
			assert_int_equal(map_lookup(m, key, got, 0), held[i] < 0 ? -ENOENT : 0);
			if (held[i] >= 0) {
				memset(value, held[i], value_size);
				assert_memory_equal(got, value, value_size);
			}
			break;
		default:
			if (flags == BPF_EXIST && held[i] < 0)
				want = -ENOENT;
			else if (flags == BPF_NOEXIST && held[i] >= 0)
				want = -EEXIST;
			else if (held[i] < 0 && n == MAX)
				want = -E2BIG;
			memset(value, (int)(r >> 24 & 0x7f), value_size);
			assert_int_equal(map_update(m, key, value, (uint64_t)flags), want);
			if (!want) {
				n += held[i] < 0;
				held[i] = (int)(r >> 24 & 0x7f);
			}
		}
	}
	kit_put(m);
	free(keys);
	free(value);
	free(got);
}

static void every_key_and_value_size_works(void **state)
{
	struct kit kit;

	kit_open(&kit, 2);
	for (uint32_t size = 1; size <= 40; size++)
		act_like_a_model(&kit, size, 41 - size, size);
	act_like_a_model(&kit, 1000, 1, 1000);
	act_like_a_model(&kit, 1, 20000, 1001);
	kit_close(&kit);
}

static void iteration_meets_every_key_once(void **state)
{
	enum { N = 5000 };
	struct kit kit;
	uint8_t *seen = calloc(N, 1);
	uint32_t key, next, n = 0;
	struct map *m;

	kit_open(&kit, 2);
	m = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 4, N, 0);
	for (key = 0; key < N; key++)
		assert_int_equal(map_update(m, &key, &key, 0), 0);
	for (int err = map_next_key(m, NULL, &next); !err; err = map_next_key(m, &key, &next)) {
		assert_in_range(next, 0, N - 1);
		assert_false(seen[next]++);
		key = next;
		n++;
	}
	assert_int_equal(n, N);
	/* A key that is not there starts over. */
	key = N;
	assert_int_equal(map_next_key(m, NULL, &next), 0);
	assert_int_equal(map_next_key(m, &key, &key), 0);
	assert_int_equal(key, next);
	/* Fetching the next key before deleting the one at hand empties the map in one go. */
	for (n = 0; map_next_key(m, NULL, &key) == 0; n++)
		assert_int_equal(map_delete(m, &key), 0);
	assert_int_equal(n, N);
	free(seen);
	kit_put(m);
	kit_close(&kit);
}

static void an_address_keeps_its_old_value(void **state)
{
	struct kit kit;
	uint64_t key = 1, value = 10, *live;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_HASH, 8, 8, 4, 0);
	map_update(m, &key, &value, 0);
	live = m->ops->lookup(m, &key, 0);
	value = 11;
	map_update(m, &key, &value, 0);
	assert_int_equal(*live, 10); /* the kernel's, too, replaces elements */
	live = m->ops->lookup(m, &key, 0);
	assert_int_equal(*live, 11);
	kit_put(m);
	kit_close(&kit);
}

static uint64_t visit(uint64_t map, uint64_t key, uint64_t value, uint64_t arg, uint64_t r5,
                      struct cpu *cpu, const struct callback *cb)
{
	uint64_t *sum = (uint64_t *)arg;
	struct map *m = (struct map *)map;
	struct region r;

	assert_true(m->ops->region(m, key, &r));
	assert_false(r.writable);
	assert_true(m->ops->region(m, value, &r));
	assert_int_equal(*(uint32_t *)key, *(uint32_t *)value);
	sum[0] += *(uint32_t *)key;
	return ++sum[1] == sum[2];
}

static void for_each_visits_all_until_told_to_stop(void **state)
{
	enum { N = 1000 };
	struct callback cb = {.call = visit};
	uint64_t sum[3] = {0, 0, 0};
	struct kit kit;
	struct map *m;

	kit_open(&kit, 2);
	m = kit_map(&kit, BPF_MAP_TYPE_HASH, 4, 4, N, 0);
	for (uint32_t key = 0; key < N; key++)
		map_update(m, &key, &key, 0);
	assert_int_equal(m->ops->for_each(m, &cb, (uintptr_t)sum, 0, &kit.k.cpus[1]), N);
	assert_int_equal(sum[0], N * (N - 1) / 2);
	assert_int_equal(m->ops->for_each(m, &cb, (uintptr_t)sum, 1, &kit.k.cpus[1]), -EINVAL);
	sum[1] = 0;
	sum[2] = 5;
	assert_int_equal(m->ops->for_each(m, &cb, (uintptr_t)sum, 0, &kit.k.cpus[1]), 5);
	kit_put(m);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_say_what_must_be_there),
		cmocka_unit_test(a_full_map_takes_updates_only),
		cmocka_unit_test(every_key_and_value_size_works),
		cmocka_unit_test(iteration_meets_every_key_once),
		cmocka_unit_test(an_address_keeps_its_old_value),
		cmocka_unit_test(for_each_visits_all_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
