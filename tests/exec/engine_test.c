/* SPDX-License-Identifier: BSD-2-Clause */
/* What every engine must do besides computing: calls, callbacks, tail calls, limits, many threads. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm.h"

static const struct engine *const engines[] = {
	&engine_interp,
	&engine_checked,
#ifdef SKEP_HAVE_JIT
	&engine_jit,
#endif
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EACH_ENGINE(e) for (unsigned e = 0; e < COUNT(engines); e++)

/* Runs text on memory with an engine; *fault, where wanted, is what the run found. */
static uint64_t run(unsigned e, const struct helper *helpers, unsigned nhelpers, const char *text,
                    void *mem, size_t len, struct fault *fault)
{
	struct vm_ctx ctx = {.mem = mem, .len = len};
	struct skep k;
	struct prog *p;
	uint64_t r0;

	vm_init(&k, NULL, helpers, nhelpers);
	assert_int_equal(vm_asm(&k, engines[e], text, NULL, 0, &p), 0);
	r0 = prog_run(p, &ctx, &k.cpus[1]);
	if (fault)
		*fault = k.cpus[1].fault ? *k.cpus[1].fault : (struct fault){0};
	else
		assert_null(k.cpus[1].fault);
	obj_put(&p->obj);
	vm_exit(&k);
	return r0;
}

static void computes(void **state)
{
	uint64_t mem[2] = {40, 0};

	EACH_ENGINE(e)
		assert_int_equal(run(e, NULL, 0,
		                     "r2 = *(u64 *)(r1 + 0)\n"
		                     "r0 = *(u64 *)(r2 + 0)\n"
		                     "r0 += 2\n"
		                     "*(u64 *)(r2 + 8) = r0\n"
		                     "exit\n",
		                     mem, sizeof(mem), NULL), 42);
	assert_int_equal(mem[1], 42);
}

static void calls_keep_frames_apart(void **state)
{
	EACH_ENGINE(e)
		assert_int_equal(run(e, NULL, 0,
		                     "r6 = 100\n"
		                     "*(u64 *)(r10 - 8) = r6\n"
		                     "r1 = 5\n"
		                     "call sum\n"
		                     "r1 = *(u64 *)(r10 - 8)\n"
		                     "r0 += r1\n"
		                     "r0 += r6\n"
		                     "exit\n"
		                     "sum: if r1 != 0 goto more\n"
		                     "r0 = 0\n"
		                     "exit\n"
		                     "more: r6 = r1\n"
		                     "*(u64 *)(r10 - 8) = r6\n"
		                     "r1 += -1\n"
		                     "call sum\n"
		                     "r2 = *(u64 *)(r10 - 8)\n"
		                     "r0 += r2\n"
		                     "r0 += r6\n"
		                     "exit\n",
		                     NULL, 0, NULL), 230);
}

/* Of two neighbours on the stack, one is read in parts; the other may live in a register. */
static void stack_is_read_in_parts(void **state)
{
	EACH_ENGINE(e)
		assert_int_equal(run(e, NULL, 0,
		                     "*(u64 *)(r10 - 32) = 1\n"
		                     "*(u64 *)(r10 - 40) = 0x04050607\n"
		                     "r1 = *(u64 *)(r10 - 32)\n"
		                     "r0 = *(s16 *)(r10 - 38)\n"
		                     "r2 = *(u8 *)(r10 - 33)\n"
		                     "r3 = *(u8 *)(r10 - 40)\n"
		                     "r0 += r1\n"
		                     "r0 += r2\n"
		                     "r0 += r3\n"
		                     "exit\n",
		                     NULL, 0, NULL), 0x0405 + 1 + 7);
}

/* A pair whose second instruction begins a rotate. */
static void fused_sequences_overlap(void **state)
{
	EACH_ENGINE(e)
		assert_int_equal(run(e, NULL, 0,
		                     "r6 = 9\n"
		                     "r4 = 5\n"
		                     "if r6 != 9 goto middle\n"
		                     "r2 = r6\n"
		                     "r2 = r4\n"
		                     "middle: r2 <<= 11\n"
		                     "r3 = r4\n"
		                     "r3 >>= 53\n"
		                     "r3 |= r2\n"
		                     "r0 = r2\n"
		                     "r0 += r3\n"
		                     "exit\n",
		                     NULL, 0, NULL), 2 * (5 << 11));
}

