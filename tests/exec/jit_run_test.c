/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JIT-compiled programs as part of a system: tail calls, packet loads, callbacks, limits, memory that
 * cannot be had, forks, threads, names for debuggers.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "core/pkt.h"
#include "exec/jit.h"
#include "vm.h"

static struct skep kernel;

static struct prog *load(const char *text, struct map *const *maps, uint32_t nmaps)
{
	struct prog *p;

	assert_int_equal(vm_asm(&kernel, &engine_jit, text, maps, nmaps, &p), 0);
	return p;
}

static uint64_t run(const struct prog *p, void *ctx)
{
	return prog_run(p, ctx, &kernel.cpus[1]);
}

static uint64_t run_text(const char *text, void *ctx)
{
	struct prog *p = load(text, NULL, 0);
	uint64_t r0 = run(p, ctx);

	obj_put(&p->obj);
	return r0;
}

/* --- Tail calls -------------------------------------------------------------------------------- */

enum { SLOTS = 4 };

static struct map_prog_array *prog_array;

static void array_free(struct obj *o)
{
	(void)o;
}

static struct map *make_array(void)
{
	struct map *m;

	prog_array = test_calloc(1, sizeof(*prog_array) + SLOTS * sizeof(prog_array->slot[0]));
	m = &prog_array->map;
	obj_init(&m->obj, &kernel, OBJ_MAP, array_free);
	m->max_entries = SLOTS;
	return m;
}

#define TAIL_CALL(index) "r2 = map_fd[0]\nr3 = " #index "\ncall 12\n"

static void tail_calls_jump(void **state)
{
	struct map *m = make_array();
	struct prog *target = load("r0 = *(u64 *)(r1 + 8)\nr0 += 40\nexit\n", NULL, 0);
	struct prog *p = load("r6 = r1\nr7 = 7\nr8 = 8\n*(u64 *)(r10 - 8) = r7\n" TAIL_CALL(2) "r0 = r7\nexit\n",
	                      &m, 1);
	struct vm_ctx ctx = {.len = 2};

	assert_int_equal(run(p, &ctx), 7); /* an empty slot */
	assert_int_equal(kernel.cpus[1].tail_calls, 0);
	atomic_store(&prog_array->slot[2], target);
	assert_int_equal(run(p, &ctx), 42);
	assert_int_equal(kernel.cpus[1].tail_calls, 1);
	assert_ptr_equal(kernel.cpus[1].prog, target);
	obj_put(&p->obj);
	obj_put(&target->obj);
	test_free(prog_array);
}

static void tail_call_index_is_checked(void **state)
{
	struct map *m = make_array();
	struct prog *target = load("r0 = 1\nexit\n", NULL, 0), *p;

	for (int n = 0; n < SLOTS; n++)
		atomic_store(&prog_array->slot[n], target);
	p = load("r7 = 2\n" TAIL_CALL(4) "r0 = r7\nexit\n", &m, 1);
	assert_int_equal(run(p, NULL), 2);
	obj_put(&p->obj);
	p = load("r7 = 2\n" TAIL_CALL(-1) "r0 = r7\nexit\n", &m, 1);
	assert_int_equal(run(p, NULL), 2);
	obj_put(&p->obj);
	/* Only the low 32 bits are the index. */
	p = load("r7 = 2\nr2 = map_fd[0]\nr3 = 0x700000003 ll\ncall 12\nr0 = r7\nexit\n", &m, 1);
	assert_int_equal(run(p, NULL), 1);
	obj_put(&p->obj);
	obj_put(&target->obj);
	test_free(prog_array);
}

/* A program that tail-calls itself counts in its context. */
static void tail_calls_are_limited(void **state)
{
	struct map *m = make_array();
	struct prog *p = load("r6 = r1\nr2 = *(u64 *)(r1 + 8)\nr2 += 1\n*(u64 *)(r1 + 8) = r2\n"
	                      TAIL_CALL(0) "r0 = *(u64 *)(r6 + 8)\nexit\n", &m, 1);
	struct vm_ctx ctx = {0};

	atomic_store(&prog_array->slot[0], p);
	assert_int_equal(run(p, &ctx), 1 + MAX_TAIL_CALLS);
	obj_put(&p->obj);
	test_free(prog_array);
}

/* Between engines, and from a subprogram, whose frame only is replaced. */
static void tail_calls_mix(void **state)
{
	static const struct engine *const engines[] = {&engine_jit, &engine_interp};
	struct map *m = make_array();

	for (unsigned n = 0; n < 4; n++) {
		struct prog *target, *p;

		assert_int_equal(vm_asm(&kernel, engines[n & 1], "r0 = 5\nexit\n", NULL, 0, &target), 0);
		assert_int_equal(vm_asm(&kernel, engines[n >> 1],
		                        "r6 = 1000\ncall sub\nr0 += r6\nexit\n"
		                        "sub: r6 = 1\n" TAIL_CALL(0) "r0 = r6\nexit\n",
		                        &m, 1, &p), 0);
		atomic_store(&prog_array->slot[0], NULL);
		assert_int_equal(run(p, NULL), 1001);
		atomic_store(&prog_array->slot[0], target);
		assert_int_equal(run(p, NULL), 1005);
		obj_put(&p->obj);
		obj_put(&target->obj);
	}
	test_free(prog_array);
}

