/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "user": maps from C. skep.h beside the kernel's bpf(2), element by element and in batches;
 * making a hash of 64 k; what an element takes. Clock: the thread's CPU time, system calls included.
 */
#include <bpf/bpf.h>
#include <math.h>
#include <skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "report.h"
#include "sections.h"

enum { N = 65536, BATCH = 4096 };

struct user {
	struct skep *skep;
	struct skep_map *map; /* NULL: the kernel's, by descriptor */
	int fd;
	uint64_t mask, random;
	uint64_t keys[BATCH], values[BATCH];
};

static uint64_t next(struct user *u)
{
	u->random ^= u->random << 13;
	u->random ^= u->random >> 7;
	u->random ^= u->random << 17;
	return u->random >> 16 & u->mask;
}

static double run_lookup(void *arg, uint64_t repeat)
{
	struct user *u = arg;
	double start = cpu_ns();

	while (repeat--) {
		uint64_t key = next(u), value;
		int err = u->map ? skep_map_lookup(u->map, &key, &value)
		                 : bpf_map_lookup_elem(u->fd, &key, &value);

		if (err)
			return -1;
	}
	return cpu_ns() - start;
}

static double run_update(void *arg, uint64_t repeat)
{
	struct user *u = arg;
	double start = cpu_ns();

	while (repeat--) {
		uint64_t key = next(u);
		int err = u->map ? skep_map_update(u->map, &key, &repeat, BPF_ANY)
		                 : bpf_map_update_elem(u->fd, &key, &repeat, BPF_ANY);

		if (err)
			return -1;
	}
	return cpu_ns() - start;
}

/* `repeat` elements read, batch by batch, from the beginning again and again. */
static double read_batches(struct user *u, uint64_t repeat)
{
	struct skep_walk *walk = NULL;
	uint64_t token, done = 0;
	bool first = true;

	while (done < repeat) {
		uint32_t n = BATCH;
		bool end;

		if (u->map) {
			int64_t got;

			if (!walk && skep_walk_new(u->map, 0, &walk))
				return -1;
			got = skep_walk_read(walk, u->keys, u->values, BATCH);
			end = got <= 0;
			n = end ? 0 : (uint32_t)got;
		} else {
			end = bpf_map_lookup_batch(u->fd, first ? NULL : &token, &token, u->keys,
			                           u->values, &n, NULL) != 0;
			first = end;
		}
		done += n;
		if (end && walk) {
			skep_walk_free(walk);
			walk = NULL;
		}
	}
	if (walk)
		skep_walk_free(walk);
	return (double)done;
}

static double run_read_batch(void *arg, uint64_t repeat)
{
	double start = cpu_ns(), done = read_batches(arg, repeat);

	return (cpu_ns() - start) * (double)repeat / done;
}

static double run_write_batch(void *arg, uint64_t repeat)
{
	struct user *u = arg;
	double start = cpu_ns();

	for (uint64_t done = 0; done < repeat; done += BATCH) {
		uint32_t n = BATCH;
		int err = u->map ? skep_map_update_batch(u->map, u->keys, u->values, &n, BPF_ANY)
		                 : bpf_map_update_batch(u->fd, u->keys, u->values, &n, NULL);

		if (err)
			return -1;
	}
	return (cpu_ns() - start) * (double)repeat / (double)((repeat + BATCH - 1) / BATCH * BATCH);
}

static const struct skep_map_def hash_64k = {
	.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = N,
};

static double run_create(void *arg, uint64_t repeat)
{
	const struct user *u = arg;
	double start = cpu_ns();

	while (repeat--) {
		struct skep_map *map;
		int fd;

		if (u->map) {
			if (skep_map_new(u->skep, &hash_64k, &map))
				return -1;
			skep_map_put(map);
		} else {
			fd = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 8, 8, N, NULL);
			if (fd < 0)
				return -1;
			close(fd);
		}
	}
	return cpu_ns() - start;
}

/* --- Maps with something in them --------------------------------------------------------- */

static int open_map(struct user *u, bool kernel, const struct skep_map_def *def, uint32_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = def->flags);
	uint64_t key[4] = {0}, *value = calloc(1024, 8);
	int err;

	*u = (struct user){.mask = N - 1, .random = 88172645463325252};
	if (kernel) {
		u->fd = bpf_map_create((enum bpf_map_type)def->type, NULL, def->key_size,
		                       def->value_size, def->max_entries, &opts);
		err = u->fd < 0 ? u->fd : 0;
	} else {
		u->skep = skep_of_engine(SKEP_ENGINE_JIT);
		err = skep_map_new(u->skep, def, &u->map);
	}
	for (uint32_t i = 0; i < n && !err; i++) {
		key[0] = i;
		if (def->type == BPF_MAP_TYPE_LPM_TRIE)
			key[0] = 32 | (uint64_t)(i * 2654435761u) << 32;
		err = u->map ? skep_map_update(u->map, key, value, BPF_ANY)
		             : bpf_map_update_elem(u->fd, key, value, BPF_ANY);
	}
	for (uint64_t i = 0; i < BATCH; i++)
		u->keys[i] = u->values[i] = i * 15;
	free(value);
	return err;
}