static uint64_t help_sum(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                         struct cpu *cpu)
{
	return r1 + 2 * r2 + 3 * r3 + 4 * r4 + 5 * r5 + 1000 * cpu->id;
}

static uint64_t help_loop(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct cpu *cpu)
{
	const struct callback *cb = (const struct callback *)(uintptr_t)r2;
	uint64_t n = 0;

	while (n < r1 && !cb->call(n, r3, 0, 0, 0, cpu, cb))
		n++;
	return n;
}

static const struct helper helpers[] = {
	[1] = {.name = "sum", .fn = help_sum, .arg = {ARG_ANY, ARG_ANY, ARG_ANY, ARG_ANY, ARG_ANY}},
	[2] = {.name = "loop", .fn = help_loop, .arg = {ARG_ANY, ARG_FUNC, ARG_STACK_OR_NULL}},
};

static void helpers_get_arguments(void **state)
{
	EACH_ENGINE(e)
		assert_int_equal(run(e, helpers, COUNT(helpers),
		                     "r1 = 1; r2 = 2; r3 = 3; r4 = 4; r5 = 5\n"
		                     "r6 = 6; r7 = 7; r8 = 8; r9 = 9\n"
		                     "call 1\n"
		                     "r0 += r6; r0 += r7; r0 += r8; r0 += r9\n"
		                     "exit\n",
		                     NULL, 0, NULL), 55 + 1000 + 30);
}

static void callbacks_share_memory(void **state)
{
	EACH_ENGINE(e)
		assert_int_equal(run(e, helpers, COUNT(helpers),
		                     "*(u64 *)(r10 - 8) = 0\n"
		                     "r1 = 10\n"
		                     "r2 = func[body]\n"
		                     "r3 = r10; r3 += -8\n"
		                     "call 2\n"
		                     "r1 = *(u64 *)(r10 - 8)\n"
		                     "r0 *= 1000\n"
		                     "r0 += r1\n"
		                     "exit\n"
		                     "body: r3 = *(u64 *)(r2 + 0)\n"
		                     "r3 += r1\n"
		                     "*(u64 *)(r2 + 0) = r3\n"
		                     "r0 = 0\n"
		                     "if r1 < 6 goto end\n"
		                     "r0 = 1\n"
		                     "end: exit\n",
		                     NULL, 0, NULL), 6021);
}

static void expect_fault(const char *text, const char *what, uint32_t insn)
{
	uint64_t mem[2] = {0};
	struct fault fault;

	assert_int_equal(run(1, helpers, COUNT(helpers), text, mem, sizeof(mem), &fault), 0);
	assert_non_null(fault.what);
	assert_string_equal(fault.what, what);
	assert_int_equal(fault.insn, insn);
}

static void checked_finds_faults(void **state)
{
	expect_fault("r0 = 1\nr2 = 0\nr0 = *(u8 *)(r2 + 0)\nexit", "read outside of every region", 2);
	expect_fault("r0 = 1\n*(u8 *)(r1 + 0) = 1\nexit", "write to read-only memory", 1);
	expect_fault("r0 = 1\nr2 = *(u64 *)(r1 + 0)\n*(u64 *)(r2 + 9) = 1\nexit",
	             "write past the end of a region", 2);
	expect_fault("r0 = *(u8 *)(r10 + 0)\nexit", "read outside of every region", 0);
	expect_fault("r0 = *(u8 *)(r10 - 513)\nexit", "read outside of every region", 0);
	expect_fault("r2 = r10\nr2 += -12\nlock *(u64 *)(r2 + 0) += r1\nr0 = 0\nexit",
	             "misaligned atomic access", 2);
	expect_fault("call f\nexit\nf: call f\nexit", "calls nested too deep", 2);
	expect_fault("r1 = 1\nr2 = 0\ncall 2\nexit", "the argument is no function of this program", 2);
	expect_fault("r1 = 8\nr2 = func[f]\ncall 2\nexit\nf: r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit",
	             "read outside of every region", 6);
	expect_fault("call f\nr0 = *(u64 *)(r0 + 0)\nexit\nf: r0 = r10\nr0 += -8\nexit",
	             "read outside of every region", 1);
}

