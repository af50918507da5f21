/* SPDX-License-Identifier: BSD-2-Clause */
/* LRU hash maps: always room, what is used stays, each CPU apart on request; per-CPU hash maps. */
#include "kit.h"

#include <errno.h>

static uint32_t count(struct map *m)
{
	uint32_t n = 0, key, next;

	for (int err = map_next_key(m, NULL, &next); !err; err = map_next_key(m, &key, &next), n++)
		key = next;
	return n;
}

static void there_is_always_room(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 5, 16, 100, 1000};
	static const uint32_t types[] = {BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH};
	struct kit kit;

	kit_open(&kit, 2);
	for (unsigned i = 0; i < 4 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i / 4], flags = i & 1 ? BPF_F_NO_COMMON_LRU : 0;
		struct map *m = kit_map(&kit, types[i / 2 % 2], 4, 8, n, flags);
		uint64_t seed = i, value[2];

		if (flags)
			assert_int_equal(m->max_entries, (n + 1) / 2 * 2);
		for (uint32_t step = 0; step < 20 * n + 1000; step++) {
			uint32_t key = (uint32_t)(kit_random(&seed) % (3 * n));
			unsigned cpu = step & 1;

			memset(value, (int)key, sizeof(value));
			assert_int_equal(m->ops->update(m, &key, value, BPF_ANY, cpu), 0);
			value[cpu] = 0;
			assert_int_equal(map_lookup(m, &key, value, 0), 0);
			assert_memory_equal(&value[m->ops->per_cpu ? cpu : 0],
			                    &(uint64_t){(key & 0xff) * 0x0101010101010101u},
			                    8);
			if (step % 7 == 0)
				assert_int_equal(map_delete(m, &key), 0);
		}
		assert_in_range(count(m), 0, m->max_entries);
		kit_put(m);
	}
	kit_close(&kit);
}

static void what_is_looked_up_stays(void **state)
{
	enum { N = 1000, HOT = 400 };
	uint32_t key, lost = 0;
	struct kit kit;
	struct map *m;

	kit_open(&kit, 2);
	m = kit_map(&kit, BPF_MAP_TYPE_LRU_HASH, 4, 4, N, 0);
	for (key = 0; key < HOT; key++)
		assert_int_equal(map_update(m, &key, &key, 0), 0);
	for (uint32_t cold = HOT; cold < 20 * N; cold++) {
		assert_int_equal(map_update(m, &cold, &cold, 0), 0);
		key = cold % HOT;
		lost += !m->ops->lookup(m, &key, 0);
	}
	assert_int_equal(lost, 0);
	assert_int_equal(count(m), N);
	/* The oldest of those that nobody asked for went first: the latest ones are there. */
	for (key = 20 * N - (N - HOT) / 2; key < 20 * N; key++)
		assert_int_equal(map_lookup(m, &key, &(uint32_t){0}, 0), 0);
	kit_put(m);
	kit_close(&kit);
}

static void bpf2_look_ups_do_not_count(void **state)
{
	enum { N = 100 };
	struct kit kit;
	uint32_t key = 0, value;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_LRU_HASH, 4, 4, N, 0);
	for (key = 0; key < 3 * N; key++) {
		assert_int_equal(map_update(m, &key, &key, 0), 0);
		map_lookup(m, &(uint32_t){0}, &value, 0);
	}
	assert_int_equal(map_lookup(m, &(uint32_t){0}, &value, 0), -ENOENT);
	kit_put(m);
	kit_close(&kit);
}

static void cpus_apart_evict_their_own(void **state)
{
	enum { N = 100 };
	struct kit kit;
	uint32_t key;
	struct map *m;

	kit_open(&kit, 2);
	m = kit_map(&kit, BPF_MAP_TYPE_LRU_HASH, 4, 4, N, BPF_F_NO_COMMON_LRU);
	for (key = 0; key < N / 2; key++)
		assert_int_equal(m->ops->update(m, &key, &key, 0, 1), 0);
	for (key = 1000; key < 2000; key++)
		assert_int_equal(m->ops->update(m, &key, &key, 0, 0), 0);
	for (key = 0; key < N / 2; key++)
		assert_int_equal(map_lookup(m, &key, &(uint32_t){0}, 0), 0);
	assert_int_equal(count(m), N);
	kit_put(m);
	assert_int_equal(kit_try(&kit, BPF_MAP_TYPE_LRU_HASH, 4, 4, 4, BPF_F_NO_PREALLOC, &m),
	                 -ENOTSUPP);
	kit_close(&kit);
}

