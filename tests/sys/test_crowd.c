/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For every type of map: two threads that do what programs do, one that walks over it by bpf(2), one
 * that puts in and takes out, all at once; and nobody hangs, no answer is one that cannot be, and
 * nothing is left over. Under ThreadSanitizer: no two of them race.
 *
 * SKEP_TEST_STEPS: operations of each thread (default 3000).
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/core.h"
#include "core/map.h"
#include "place.h"

enum { TAKE = 21, LOOKUP_BATCH = 24, TAKE_BATCH, UPDATE_BATCH, DELETE_BATCH };
enum { KEYS = 24, VALUE = 16, BURST = 32 };

struct kind {
	const char *name;
	uint32_t type, key, value, max, flags;
};

static const struct kind kinds[] = {
	{"hash", BPF_MAP_TYPE_HASH, 8, VALUE, 16, 0},
	{"hash, no prealloc", BPF_MAP_TYPE_HASH, 8, VALUE, 16, BPF_F_NO_PREALLOC},
	{"array", BPF_MAP_TYPE_ARRAY, 4, VALUE, 16, 0},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 8, VALUE, 16, 0},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, VALUE, 16, 0},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, 8, VALUE, 16, 0},
	{"lru_hash, apart", BPF_MAP_TYPE_LRU_HASH, 8, VALUE, 16, BPF_F_NO_COMMON_LRU},
	{"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, VALUE, 16, 0},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 8, VALUE, 16, BPF_F_NO_PREALLOC},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, VALUE, 16, 0},
	{"stack", BPF_MAP_TYPE_STACK, 0, VALUE, 16, 0},
	{"bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, VALUE, 64, 0},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 16, 0},
	{"array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 16, 0},
	{"hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 16, 0},
	{"devmap", BPF_MAP_TYPE_DEVMAP, 4, 4, 16, 0},
	{"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 16, 0},
	{"cpumap", BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0},
	{"stack_trace", BPF_MAP_TYPE_STACK_TRACE, 4, 80, 16, 0},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
};

struct crowd {
	struct skep *k;
	const struct kind *kind;
	struct map *m;
	int fd, object; /* object: a program or map that is a value; -1: values are bytes */
	long steps;
	_Atomic unsigned wrong;
	pthread_barrier_t start;
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void key_fill(const struct crowd *c, uint32_t n, uint64_t *key)
{
	*key = n % KEYS;
	if (c->kind->type == BPF_MAP_TYPE_LPM_TRIE)
		*key = 16 + n % 17 + ((uint64_t)(n % 5) << 40);
}

static void value_fill(const struct crowd *c, uint32_t n, uint64_t *value)
{
	memset(value, 0, 1024);
	if (c->object >= 0)
		memcpy(value, &c->object, 4);
	else if (c->kind->value == 4)
		*value = 1; /* a device, a length */
	else
		value[0] = value[1] = n;
}

static void check(struct crowd *c, bool fine, const char *what, long got)
{
	if (!fine && c->wrong++ == 0)
		printf("# %s: %s answered %ld\n", c->kind->name, what, got);
}

/* What a helper may answer: 0, or one of the errnos that tell of others' work. */
static bool is_answer(long err)
{
	return !err || err == -ENOENT || err == -EEXIST || err == -E2BIG || err == -EBUSY ||
	       err == -ENOMEM || err == -EAGAIN || err == -ENOSPC || err == -EINVAL ||
	       err == -ENOTSUPP || err == -ENOTSUP || err == -EPERM;
}

/* --- Programs ---------------------------------------------------------------------------- */

static void program_step(struct crowd *c, struct cpu *cpu, uint32_t r, uint64_t *sink)
{
	const struct map_ops *ops = c->m->ops;
	uint64_t key, value[128], *found = NULL;

	key_fill(c, r >> 4, &key);
	value_fill(c, r, value);
	switch (r & 7) {
	case 0:
		if (ops->update)
			check(c, is_answer(ops->update(c->m, &key, value, r >> 3 & 1, cpu->id)),
			      "update", 0);
		break;
	case 1:
		if (ops->remove)
			check(c, is_answer(ops->remove(c->m, &key)), "delete", 0);
		break;
	case 2:
		if (ops->push)
			check(c, is_answer(ops->push(c->m, value, r >> 3 & 2)), "push", 0);
		break;
	case 3:
		if (ops->pop && !ops->pop(c->m, value))
			check(c, value[0] == value[1], "pop", (long)value[0]);
		break;
	case 4:
		if (ops->ring_output)
			ops->ring_output(c->m, value, 8 + r % 64, 0);
		break;
	case 5:
		found = ops->ring_reserve ? ops->ring_reserve(c->m, 24, 0) : NULL;
		if (found) {
			found[0] = r;
			ops->ring_finish(c->m, found, 0, r >> 3 & 1);
		}
		break;
	default:
		found = ops->lookup ? ops->lookup(c->m, &key, cpu->id) : NULL;
		if (found && ops->set == NULL && c->kind->value >= 8)
			*sink += __atomic_load_n(found, __ATOMIC_RELAXED);
	}
}

static void *program(void *arg)
{
	struct crowd *c = arg;
	uint32_t state = (uint32_t)(uintptr_t)&state;
	uint64_t sink = 0;

	pthread_barrier_wait(&c->start);
	for (long i = 0; i < c->steps; i += BURST) {
		struct cpu *cpu = cpu_enter(c->k);

		rcu_read_enter(&c->k->rcu, &cpu->rcu);
		for (int n = 0; n < BURST; n++)
			program_step(c, cpu, next(&state), &sink);
		rcu_read_leave(&cpu->rcu);
		cpu_leave(cpu);
	}
	return (void *)(uintptr_t)(sink & 1);
}

/* --- bpf(2) ------------------------------------------------------------------------------ */

static int element(struct crowd *c, int cmd, const void *key, const void *value)
{
	union attr a = {.elem = {.map_fd = (uint32_t)c->fd, .key = c->kind->key ? ptr(key) : 0,
	                         .value = ptr(value)}};
	int err = skep_bpf(c->k, cmd, &a, sizeof(a));

	check(c, is_answer(err), "a command", err);
	return err;
}

static int consume(void *arg, const void *data, size_t len)
{
	*(uint64_t *)arg += len;
	return 0;
}

static void *walker(void *arg)
{
	struct crowd *c = arg;
	uint64_t key[2] = {0}, value[128], keys[64], token, bytes = 0;
	static _Thread_local uint64_t values[64 * 128];

	pthread_barrier_wait(&c->start);
	for (long i = 0; i < c->steps / 8; i++) {
		union attr a = {.batch = {.map_fd = (uint32_t)c->fd, .keys = ptr(keys),
		                          .values = ptr(values), .out_batch = ptr(&token),
		                          .count = 32}};

		if (c->m->ops->ring_consume) {
			c->m->ops->ring_consume(c->m, consume, &bytes);
			continue;
		}
		/* Not for ever: others put in what it has passed. */
		for (int n = 0; c->kind->key && n < 40; n++) {
			if (element(c, MAP_NEXT_KEY, n ? &key[n & 1] : NULL, &key[~n & 1]))
				break;
			element(c, MAP_LOOKUP, &key[~n & 1], value);
		}
		if (!c->kind->key)
			element(c, MAP_LOOKUP, NULL, value);
		check(c, is_answer(skep_bpf(c->k, LOOKUP_BATCH, &a, sizeof(a))), "a batch", 0);
	}
	return NULL;
}

static void *changer(void *arg)
{
	struct crowd *c = arg;
	uint64_t key, value[128];
	uint32_t state = 7;

	pthread_barrier_wait(&c->start);
	for (long i = 0; i < c->steps / 4; i++) {
		uint32_t r = next(&state);

		key_fill(c, r >> 4, &key);
		value_fill(c, r, value);
		element(c, (const int[]){MAP_UPDATE, MAP_UPDATE, MAP_DELETE, TAKE}[r & 3], &key,
		        value);
	}
	return NULL;
}

/* --- All --------------------------------------------------------------------------------- */

static int object_for(struct skep *k, const struct kind *kind)
{
	static const uint64_t insns[] = {0xb7, 0x95};
	union attr map = {.map_create = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4,
	                                 .value_size = 4, .max_entries = 1}};
	union attr prog = {.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                                 .insns = ptr(insns), .license = ptr("GPL")}};

	switch (kind->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		return skep_bpf(k, PROG_LOAD, &prog, sizeof(prog));
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return skep_bpf(k, MAP_CREATE, &map, sizeof(map));
	default:
		return -1;
	}
}

static void run_kind(struct skep *k, const struct kind *kind, long steps)
{
	static void *(*const roles[])(void *) = {program, program, walker, changer};
	enum { ROLES = sizeof(roles) / sizeof(roles[0]) };
	struct crowd c = {.k = k, .kind = kind, .steps = steps, .object = object_for(k, kind)};
	union attr a = {.map_create = {.map_type = kind->type, .key_size = kind->key,
	                               .value_size = kind->value, .max_entries = kind->max,
	                               .map_flags = kind->flags}};
	pthread_t threads[ROLES];
	struct skep_map *m;

	if (kind->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || kind->type == BPF_MAP_TYPE_HASH_OF_MAPS)
		a.map_create.inner_map_fd = (uint32_t)c.object;
	c.fd = skep_bpf(k, MAP_CREATE, &a, sizeof(a));
	if (c.fd < 0 || skep_map_from_fd(k, c.fd, &m)) {
		printf("Bail out! %s cannot be made: %d\n", kind->name, c.fd);
		exit(1);
	}
	c.m = (struct map *)m;
	pthread_barrier_init(&c.start, NULL, ROLES);
	for (unsigned i = 0; i < ROLES; i++)
		if (pthread_create(&threads[i], NULL, roles[i], &c))
			abort();
	for (unsigned i = 0; i < ROLES; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&c.start);
	skep_map_put(m);
	close(c.fd);
	if (c.object >= 0)
		close(c.object);
	a = (union attr){0};
	check(&c, skep_bpf(k, MAP_NEXT_ID, &a, sizeof(a)) == -ENOENT, "a map left over", a.id.next_id);
	tests_run++;
	tests_failed += c.wrong != 0;
	printf("%sok %u - a crowd on a map: %s\n", c.wrong ? "not " : "", tests_run, kind->name);
	fflush(stdout);
}

int main(void)
{
	const char *steps = getenv("SKEP_TEST_STEPS");
	struct skep *k;

	if (skep_new(NULL, &k))
		return 1;
	alarm(240); /* who hangs, fails */
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		run_kind(k, &kinds[i], steps ? atol(steps) : 3000);
	skep_free(k);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