static void checked_runs_out_of_fuel(void **state)
{
	struct skep k;
	struct prog *p;

	vm_init(&k, NULL, NULL, 0);
	assert_int_equal(vm_asm(&k, &engine_checked, "r0 = 1\nl: r1 += 1\ngoto l\n", NULL, 0, &p), 0);
	k.cpus[0].fuel = 1000;
	assert_int_equal(prog_run(p, NULL, &k.cpus[0]), 0);
	assert_non_null(k.cpus[0].fault);
	assert_string_equal(k.cpus[0].fault->what, "no fuel left");
	obj_put(&p->obj);
	vm_exit(&k);
}

static void faults_have_a_text(void **state)
{
	struct vm_ctx ctx = {0};
	struct skep k;
	struct prog *p;
	char expected[200];

	vm_init(&k, NULL, NULL, 0);
	assert_int_equal(vm_asm(&k, &engine_checked, "r0 = 0\nr2 = *(u32 *)(r1 + 20)\nexit", NULL, 0,
	                        &p), 0);
	prog_run(p, &ctx, &k.cpus[0]);
	assert_non_null(k.cpus[0].fault);
	snprintf(expected, sizeof(expected),
	         "program, instruction 1 (w2 = *(u32 *)(r1 + 20)): read outside of every region: "
	         "load of 4 bytes at 0x%zx, 4 bytes behind the end of ctx (16 bytes)",
	         (size_t)&ctx + 20);
	assert_string_equal(fault_text(k.cpus[0].fault), expected);
	obj_put(&p->obj);
	vm_exit(&k);
}

/* --- Threads ---------------------------------------------------------------------------------- */

enum { ROUNDS = 20000 };

/* Counts ROUNDS times: atomically, by fetch, by exchange of what was seen; and leaves xor as it was. */
static const char counting[] = "r6 = *(u64 *)(r1 + 0)\n"
			       "r7 = 0\n"
			       "loop: r1 = 1\n"
			       "lock *(u64 *)(r6 + 0) += r1\n"
			       "r1 = 2\n"
			       "w1 = atomic_fetch_add((u32 *)(r6 + 8), w1)\n"
			       "again: r0 = *(u64 *)(r6 + 16)\n"
			       "r2 = r0\n"
			       "r3 = r0\n"
			       "r3 += 3\n"
			       "r0 = cmpxchg_64(r6 + 16, r0, r3)\n"
			       "if r0 != r2 goto again\n"
			       "r1 = 0x55\n"
			       "lock *(u64 *)(r6 + 24) ^= r1\n"
			       "lock *(u64 *)(r6 + 24) ^= r1\n"
			       "r7 += 1\n"
			       "if r7 != 20000 goto loop\n"
			       "r0 = r7\n"
			       "exit\n";

struct worker {
	struct prog *prog;
	struct cpu *cpu;
	uint64_t *mem;
	uint64_t r0;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct vm_ctx ctx = {.mem = w->mem, .len = 4 * sizeof(uint64_t)};

	w->r0 = prog_run(w->prog, &ctx, w->cpu);
	return NULL;
}

static void atomics_from_several_threads(void **state)
{
	EACH_ENGINE(e)
	{
		uint64_t mem[4] = {0, 0, 0, 0x1234};
		struct worker workers[VM_CPUS];
		pthread_t threads[VM_CPUS];
		struct prog *p;
		struct skep k;

		vm_init(&k, NULL, NULL, 0);
		assert_int_equal(vm_asm(&k, engines[e], counting, NULL, 0, &p), 0);
		for (unsigned t = 0; t < VM_CPUS; t++) {
			workers[t] = (struct worker){p, &k.cpus[t], mem, 0};
			assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
		}
		for (unsigned t = 0; t < VM_CPUS; t++) {
			assert_int_equal(pthread_join(threads[t], NULL), 0);
			assert_null(k.cpus[t].fault);
			assert_int_equal(workers[t].r0, ROUNDS);
		}
		assert_int_equal(mem[0], VM_CPUS * ROUNDS);
		assert_int_equal(mem[1], VM_CPUS * ROUNDS * 2);
		assert_int_equal(mem[2], VM_CPUS * ROUNDS * 3);
		assert_int_equal(mem[3], 0x1234);
		obj_put(&p->obj);
		vm_exit(&k);
	}
}