/* --- Packet loads -------------------------------------------------------------------------------- */

static void packet_loads(void **state)
{
	uint8_t bytes[16] = {0x11, 0x22, 0x33, 0x44, 0x55};
	struct skb skb = {.pkt = {bytes, bytes + 16, bytes, bytes, bytes + 16}, .mac = bytes, .len = 16};

	assert_int_equal(run_text("r6 = r1\nr0 = *(u32 *)skb[1]\nexit\n", &skb), 0x22334455);
	assert_int_equal(run_text("r6 = r1\nr0 = *(u16 *)skb[3]\nexit\n", &skb), 0x4455);
	assert_int_equal(run_text("r6 = r1\nr7 = 2\nr0 = *(u8 *)skb[r7 + 1]\nr0 += r7\nexit\n", &skb), 0x46);
	assert_int_equal(run_text("r6 = r1\nr2 = 3\nr0 = *(u8 *)skb[r2]\nexit\n", &skb), 0x44);
	/* Outside: the program ends with 0. */
	assert_int_equal(run_text("r6 = r1\nr0 = 9\nr0 = *(u32 *)skb[13]\nr0 = 8\nexit\n", &skb), 0);
	/* In a subprogram: that frame ends with 0. */
	assert_int_equal(run_text("r6 = r1\nr7 = 70\n*(u64 *)(r10 - 8) = r7\ncall f\n"
	                          "r1 = *(u64 *)(r10 - 8)\nr0 += r1\nr0 += r7\nexit\n"
	                          "f: r6 = r1\nr7 = 3\nr0 = 5\nr0 = *(u8 *)skb[99]\nr0 += r7\nexit\n", &skb),
	                 140);
}

/* --- Limits ------------------------------------------------------------------------------------ */

static void may_goto_ends(void **state)
{
	assert_int_equal(run_text("r0 = 0\n"
	                          "*(u64 *)(r10 - 8) = 5\n"
	                          "again: may_goto out\n"
	                          "r0 += 1\n"
	                          "goto again\n"
	                          "out: r1 = *(u64 *)(r10 - 8)\n"
	                          "r0 += r1\n"
	                          "exit\n", NULL), (8 << 20) + 5);
}

/* Many instructions, and jumps over all of them in both directions. */
static void large_programs(void **state)
{
	enum { N = 200000 };
	struct insn *code = test_calloc(N + 8, sizeof(*code));
	struct prog *p;
	uint32_t n = 0;

	code[n++] = (struct insn){.code = 0xb7, .dst = R0, .imm = 0};
	code[n++] = (struct insn){.code = 0x06, .imm = N};             /* to the test */
	for (int i = 0; i < N; i++)
		code[n++] = (struct insn){.code = 0x07, .dst = R0, .imm = i};
	code[n++] = (struct insn){.code = 0x55, .dst = R0, .off = 1}; /* r0 != 0: done */
	code[n++] = (struct insn){.code = 0x06, .imm = -(N + 2)};     /* to the first addition */
	code[n++] = (struct insn){.code = 0x95};
	assert_int_equal(vm_load(&kernel, &engine_jit, &vm_hook, code, n, NULL, 0, &p), 0);
	assert_int_equal(run(p, NULL), (uint64_t)N * (N - 1) / 2);
	obj_put(&p->obj);
	test_free(code);
}

static void refuses_what_it_cannot_do(void **state)
{
	static const char *const texts[] = {
		"call 99\nexit\n",           /* no such helper */
		"r0 = 0\n",                  /* runs off its end */
		"r0 = 0\ncallx r1\nexit\n",
	};
	struct insn jump[] = {{.code = 0x05, .off = 5}, {.code = 0x95}};
	struct prog *p;

	for (unsigned n = 0; n < sizeof(texts) / sizeof(texts[0]); n++)
		assert_true(vm_asm(&kernel, &engine_jit, texts[n], NULL, 0, &p) < 0);
	assert_true(vm_load(&kernel, &engine_jit, &vm_hook, jump, 2, NULL, 0, &p) < 0);
}

/* --- Memory ------------------------------------------------------------------------------------ */

static int allocations_left;

