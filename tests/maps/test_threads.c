/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads on one map: some look up, some change, one walks, all at once.
 *
 * What must hold whatever the order: a key that is there all the time is found every time, a key
 * that never was is never found, no operation fails without a reason, nobody hangs.
 * ThreadSanitizer, in its build, adds: no race. SKEP_TEST_STEPS: operations per thread (default
 * 20000).
 */
#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, STABLE = 40, LOOSE = 24 };

struct shared {
	struct kit kit;
	struct map *m;
	uint32_t data_size; /* of LPM keys */
	long steps;
	pthread_barrier_t start;
	_Atomic int failures;
	_Atomic bool done;
};

struct thread {
	struct shared *s;
	unsigned id;
};

static long steps(void)
{
	const char *given = getenv("SKEP_TEST_STEPS");

	return given ? atol(given) : 20000;
}

static void check(struct shared *s, bool ok, const char *what)
{
	if (!ok && s->failures++ == 0)
		fprintf(stderr, "# %s\n", what);
}

static void together(struct shared *s, void *(*const roles[THREADS])(void *))
{
	struct thread threads[THREADS];
	pthread_t ids[THREADS];

	s->steps = steps();
	pthread_barrier_init(&s->start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){s, i};
		assert_int_equal(pthread_create(&ids[i], NULL, roles[i], &threads[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	pthread_barrier_destroy(&s->start);
	assert_int_equal(s->failures, 0);
}

/* --- Hash maps --------------------------------------------------------------------------- */

/*
 * Keys 0 ... STABLE-1 are always there, the LOOSE ones behind them come and go, the rest never
 * were.
 */

static void *hash_reader(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;
	struct cpu *cpu = &s->kit.k.cpus[t->id];
	uint64_t seed = t->id;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps; i++) {
		uint64_t key[2] = {kit_random(&seed) % STABLE}, values[THREADS];

		key[1] = key[0];
		check(s,
		      s->m->call_lookup((uintptr_t)s->m, (uintptr_t)key, 0, 0, 0, cpu) != 0,
		      "a key that was always there is missing");
		check(s, map_lookup(s->m, key, values, 0) == 0, "a copy of a key is missing");
		key[0] = key[1] = 1000 + i % 100;
		check(s, !s->m->ops->lookup(s->m, key, t->id), "a key that never was is there");
	}
	return NULL;
}

static void *hash_writer(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;
	uint64_t seed = 100 + t->id;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps; i++) {
		uint64_t r = kit_random(&seed), key[2] = {r % STABLE}, value = r;

		key[1] = key[0];
		check(s, s->m->ops->update(s->m, key, &value, BPF_EXIST, t->id) == 0,
		      "an update of what is there failed");
		key[0] = key[1] = STABLE + (r >> 8) % LOOSE;
		if (r >> 16 & 1) {
			check(s, s->m->ops->update(s->m, key, &value, BPF_ANY, t->id) == 0,
			      "there was room, but no element");
		} else {
			int err = s->m->ops->remove(s->m, key);

			check(s, err == 0 || err == -ENOENT, "a delete failed");
		}
	}
	return NULL;
}

static void *hash_walker(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps / 50; i++) {
		uint64_t key[2], next[2];
		int n = 0, err;

		for (err = map_next_key(s->m, NULL, next); !err && n < 1000;
		     err = map_next_key(s->m, key, next), n++) {
			check(s, next[0] == next[1] && next[0] < STABLE + LOOSE, "a key in pieces");
			memcpy(key, next, sizeof(key));
		}
		check(s, err == 0 || err == -ENOENT, "walking failed");
	}
	return NULL;
}

static void hash_like(uint32_t type, uint32_t flags, uint32_t max)
{
	static void *(*const roles[THREADS])(void *) = {hash_reader, hash_writer, hash_writer,
	                                                hash_walker};
	struct shared *s = calloc(1, sizeof(*s));

	kit_open(&s->kit, THREADS);
	s->m = kit_map(&s->kit, type, 16, 8, max, flags);
	for (uint64_t i = 0; i < STABLE; i++)
		assert_int_equal(
			s->m->ops->update(s->m, (uint64_t[]){i, i}, &i, BPF_NOEXIST, i % THREADS),
			0);
	together(s, roles);
	kit_put(s->m);
	kit_close(&s->kit);
	free(s);
}

static void hash_maps_bear_threads(void **state)
{
	hash_like(BPF_MAP_TYPE_HASH, 0, STABLE + LOOSE);
	hash_like(BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 1000);
}

static void percpu_hash_maps_bear_threads(void **state)
{
	hash_like(BPF_MAP_TYPE_PERCPU_HASH, 0, STABLE + LOOSE);
}

static void lru_maps_with_room_bear_threads(void **state)
{
	hash_like(BPF_MAP_TYPE_LRU_HASH, 0, 2000);
}

/* --- LRU maps that are full -------------------------------------------------------------- */