/* One thread writes and then sets a flag with release; the other sees the flag with acquire. */
static void release_is_seen_by_acquire(void **state)
{
	static const char writer[] = "r6 = *(u64 *)(r1 + 0)\n"
				     "r2 = 0\n"
				     "loop: r2 += 1\n"
				     "*(u64 *)(r6 + 0) = r2\n"
				     "store_release((u64 *)(r6 + 8), r2)\n"
				     "if r2 != 20000 goto loop\n"
				     "r0 = 0\n"
				     "exit\n";
	static const char reader[] = "r6 = *(u64 *)(r1 + 0)\n"
				     "r0 = 1\n"
				     "loop: r2 = load_acquire((u64 *)(r6 + 8))\n"
				     "r3 = *(u64 *)(r6 + 0)\n"
				     "if r3 < r2 goto end\n"
				     "if r2 != 20000 goto loop\n"
				     "r0 = 0\n"
				     "end: exit\n";

	EACH_ENGINE(e)
	{
		uint64_t mem[4] = {0};
		struct worker workers[2];
		pthread_t threads[2];
		struct skep k;

		vm_init(&k, NULL, NULL, 0);
		for (unsigned t = 0; t < 2; t++) {
			workers[t] = (struct worker){NULL, &k.cpus[t], mem, 2};
			assert_int_equal(vm_asm(&k, engines[e], t ? reader : writer, NULL, 0,
			                        &workers[t].prog), 0);
		}
		for (unsigned t = 0; t < 2; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
		for (unsigned t = 0; t < 2; t++) {
			assert_int_equal(pthread_join(threads[t], NULL), 0);
			assert_int_equal(workers[t].r0, 0);
			obj_put(&workers[t].prog->obj);
		}
		vm_exit(&k);
	}
}

/* --- Memory that fails -------------------------------------------------------------------------- */

struct failing {
	unsigned left;  /* allocations that succeed */
	unsigned alive; /* blocks not given back */
};

static void *failing_alloc(void *arg, size_t size)
{
	struct failing *f = arg;
	void *block;

	if (!f->left)
		return NULL;
	f->left--;
	block = malloc(size);
	f->alive += block != NULL;
	return block;
}

static void failing_free(void *arg, void *block)
{
	struct failing *f = arg;

	f->alive--;
	free(block);
}

static void prepare_survives_each_failing_allocation(void **state)
{
	EACH_ENGINE(e)
	{
		struct failing f = {.left = UINT_MAX};
		const struct mem mem = {failing_alloc, failing_free, &f};
		struct prog *p;
		struct skep k;
		unsigned n;
		int err;

		vm_init(&k, &mem, helpers, COUNT(helpers));
		for (n = 0;; n++) {
			f.left = n;
			err = vm_asm(&k, engines[e],
			             "call f\nr2 = func[f]\nr1 = 1\ncall 2\nexit\nf: r0 = 1\nexit\n",
			             NULL, 0, &p);
			if (!err)
				break;
			assert_int_equal(err, -ENOMEM);
		}
		assert_true(n > 6);
		assert_int_equal(prog_run(p, NULL, &k.cpus[0]), 0);
		obj_put(&p->obj);
		vm_exit(&k);
		assert_int_equal(f.alive, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes),
		cmocka_unit_test(calls_keep_frames_apart),
		cmocka_unit_test(stack_is_read_in_parts),
		cmocka_unit_test(fused_sequences_overlap),
		cmocka_unit_test(helpers_get_arguments),
		cmocka_unit_test(callbacks_share_memory),
		cmocka_unit_test(checked_finds_faults),
		cmocka_unit_test(checked_runs_out_of_fuel),
		cmocka_unit_test(faults_have_a_text),
		cmocka_unit_test(atomics_from_several_threads),
		cmocka_unit_test(release_is_seen_by_acquire),
		cmocka_unit_test(prepare_survives_each_failing_allocation),
	};

	return cmocka_run_group_tests_name("engines", tests, NULL, NULL);
}
