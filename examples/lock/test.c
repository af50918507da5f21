/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies on random queues, on each engine as in C; then threads that count under the lock. */
#include "../kit.h"
#include "plock.h"

enum { QUEUES = 20000, THREADS = 6, TURNS = 2000 };

static const struct policy {
	const char *name;
	policy_fn in_c;
} policies[] = {{"fifo", fifo_in_c}, {"groups", groups_in_c}, {"priority", priority_in_c}};

static unsigned next(unsigned *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

static void queues(const struct policy *p, struct skep_point *point, struct skep_cpu *cpu, const char *engine)
{
	unsigned x = 1, wrong = 0, others = 0;
	struct plock bpf, c;

	plock_init(&bpf, point, NULL);
	plock_init(&c, NULL, p->in_c);
	for (unsigned q = 0; q < QUEUES; q++) {
		bpf.n = 1 + next(&x) % WAITERS;
		bpf.group = next(&x) % 4;
		for (unsigned i = 0; i < bpf.n; i++)
			bpf.waiter[i] = (struct waiter){next(&x) % 4, next(&x) % 100, i, next(&x) % 10};
		memcpy(c.waiter, bpf.waiter, sizeof(c.waiter));
		c.n = bpf.n;
		c.group = bpf.group;
		wrong += plock_pick(&bpf, cpu) != plock_pick(&c, cpu);
		others += plock_pick(&c, cpu) != 0;
	}
	ok(!wrong && (others > 0) == (p->in_c != fifo_in_c), "%s: %s picks as in C from %d queues", engine,
	   p->name, QUEUES);
}

static struct {
	struct skep *k;
	struct plock lock;
	unsigned long long count;
	unsigned inside, crowded;
} shared;

static void *counter(void *arg)
{
	struct skep_cpu *cpu = skep_cpu_enter(shared.k);
	unsigned id = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < TURNS; i++) {
		plock_take(&shared.lock, id % 2, id);
		shared.crowded += shared.inside++ != 0;
		shared.count++;
		shared.inside--;
		plock_release(&shared.lock, cpu);
	}
	skep_cpu_leave(cpu);
	return NULL;
}

static void threads(const struct policy *p, struct skep_point *point, const char *engine)
{
	pthread_t thread[THREADS];

	plock_init(&shared.lock, point, NULL);
	shared.count = shared.crowded = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, counter, (void *)(uintptr_t)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ok(shared.count == (unsigned long long)THREADS * TURNS && !shared.crowded,
	   "%s: %s: %d threads, one at a time", engine, p->name, THREADS);
}

int main(void)
{
	skep_libbpf_section(&lock_type);
	for (int e = 0; e < KIT_ENGINES; e++) {
		struct skep *k = shared.k = kit_kernel(kit_engines[e].engine);
		char message[SKEP_MESSAGE] = "";
		struct skep_point *point = NULL;
		struct bpf_object *o;
		struct skep_cpu *cpu;

		ok(!skep_type_add(k, &lock_type, message) &&
		   !skep_point_new(k, lock_type.number, 0, 0, &point, message), "%s: the type %s",
		   kit_engines[e].name, message);
		o = kit_load(OBJECTS "/policy.bpf.o");
		for (unsigned i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
			struct skep_prog *prog = kit_prog(k, o, policies[i].name);

			skep_point_set(point, prog);
			skep_prog_put(prog);
			cpu = skep_cpu_enter(k);
			queues(&policies[i], point, cpu, kit_engines[e].name);
			skep_cpu_leave(cpu);
			threads(&policies[i], point, kit_engines[e].name);
		}
		skep_point_free(point);
		bpf_object__close(o);
		skep_bpf_bind(NULL);
		skep_free(k);
	}
	return kit_done();
}
