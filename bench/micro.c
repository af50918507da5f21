/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections "costs" and "maps": the price of one thing, from programs that do it a thousand times.
 *
 * A price is the time of a program minus that of one that does everything else, divided by how
 * often the thing is done. It can be a little below what the thing costs alone, where the CPU
 * overlaps the two, and noise can push a very small one below 0.
 */
#include <bpf/libbpf.h>
#include <math.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <string.h>

#include "place.h"
#include "progs/micro.h"
#include "report.h"
#include "sections.h"

enum column { JIT, INTERP, KERNEL, COLUMNS };

static const struct place *const place_of[COLUMNS] = {
	[JIT] = &place_jit,
	[INTERP] = &place_interp,
	[KERNEL] = &place_kernel,
};

struct micro {
	const char *prog;
	unsigned times; /* it does the thing in a run; 0: it is what others are compared with */
	const char *what;
	double want; /* share of the kernel's time that is wanted; 0: nothing in particular */
};

/* Programs of one object; each is compared with the latest above it that has times 0. */
struct set {
	const char *object;
	const struct micro *micro; /* the last has no prog */
	const char *ring;          /* a ring buffer that must be emptied between slices, or NULL */
};

enum { MAX_MICROS = 24 };

struct cell {
	struct runner runner;
	struct ring_buffer *ring;
	struct skep *skep;
};

static int ignore_record(void *arg, void *data, size_t len)
{
	return 0;
}

/* Runs a program; afterwards, off the clock, takes out what it put into the ring buffer. */
static double run_cell(void *arg, uint64_t repeat)
{
	struct cell *c = arg;
	double took = c->runner.run(&c->runner, repeat);

	if (c->ring) {
		skep_bpf_bind(c->skep);
		ring_buffer__consume(c->ring);
		skep_bpf_bind(NULL);
	}
	return took;
}

static struct ring_buffer *open_ring(const struct loaded *l, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(l->object, name);
	struct ring_buffer *ring;

	skep_bpf_bind(l->skep);
	ring = ring_buffer__new(fd, ignore_record, NULL, NULL);
	skep_bpf_bind(NULL);
	return ring;
}

struct table {
	struct loaded loaded[COLUMNS];
	struct ring_buffer *ring[COLUMNS];
	struct cell cell[MAX_MICROS][COLUMNS];
	double median[MAX_MICROS][COLUMNS];
};

static void load_column(struct bench *b, struct table *t, const struct set *set, int c)
{
	const struct place *p = place_of[c];
	struct runner fill;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", b->dir, set->object);
	if (p->load(p, path, &t->loaded[c])) {
		t->loaded[c].place = NULL;
		b->errors++;
		return;
	}
	if (set->ring)
		t->ring[c] = open_ring(&t->loaded[c], set->ring);
	if (bpf_object__find_program_by_name(t->loaded[c].object, "fill") &&
	    !p->find(&t->loaded[c], "fill", &fill)) {
		if (fill.run(&fill, 1) < 0)
			b->errors++;
		p->put(&fill);
	}
}

static void unload_column(struct table *t, int c)
{
	if (!t->loaded[c].place)
		return;
	skep_bpf_bind(t->loaded[c].skep);
	ring_buffer__free(t->ring[c]);
	skep_bpf_bind(NULL);
	place_of[c]->unload(&t->loaded[c]);
}

/* Times one program in all places. */
static void measure_micro(struct bench *b, struct table *t, const struct micro *m, unsigned at)
{
	struct subject subject[COLUMNS] = {0};

	for (int c = 0; c < COLUMNS; c++) {
		struct cell *cell = &t->cell[at][c];

		if (!t->loaded[c].place)
			continue;
		if (place_of[c]->find(&t->loaded[c], m->prog, &cell->runner)) {
			b->errors++;
			continue;
		}
		cell->runner.len = 64;
		cell->ring = t->ring[c];
		cell->skep = t->loaded[c].skep;
		subject[c].run = run_cell;
		subject[c].arg = cell;
	}
	measure(subject, COLUMNS, &b->plan);
	for (int c = 0; c < COLUMNS; c++) {
		t->median[at][c] = subject[c].median;
		if (t->cell[at][c].runner.run)
			place_of[c]->put(&t->cell[at][c].runner);
	}
}

