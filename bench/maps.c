/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps, operation by operation, through the entry points that programs use.
 *
 * Prints nanoseconds per operation, the median of several rounds, net of the empty loop, beside
 * what a 6.18 kernel took for the same on a machine of the same kind (from BPF programs under its
 * JIT). The figures of the kernel are constants: for one run with both, see the bench of whole
 * programs.
 *
 *   maps [NAME]    only the rows whose name contains NAME
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/map.h"
#include "maps/maps.h"

enum { ROUNDS = 15, OPS = 400000 };

struct bench {
	struct skep k;
	struct map *m;
	struct cpu *cpu;
	uint32_t *order; /* OPS random numbers */
	uint32_t n;    /* elements that set_up() put in, for those who ask */
	uint64_t next; /* a key that was never used */
	uint64_t sink;
};

struct row {
	const char *name;
	double kernel;
	double want; /* share of the kernel's time that is asked for */
	void (*set_up)(struct bench *b);
	void (*run)(struct bench *b); /* ops operations */
	int ops;                      /* 0: OPS */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* not what others run meanwhile */
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void make(struct bench *b, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
                 uint32_t flags)
{
	struct map_attr attr = {.type = type,
	                        .key_size = key,
	                        .value_size = value,
	                        .max_entries = max,
	                        .flags = flags};

	if (map_create(&b->k, &attr, &b->m) != 0) {
		fputs("cannot create a map\n", stderr);
		exit(1);
	}
}

static void *look(struct bench *b, const void *key)
{
	struct map *m = b->m;

	if (m->call_lookup)
		return (void *)(uintptr_t)m->call_lookup((uintptr_t)m, (uintptr_t)key, 0, 0, 0,
		                                         b->cpu);
	return m->ops->lookup(m, key, b->cpu->id);
}

static int put(struct bench *b, const void *key, const void *value, uint64_t flags)
{
	struct map *m = b->m;

	if (m->call_update)
		return (int)m->call_update((uintptr_t)m, (uintptr_t)key, (uintptr_t)value, flags, 0,
		                           b->cpu);
	return m->ops->update(m, key, value, flags, b->cpu->id);
}

static void drop(struct bench *b, const void *key)
{
	struct map *m = b->m;

	if (m->call_remove)
		m->call_remove((uintptr_t)m, (uintptr_t)key, 0, 0, 0, b->cpu);
	else
		m->ops->remove(m, key);
}

/* --- Arrays ------------------------------------------------------------------------------ */

static void array_make(struct bench *b)
{
	make(b, BPF_MAP_TYPE_ARRAY, 4, 8, 256, 0);
}

static void array_look(struct bench *b)
{
	uint64_t sum = 0;

	for (int i = 0; i < OPS; i++) {
		uint32_t key = b->order[i] & 255;

		sum += *(uint64_t *)look(b, &key);
	}
	b->sink += sum;
}

/* --- Hash -------------------------------------------------------------------------------- */

static void fill(struct bench *b, uint32_t type, uint32_t max, uint32_t n, uint32_t flags)
{
	make(b, type, 8, 8, max, flags);
	for (uint64_t key = 0; key < n; key++)
		put(b, &key, &key, 0);
}

static void hash_half(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_HASH, 131072, 65536, 0);
}

static void hash_full(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_HASH, 65536, 65536, 0);
}

static void hash_lazy(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_HASH, 65536, 32768, BPF_F_NO_PREALLOC);
}

static inline void look_up_all(struct bench *b, uint64_t mask, uint64_t offset)
{
	uint64_t sum = 0;

	for (int i = 0; i < OPS; i++) {
		uint64_t key = (b->order[i] & mask) + offset, *value = look(b, &key);

		if (value)
			sum += *value;
	}
	b->sink += sum;
}

static void look_hot(struct bench *b)
{
	look_up_all(b, 255, 0);
}

static void look_64k(struct bench *b)
{
	look_up_all(b, 65535, 0);
}

static void look_miss(struct bench *b)
{
	look_up_all(b, 65535, 1000000);
}

static void update_hot(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t key = b->order[i] & 255;

		put(b, &key, &key, 0);
	}
}

