/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's table of contents: its passes, in the order in which the kernel would find a
 * fault.
 *
 * Each pass walks over the program at a cost linear in its length, reads what the passes before it
 * noted in struct verifier, and ends the verification by answering an errno. The last one makes the
 * translated program; there nothing but memory can be missing any more.
 */
#include "verifier/verify.h"

#include <errno.h>

#include "core/caps.h"
#include "verifier/path.h"

typedef int (*pass)(struct verifier *);

static const pass structure[] = {
	subprog_find,   /* operations, functions: who is called, where they begin */
	subprog_layout, /* jumps stay inside functions, functions end */
	info_match,     /* func_info and line_info are about these functions */
	refs_resolve,   /* opcodes exist, wide loads are whole, maps are there */
	back_edges,     /* no loops, unless the loader may have them */
	cfg_check,      /* every instruction can be reached, none in its middle */
	NULL,
};

/* What makes a program safe. */
static const pass values[] = {
	points,      /* where states are compared, which registers are live */
	walk_paths,    /* all paths: registers, memory, calls, loops */
	calls_present, /* helpers and kernel functions that Skep has not got */
	walk_notes,  /* what the walk found at each instruction, for fixup */
	arena_registers, /* for accesses to an arena */
	stack_check, /* depth of calls, bytes of stack */
	NULL,
};

/* Instead, where the user trusts the program: what translation must know, by a light look. */
static const pass trusting[] = {
	insn_check_all, /* reserved fields, registers, helpers */
	calls_present,
	track,          /* which registers hold the context, the frame, a map */
	ctx_check,      /* accesses to the context and the stack */
	stack_check,
	NULL,
};

static const pass translation[] = {
	fixup, /* the translated program */
	NULL,
};

static int run(struct verifier *v, const pass *list)
{
	int err = 0;

	for (; !err && *list; list++)
		err = (*list)(v);
	return err;
}

static size_t per_insn(const struct verifier *v)
{
	return ((size_t)v->n + 2) * (sizeof(v->notes[0]) + sizeof(v->ref[0]) + sizeof(v->op[0]) +
	                             sizeof(v->mark[0]));
}

/* One block for all the arrays with an entry an instruction. */
static int begin(struct verifier *v)
{
	log_start(v);
	v->notes = mem_dense(v->mem, per_insn(v));
	if (!v->notes)
		return -ENOMEM;
	v->ref = (uint16_t *)(v->notes + v->n + 2);
	v->op = (uint8_t *)(v->ref + v->n);
	v->mark = v->op + v->n;
	return 0;
}

static void end(struct verifier *v)
{
	walk_end(v);
	mem_dense_free(v->mem, v->notes, per_insn(v));
	mem_free(v->mem, v->subprogs);
}

int verify(struct prog *p, const struct verify_env *env)
{
	struct verifier v = {
		.p = p,
		.env = env,
		.mem = &p->obj.k->mem,
		.insns = p->orig,
		.n = p->norig,
		.allow_ptr_leaks = capable(p->caps, CAPABLE_PERFMON),
		.allow_uninit_stack = capable(p->caps, CAPABLE_PERFMON),
		.bypass_spec = capable(p->caps, CAPABLE_PERFMON),
		.bpf_capable = capable(p->caps, CAPABLE_BPF),
		.strict_align = p->flags & BPF_F_STRICT_ALIGNMENT,
	};
	int err = begin(&v);

	if (!err)
		err = run(&v, structure);
	if (!err)
		v.trust = env->trust && !v.arena; /* who points into an arena, only the walk knows */
	if (!err)
		err = run(&v, v.trust ? trusting : values);
	if (!err)
		err = run(&v, translation);
	log_stats(&v);
	end(&v);
	if (!err && !v.trust)
		p->trusted = true;
	return err;
}