static void *lru_user(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;
	uint64_t seed = t->id;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps; i++) {
		uint64_t r = kit_random(&seed), key[2] = {r % 300, r % 300};

		s->m->ops->lookup(s->m, key, t->id);
		check(s, s->m->ops->update(s->m, key, &r, BPF_ANY, t->id) == 0, "no room was made");
		if (r % 11 == 0)
			s->m->ops->remove(s->m, key);
	}
	return NULL;
}

static void full_lru_maps_bear_threads(void **state)
{
	static void *(*const roles[THREADS])(void *) = {lru_user, lru_user, lru_user, hash_walker};
	static const uint32_t flags[] = {0, BPF_F_NO_COMMON_LRU};

	for (int i = 0; i < 2; i++) {
		struct shared *s = calloc(1, sizeof(*s));

		kit_open(&s->kit, THREADS);
		s->m = kit_map(&s->kit, BPF_MAP_TYPE_LRU_HASH, 16, 8, 64, flags[i]);
		together(s, (void *(*[])(void *)){roles[0], roles[1], roles[2], roles[0]});
		kit_put(s->m);
		kit_close(&s->kit);
		free(s);
	}
}

/* --- LPM tries --------------------------------------------------------------------------- */

struct key {
	uint32_t len;
	uint8_t data[20];
};

/* Stable prefixes end in an even byte, loose ones in an odd one: none is inside another. */
static struct key prefix(const struct shared *s, uint64_t r, bool stable)
{
	struct key k = {.len = s->data_size * 8};

	memset(k.data, 7, sizeof(k.data));
	k.data[s->data_size - 2] = (uint8_t)(r % 5);
	k.data[s->data_size - 1] = (uint8_t)((r >> 8) % 16 << 4 | (stable ? 0 : 1 + (r >> 16) % 3));
	k.data[0] = (uint8_t)(r % 3 * 50);
	return k;
}

static void *lpm_reader(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;
	uint64_t seed = t->id;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps; i++) {
		struct key k = prefix(s, kit_random(&seed), true);
		uint64_t *value = s->m->ops->lookup(s->m, &k, t->id), copy = 0, want = 0;

		memcpy(&want, k.data + s->data_size - 4, 4);
		want = want << 8 | k.data[0];
		check(s, value && __atomic_load_n(value, __ATOMIC_RELAXED) == want,
		      "a prefix that was always there is missing");
		check(s, map_lookup(s->m, &k, &copy, 0) == 0 && copy == want, "a wrong copy");
	}
	return NULL;
}

static void *lpm_writer(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;
	uint64_t seed = t->id;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps; i++) {
		uint64_t r = kit_random(&seed), value = 0;
		struct key k = prefix(s, r, false);

		if (r >> 32 & 1)
			k.len -= (uint32_t)(r >> 33) % 2; /* still no even byte */
		if (r >> 40 & 1)
			check(s, map_update(s->m, &k, &value, BPF_ANY) == 0, "an update failed");
		else
			s->m->ops->remove(s->m, &k);
	}
	return NULL;
}

static void *lpm_walker(void *arg)
{
	struct thread *t = arg;
	struct shared *s = t->s;

	pthread_barrier_wait(&s->start);
	for (long i = 0; i < s->steps / 500; i++) {
		struct key k;
		int err = map_next_key(s->m, NULL, &k);

		for (int n = 0; !err && n < 1000; n++)
			err = map_next_key(s->m, &k, &k);
	}
	return NULL;
}

static void lpm_tries_bear_threads(void **state)
{
	static void *(*const roles[THREADS])(void *) = {lpm_reader, lpm_writer, lpm_reader,
	                                                lpm_walker};
	static const uint32_t sizes[] = {4, 8, 16, 4};

	for (int i = 0; i < 4; i++) {
		struct shared *s = calloc(1, sizeof(*s));

		kit_open(&s->kit, THREADS);
		s->data_size = sizes[i];
		s->m = kit_map(&s->kit, BPF_MAP_TYPE_LPM_TRIE, 4 + sizes[i], 8,
		               i < 3 ? 4000 : 20000, BPF_F_NO_PREALLOC);
		for (uint64_t r = 0; r < 16 * 256; r++) {
			struct key k = prefix(s, (r & 15) << 8 | r >> 4, true);
			uint64_t value = 0;

			memcpy(&value, k.data + sizes[i] - 4, 4);
			value = value << 8 | k.data[0];
			assert_int_equal(map_update(s->m, &k, &value, BPF_ANY), 0);
		}
		together(s, roles);
		kit_put(s->m);
		kit_close(&s->kit);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_maps_bear_threads),
		cmocka_unit_test(percpu_hash_maps_bear_threads),
		cmocka_unit_test(lru_maps_with_room_bear_threads),
		cmocka_unit_test(full_lru_maps_bear_threads),
		cmocka_unit_test(lpm_tries_bear_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
