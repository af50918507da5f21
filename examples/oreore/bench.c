/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run costs above a call through a function pointer: an empty program, and oreore's, in one run. */
#include "../kit.h"
#include "type.h"

enum { ROUNDS = 9, CALLS = 2000000 };

static uint64_t nothing(void *ctx, struct skep_cpu *cpu)
{
	return 0;
}

static uint64_t add42(void *ctx, struct skep_cpu *cpu)
{
	struct oreore *o = ctx;

	o->out = o->in + 42;
	return 0;
}

static uint64_t (*volatile pointer)(void *, struct skep_cpu *);

static double native(uint64_t (*fn)(void *, struct skep_cpu *), struct skep_cpu *cpu)
{
	struct oreore ctx = {0};
	double start = kit_ns();

	pointer = fn;
	for (int i = 0; i < CALLS; i++)
		pointer(&ctx, cpu);
	return (kit_ns() - start) / CALLS;
}

static double skep(struct skep_prog *prog, struct skep_cpu *cpu)
{
	struct oreore ctx = {0};
	double start = kit_ns();

	for (int i = 0; i < CALLS; i++)
		skep_run(prog, &ctx, cpu);
	return (kit_ns() - start) / CALLS;
}

static double point(struct skep_point *at, struct skep_cpu *cpu)
{
	struct oreore ctx = {0};
	double start = kit_ns();
	uint64_t ret;

	for (int i = 0; i < CALLS; i++)
		skep_point_run(at, &ctx, cpu, &ret);
	return (kit_ns() - start) / CALLS;
}

static void least(double *best, double t)
{
	if (t < *best)
		*best = t;
}

int main(void)
{
	double best[6] = {1e9, 1e9, 1e9, 1e9, 1e9, 1e9};
	struct skep *k = kit_kernel(SKEP_ENGINE_AUTO);
	struct bpf_object *o, *e;
	struct skep_prog *empty, *add;
	struct skep_point *at;
	struct skep_cpu *cpu;

	skep_libbpf_section(&oreore_type);
	if (skep_type_add(k, &oreore_type, NULL) || skep_point_new(k, oreore_type.number, 0, 0, &at, NULL))
		return 1;
	o = kit_load(OBJECTS "/oreore.bpf.o");
	e = kit_load(OBJECTS "/empty.bpf.o");
	add = kit_prog(k, o, NULL);
	empty = kit_prog(k, e, NULL);
	skep_point_set(at, empty);
	cpu = skep_cpu_enter(k);
	for (int i = 0; i < ROUNDS; i++) {
		least(&best[0], native(nothing, cpu));
		least(&best[1], skep(empty, cpu));
		least(&best[2], native(add42, cpu));
		least(&best[3], skep(add, cpu));
		least(&best[4], point(at, cpu));
	}
	printf("empty: C pointer %.2f ns, skep_run %.2f ns (+%.2f), skep_point_run %.2f ns\n", best[0],
	       best[1], best[1] - best[0], best[4]);
	printf("add42: C pointer %.2f ns, skep_run %.2f ns (x%.2f)\n", best[2], best[3],
	       best[3] / best[2]);
	return 0;
}