/* A Zipf-like mix of keys: the share of hits must come near to that of an exact LRU. */
static void hits_come_near_to_those_of_an_exact_lru(void **state)
{
	enum { N = 512, KEYS = 8 * N, STEPS = 60000 };
	uint32_t *used = calloc(KEYS, sizeof(*used)), exact_hits = 0, hits = 0, held = 0;
	uint64_t seed = 7;
	struct kit kit;
	struct map *m;

	kit_open(&kit, 1);
	m = kit_map(&kit, BPF_MAP_TYPE_LRU_HASH, 4, 4, N, 0);
	for (uint32_t step = 1; step <= STEPS; step++) {
		double u = (double)(kit_random(&seed) >> 11) / 9007199254740992.0;
		uint32_t key = (uint32_t)(KEYS * u * u * u), oldest = 0;

		if (m->ops->lookup(m, &key, 0))
			hits++;
		else
			assert_int_equal(map_update(m, &key, &key, 0), 0);
		exact_hits += used[key] != 0;
		if (!used[key] && held == N) {
			for (uint32_t i = 1; i < KEYS; i++)
				if (used[i] && (!used[oldest] || used[i] < used[oldest]))
					oldest = i;
			used[oldest] = 0;
		} else if (!used[key]) {
			held++;
		}
		used[key] = step;
	}
	assert_in_range(hits, exact_hits * 95 / 100, exact_hits * 105 / 100);
	free(used);
	kit_put(m);
	kit_close(&kit);
}

static void per_cpu_values_are_apart(void **state)
{
	uint64_t all[3] = {1, 2, 3}, got[3];
	struct kit kit;
	uint32_t key = 9;
	struct map *m;

	kit_open(&kit, 3);
	m = kit_map(&kit, BPF_MAP_TYPE_PERCPU_HASH, 4, 6, 10, 0);
	assert_int_equal(m->ops->update(m, &key, &all[1], BPF_NOEXIST, 1), 0);
	assert_int_equal(map_lookup(m, &key, got, 0), 0);
	assert_memory_equal(got, ((uint64_t[]){0, 2, 0}), sizeof(got));
	assert_int_equal(map_update(m, &key, all, BPF_EXIST), 0);
	assert_int_equal(m->ops->update(m, &key, &all[2], BPF_EXIST, 0), 0);
	assert_int_equal(map_lookup(m, &key, got, 0), 0);
	assert_memory_equal(got, ((uint64_t[]){3, 2, 3}), sizeof(got));
	assert_int_equal(*(uint16_t *)m->ops->lookup(m, &key, 2), 3);
	assert_int_equal(*(uint16_t *)m->ops->lookup_percpu(m, &key, 1), 2);
	assert_null(m->ops->lookup_percpu(m, &key, 3));
	/* A reused element starts with zeros for the other CPUs. */
	assert_int_equal(map_delete(m, &key), 0);
	for (key = 0; key < 10; key++)
		assert_int_equal(m->ops->update(m, &key, &all[0], BPF_ANY, 2), 0);
	key = 3;
	assert_int_equal(map_lookup(m, &key, got, 0), 0);
	assert_memory_equal(got, ((uint64_t[]){0, 0, 1}), sizeof(got));
	kit_put(m);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_always_room),
		cmocka_unit_test(what_is_looked_up_stays),
		cmocka_unit_test(bpf2_look_ups_do_not_count),
		cmocka_unit_test(cpus_apart_evict_their_own),
		cmocka_unit_test(hits_come_near_to_those_of_an_exact_lru),
		cmocka_unit_test(per_cpu_values_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
