/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Differential test of maps: random operations from bpf(2) and from programs, the same on Skep and
 * on the running kernel, must answer the same. What fails is made short, and printed.
 *
 *   test-maps-diff [--seconds N] [--ops N] [--kind NAME] [--seed N] [--case N] [--engine NAME]
 *
 * Stops after that many operations (millions: 10M) or seconds. A failure prints the seed and the
 * case; with them it is repeated alone. A TAP line for each kind of map.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen.h"
#include "lossy.h"
#include "side_sys.h"
#include "skep.h"

struct run {
	struct side skep, kernel;
	double seconds;
	uint64_t ops, seed;
	long only_case;
	const char *kind;
	uint64_t without; /* operations that Skep has not got */
};

struct tally {
	uint64_t cases, refused, starved, ops, programs;
	bool failed;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- One case ---------------------------------------------------------------------------- */

struct outcome {
	int create[2]; /* what making the map answered: Skep, the kernel */
	unsigned wrong; /* the first operation that differs, or the number of them */
	const char *why;
	bool starved; /* the kernel had no memory for it (per-CPU ones): nothing to compare */
	struct result results[2][CASE_OPS];
};

static unsigned difference(const struct test_case *c, struct outcome *o)
{
	o->why = "they differ";
	o->starved = false;
	if (!c->lossy) {
		for (unsigned i = 0; i < c->n; i++)
			if (memcmp(&o->results[0][i], &o->results[1][i], sizeof(struct result))) {
				/* A kernel without memory is at a loss, and so is the rest. */
				o->starved = o->results[1][i].ret == -ENOMEM;
				return o->starved ? c->n : i;
			}
		return c->n;
	}
	for (int s = 0; s < 2; s++) {
		unsigned i = lossy_check(c, o->results[s]);

		o->why = s ? "not allowed of the kernel" : "not allowed of Skep";
		if (i < c->n)
			return i;
	}
	return c->n;
}

/* Runs it on both sides; true: it is as it should be. */
static bool case_passes(struct run *run, const struct test_case *c, struct outcome *o)
{
	o->create[0] = side_open(&run->skep, &c->shape, &c->material);
	o->create[1] = side_open(&run->kernel, &c->shape, &c->material);
	o->wrong = c->n;
	if (!o->create[0] && !o->create[1]) {
		side_run(&run->skep, c->ops, c->n, o->results[0]);
		side_run(&run->kernel, c->ops, c->n, o->results[1]);
		o->wrong = difference(c, o);
	}
	side_close(&run->skep);
	side_close(&run->kernel);
	return o->create[0] == o->create[1] && o->wrong == c->n;
}

/* --- Shrinking --------------------------------------------------------------------------- */

/* Leaves out what can go: halves first, then ever smaller pieces, while it still fails. */
static void shrink(struct run *run, struct test_case *c, struct outcome *o)
{
	static struct test_case shorter;
	double end = now() + 20;

	if (o->wrong < c->n)
		c->n = o->wrong + 1;
	for (unsigned piece = c->n / 2; piece && now() < end; piece /= 2)
		for (unsigned at = 0; at + piece <= c->n && now() < end;) {
			shorter = *c;
			shorter.n -= piece;
			memmove(shorter.ops + at, shorter.ops + at + piece,
			        (shorter.n - at) * sizeof(struct op));
			if (case_passes(run, &shorter, o)) {
				at += piece;
				continue;
			}
			*c = shorter;
			if (o->wrong < c->n)
				c->n = o->wrong + 1;
		}
	case_passes(run, c, o);
}

static void print_key(const struct test_case *c, const struct op *op)
{
	if (op->key == NO_KEY) {
		printf(" no key");
		return;
	}
	printf(" key %u:", op->key);
	for (uint32_t i = 0; i < c->shape.key && i < 12; i++)
		printf("%02x", c->material.keys[op->key][i]);
}

static void print_failure(const struct test_case *c, unsigned kind, uint64_t seed, long number,
                          const struct outcome *o)
{
	const struct shape *s = &c->shape;

	printf("# %s: key %u value %u max %u flags %#x node %d\n", gen_kind_name(kind), s->key,
	       s->value, s->max, s->flags, (int)s->node);
	printf("# repeat: --kind '%s' --seed %llu --case %ld\n", gen_kind_name(kind),
	       (unsigned long long)seed, number);
	if (o->create[0] != o->create[1]) {
		printf("# creating it: Skep %d, the kernel %d\n", o->create[0], o->create[1]);
		return;
	}
	printf("# %s at the last of these; skep | kernel:\n", o->why);
	for (unsigned i = 0; i < c->n && i < 60; i++) {
		const struct op *op = &c->ops[i];
		const struct result *a = &o->results[0][i], *b = &o->results[1][i];

		printf("#   %-18s cpu %u", op_name(op), op->cpu);
		print_key(c, op);
		printf(" value %u flags %#llx count %u -> %lld %016llx | %lld %016llx\n", op->value,
		       (unsigned long long)op->flags, op->count, (long long)a->ret,
		       (unsigned long long)a->digest, (long long)b->ret,
		       (unsigned long long)b->digest);
	}
}

/* --- All --------------------------------------------------------------------------------- */

static void run_case(struct run *run, unsigned kind, long number, struct tally *t)
{
	static struct test_case c;
	static struct outcome o;

	if (!gen_case(&c, kind, run->seed * 1000003 + (uint64_t)number, run->without))
		return;
	t->cases++;
	if (!case_passes(run, &c, &o)) {
		shrink(run, &c, &o);
		print_failure(&c, kind, run->seed, number, &o);
		t->failed = true;
	} else if (o.create[0]) {
		t->refused++;
	} else if (o.starved) {
		t->starved++;
	} else {
		t->ops += c.n;
		for (unsigned i = 0; i < c.n; i++)
			t->programs += op_is_program(&c.ops[i]);
	}
	gen_free(&c);
}

/* In the kernel each change of a map of maps waits for all its readers. */
static bool is_slow(unsigned kind)
{
	return strstr(gen_kind_name(kind), "of_maps") != NULL;
}

/* All kinds get the same time and, but for slow ones, operations. */
static bool run_kind(struct run *run, unsigned kind, unsigned of, unsigned line)
{
	uint64_t ops = run->ops / of / (is_slow(kind) ? 8 : 1);
	double start = now();
	struct tally t = {0};

	if (run->only_case >= 0)
		run_case(run, kind, run->only_case, &t);
	else
		for (long n = 0; !t.failed && now() - start < run->seconds / of &&
		                 t.ops < ops; n++)
			run_case(run, kind, n, &t);
	printf("%sok %u - %s: %llu operations, %llu of them by programs, on %llu maps, %llu more "
	       "refused alike, %llu that the kernel had no memory for (seed %llu, %.1f s)\n", t.failed ? "not " : "", line,
	       gen_kind_name(kind), (unsigned long long)t.ops, (unsigned long long)t.programs,
	       (unsigned long long)(t.cases - t.refused - t.starved), (unsigned long long)t.refused,
	       (unsigned long long)t.starved, (unsigned long long)run->seed, now() - start);
	fflush(stdout);
	return !t.failed;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	return *end == 'M' ? n * 1000000 : *end == 'k' ? n * 1000 : n;
}

static int usage(void)
{
	fprintf(stderr, "usage: test-maps-diff [--seconds N] [--ops N] [--kind NAME] [--seed N] "
	                "[--case N] [--engine jit|interp|checked]\n");
	return 2;
}

static int engine_of(const char *name)
{
	return !strcmp(name, "interp") ? SKEP_ENGINE_INTERP
	       : !strcmp(name, "checked") ? SKEP_ENGINE_CHECKED : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seconds", 1, NULL, 's'}, {"ops", 1, NULL, 'o'}, {"kind", 1, NULL, 'k'},
		{"seed", 1, NULL, 'r'}, {"case", 1, NULL, 'c'}, {"engine", 1, NULL, 'e'}, {0},
	};
	struct run run = {.seconds = 1e9, .ops = 500000, .seed = 1, .only_case = -1,
	                  .skep.name = "Skep", .kernel.name = "the kernel"};
	struct skep_options o = {.size = sizeof(o), .trust_programs = 1};
	unsigned line = 0, failed = 0, kinds = 0;

