/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The translated program: what stands in it, that it survives size, and that no allocation that fails goes
 * unnoticed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/uapi.h"
#include "tap.h"
#include "vm.h"

static struct vm vm;

/* Allocations are counted; the one after `countdown` more fails. */
static struct {
	long live, countdown;
} budget = {0, -1};

static void *budget_alloc(void *arg, size_t size)
{
	void *block = NULL;

	if (budget.countdown < 0 || budget.countdown--)
		block = malloc(size);
	budget.live += block != NULL;
	return block;
}

static void budget_free(void *arg, void *block)
{
	budget.live -= block != NULL;
	free(block);
}

static struct prog *load(uint32_t type, const char *text)
{
	struct prog *p;
	size_t n;
	struct insn *insns = vm_asm(text, &n);

	if (vm_load(&vm, type, true, insns, n, &p)) {
		printf("# does not load: %s\n", vm.line);
		exit(1);
	}
	free(insns);
	return p;
}

static enum op op_at(const struct prog *p, uint32_t pc)
{
	return insn_op(&p->insns[pc]);
}

/* How many instructions of the translated program come from this one of the loaded. */
static unsigned made_of(const struct prog *p, uint32_t orig)
{
	unsigned n = 0;

	for (uint32_t pc = 0; pc < p->ninsns; pc++)
		n += p->aux[pc].orig == orig;
	return n;
}

#define LOOKUP(map)                                                                                \
	"*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map_fd[" #map "]; call 1; "                 \
	"if r0 == 0 goto out; r0 = 7; out: exit"

static void test_maps(void)
{
	struct map *array = vm_map(&vm, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	struct map *hash = vm_map(&vm, BPF_MAP_TYPE_HASH, 4, 8, 1);
	struct map *percpu = vm_map(&vm, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1);
	struct prog *p = load(BPF_PROG_TYPE_XDP, LOOKUP(0));

	tap(p->nmaps == 1 && p->maps[0] == array && insn_imm64(&p->insns[3]) == (uintptr_t)array &&
	    !p->insns[3].src, "a map's address");
	tap(made_of(p, 5) > 1, "lookups in arrays are inlined");
	tap(op_at(p, p->ninsns - 3) == OP_JEQ64_K && p->insns[p->ninsns - 3].off == 1,
	    "jumps behind inlined code");
	tap(p->uses_cpu, "a lookup uses the CPU slot");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_XDP, LOOKUP(1));
	tap(op_at(p, 5) == OP_CALL && p->aux[5].call == hash->call_lookup && hash->call_lookup,
	    "lookups in hash maps call the type's own function");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_XDP, LOOKUP(2));
	tap(made_of(p, 5) > 1 && percpu->ops->inline_lookup, "lookups in per-CPU arrays are inlined");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_XDP,
	         "*(u32 *)(r10 - 4) = 0; r6 = *(u32 *)(r1 + 12); r1 = map_fd[0]; if r6 == 0 goto +2;"
	         "r1 = map_fd[1]; r2 = r10; r2 += -4; call 1; r0 = 0; exit");
	tap(op_at(p, 9) == OP_CALL && p->aux[9].call == vm.k.reg.helpers[1].fn,
	    "a map that may be one or another");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_XDP, "r1 = map_fd[0][4]; r0 = *(u32 *)(r1 + 0); exit");
	uintptr_t value;
	array->ops->direct_value(array, 4, &value);
	tap(insn_imm64(&p->insns[0]) == value, "a map value's address");
	obj_put(&p->obj);
	vm_drop_maps(&vm);
}

static void test_context(void)
{
	struct prog *p = load(BPF_PROG_TYPE_XDP, "r2 = *(u32 *)(r1 + 4); r0 = *(u32 *)(r1 + 12); exit");

	tap(op_at(p, 0) == OP_LDX_DW && op_at(p, 1) == OP_LDX_W, "packet pointers are loaded whole");
	tap(!p->uses_cpu, "context accesses do not use the CPU slot");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_SCHED_CLS,
	         "r2 = 5; if r2 == 0 goto out; *(u32 *)(r1 + 12) = r2; out: r0 = 0; exit");
	tap(p->ninsns == 6 && p->insns[1].off == 2, "a store that takes two instructions");
	obj_put(&p->obj);
	p = load(BPF_PROG_TYPE_XDP, "call 8; exit");
	tap(op_at(p, 0) == OP_LDX_CPU_W && p->insns[0].off == offsetof(struct cpu, id) && p->uses_cpu,
	    "get_smp_processor_id is a load");
	obj_put(&p->obj);
}

static void test_functions(void)
{
	struct prog *p;

	vm.btf = true;
	p = load(BPF_PROG_TYPE_XDP,
	         "*(u64 *)(r10 - 24) = 0; call f; r2 = func[g]; exit;"
	         "f: r0 = 0; r2 = r10; r2 += -40; exit; g: r1 = r10; call h; exit; h: r0 = 0; exit");
	vm.btf = false;
	tap(p->nfuncs == 4 && p->funcs[1].start == 5 && p->funcs[1].end == 9, "functions");
	tap(p->funcs[0].stack == 24 && p->funcs[1].stack == 40 && p->funcs[2].stack == STACK_SIZE &&
	    !p->funcs[3].stack, "stacks: used, formed, handed on, none");
	tap(p->aux[1].func == 1 && p->aux[2].func == 2 && p->funcs[2].is_callback && !p->funcs[1].is_callback,
	    "calls and callbacks");
	tap(insn_imm64(&p->insns[2]) == (uintptr_t)&p->funcs[2].cb, "a callback's address");
	tap(p->funcs[0].btf_type_id == 3 && p->funcs[2].btf_type_id == 4, "types of functions");
	obj_put(&p->obj);
}

