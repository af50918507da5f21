/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of helpers, checked against the kinds in the helper's row before the call.
 *
 * A helper trusts its arguments as it may after verification; what this file lets through, it may rely
 * on. A kind that cannot be established at run time (kernel objects, dynptrs) is refused.
 *
 * Requires: checked.h, struct helper.
 */
#include "core/helper.h"
#include "exec/checked.h"

/* One call under examination. */
struct call {
	struct run *run;
	const struct prog *prog;
	const struct step *step;
	const struct helper *row;
	const uint64_t *regs;
	const struct map *map; /* the map argument seen so far */
};

static bool bad(const struct call *c, const char *what)
{
	run_fault(c->run, c->prog, c->step, what);
	return false;
}

static bool check_mem(const struct call *c, uint64_t addr, uint64_t size, bool write)
{
	const char *why;

	if (run_resolve(c->run, c->prog, addr, size, write, &why) >= 0)
		return true;
	run_fault_at(c->run, c->prog, c->step, why, addr, size, write);
	return false;
}

static bool is_map(struct map *m, void *arg)
{
	return m == arg;
}

/* The map at this address, if the program may use it: its own, or one in a map-in-map of its own. */
static const struct map *map_of_prog(const struct prog *p, uint64_t reg)
{
	struct map *m = (struct map *)(uintptr_t)reg;

	return map_any(p->maps, p->nmaps, is_map, m) ? m : NULL;
}

static bool check_func(const struct call *c, uint64_t reg)
{
	const struct prog *p = c->prog;

	for (uint32_t f = 0; f < p->nfuncs; f++)
		if ((uintptr_t)&p->funcs[f].cb == reg)
			return true;
	return bad(c, "the argument is no function of this program");
}

static bool begins_record(struct map *m, void *arg)
{
	uintptr_t reg = *(const uint64_t *)arg;
	struct region r;

	return m->ops->ring_finish && m->ops->region(m, reg, &r) && r.start == reg;
}

/* A record of a ring buffer that is still reserved: the whole of one, from its start. */
static bool check_record(const struct call *c, uint64_t reg)
{
	if (map_any(c->prog->maps, c->prog->nmaps, begins_record, &reg))
		return true;
	return bad(c, "the argument is no reserved ring buffer record");
}

/* A string in memory that the program may read, its NUL included. */
static bool check_string(const struct call *c, uint64_t reg)
{
	for (uint64_t at = reg;; at++) {
		if (!check_mem(c, at, 1, false))
			return false;
		if (!*(const char *)(uintptr_t)at)
			return true;
	}
}

static bool check_sized(const struct call *c, unsigned i, bool or_null, bool write)
{
	uint64_t addr = c->regs[R1 + i], size = c->regs[R1 + i + 1];

	if (or_null && !addr && !size)
		return true;
	if (!size)
		return ARG_KIND(c->row->arg[i + 1]) == ARG_SIZE_OR_ZERO || bad(c, "a size of 0");
	return check_mem(c, addr, size, write);
}

static bool check_map_data(const struct call *c, uint64_t addr, enum arg_kind kind)
{
	uint64_t size;

	if (kind == ARG_MAP_VALUE_OR_NULL && !addr)
		return true;
	if (!c->map)
		return bad(c, "no map argument before the key or value");
	size = kind == ARG_MAP_KEY ? c->map->key_size : c->map->value_size;
	return !size || check_mem(c, addr, size, kind == ARG_UNINIT_MAP_VALUE);
}

static bool check_arg(struct call *c, unsigned i)
{
	enum arg_kind kind = ARG_KIND(c->row->arg[i]);
	uint64_t reg = c->regs[R1 + i];

	switch (kind) {
	case ARG_NONE:
	case ARG_ANY:
	case ARG_SIZE: /* with the pointer before it */
	case ARG_SIZE_OR_ZERO:
	case ARG_ALLOC_SIZE_OR_ZERO:
	case ARG_STACK_OR_NULL: /* handed on to the callback, which is checked too */
		return true;
	case ARG_MAP:
		c->map = map_of_prog(c->prog, reg);
		return c->map || bad(c, "the argument is no map of this program");
	case ARG_MAP_KEY:
	case ARG_MAP_VALUE:
	case ARG_MAP_VALUE_OR_NULL:
	case ARG_UNINIT_MAP_VALUE:
		return check_map_data(c, reg, kind);
	case ARG_MEM:
	case ARG_MEM_OR_NULL:
		return check_sized(c, i, kind == ARG_MEM_OR_NULL, false);
	case ARG_UNINIT_MEM:
	case ARG_UNINIT_MEM_OR_NULL:
	case ARG_WRITE_MEM:
		return check_sized(c, i, kind == ARG_UNINIT_MEM_OR_NULL, true);
	case ARG_FIXED_MEM:
	case ARG_UNINIT_FIXED_MEM:
		return check_mem(c, reg, ARG_FIXED_SIZE(c->row->arg[i]),
		                 kind == ARG_UNINIT_FIXED_MEM);
	case ARG_CTX:
	case ARG_CTX_OR_NULL:
		return reg == (uintptr_t)c->run->cpu->ctx || (kind == ARG_CTX_OR_NULL && !reg) ||
		       bad(c, "the argument is not the context");
	case ARG_FUNC:
		return check_func(c, reg);
	case ARG_RINGBUF_MEM:
		return check_record(c, reg);
	case ARG_CONST_STR:
		return check_string(c, reg);
	default:
		/* The verifier's word is all there is for objects of the kernel's. */
		return c->prog->trusted || bad(c, "an argument of this kind cannot be checked");
	}
}

bool call_ok(struct run *run, const struct prog *p, const struct step *s, const uint64_t *regs)
{
	struct call c = {
		.run = run,
		.prog = p,
		.step = s,
		.row = helper_find(p->obj.k, s->imm),
		.regs = regs,
	};

	for (unsigned i = 0; i < 5 && c.row->arg[i]; i++)
		if (!check_arg(&c, i))
			return false;
	run->helper = (uint32_t)s->imm;
	run->map = c.map;
	return true;
}

void call_done(struct run *run, const struct step *s, const uint64_t *regs)
{
	const struct helper *h = helper_find(run->cpu->k, s->imm);

	if (h->flags & HELPER_CHANGES_PKT)
		run_forget_hook(run);
	if (h->ret == RET_FIXED_MEM_OR_NULL && regs[R0])
		run_set_slot(run, SLOT_GIVEN + run->given++ % GIVEN_SLOTS,
		             &(struct region){regs[R0], h->ret_size, true, h->name});
	run->helper = 0;
	run->map = NULL;
}

bool kfunc_ok(struct run *run, const struct prog *p, const struct step *s)
{
	if (p->trusted)
		return true;
	run_fault(run, p, s, "arguments of a kernel function cannot be checked");
	return false;
}

bool tail_call_ok(struct run *run, const struct prog *p, const struct step *s, const uint64_t *regs)
{
	const struct map *m = map_of_prog(p, regs[R2]);

	if (!m || m->type != BPF_MAP_TYPE_PROG_ARRAY) {
		run_fault(run, p, s, "r2 is no prog array of this program");
		return false;
	}
	if (regs[R1] != (uintptr_t)run->cpu->ctx) {
		run_fault(run, p, s, "r1 is not the context");
		return false;
	}
	return true;
}