static void update_64k(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t key = b->order[i] & 65535;

		put(b, &key, &key, 0);
	}
}

static void insert_delete(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t key = b->order[i] | 1u << 31;

		put(b, &key, &key, 0);
		drop(b, &key);
	}
}

/* A map is made, used a little and let go. */
static void create_64k(struct bench *b)
{
	struct map *kept = b->m;

	for (int i = 0; i < 100; i++) {
		uint64_t key = 1;

		make(b, BPF_MAP_TYPE_HASH, 8, 8, 65536, 0);
		put(b, &key, &key, 0);
		obj_put(&b->m->obj);
	}
	b->m = kept;
}

/* --- LRU --------------------------------------------------------------------------------- */

static void lru_half(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_LRU_HASH, 131072, 65536, 0);
}

static void lru_full(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_LRU_HASH, 65536, 65536, 0);
}

static void percpu_half(struct bench *b)
{
	fill(b, BPF_MAP_TYPE_PERCPU_HASH, 131072, 65536, 0);
}

static void insert_new(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t key = ++b->next;

		put(b, &key, &key, 0);
	}
}

/* --- LPM --------------------------------------------------------------------------------- */

struct prefix {
	uint32_t len, addr;
};

/* Lengths 8 ... 32, as random as the addresses. */
static struct prefix prefix(uint32_t i)
{
	uint64_t r = mix(i + 77);

	return (struct prefix){8 + (uint32_t)(r >> 32) % 25, (uint32_t)r};
}

static void lpm_make(struct bench *b, uint32_t n)
{
	make(b, BPF_MAP_TYPE_LPM_TRIE, 8, 8, n, BPF_F_NO_PREALLOC);
	for (uint32_t i = 0; i < n; i++) {
		struct prefix p = prefix(i);
		uint64_t value = i;

		put(b, &p, &value, 0);
	}
	b->n = n;
}

static void lpm_1k(struct bench *b)
{
	lpm_make(b, 1000);
}

static void lpm_64k(struct bench *b)
{
	lpm_make(b, 65536);
}

static void lpm_look(struct bench *b)
{
	uint64_t sum = 0;

	for (int i = 0; i < OPS; i++) {
		struct prefix p = {32, b->order[i]};
		uint64_t *value = look(b, &p);

		if (value)
			sum += *value;
	}
	b->sink += sum;
}

/* Addresses below the prefixes that are there; the address of the next depends on this answer. */
static void lpm_look_chained(struct bench *b)
{
	uint64_t sum = 0;

	for (int i = 0; i < OPS; i++) {
		struct prefix p = {32, b->order[(i + (sum & 1)) % OPS]};
		uint64_t *value = look(b, &p);

		if (value)
			sum += *value;
	}
	b->sink += sum;
}

static void lpm_update(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		struct prefix p = prefix(b->order[i] % b->n);
		uint64_t value = 1;

		put(b, &p, &value, 0);
	}
}

/* --- Ring buffers ------------------------------------------------------------------------ */

static void ring_make(struct bench *b)
{
	make(b, BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 20, 0);
}

/* The consumer keeps up. */
static void ring_drain(struct bench *b)
{
	__atomic_store_n((uint64_t *)b->m->pages.base,
	                 b->m->ops->ring_query(b->m, BPF_RB_PROD_POS), __ATOMIC_RELEASE);
}

static void ring_reserve_submit(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t *rec = b->m->ops->ring_reserve(b->m, 16, 0);

		rec[0] = (uint64_t)i;
		b->m->ops->ring_finish(b->m, rec, BPF_RB_NO_WAKEUP, false);
		ring_drain(b);
	}
}

static void ring_output(struct bench *b)
{
	uint64_t record[2] = {1, 2};

	for (int i = 0; i < OPS; i++) {
		b->m->ops->ring_output(b->m, record, sizeof(record), BPF_RB_NO_WAKEUP);
		ring_drain(b);
	}
}

/* --- Queues ------------------------------------------------------------------------------ */

static void queue_make(struct bench *b)
{
	make(b, BPF_MAP_TYPE_QUEUE, 0, 8, 1024, 0);
}