static void *failing_alloc(void *arg, size_t size)
{
	(void)arg;
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void failing_free(void *arg, void *block)
{
	(void)arg;
	free(block);
}

static void every_allocation_may_fail(void **state)
{
	const struct mem mem = {failing_alloc, failing_free, NULL};
	const char *text = "r1 = 5\ncall f\nr0 += 1\nexit\nf: r0 = r1\nexit\n";
	struct skep k;
	struct prog *p;
	int n = 0, err;

	do {
		allocations_left = 1000;
		vm_init(&k, &mem, NULL, 0);
		k.jit_names = true;
		allocations_left = n++;
		err = vm_asm(&k, &engine_jit, text, NULL, 0, &p);
		allocations_left = 1000;
		if (!err) {
			assert_int_equal(prog_run(p, NULL, &k.cpus[0]), 6);
			obj_put(&p->obj);
		} else {
			assert_int_equal(err, -ENOMEM);
		}
		vm_exit(&k);
	} while (err);
	assert_in_range(n, 8, 100);
}

/* No page of code is ever writable: /proc/self/maps knows. */
static void code_is_not_writable(void **state)
{
	struct prog *p = load("r0 = 1\nexit\n", NULL, 0);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool seen = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char perms[5];

		assert_int_equal(sscanf(line, "%lx-%lx %4s", &start, &end, perms), 3);
		assert_false(perms[1] == 'w' && perms[2] == 'x');
		if ((uintptr_t)p->code < start || (uintptr_t)p->code >= end)
			continue;
		seen = true;
		assert_int_equal(perms[1], '-');
		assert_int_equal(perms[2], 'x');
	}
	fclose(maps);
	assert_true(seen);
	obj_put(&p->obj);
}

/* Parent and child may compile and free at will: what the other has stays as it is. */
static void forked_processes_are_apart(void **state)
{
	struct prog *old = load("r0 = 11\nexit\n", NULL, 0), *p;
	int to_child[2], to_parent[2], status;
	char token = 0;
	pid_t pid;

	assert_int_equal(pipe(to_child) | pipe(to_parent), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		p = load("r0 = 22\nexit\n", NULL, 0);
		status = write(to_parent[1], &token, 1) != 1 || read(to_child[0], &token, 1) != 1;
		status |= run(old, NULL) != 11 || run(p, NULL) != 22;
		_exit(status);
	}
	assert_int_equal(read(to_parent[0], &token, 1), 1);
	assert_int_equal(run(old, NULL), 11);
	obj_put(&old->obj);
	p = load("r0 = 33\nexit\n", NULL, 0);
	assert_int_equal(run(p, NULL), 33);
	assert_int_equal(write(to_child[1], &token, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	obj_put(&p->obj);
	for (int n = 0; n < 2; n++) {
		close(to_child[n]);
		close(to_parent[n]);
	}
}

static void *compile_and_run(void *arg)
{
	struct cpu *cpu = arg;
	uintptr_t bad = 0;

	for (int n = 0; n < 300; n++) {
		char text[64];
		struct prog *p;

		snprintf(text, sizeof(text), "r0 = %d\nr0 += %u\nexit\n", n, cpu->id * 1000);
		if (vm_asm(&kernel, &engine_jit, text, NULL, 0, &p)) {
			bad++;
			continue;
		}
		bad += prog_run(p, NULL, cpu) != n + cpu->id * 1000;
		obj_put(&p->obj);
	}
	return (void *)bad;
}

static void threads_compile_at_once(void **state)
{
	pthread_t threads[VM_CPUS];

	for (int n = 0; n < VM_CPUS; n++)
		assert_int_equal(pthread_create(&threads[n], NULL, compile_and_run, &kernel.cpus[n]), 0);
	for (int n = 0; n < VM_CPUS; n++) {
		void *bad;

		assert_int_equal(pthread_join(threads[n], &bad), 0);
		assert_null(bad);
	}
}

/* --- Names --------------------------------------------------------------------------------------- */

struct gdb_entry {
	struct gdb_entry *next, *prev;
	const char *elf;
	uint64_t size;
};

extern struct {
	uint32_t version, action;
	struct gdb_entry *relevant, *first;
} __jit_debug_descriptor;

static bool file_has(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return found;
}

static void code_has_names(void **state)
{
	char path[64], line[64];
	struct prog *p;

	kernel.jit_names = true;
	p = load("call f\nexit\nf: r0 = 3\nexit\n", NULL, 0);
	kernel.jit_names = false;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	snprintf(line, sizeof(line), "%lx ", (unsigned long)(uintptr_t)p->code);
	assert_true(file_has(path, line));
	assert_true(file_has(path, "_F1\n"));
	unlink(path);
	assert_int_equal(__jit_debug_descriptor.version, 1);
	assert_non_null(__jit_debug_descriptor.first);
	assert_memory_equal(__jit_debug_descriptor.first->elf, "\177ELF", 4);
	assert_non_null(memmem(__jit_debug_descriptor.first->elf, __jit_debug_descriptor.first->size,
	                       "_F1", 4));
	obj_put(&p->obj);
	assert_null(__jit_debug_descriptor.first);
}

static int setup(void **state)
{
	vm_init(&kernel, NULL, NULL, 0);
	return 0;
}

static int teardown(void **state)
{
	vm_exit(&kernel);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tail_calls_jump),
		cmocka_unit_test(tail_call_index_is_checked),
		cmocka_unit_test(tail_calls_are_limited),
		cmocka_unit_test(tail_calls_mix),
		cmocka_unit_test(packet_loads),
		cmocka_unit_test(may_goto_ends),
		cmocka_unit_test(large_programs),
		cmocka_unit_test(refuses_what_it_cannot_do),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(code_is_not_writable),
		cmocka_unit_test(forked_processes_are_apart),
		cmocka_unit_test(threads_compile_at_once),
		cmocka_unit_test(code_has_names),
	};

	return cmocka_run_group_tests_name("jit: running", tests, setup, teardown);
}