	for (int ch; (ch = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (ch) {
		case 's': run.seconds = (double)number(optarg); break;
		case 'o': run.ops = number(optarg); break;
		case 'k': run.kind = optarg; break;
		case 'r': run.seed = number(optarg); break;
		case 'c': run.only_case = (long)number(optarg); break;
		case 'e':
			o.engine = (enum skep_engine)engine_of(optarg);
			o.trust_programs = o.engine != SKEP_ENGINE_CHECKED;
			break;
		default: return usage();
		}
	}
	if (side_open(&run.kernel, &(struct shape){2, 4, 4, 1}, NULL)) {
		printf("1..0 # SKIP bpf(2) is not to be had: %s\n", strerror(errno));
		return 0;
	}
	side_close(&run.kernel);
	if (skep_new(&o, &run.skep.k)) {
		printf("Bail out! no kernel\n");
		return 1;
	}
	run.without = side_lacks(&run.skep);
	for (uint8_t op = 0; op < OPS; op++)
		if (run.without >> op & 1)
			printf("# Skep has not got the command of %s\n", op_name(&(struct op){op}));
	for (unsigned k = 0; k < gen_kinds(); k++)
		kinds += !run.kind || !strcmp(run.kind, gen_kind_name(k));
	for (unsigned k = 0; k < gen_kinds(); k++)
		if (!run.kind || !strcmp(run.kind, gen_kind_name(k)))
			failed += !run_kind(&run, k, kinds, ++line);
	printf("1..%u\n", line);
	skep_free(run.skep.k);
	return failed != 0;
}
