/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Skep's maps against the running kernel's: the same operations on both, the same answers.
 *
 *   - which maps can be created, with which errno otherwise
 *   - sequences of random operations; keys from a small set, so that they meet
 *   - the order of keys, where the kernel defines one; else the set of keys
 *
 * Where the kernel refuses bpf(2) every test is skipped, saying so. SKEP_TEST_STEPS: operations per
 * configuration (default 3000).
 */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "oracle.h"

enum { KEY_MAX = 512, KEYS = 48 };

static void need_kernel(void)
{
	const char *why;

	if (!oracle_there(&why)) {
		print_message("# bpf(2) is not to be had here: %s\n", why);
		skip();
	}
}

static long steps(void)
{
	const char *given = getenv("SKEP_TEST_STEPS");

	return given ? atol(given) : 3000;
}

/* --- Creating ---------------------------------------------------------------------------- */

struct shape {
	uint32_t type, key, value, max, flags, node;
};

/* Both must answer the same; what can be created is let go at once. */
static void create_both(struct kit *kit, const struct shape *s)
{
	struct map_attr attr = {.type = s->type,
	                        .key_size = s->key,
	                        .value_size = s->value,
	                        .max_entries = s->max,
	                        .flags = s->flags,
	                        .numa_node = s->node};
	struct map *m = NULL;
	int fd = oracle_create(s->type, s->key, s->value, s->max, s->flags, s->node, 0);
	int err = map_create(&kit->k, &attr, &m);

	if (err != (fd < 0 ? fd : 0))
		fail_msg("type %u key %u value %u max %u flags %#x node %d: kernel %d, here %d",
		         s->type, s->key, s->value, s->max, s->flags, (int)s->node, fd < 0 ? fd : 0,
		         err);
	if (m) {
		assert_int_equal(m->max_entries, oracle_max_entries(fd));
		kit_put(m);
	}
	if (fd >= 0)
		close(fd);
}

static const uint32_t types[] = {
	BPF_MAP_TYPE_HASH,         BPF_MAP_TYPE_ARRAY,    BPF_MAP_TYPE_PROG_ARRAY,
	BPF_MAP_TYPE_PERCPU_HASH,  BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY,
	BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_LPM_TRIE, BPF_MAP_TYPE_RINGBUF,
	BPF_MAP_TYPE_QUEUE,        BPF_MAP_TYPE_STACK,
};
enum { NTYPES = sizeof(types) / sizeof(types[0]) };

/*
 * The kernel really allocates what is asked for: nothing large, unless it is refused before that.
 */
static bool too_much(const struct shape *s)
{
	uint64_t bytes = ((uint64_t)s->key + s->value + 64) * s->max;

	return s->max < 0x08000001 && bytes > 16 << 20;
}

static void the_same_maps_can_be_created(void **state)
{
	static const uint32_t keys[] = {0, 1, 3, 4, 5, 8, 12, 16, 260, 261, 512, 513};
	static const uint32_t values[] = {0, 1, 4, 7, 8, 9, 100, 4096, 32768, 32769};
	static const uint32_t maxima[] = {0, 1, 2, 3, 7, 100, 4096, 8192, 12288, 65536};
	uint64_t seed = 1;
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (long i = 0; i < steps() / 2; i++) {
		uint64_t r = kit_random(&seed);
		struct shape s = {
			.type = types[r % NTYPES],
			.key = r & 1 << 8 ? 4 : keys[(r >> 9) % 12],
			.value = r & 1 << 16 ? 8 : values[(r >> 17) % 10],
			.max = maxima[(r >> 24) % 10],
			.flags = r & 1 << 28 ? 0 : 1u << (r >> 29 & 15) % 14,
		};

		if (r >> 40 & 1)
			s.flags |= 1u << (r >> 41 & 31);
		if (s.type == BPF_MAP_TYPE_LPM_TRIE && (r >> 46 & 3))
			s.flags |= BPF_F_NO_PREALLOC;
		if (s.type == BPF_MAP_TYPE_RINGBUF && (r >> 46 & 3))
			s.key = s.value = 0;
		if (s.type == BPF_MAP_TYPE_QUEUE || s.type == BPF_MAP_TYPE_STACK)
			s.key = r >> 46 & 3 ? 0 : s.key;
		/* Of descriptors, paths and the rest of the attribute, sys/ knows. */
		s.flags &= ~(uint32_t)(BPF_F_VTYPE_BTF_OBJ_FD | BPF_F_TOKEN_FD);
		if (s.flags & BPF_F_NUMA_NODE)
			s.node = (uint32_t[]){0, 1, UINT32_MAX, 4000}[r >> 48 & 3];
		if (!too_much(&s))
			create_both(&kit, &s);
	}
	kit_close(&kit);
}

