/* SPDX-License-Identifier: BSD-2-Clause */
/* See vm.h. */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/text.h"

static unsigned vm_regions(const void *ctx, struct region *r, unsigned max)
{
	const struct vm_ctx *c = ctx;

	if (max < 2)
		return 0;
	r[0] = (struct region){(uintptr_t)c, sizeof(*c), false, "ctx"};
	r[1] = (struct region){(uintptr_t)c->mem, c->len, true, "memory"};
	return 2;
}

const struct hook vm_hook = {.name = "test", .regions = vm_regions};

void vm_init(struct skep *k, const struct mem *mem, const struct helper *helpers, unsigned nhelpers)
{
	struct registry reg = {.helpers = helpers, .nhelpers = nhelpers};

	memset(k, 0, sizeof(*k));
	if (core_init(k, mem ? mem : &mem_libc, &reg, VM_CPUS)) {
		fprintf(stderr, "no memory for a test kernel\n");
		exit(1);
	}
}

void vm_exit(struct skep *k)
{
	jit_pool_free(k);
	core_exit(k);
}

static bool is_call_local(const struct insn *i)
{
	return insn_op(i) == OP_CALL_LOCAL || insn_op(i) == OP_LDDW_FUNC;
}

static uint32_t call_target(const struct prog *p, uint32_t pc)
{
	return (uint32_t)((int64_t)pc + 1 + p->orig[pc].imm);
}

static uint32_t func_at(const struct prog *p, uint32_t start)
{
	for (uint32_t f = 0; f < p->nfuncs; f++)
		if (p->funcs[f].start == start)
			return f;
	return UINT32_MAX;
}

/* Functions in order of their beginnings. */
static int find_funcs(struct prog *p)
{
	const struct mem *m = &p->obj.k->mem;
	bool *starts = mem_zalloc(m, p->norig + 1);
	uint32_t n = 0;

	if (!starts)
		return -ENOMEM;
	starts[0] = true;
	for (uint32_t pc = 0; pc < p->norig; pc++)
		if (is_call_local(&p->orig[pc]) && call_target(p, pc) < p->norig)
			starts[call_target(p, pc)] = true;
	for (uint32_t pc = 0; pc < p->norig; pc++)
		n += starts[pc];
	p->funcs = mem_zalloc_array(m, n, sizeof(p->funcs[0]));
	for (uint32_t pc = 0; p->funcs && pc < p->norig; pc++) {
		if (!starts[pc])
			continue;
		if (p->nfuncs)
			p->funcs[p->nfuncs - 1].end = pc;
		p->funcs[p->nfuncs++] =
			(struct func){.start = pc, .end = p->norig, .stack = STACK_SIZE};
	}
	mem_free(m, starts);
	return p->funcs ? 0 : -ENOMEM;
}

static void set_wide(struct insn *i, uint64_t value)
{
	i[0].src = 0;
	i[0].imm = (int32_t)value;
	i[1].imm = (int32_t)(value >> 32);
}

static int translate(struct prog *p, uint32_t pc)
{
	struct insn *i = &p->insns[pc];
	enum op op = insn_op(i);
	uintptr_t value;

	p->aux[pc].orig = pc;
	if (is_call_local(i)) {
		p->aux[pc].func = func_at(p, call_target(p, pc));
		if (p->aux[pc].func == UINT32_MAX)
			return -EINVAL;
	}
	if (op == OP_LDDW_FUNC) {
		p->funcs[p->aux[pc].func].is_callback = true;
		set_wide(i, (uintptr_t)&p->funcs[p->aux[pc].func].cb);
	} else if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_IDX) {
		if ((uint32_t)i->imm >= p->nmaps)
			return -EBADF;
		set_wide(i, (uintptr_t)p->maps[i->imm]);
	} else if (op == OP_LDDW_MAP_VALUE || op == OP_LDDW_MAP_IDX_VALUE) {
		struct map *m = (uint32_t)i->imm < p->nmaps ? p->maps[i->imm] : NULL;

		if (!m || m->ops->direct_value(m, (uint32_t)i[1].imm, &value))
			return -EINVAL;
		set_wide(i, value);
	}
	return 0;
}

static int fill(struct prog *p, const struct insn *insns, uint32_t n, struct map *const *maps,
                uint32_t nmaps)
{
	const struct mem *m = &p->obj.k->mem;
	int err;

	p->norig = p->ninsns = n;
	p->orig = mem_copy(m, insns, n * sizeof(*insns));
	p->insns = mem_copy(m, insns, n * sizeof(*insns));
	p->aux = mem_zalloc_array(m, n, sizeof(p->aux[0]));
	p->maps = mem_zalloc_array(m, nmaps, sizeof(p->maps[0]));
	if (!p->orig || !p->insns || !p->aux || !p->maps)
		return -ENOMEM;
	for (; p->nmaps < nmaps; p->nmaps++) {
		obj_get(&maps[p->nmaps]->obj);
		p->maps[p->nmaps] = maps[p->nmaps];
	}
	err = find_funcs(p);
	for (uint32_t pc = 0; !err && pc < n; pc++)
		err = translate(p, pc);
	return err;
}

int vm_load(struct skep *k, const struct engine *e, const struct hook *hook, const struct insn *insns,
            uint32_t n, struct map *const *maps, uint32_t nmaps, struct prog **out)
{
	struct prog *p = prog_new(k);
	int err;

	if (!p)
		return -ENOMEM;
	p->hook = hook;
	p->uses_cpu = true;
	err = fill(p, insns, n, maps, nmaps);
	if (!err)
		err = e->prepare(p);
	if (err) {
		obj_put(&p->obj);
		return err;
	}
	p->engine = e;
	*out = p;
	return 0;
}

int vm_asm(struct skep *k, const struct engine *e, const char *text, struct map *const *maps,
           uint32_t nmaps, struct prog **out)
{
	struct asm_error error;
	struct insn *insns;
	size_t n;
	int err = asm_program(text, strlen(text), NULL, &insns, &n, &error);

	if (err) {
		fprintf(stderr, "%u:%u: %s\n%s\n", error.line, error.column, error.text, text);
		exit(1);
	}
	err = vm_load(k, e, &vm_hook, insns, (uint32_t)n, maps, nmaps, out);
	free(insns);
	return err;
}