static void queue_push_pop(struct bench *b)
{
	for (int i = 0; i < OPS; i++) {
		uint64_t value = (uint64_t)i;

		b->m->ops->push(b->m, &value, 0);
		b->m->ops->pop(b->m, &value);
	}
}

/* --- The empty loop ---------------------------------------------------------------------- */

static uint64_t nothing(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                        struct cpu *cpu)
{
	return r2;
}

static void empty_make(struct bench *b)
{
	make(b, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	b->m->call_lookup = nothing;
}

static const struct row rows[] = {
	{"empty loop", 0, 0, empty_make, look_64k},
	{"array lookup (called)", 0.7, 0, array_make, array_look},
	{"hash hit, 256 hot keys", 30, 0.5, hash_half, look_hot},
	{"hash hit, 64k, half full", 59, 0.5, hash_half, look_64k},
	{"hash hit, 64k, full", 59, 0.5, hash_full, look_64k},
	{"hash miss, half full", 53, 0.5, hash_half, look_miss},
	{"hash miss, full", 53, 0.5, hash_full, look_miss},
	{"hash update, 256 hot keys", 104, 0.5, hash_half, update_hot},
	{"hash update, 64k, half full", 143, 0.5, hash_half, update_64k},
	{"hash update, 64k, full", 143, 0.5, hash_full, update_64k},
	{"hash insert+delete", 204, 0.5, hash_half, insert_delete},
	{"hash insert+delete, no prealloc", 217, 0.5, hash_lazy, insert_delete},
	{"hash of 64k: create and free", 1250000, 0.2, array_make, create_64k, 100},
	{"per-CPU hash hit, 64k", 61, 0.5, percpu_half, look_64k},
	{"LRU hit, 256 hot keys", 45, 0.5, lru_half, look_hot},
	{"LRU hit, 64k", 45, 0.5, lru_full, look_64k},
	{"LRU update, 64k", 284, 0.5, lru_full, update_64k},
	{"LRU insert+evict", 234, 0.5, lru_full, insert_new},
	{"LPM lookup, 1k prefixes", 56, 0.5, lpm_1k, lpm_look},
	{"LPM lookup, 64k prefixes", 192, 0.2, lpm_64k, lpm_look},
	{"LPM lookup, 64k, one by one", 192, 0.2, lpm_64k, lpm_look_chained},
	{"LPM update, 64k prefixes", 0, 0, lpm_64k, lpm_update},
	{"queue push+pop", 56, 0.5, queue_make, queue_push_pop},
	{"ring buffer reserve+submit", 25, 1, ring_make, ring_reserve_submit},
	{"ring buffer output", 36, 1, ring_make, ring_output},
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(struct bench *b, const struct row *row)
{
	double ns[ROUNDS];

	row->set_up(b);
	row->run(b);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		row->run(b);
		ns[i] = (double)(now() - start) / (row->ops ? row->ops : OPS);
	}
	obj_put(&b->m->obj);
	qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
	return ns[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	struct registry reg = {.map_types = map_types, .nmap_types = NMAP_TYPES};
	const char *only = argc > 1 ? argv[1] : "";
	struct bench b = {0};
	double loop = 0;

	if (core_init(&b.k, &mem_libc, &reg, cpus_possible()) != 0)
		return 1;
	b.cpu = &b.k.cpus[0];
	b.next = 1u << 20;
	b.order = malloc(OPS * sizeof(b.order[0]));
	for (uint64_t i = 0; i < OPS; i++)
		b.order[i] = (uint32_t)mix(i + 1);
	printf("%-36s %8s %8s %6s %6s\n", "operation", "ns", "kernel", "ratio", "want");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double ns;

		if (i && !strstr(rows[i].name, only))
			continue;
		ns = measure(&b, &rows[i]);
		if (!i)
			loop = ns;
		else
			printf("%-36s %8.1f %8.1f %6.2f %6.2f\n", rows[i].name, ns - loop,
			       rows[i].kernel, (ns - loop) / rows[i].kernel, rows[i].want);
	}
	free(b.order);
	core_exit(&b.k);
	return 0;
}