static void print_micro(struct bench *b, const char *section, const struct micro *m,
                        const double price[COLUMNS])
{
	json_t *json = report_row(b, section);

	json_object_set_new(json, "name", json_string(m->prog));
	printf("%-44s", m->what);
	for (int c = 0; c < COLUMNS; c++) {
		print_cell(price[c], 10, 2);
		report_number(json, place_of[c]->name, price[c]);
	}
	print_cell(price[JIT] / price[KERNEL], 12, 2);
	printf("\n");
	fflush(stdout);
}

static void judge_micro(struct bench *b, const struct micro *m, const double price[COLUMNS])
{
	char name[100];

	if (!m->want)
		return;
	snprintf(name, sizeof(name), "%s, / the kernel", m->what);
	target_most(b, name, price[JIT] / price[KERNEL], m->want, "x");
}

/* Times all programs of a set; price[i] of the i-th in the JIT is left in jit_price. */
static void run_set(struct bench *b, const char *section, const struct set *set, double *jit_price)
{
	static struct table t;
	unsigned base = 0;

	memset(&t, 0, sizeof(t));
	for (int c = 0; c < COLUMNS; c++)
		if (c != KERNEL || !b->no_kernel)
			load_column(b, &t, set, c);
	printf("\n%-44s%10s%10s%10s%12s\n", "ns each", place_of[JIT]->name, place_of[INTERP]->name,
	       place_of[KERNEL]->name, "jit/kernel");
	for (unsigned i = 0; set->micro[i].prog; i++) {
		const struct micro *m = &set->micro[i];
		double price[COLUMNS];

		measure_micro(b, &t, m, i);
		if (!m->times)
			base = i;
		for (int c = 0; c < COLUMNS; c++)
			price[c] = m->times ? (t.median[i][c] - t.median[base][c]) / m->times
			                    : t.median[i][c];
		print_micro(b, section, m, price);
		judge_micro(b, m, price);
		jit_price[i] = price[JIT];
	}
	for (int c = 0; c < COLUMNS; c++)
		unload_column(&t, c);
}

/* What a call of a C function by pointer costs, for comparison with entering a program. */
static uint64_t empty_function(void *ctx)
{
	__asm__ volatile("" : : "r"(ctx));
	return 2;
}

static double run_c_calls(void *arg, uint64_t repeat)
{
	uint64_t (*volatile function)(void *) = empty_function;
	double start = cpu_ns();

	while (repeat--)
		function(arg);
	return cpu_ns() - start;
}

void section_costs(struct bench *b)
{
	static const struct micro micros[] = {
		{"empty", 0, "an empty program, entered"},
		{"tail_call", 33, "tail call, index not constant"},
		{"plain", 0, "1024 rounds of nothing"},
		{"helper_call", MICRO_LOOPS, "helper call (bpf_xdp_get_buff_len)"},
		{"local_call", MICRO_LOOPS, "bpf-to-bpf call"},
		{0},
	};
	static const struct set set = {"micro_calls", micros, NULL};
	struct subject c_call = {.run = run_c_calls};
	double price[MAX_MICROS];

	if (!bench_wants(b, "costs"))
		return;
	run_set(b, "costs", &set, price);
	measure(&c_call, 1, &b->plan);
	printf("%-44s%10.2f\n", "an empty C function, called by pointer", c_call.median);
	report_number(report_row(b, "c_call"), "ns", c_call.median);
	target_most(b, "entering an empty program, over a C call", price[0] - c_call.median, 2,
	            "ns");
	target_most(b, "helper call", price[3], 1.5, "ns");
	target_most(b, "bpf-to-bpf call", price[4], 1.5, "ns");
	target_most(b, "tail call", price[1], 3, "ns");
}