static void limits_are_the_kernels(void **state)
{
	static const uint32_t hashes[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH,
	                                  BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH};
	static const uint32_t many[] = {(1u << 27) + 1, 1u << 28, (1u << 31) + 1, UINT32_MAX};
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (int i = 0; i < 4; i++) {
		uint32_t lazy = i < 2 ? BPF_F_NO_PREALLOC : 0;

		for (int j = 0; j < 4; j++)
			create_both(&kit, &(struct shape){hashes[i], 4, 8, many[j], 0, 0});
		for (uint32_t value = (4 << 20) - 60; value < (4 << 20) - 40; value++)
			create_both(&kit, &(struct shape){hashes[i], 4, value, 1, lazy, 0});
	}
	for (uint32_t key = (4 << 20) - 64; key < (4 << 20) - 50; key++)
		create_both(&kit,
		            &(struct shape){BPF_MAP_TYPE_HASH, key, 8, 1, BPF_F_NO_PREALLOC, 0});
	for (uint32_t value = (4 << 20) - 290; value < (4 << 20) - 270; value++)
		create_both(&kit, &(struct shape){BPF_MAP_TYPE_LPM_TRIE, 8, value, 1, 1, 0});
	create_both(&kit, &(struct shape){BPF_MAP_TYPE_LPM_TRIE, 8, 8, UINT32_MAX, 1, 0});
	create_both(&kit, &(struct shape){BPF_MAP_TYPE_ARRAY, 4, 1u << 31, 1, 0, 0});
	create_both(&kit, &(struct shape){BPF_MAP_TYPE_ARRAY, 4, UINT32_MAX, UINT32_MAX, 0, 0});
	create_both(&kit, &(struct shape){BPF_MAP_TYPE_LRU_HASH, 4, 8, UINT32_MAX, 2, 0});
	kit_close(&kit);
}

/* --- Operations -------------------------------------------------------------------------- */

struct pair {
	struct map *m;
	int fd;
	uint8_t *keys; /* KEYS of them */
	uint8_t *value, *mine, *theirs;
	size_t value_bytes;
	long step; /* for messages */
};

static void pair_open(struct kit *kit, struct pair *p, const struct shape *s, uint64_t *seed)
{
	p->fd = oracle_create(s->type, s->key, s->value, s->max, s->flags, 0, 0);
	assert_true(p->fd >= 0);
	p->m = kit_map(kit, s->type, s->key, s->value, s->max, s->flags);
	p->value_bytes = map_value_size(p->m);
	p->keys = malloc((size_t)KEYS * s->key);
	p->value = malloc(p->value_bytes);
	p->mine = calloc(1, p->value_bytes);
	p->theirs = calloc(1, p->value_bytes);
	for (size_t i = 0; i < (size_t)KEYS * s->key; i++)
		p->keys[i] = (uint8_t)(kit_random(seed) % (s->key > 2 ? 3 : 256));
	for (uint32_t i = 0; i < KEYS; i++) {
		uint8_t *key = p->keys + (size_t)i * s->key;

		if (s->type == BPF_MAP_TYPE_LPM_TRIE) {
			uint32_t len = (uint32_t)(kit_random(seed) % ((s->key - 4) * 8 + 3));

			memcpy(key, &len, 4);
		} else if (s->type == BPF_MAP_TYPE_ARRAY || s->type == BPF_MAP_TYPE_PERCPU_ARRAY) {
			uint32_t index =
				i ? (uint32_t)(kit_random(seed) % (s->max + 2)) : UINT32_MAX;

			memcpy(key, &index, 4);
		}
	}
}

static void pair_close(struct pair *p)
{
	kit_put(p->m);
	close(p->fd);
	free(p->keys);
	free(p->value);
	free(p->mine);
	free(p->theirs);
}

static void same(const struct pair *p, const char *what, int mine, int theirs)
{
	if (mine != theirs)
		fail_msg(
			"%s map, key %u value %u max %u flags %#x, step %ld: %s: %d, kernel: %d",
			p->m->ops->name, p->m->key_size, p->m->value_size, p->m->max_entries,
			p->m->flags, p->step, what, mine, theirs);
}

static int by_key(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(size_t *)size);
}

static bool ordered(const struct map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       m->type == BPF_MAP_TYPE_LPM_TRIE;
}

static bool has_keys(const struct map *m)
{
	return m->key_size != 0;
}

static uint32_t collect(struct pair *p, bool kernel, uint8_t *out)
{
	size_t size = p->m->key_size;
	uint32_t n = 0;

	for (;; n++) {
		const void *at = n ? out + (n - 1) * size : NULL;
		int err = kernel ? oracle_next_key(p->fd, at, out + n * size)
		                 : map_next_key(p->m, at, out + n * size);

		if (err) {
			same(p, "the end of the keys", err, -ENOENT);
			return n;
		}
		assert_true(n < p->m->max_entries);
	}
}