static void close_map(struct user *u)
{
	if (u->map)
		skep_map_put(u->map);
	else
		close(u->fd);
}

static double memory_of(const struct user *u)
{
	unsigned long long bytes = 0;
	struct skep_map_info info;
	char path[64], line[128];
	FILE *f;

	if (u->map) {
		skep_map_info(u->map, &info);
		return (double)info.memory;
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", u->fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return (double)bytes;
}

enum column { SKEP, KERNEL, COLUMNS };

static void print_row(struct bench *b, const char *section, const char *what,
                      const double value[COLUMNS])
{
	json_t *json = report_row(b, section);

	json_object_set_new(json, "name", json_string(what));
	report_number(json, "skep", value[SKEP]);
	report_number(json, "kernel", value[KERNEL]);
	printf("%-54s", what);
	print_cell(value[SKEP], 12, 1);
	print_cell(value[KERNEL], 12, 1);
	print_cell(value[SKEP] / value[KERNEL], 12, 2);
	printf("\n");
	fflush(stdout);
}

static void times(struct bench *b, struct user *u, unsigned columns)
{
	static const struct {
		const char *what;
		double (*run)(void *arg, uint64_t repeat);
		uint64_t mask;
		double most, share; /* ns, of the kernel's */
	} rows[] = {
		{"look up, 256 hot keys", run_lookup, 255, 50, 0},
		{"look up, 64 k", run_lookup, N - 1, 0, 1},
		{"update, 256 hot keys", run_update, 255, 0, 1},
		{"read in batches, an element", run_read_batch, 0, 30, 0},
		{"update in batches, an element", run_write_batch, 0, 0, 1},
		{"create a hash of 64 k and let it go", run_create, 0, 0, 0.2},
	};
	char name[100];

	printf("\n%-54s%12s%12s%12s\n", "ns each, from C, a hash of 64 k elements", "skep", "kernel",
	       "ratio");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct subject subject[COLUMNS] = {0};
		double ns[COLUMNS] = {NAN, NAN};

		for (unsigned c = 0; c < columns; c++) {
			u[c].mask = rows[i].mask;
			subject[c] = (struct subject){.run = rows[i].run, .arg = &u[c]};
		}
		measure(subject, columns, &b->plan);
		for (unsigned c = 0; c < columns; c++)
			ns[c] = subject[c].median;
		print_row(b, "user", rows[i].what, ns);
		snprintf(name, sizeof(name), "from C: %s", rows[i].what);
		if (rows[i].most > 0)
			target_most(b, name, ns[SKEP], rows[i].most, "ns");
		else
			target_most(b, name, ns[SKEP] / ns[KERNEL], rows[i].share, "x");
	}
}

static void memory(struct bench *b, unsigned columns)
{
	static const struct {
		const char *what;
		struct skep_map_def def;
		bool filled;
	} rows[] = {
		{"hash", {.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8}, true},
		{"hash, no prealloc", {.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8,
		                       .flags = BPF_F_NO_PREALLOC}, true},
		{"hash, 16-byte keys, 100-byte values",
		 {.type = BPF_MAP_TYPE_HASH, .key_size = 16, .value_size = 100}, true},
		{"per-CPU hash", {.type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 8, .value_size = 8},
		 true},
		{"LRU hash", {.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 8, .value_size = 8}, true},
		{"array", {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8}, true},
		{"LPM trie", {.type = BPF_MAP_TYPE_LPM_TRIE, .key_size = 8, .value_size = 8,
		              .flags = BPF_F_NO_PREALLOC}, true},
		{"queue", {.type = BPF_MAP_TYPE_QUEUE, .value_size = 8}, false},
		{"bloom filter", {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8}, false},
	};
	double worst = 0;

	printf("\n%-54s%12s%12s%12s\n", "bytes per element, 64 k elements", "skep", "kernel", "ratio");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double bytes[COLUMNS] = {NAN, NAN};
		struct skep_map_def def = rows[i].def;

		def.max_entries = N;
		for (unsigned c = 0; c < columns; c++) {
			static struct user u;

			if (open_map(&u, c == KERNEL, &def, rows[i].filled ? N : 0))
				b->errors++;
			else
				bytes[c] = memory_of(&u) / N;
			close_map(&u);
		}
		print_row(b, "memory", rows[i].what, bytes);
		worst = fmax(worst, bytes[SKEP] / bytes[KERNEL]);
	}
	target_most(b, "memory per element / the kernel's memlock: the worst type",
	            columns == COLUMNS ? worst : NAN, 1.25, "x");
}

void section_user(struct bench *b)
{
	static struct user u[COLUMNS];
	unsigned columns = b->no_kernel ? 1 : COLUMNS;

	if (!bench_wants(b, "user"))
		return;
	for (unsigned c = 0; c < columns; c++)
		if (open_map(&u[c], c == KERNEL, &hash_64k, N)) {
			b->errors++;
			return;
		}
	times(b, u, columns);
	for (unsigned c = 0; c < columns; c++)
		close_map(&u[c]);
	memory(b, columns);
}
