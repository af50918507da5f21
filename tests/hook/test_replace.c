/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs are replaced while two threads run them, a million times: each run answers what one of the
 * programs answers, after each replacement the new one is seen, memory does not grow. Then kernels with a
 * type each, made, used and destroyed by several threads at once.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "skep_hook.h"

enum { RUNNERS = 2, FRESH = 200, KERNELS = 40, MAKERS = 4 };

struct ctx {
	uint64_t out[2];
};

static const struct skep_field fields[] = {
	{"out", 0, 16, SKEP_READ_PARTS | SKEP_WRITE_PARTS, SKEP_SCALAR, 0, 16, 0}, {0},
};
static const struct skep_type type = {
	SKEP_TYPE_HEAD("replace", SKEP_USER_FIRST), .ctx_size = sizeof(struct ctx), .fields = fields,
};

static unsigned tests, failed;

static void ok(bool fine, const char *what)
{
	failed += !fine;
	printf("%sok %u - %s\n", fine ? "" : "not ", ++tests, what);
}

/* out[0] = out[1] = r0 = n */
static struct skep_prog *load(struct skep *k, int32_t n)
{
	const uint64_t insns[] = {
		0xb7 | (uint64_t)(uint32_t)n << 32,                     /* r0 = n */
		0x7b | 1 << 8 | (uint64_t)0 << 12,                      /* *(u64 *)(r1 + 0) = r0 */
		0x7b | 1 << 8 | (uint64_t)0 << 12 | (uint64_t)8 << 16,  /* *(u64 *)(r1 + 8) = r0 */
		0x95,
	};
	const struct skep_load l = {.size = sizeof(l), .type = SKEP_USER_FIRST, .insns = insns, .ninsns = 4};
	char message[SKEP_MESSAGE];
	struct skep_prog *p = NULL;

	if (skep_load(k, &l, &p, message))
		printf("# %s\n", message);
	return p;
}

static struct shared {
	struct skep *k;
	struct skep_point *point;
	_Atomic bool stop;
	_Atomic uint64_t runs, torn, lost;
} s;

static void *runner(void *arg)
{
	struct skep_cpu *cpu = skep_cpu_enter(s.k);
	uint64_t runs = 0, torn = 0, lost = 0, ret;

	while (!atomic_load_explicit(&s.stop, memory_order_relaxed)) {
		struct ctx ctx = {{0}};

		ret = 0;
		if (!skep_point_run(s.point, &ctx, cpu, &ret))
			lost++;
		else if (ret < 1 || ret > 1000000 || ctx.out[0] != ret || ctx.out[1] != ret)
			torn++;
		runs++;
	}
	skep_cpu_leave(cpu);
	atomic_fetch_add(&s.runs, runs);
	atomic_fetch_add(&s.torn, torn);
	atomic_fetch_add(&s.lost, lost);
	return arg;
}

static uint64_t seen(struct skep_cpu *cpu)
{
	struct ctx ctx;
	uint64_t ret = 0;

	skep_point_run(s.point, &ctx, cpu, &ret);
	return ret;
}

static void replace(unsigned times)
{
	struct skep_cpu *cpu = skep_cpu_enter(s.k);
	struct skep_prog *p[2] = {load(s.k, 1), load(s.k, 2)};
	pthread_t threads[RUNNERS];
	unsigned unseen = 0;
	size_t before, after;

	skep_point_set(s.point, p[0]);
	for (int i = 0; i < RUNNERS; i++)
		pthread_create(&threads[i], NULL, runner, NULL);
	for (unsigned i = 0; i < times; i++) {
		skep_point_set(s.point, p[i & 1]);
		if (i % 64 == 0)
			unseen += seen(cpu) != (i & 1) + 1;
	}
	ok(!unseen, "each replacement is there at once");
	before = mallinfo2().uordblks;
	for (int i = 0; i < FRESH; i++) { /* programs whose last reference is the point's */
		struct skep_prog *fresh = load(s.k, 3 + i);

		skep_point_set(s.point, fresh);
		skep_prog_put(fresh);
		unseen += seen(cpu) != (uint64_t)(3 + i);
	}
	skep_point_set(s.point, p[0]);
	after = mallinfo2().uordblks;
	ok(!unseen, "so are programs that nobody else holds");
	ok(after < before + 256 * 1024, "memory stays level");
	atomic_store(&s.stop, true);
	for (int i = 0; i < RUNNERS; i++)
		pthread_join(threads[i], NULL);
	skep_prog_put(p[0]);
	skep_prog_put(p[1]);
	skep_cpu_leave(cpu);
	printf("# %llu runs during %u replacements\n", (unsigned long long)s.runs, times);
	ok(s.runs > 0 && !s.torn, "no run is torn");
	ok(!s.lost, "no run is lost");
}

static void *maker(void *arg)
{
	_Atomic unsigned *wrong = arg;

	for (int i = 0; i < KERNELS / MAKERS; i++) {
		struct skep_point *point;
		struct skep *k = NULL;
		struct skep_cpu *cpu;
		struct skep_prog *p;
		uint64_t ret = 0;
		struct ctx ctx;

		if (skep_new(NULL, &k) || skep_type_add(k, &type, NULL) ||
		    skep_point_new(k, type.number, 0, 0, &point, NULL)) {
			(*wrong)++;
			continue;
		}
		p = load(k, i + 7);
		skep_point_set(point, p);
		skep_prog_put(p);
		cpu = skep_cpu_enter(k);
		skep_point_run(point, &ctx, cpu, &ret);
		skep_cpu_leave(cpu);
		if (ret != (uint64_t)i + 7)
			(*wrong)++;
		skep_free(k);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned times = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
	_Atomic unsigned wrong = 0;
	pthread_t threads[MAKERS];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (skep_new(NULL, &s.k) || skep_type_add(s.k, &type, NULL) ||
	    skep_point_new(s.k, type.number, 0, 0, &s.point, NULL))
		return 1;
	replace(times);
	skep_point_free(s.point);
	skep_free(s.k);
	for (int i = 0; i < MAKERS; i++)
		pthread_create(&threads[i], NULL, maker, &wrong);
	for (int i = 0; i < MAKERS; i++)
		pthread_join(threads[i], NULL);
	ok(!wrong, "kernels made, used and destroyed in parallel");
	printf("1..%u\n", tests);
	return failed != 0;
}