static void compare_keys(struct pair *p)
{
	size_t size = p->m->key_size, room = size * (p->m->max_entries + 1);
	uint8_t *mine, *theirs;
	uint32_t n;

	if (!has_keys(p->m))
		return;
	mine = malloc(room);
	theirs = malloc(room);
	n = collect(p, false, mine);
	same(p, "the number of keys", (int)n, (int)collect(p, true, theirs));
	if (!ordered(p->m)) {
		qsort_r(mine, n, size, by_key, &size);
		qsort_r(theirs, n, size, by_key, &size);
	}
	same(p, "the comparison of keys", memcmp(mine, theirs, n * size), 0);
	free(mine);
	free(theirs);
}

static void act(struct pair *p, uint64_t *seed)
{
	uint64_t r = kit_random(seed), flags = r >> 8 & 7;
	const uint8_t *key =
		has_keys(p->m) ? p->keys + (r >> 16) % KEYS * p->m->key_size : NULL;
	uint8_t next[2][KEY_MAX];
	int mine, theirs;

	switch (r & 7) {
	case 0:
		same(p, "delete", map_delete(p->m, key), oracle_delete(p->fd, key));
		return;
	case 1:
		mine = map_take(p->m, key, p->mine, 0);
		theirs = oracle_take(p->fd, key, p->theirs);
		same(p, "look-up and delete", mine, theirs);
		if (!mine)
			same(p, "the value taken", memcmp(p->mine, p->theirs, p->value_bytes), 0);
		return;
	case 2:
	case 3:
		mine = map_lookup(p->m, key, p->mine, 0);
		theirs = oracle_lookup(p->fd, key, p->theirs);
		same(p, "lookup", mine, theirs);
		if (!mine)
			same(p, "the value found", memcmp(p->mine, p->theirs, p->value_bytes), 0);
		return;
	case 4:
		if (!ordered(p->m))
			return;
		mine = map_next_key(p->m, key, next[0]);
		theirs = oracle_next_key(p->fd, key, next[1]);
		same(p, "next key", mine, theirs);
		if (!mine)
			same(p, "the next key", memcmp(next[0], next[1], p->m->key_size), 0);
		return;
	default:
		if (p->m->type == BPF_MAP_TYPE_LPM_TRIE && (r >> 48 & 3) == 0) {
			same(p, "delete", map_delete(p->m, key), oracle_delete(p->fd, key));
			return;
		}
		for (size_t i = 0; i < p->value_bytes; i++)
			p->value[i] = (uint8_t)(r >> 24) + (uint8_t)i;
		flags = flags < 5 ? flags % 3 : flags == 5 ? 3 : 8;
		same(p, "update", map_update(p->m, key, p->value, flags),
		     oracle_update(p->fd, key, p->value, flags));
	}
}

static void the_same_operations_answer_the_same(void **state)
{
	static const struct shape shapes[] = {
		{BPF_MAP_TYPE_ARRAY, 4, 1, 1, 0, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 40, 0, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 13, 7, BPF_F_MMAPABLE, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 5000, 3, 0, 0},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 1, 30, 0, 0},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 24, 5, 0, 0},
		{BPF_MAP_TYPE_HASH, 1, 1, 1, 0, 0},
		{BPF_MAP_TYPE_HASH, 1, 3, 300, 0, 0},
		{BPF_MAP_TYPE_HASH, 4, 8, 20, 0, 0},
		{BPF_MAP_TYPE_HASH, 4, 8, 20, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_HASH, 8, 16, 30, BPF_F_ZERO_SEED, 0},
		{BPF_MAP_TYPE_HASH, 13, 100, 25, 0, 0},
		{BPF_MAP_TYPE_HASH, 16, 4, 12, 0, 0},
		{BPF_MAP_TYPE_HASH, 37, 3000, 33, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_HASH, 500, 8, 40, 0, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 20, 0, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, 5, 11, 20, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LRU_HASH, 4, 8, 500, 0, 0},
		{BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 4, 500, 0, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 5, 8, 30, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 8, 8, 20, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 8, 1, 20000, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 12, 16, 30, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 20, 8, 25, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_LPM_TRIE, 260, 8, 40, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_QUEUE, 0, 8, 5, 0, 0},
		{BPF_MAP_TYPE_QUEUE, 0, 3, 1, 0, 0},
		{BPF_MAP_TYPE_STACK, 0, 24, 7, 0, 0},
	};
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		uint64_t seed = i + 1;
		const uint8_t *key;
		struct pair p = {0};

		pair_open(&kit, &p, &shapes[i], &seed);
		for (p.step = 0; p.step < steps(); p.step++) {
			act(&p, &seed);
			if (p.step % 500 == 499)
				compare_keys(&p);
		}
		same(&p, "freeze", map_freeze(p.m), oracle_freeze(p.fd));
		key = has_keys(p.m) ? p.keys : NULL;
		same(&p, "an update when frozen", map_update(p.m, key, p.value, 0),
		     oracle_update(p.fd, key, p.value, 0));
		same(&p, "a delete when frozen", map_delete(p.m, key), oracle_delete(p.fd, key));
		same(&p, "a look-up and delete when frozen", map_take(p.m, key, p.mine, 0),
		     oracle_take(p.fd, key, p.theirs));
		pair_close(&p);
	}
	kit_close(&kit);
}

