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

#include "base/buf.h"
#include "verifier/state.h"

static int (*const passes[])(struct verifier *) = {
	subprog_find,   /* operations, functions: who is called, where they begin */
	subprog_layout, /* jumps stay inside functions, functions end */
	info_match,     /* func_info and line_info are about these functions */
	refs_resolve,   /* opcodes exist, wide loads are whole, maps are there */
	cfg_check,      /* every instruction can be reached, none in its middle */
	insn_check_all, /* reserved fields, registers, helpers */
	track,          /* which registers hold the context, the frame, a map */
	ctx_check,      /* accesses to the context and the stack */
	stack_check,    /* depth of calls, bytes of stack */
	fixup,          /* the translated program */
};

/* One block for all the arrays with an entry an instruction. */
static int begin(struct verifier *v)
{
	size_t each = sizeof(v->ref[0]) + sizeof(v->op[0]) + sizeof(v->mark[0]);

	v->ref = mem_zalloc_array(v->mem, v->n, each);
	if (!v->ref)
		return -ENOMEM;
	v->op = (uint8_t *)(v->ref + v->n);
	v->mark = v->op + v->n;
	return 0;
}

static void end(struct verifier *v)
{
	mem_free(v->mem, v->ref);
	mem_free(v->mem, v->subprogs);
}

/*
 * The line that ends every log of the kernel's, which tools look for. An instruction counts as
 * processed when its effect on values was followed: so far none is.
 */
static void log_statistics(const struct verify_env *env)
{
	if (env->log && env->log_level)
		buf_puts(env->log, "processed 0 insns (limit 1000000) max_states_per_insn 0 "
		                   "total_states 0 peak_states 0 mark_read 0\n");
}

int verify(struct prog *p, const struct verify_env *env)
{
	struct verifier v = {
		.p = p,
		.env = env,
		.mem = &p->obj.k->mem,
		.insns = p->orig,
		.n = p->norig,
	};
	int err = begin(&v);

	for (unsigned i = 0; !err && i < sizeof(passes) / sizeof(passes[0]); i++)
		err = passes[i](&v);
	end(&v);
	log_statistics(env);
	return err;
}
