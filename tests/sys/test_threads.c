/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that create, load, run, look up, walk ids and close at the same time, on one kernel. The
 * result is that nothing is left over; under ThreadSanitizer, that no two of them race.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/core.h"
#include "isa/insn.h"
#include "place.h"

enum { THREADS = 6, ROUNDS = 150 };

struct worker {
	pthread_t thread;
	struct skep *k;
	int jumps, counts; /* maps that all share */
	unsigned number, wrong;
};

static int call(struct worker *w, int cmd, union attr a)
{
	return skep_bpf(w->k, cmd, &a, sizeof(a));
}

static void check(struct worker *w, bool fine)
{
	w->wrong += !fine;
}

/* Counts in the shared map, then calls what the prog array holds, if anything. */
static int load(struct worker *w)
{
	const struct insn insns[] = {
		{.code = 0xbf, .dst = 6, .src = 1},
		{.code = 0x18, .dst = 1, .src = 2, .imm = w->counts}, {.code = 0},
		{.code = 0xb7, .dst = 2, .imm = 1},
		{.code = 0xdb, .dst = 1, .src = 2}, /* atomic add */
		{.code = 0xbf, .dst = 1, .src = 6},
		{.code = 0x18, .dst = 2, .src = 1, .imm = w->jumps}, {.code = 0},
		{.code = 0xb7, .dst = 3},
		{.code = 0x85, .imm = 12},
		{.code = 0xb7, .imm = 2},
		{.code = 0x95},
	};

	return call(w, PROG_LOAD, (union attr){.prog_load = {
		.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 12, .insns = ptr(insns),
		.license = ptr("GPL")}});
}

static void run(struct worker *w, int prog)
{
	uint8_t data[64] = {0};
	struct skep_xdp x;
	struct skep_prog *p;
	struct skep_cpu *cpu;

	check(w, call(w, PROG_TEST_RUN, (union attr){.test_run = {
		.prog_fd = (uint32_t)prog, .data_in = ptr(data), .data_size_in = 64,
		.repeat = 3}}) == 0);
	check(w, skep_prog_from_fd(w->k, prog, &p) == 0);
	x = (struct skep_xdp){.data = data, .meta = data, .end = data + 64, .head = data,
	                      .limit = data + 64};
	cpu = skep_cpu_enter(w->k);
	check(w, skep_prog_run(p, &x, cpu) == 2);
	check(w, !skep_cpu_fault(cpu));
	skep_cpu_leave(cpu);
	skep_prog_put(p);
}

/* Puts the program into the array for a moment, where the others may jump to it. */
static void publish(struct worker *w, int prog)
{
	uint32_t key = 0, value = (uint32_t)prog;
	union attr a = {.elem = {.map_fd = (uint32_t)w->jumps, .key = ptr(&key),
	                         .value = ptr(&value)}};
	int err;

	check(w, call(w, MAP_UPDATE, a) == 0);
	a.elem.value = 0;
	err = call(w, MAP_DELETE, a);
	check(w, err == 0 || err == -ENOENT);
}

static void walk(struct worker *w)
{
	union attr a = {0};

	while (skep_bpf(w->k, PROG_NEXT_ID, &a, sizeof(a)) == 0) {
		int fd = call(w, PROG_FD_BY_ID, (union attr){.id = {.id = a.id.next_id}});

		check(w, fd >= 0 || fd == -ENOENT);
		if (fd >= 0)
			close(fd);
		a = (union attr){.id = {.id = a.id.next_id}};
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int map = call(w, MAP_CREATE, (union attr){.map_create = {
			.map_type = i % 2 ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, .key_size = 4,
			.value_size = 8, .max_entries = 4,
			.map_flags = i % 4 == 2 ? BPF_F_MMAPABLE : 0}});
		int prog = load(w);

		check(w, map >= 0 && prog >= 0);
		run(w, prog);
		if (w->number % 2)
			publish(w, prog);
		if (i % 16 == w->number)
			walk(w);
		close(map);
		close(prog);
	}
	return NULL;
}

static void test(const char *name, struct skep_options o)
{
	struct worker w[THREADS];
	union attr a = {.map_create = {.map_type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4,
	                               .value_size = 4, .max_entries = 2}};
	uint32_t key = 0;
	uint64_t runs = 0;
	unsigned wrong = 0, left = 0;
	bool bad;

	o.size = sizeof(o);
	if (skep_new(&o, &w[0].k) != 0)
		abort();
	w[0].jumps = skep_bpf(w[0].k, MAP_CREATE, &a, sizeof(a));
	a.map_create.map_type = BPF_MAP_TYPE_ARRAY;
	a.map_create.value_size = 8;
	a.map_create.max_entries = 1;
	w[0].counts = skep_bpf(w[0].k, MAP_CREATE, &a, sizeof(a));
	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.k = w[0].k, .jumps = w[0].jumps, .counts = w[0].counts,
		                       .number = i};
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		wrong += w[i].wrong;
	}
	call(&w[0], MAP_LOOKUP, (union attr){.elem = {.map_fd = (uint32_t)w[0].counts,
	                                              .key = ptr(&key), .value = ptr(&runs)}});
	close(w[0].jumps);
	close(w[0].counts);
	a = (union attr){0};
	left += skep_bpf(w[0].k, PROG_NEXT_ID, &a, sizeof(a)) != -ENOENT;
	a = (union attr){0};
	left += skep_bpf(w[0].k, MAP_NEXT_ID, &a, sizeof(a)) != -ENOENT;
	skep_free(w[0].k);
	bad = wrong || left || runs < 4 * THREADS * ROUNDS;
	tests_run++;
	tests_failed += bad;
	printf("%sok %u - %s\n# %u wrong answers, %u kinds of objects left, %" PRIu64 " runs\n",
	       bad ? "not " : "", tests_run, name, wrong, left, runs);
}

int main(void)
{
	test("checked engine", (struct skep_options){0});
	test("interpreter", (struct skep_options){.engine = SKEP_ENGINE_INTERP,
	                                          .trust_programs = 1});
	test("fastest engine", (struct skep_options){.trust_programs = 1});
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