/* --- Memory ------------------------------------------------------------------------------ */

/* Bytes for the same elements, with small and large keys and values: at most a quarter more. */
static void maps_are_as_small_as_the_kernels(void **state)
{
	static const uint32_t sizes[][2] = {{4, 4}, {8, 8}, {16, 24}, {16, 100}, {40, 400}};
	static const uint32_t these[][2] = {{BPF_MAP_TYPE_HASH, 0},
	                                    {BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC},
	                                    {BPF_MAP_TYPE_LRU_HASH, 0},
	                                    {BPF_MAP_TYPE_PERCPU_HASH, 0},
	                                    {BPF_MAP_TYPE_ARRAY, 0},
	                                    {BPF_MAP_TYPE_PERCPU_ARRAY, 0},
	                                    {BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC}};
	enum { N = 20000 };
	uint8_t key[40], *value = calloc(cpus_possible(), 400);
	struct kit kit;

	need_kernel();
	kit_open(&kit, cpus_possible());
	for (unsigned i = 0; i < 5 * sizeof(these) / sizeof(these[0]); i++) {
		uint32_t type = these[i / 5][0], flags = these[i / 5][1];
		bool array = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
		uint32_t key_size = array                                       ? 4
		                    : type == BPF_MAP_TYPE_LPM_TRIE && !(i % 5) ? 8
		                                                                : sizes[i % 5][0];
		uint64_t seed = i, mine, theirs;
		struct map *m = kit_map(&kit, type, key_size, sizes[i % 5][1], N, flags);
		int fd = oracle_create(type, key_size, sizes[i % 5][1], N, flags, 0, 0);

		for (uint32_t n = 0; n < N && !array; n++) {
			for (uint32_t b = 0; b < key_size; b++)
				key[b] = (uint8_t)kit_random(&seed);
			if (type == BPF_MAP_TYPE_LPM_TRIE)
				memcpy(key, &(uint32_t){(key_size - 4) * 8 - key[4] % 24}, 4);
			assert_int_equal(map_update(m, key, value, 0), 0);
			assert_int_equal(oracle_update(fd, key, value, 0), 0);
		}
		mine = map_memory(m);
		theirs = oracle_memory(fd);
		if (mine > theirs + theirs / 4)
			fail_msg("%s, key %u value %u flags %u: %.1f bytes each, the kernel %.1f",
			         m->ops->name, key_size, m->value_size, flags, (double)mine / N,
			         (double)theirs / N);
		kit_put(m);
		close(fd);
	}
	free(value);
	kit_close(&kit);
}

/* Operations that a type has not got. */
static void what_is_missing_is_missed_alike(void **state)
{
	uint8_t key[8] = {0}, value[8] = {0};
	struct kit kit;
	struct pair p = {0};

	need_kernel();
	kit_open(&kit, cpus_possible());
	p.fd = oracle_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 0, 0);
	p.m = kit_map(&kit, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	same(&p, "lookup", map_lookup(p.m, NULL, value, 0), oracle_lookup(p.fd, NULL, value));
	same(&p, "update", map_update(p.m, NULL, value, 0), oracle_update(p.fd, NULL, value, 0));
	same(&p, "delete", map_delete(p.m, NULL), oracle_delete(p.fd, NULL));
	same(&p, "next key", map_next_key(p.m, NULL, key), oracle_next_key(p.fd, NULL, key));
	pair_close(&p);
	p.fd = oracle_create(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0, 0, 0);
	p.m = kit_map(&kit, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	for (int i = 0; i < 6; i++) {
		uint32_t index = (uint32_t)i, next[2] = {0};

		same(&p, "lookup", map_lookup(p.m, &index, value, 0),
		     oracle_lookup(p.fd, &index, value));
		same(&p, "delete", map_delete(p.m, &index), oracle_delete(p.fd, &index));
		same(&p, "next key", map_next_key(p.m, &index, &next[0]),
		     oracle_next_key(p.fd, &index, &next[1]));
		assert_int_equal(next[0], next[1]);
	}
	pair_close(&p);
	kit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_maps_can_be_created),
		cmocka_unit_test(limits_are_the_kernels),
		cmocka_unit_test(the_same_operations_answer_the_same),
		cmocka_unit_test(maps_are_as_small_as_the_kernels),
		cmocka_unit_test(what_is_missing_is_missed_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
