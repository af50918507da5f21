/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that runs out: each allocation and mapping fails in turn; storage that is used up. */
#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "maps/trie.h"

/* Storage that was not unmapped shows here; the sanitizers' own mappings come and go. */
static unsigned mappings(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 0;
#endif
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned n = 0;

	assert_non_null(f);
	for (int c = getc(f); c != EOF; c = getc(f))
		n += c == '\n';
	fclose(f);
	return n;
}

struct shape {
	uint32_t type, key, value, max, flags;
};

/* What one does with a map; nothing in here may need memory after the map is there. */
static void use(struct map *m)
{
	uint8_t key[16] = {8}, value[256] = {1}, next[16];

	if (m->ops->ring_reserve) {
		assert_int_equal(m->ops->ring_output(m, value, 100, 0), 0);
		return;
	}
	if (m->ops->push) {
		assert_int_equal(m->ops->push(m, value, 0), 0);
		return;
	}
	if (!m->ops->update)
		return;
	assert_int_equal(m->ops->update(m, key, value, BPF_ANY, 0), 0);
	assert_int_equal(map_lookup(m, key, value, 0), 0);
	assert_int_equal(map_next_key(m, NULL, next), 0);
	map_delete(m, key);
}

static void every_allocation_may_fail(void **state)
{
	static const struct shape shapes[] = {
		{BPF_MAP_TYPE_ARRAY, 4, 8, 10, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 100000, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 10, BPF_F_MMAPABLE},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 10, 0},
		{BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 10, 0},
		{BPF_MAP_TYPE_HASH, 4, 8, 10, 0},
		{BPF_MAP_TYPE_HASH, 4, 8, 100000, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 10, 0},
		{BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, 0},
		{BPF_MAP_TYPE_LRU_HASH, 4, 8, 100000, BPF_F_NO_COMMON_LRU},
		{BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 10, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_LPM_TRIE, 8, 8, 100000, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_QUEUE, 0, 100, 3000, 0},
		{BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
	};
	struct kit kit;

	kit_open(&kit, 2);
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		unsigned before = mappings();
		struct map *m = NULL;
		long alive, n;

		/* Warm up: the id table stays. */
		kit.mem.left = -1;
		kit_put(kit_map(&kit, s->type, s->key, s->value, s->max, s->flags));
		alive = kit.mem.alive;
		for (n = 0; !m; n++) {
			int err;

			kit.mem.left = n;
			err = kit_try(&kit, s->type, s->key, s->value, s->max, s->flags, &m);
			assert_true(err == 0 || err == -ENOMEM);
			if (err)
				assert_int_equal(kit.mem.alive, alive);
		}
		assert_true(n >= 2);
		use(m);
		kit_put(m);
		assert_int_equal(kit.mem.alive, alive);
		assert_int_equal(mappings(), before);
	}
	kit.mem.left = -1;
	kit_close(&kit);
}

static void descriptors_may_run_out(void **state)
{
	struct rlimit was, none = {0, 0};
	struct kit kit;
	struct map *m;
	int err;

	kit_open(&kit, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	err = kit_try(&kit, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, &m);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(err, -EMFILE);
	kit_close(&kit);
}

static void what_does_not_fit_an_address_space_is_refused(void **state)
{
	static const struct shape shapes[] = {
		{BPF_MAP_TYPE_ARRAY, 4, 0x7fffffff, UINT32_MAX, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 0x7fffffff, UINT32_MAX, BPF_F_MMAPABLE},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32768, UINT32_MAX, 0},
		{BPF_MAP_TYPE_HASH, 8, 4 << 20, 1 << 27, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_HASH, 8, 4000000, 1 << 27, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_LPM_TRIE, 260, 4000000, UINT32_MAX, BPF_F_NO_PREALLOC},
	};
	struct kit kit;
	struct map *m;

	kit_open(&kit, 64);
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		int err = kit_try(&kit, s->type, s->key, s->value, s->max, s->flags, &m);

		assert_true(err == -ENOMEM || err == -E2BIG);
	}
	kit_close(&kit);
}

/* --- A trie whose nodes are used up ------------------------------------------------------ */

enum { PREFIXES = 600 };

struct key {
	uint32_t len;
	uint8_t data[16];
};

static uint32_t find(struct trie *t, const struct key *k)
{
	return trie_exact(t, (const struct trie_key *)k);
}

static bool put(struct trie *t, const struct key *k)
{
	uint32_t elem = trie_elem_new(t, (const struct trie_key *)k);

	assert_true(elem != 0);
	if (trie_put(t, elem) == 0)
		return true;
	trie_elem_retire(t, elem);
	return false;
}

static void a_change_that_fails_changes_nothing(void **state)
{
	struct key *keys = calloc(PREFIXES, sizeof(*keys));
	bool there[PREFIXES] = {false};
	uint64_t seed = 5;
	int failed[2] = {0, 0};
	struct trie t = {0};

	assert_int_equal(trie_init(&t, &mem_libc, 16, 8, PREFIXES), 0);
	t.unit_limit = 500;
	for (int i = 0; i < PREFIXES; i++) {
		for (int b = 0; b < 16; b++)
			keys[i].data[b] = (uint8_t)(kit_random(&seed) % (b < 12 ? 2 : 256));
		keys[i].len = (uint32_t)(kit_random(&seed) % 129);
	}
	for (int i = 0; i < PREFIXES; i++) /* the same prefix may have come twice: leave one */
		for (int j = 0; j < i; j++)
			if (keys[j].len == keys[i].len) {
				keys[i].len = 128;
				keys[i].data[12] = (uint8_t)i;
				keys[i].data[13] = (uint8_t)(i >> 8);
			}
	for (int step = 0; step < 20000; step++) {
		int i = (int)(kit_random(&seed) % PREFIXES);

		if (there[i] && step % 3) {
			int err = trie_remove(&t, (const struct trie_key *)&keys[i]);

			assert_true(err == 0 || err == -ENOMEM);
			there[i] = err;
			failed[1] += err != 0;
		} else if (!there[i]) {
			there[i] = put(&t, &keys[i]);
			failed[0] += !there[i];
		}
		if (step % 50 == 0) {
			uint32_t n = 0, elem = trie_next(&t, NULL);

			for (; elem; n++) {
				struct key at = {trie_elem(&t, elem)->len, {0}};

				memcpy(at.data, trie_data(trie_elem(&t, elem)), 16);
				elem = trie_next(&t, (const struct trie_key *)&at);
			}
			for (int j = 0; j < PREFIXES; j++) {
				assert_int_equal(find(&t, &keys[j]) != 0, there[j]);
				n -= there[j];
			}
			assert_int_equal(n, 0);
		}
	}
	assert_true(failed[0] > 0 && failed[1] > 0);
	trie_fini(&t, &mem_libc);
	free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(descriptors_may_run_out),
		cmocka_unit_test(what_does_not_fit_an_address_space_is_refused),
		cmocka_unit_test(a_change_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