static const struct micro small[] = {
	{"maps_plain", 0, "1024 rounds of nothing", 0},
	{"array_lookup", MICRO_LOOPS, "array: look up", 1},
	{"percpu_lookup", MICRO_LOOPS, "per-CPU array: look up", 1},
	{"hash_lookup", MICRO_LOOPS, "hash: look up", 0.5},
	{"hash_miss", MICRO_LOOPS, "hash: look up what is not there", 0.5},
	{"lru_lookup", MICRO_LOOPS, "LRU hash: look up", 0.5},
	{"lpm_lookup", MICRO_LOOPS, "LPM trie: look up (1024 /24 prefixes)", 0.5},
	{"array_update", MICRO_LOOPS, "array: update", 1},
	{"hash_update", MICRO_LOOPS, "hash: update", 0.5},
	{"lru_update", MICRO_LOOPS, "LRU hash: update", 0.5},
	{"hash_insert", MICRO_LOOPS, "hash: insert and delete", 0.5},
	{"lru_insert", MICRO_LOOPS, "LRU hash: insert into a full map", 0.5},
	{"ringbuf_output", MICRO_LOOPS, "ring buffer: output 8 bytes", 1},
	{"ringbuf_reserve", MICRO_LOOPS, "ring buffer: reserve and submit 8 bytes", 1},
	{0},
};

static const struct micro big[] = {
	{"big_plain", 0, "1024 random numbers", 0},
	{"half_hot", MICRO_LOOPS, "64 k hash: look up, 256 hot keys", 0.5},
	{"half_lookup", MICRO_LOOPS, "64 k hash: look up, half full", 0.5},
	{"full_lookup", MICRO_LOOPS, "64 k hash: look up, full", 0.5},
	{"half_miss", MICRO_LOOPS, "64 k hash: miss, half full", 0.5},
	{"full_miss", MICRO_LOOPS, "64 k hash: miss, full", 0.5},
	{"half_update_hot", MICRO_LOOPS, "64 k hash: update, 256 hot keys", 0.5},
	{"half_update", MICRO_LOOPS, "64 k hash: update, half full", 0.5},
	{"full_update", MICRO_LOOPS, "64 k hash: update, full", 0.5},
	{"half_insert", MICRO_LOOPS, "64 k hash: insert and delete", 0.5},
	{"lazy_insert", MICRO_LOOPS, "64 k hash, no prealloc: insert and delete", 0.5},
	{"percpu_hash_lookup", MICRO_LOOPS, "64 k per-CPU hash: look up", 0.5},
	{"lru_big_lookup", MICRO_LOOPS, "64 k LRU hash: look up", 0.5},
	{"lru_big_update", MICRO_LOOPS, "64 k LRU hash: update", 0.5},
	{"lpm_1k_lookup", MICRO_LOOPS, "LPM trie of 1 k prefixes: look up", 0.5},
	{"lpm_64k_lookup", MICRO_LOOPS, "LPM trie of 64 k prefixes: look up", 0.2},
	{"lru_big_insert", MICRO_LOOPS, "64 k LRU hash: insert and evict", 0.5},
	{0},
};

static const struct micro helpers[] = {
	{"helpers_plain", 0, "1024 rounds of nothing", 0},
	{"queue_push_pop", MICRO_LOOPS, "queue: push and pop", 0.5},
	{"bloom_hit", MICRO_LOOPS, "bloom filter: test", 1},
	{"lock_pair", MICRO_LOOPS, "bpf_spin_lock and unlock", 0.5},
	{"ktime", MICRO_LOOPS, "bpf_ktime_get_ns", 1},
	{"prandom", MICRO_LOOPS, "bpf_get_prandom_u32", 0.5},
	{"cpu_id", MICRO_LOOPS, "bpf_get_smp_processor_id", 0},
	{"csum_diff_20", MICRO_LOOPS, "bpf_csum_diff, 20 bytes", 1},
	{"csum_diff_64", MICRO_LOOPS, "bpf_csum_diff, 64 bytes", 1},
	{"loop_steps", MICRO_LOOPS, "bpf_loop, a step", 0.5},
	{0},
};

void section_maps(struct bench *b)
{
	static const struct set sets[] = {
		{"micro_maps", small, "ring"}, {"micro_big", big, NULL}, {"micro_helpers", helpers, NULL},
	};
	static const char *const sections[] = {"maps", "maps64k", "helpers"};
	double price[MAX_MICROS];

	for (int i = 0; i < 3; i++) {
		if (!bench_wants(b, sections[i]))
			continue;
		run_set(b, sections[i], &sets[i], price);
		if (sets[i].micro != big)
			continue;
		target_most(b, "64 k hash: look up, full / half full", price[3] / price[2], 1.05, "x");
		target_most(b, "64 k hash: update, full / half full", price[8] / price[7], 1.05, "x");
	}
}