/* n instructions: additions, ending in exit. */
static struct insn *long_program(size_t n)
{
	struct insn *p = calloc(n, sizeof(*p));

	for (size_t i = 0; i < n; i++)
		p[i] = (struct insn){.code = insn_info[OP_ADD64_K].code, .dst = 0, .imm = 1};
	p[0].code = insn_info[OP_MOV64_K].code;
	p[n - 1] = (struct insn){.code = insn_info[OP_EXIT].code};
	return p;
}

static void test_size(void)
{
	struct insn *p = long_program(MAX_INSNS);
	struct prog *prog;

	p[1] = (struct insn){.code = insn_info[OP_JAL].code, .imm = MAX_INSNS - 4};
	p[2] = (struct insn){.code = insn_info[OP_JEQ64_K].code, .off = 32767};
	for (size_t i = 10; i + 10 < MAX_INSNS; i += 7) {
		p[i] = (struct insn){.code = insn_info[OP_JNE64_K].code, .dst = 0, .off = -4};
		p[i + 1] = (struct insn){.code = insn_info[OP_STX_DW].code, .dst = 10, .src = 1, .off = -8};
	}
	p[MAX_INSNS - 3] = (struct insn){.code = insn_info[OP_JEQ64_K].code, .off = 1};
	p[MAX_INSNS - 2] = (struct insn){.code = insn_info[OP_JAL].code, .imm = -MAX_INSNS + 3};
	tap(!vm_load(&vm, BPF_PROG_TYPE_XDP, true, p, MAX_INSNS, &prog) && prog->ninsns == MAX_INSNS,
	    "a million instructions");
	obj_put(&prog->obj);
	free(p);
}

/* A jump over so many lookups that inlining them would take its target out of reach. */
static void test_far_jump(void)
{
	enum { N = 32000 };
	struct insn *p = long_program(N);
	struct prog *prog;

	vm_map(&vm, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	p[1] = (struct insn){.code = insn_info[OP_JEQ64_K].code, .imm = 5, .off = N - 4};
	for (size_t i = 10; i + 10 < N; i += 8) {
		p[i] = (struct insn){.code = 0x18, .dst = R1, .src = 1};
		p[i + 1] = (struct insn){0};
		p[i + 2] = (struct insn){.code = insn_info[OP_MOV64_X].code, .dst = R2, .src = R10};
		p[i + 3] = (struct insn){.code = insn_info[OP_ADD64_K].code, .dst = R2, .imm = -8};
		p[i + 4] = (struct insn){.code = insn_info[OP_CALL].code, .imm = 1};
	}
	tap(!vm_load(&vm, BPF_PROG_TYPE_XDP, true, p, N, &prog) && prog->ninsns == N &&
	    prog->insns[1].off == N - 4, "a jump that inlined code would put out of reach");
	obj_put(&prog->obj);
	for (size_t i = 10; i + 10 < N; i += 8)
		p[i + 4].imm = 5;
	p[14].imm = 1;
	tap(!vm_load(&vm, BPF_PROG_TYPE_XDP, true, p, N, &prog) && prog->ninsns > N, "one that still reaches");
	obj_put(&prog->obj);
	free(p);
	vm_drop_maps(&vm);
}

/* Fails each allocation in turn until the program loads. */
static void test_no_memory(void)
{
	struct prog *prog;
	size_t n;
	struct insn *p;
	long live, i;
	bool ok = true;
	int err = -ENOMEM;

	vm_map(&vm, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	vm_map(&vm, BPF_MAP_TYPE_HASH, 4, 8, 1);
	p = vm_asm("*(u64 *)(r10 - 8) = r1; r1 = map_fd[0]; r1 = map_fd[1]; r6 = *(u64 *)(r10 - 8);"
	           "r0 = *(u32 *)(r6 + 0); call f; exit; f: r0 = 0; if r0 == 0 goto +1; r0 = 1; exit", &n);
	live = budget.live;
	for (i = 0; i < 50 && err == -ENOMEM && ok; i++) {
		budget.countdown = i;
		err = vm_load(&vm, BPF_PROG_TYPE_XDP, true, p, n, &prog);
		budget.countdown = -1;
		ok = err == 0 || (err == -ENOMEM && budget.live == live);
	}
	tap(ok && !err && i > 8, "each of %ld allocations fails", i - 1);
	if (prog)
		obj_put(&prog->obj);
	tap(budget.live == live, "nothing is left");
	free(p);
	vm_drop_maps(&vm);
}

int main(void)
{
	const struct mem mem = {budget_alloc, budget_free, NULL};

	vm_init(&vm);
	vm.trusted = true; /* how programs are translated */
	vm.k.mem = mem;
	test_maps();
	test_context();
	test_functions();
	test_size();
	test_far_jump();
	test_no_memory();
	vm.k.mem = mem;
	vm_exit(&vm);
	return tap_end();
}
