/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions: entering, leaving, calling back.
 *
 * A static function is walked into at each call, with a frame of its own. A global one, which BTF
 * describes, is verified once by itself for all arguments of its types; a call only has to pass such
 * arguments. A callback is walked as a branch that ends where it began, at the call, until nothing new
 * happens; one that runs at some other time is a path of its own.
 *
 * Provides: call_func(), step_return(), callback_enter(), callback_async(), func_entry().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/btf.h"
#include "verifier/call.h"
#include "verifier/path.h"

const char *func_name(const struct verifier *v, uint32_t func)
{
	const struct prog *p = v->p;
	const struct btf_type *t = NULL;
	const char *name = NULL;

	if (p->btf && func < p->nfunc_infos)
		t = btf_type(&p->btf->data, p->func_infos[func].type_id);
	if (t)
		name = btf_string(&p->btf->data, t->name);
	return name ? name : "";
}

/* --- Arguments of global functions -------------------------------------------------------- */

enum arg_class { CLASS_NUMBER, CLASS_CTX, CLASS_MEM, CLASS_OTHER };

/* What programs of a type call their context. */
static const struct {
	uint32_t type;
	const char *name;
} ctx_names[] = {
	{BPF_PROG_TYPE_SOCKET_FILTER, "__sk_buff"}, {BPF_PROG_TYPE_SCHED_CLS, "__sk_buff"},
	{BPF_PROG_TYPE_SCHED_ACT, "__sk_buff"},     {BPF_PROG_TYPE_XDP, "xdp_md"},
	{BPF_PROG_TYPE_CGROUP_SKB, "__sk_buff"},    {BPF_PROG_TYPE_CGROUP_SOCK, "bpf_sock"},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "bpf_sock_addr"}, {BPF_PROG_TYPE_LWT_IN, "__sk_buff"},
	{BPF_PROG_TYPE_LWT_OUT, "__sk_buff"},       {BPF_PROG_TYPE_LWT_XMIT, "__sk_buff"},
	{BPF_PROG_TYPE_LWT_SEG6LOCAL, "__sk_buff"}, {BPF_PROG_TYPE_SOCK_OPS, "bpf_sock_ops"},
	{BPF_PROG_TYPE_SK_SKB, "__sk_buff"},        {BPF_PROG_TYPE_SK_MSG, "sk_msg_md"},
	{BPF_PROG_TYPE_FLOW_DISSECTOR, "__sk_buff"}, {BPF_PROG_TYPE_KPROBE, "bpf_user_pt_regs_t"},
	{BPF_PROG_TYPE_PERF_EVENT, "bpf_perf_event_data"},
	{BPF_PROG_TYPE_RAW_TRACEPOINT, "bpf_raw_tracepoint_args"},
	{BPF_PROG_TYPE_CGROUP_SYSCTL, "bpf_sysctl"}, {BPF_PROG_TYPE_CGROUP_SOCKOPT, "bpf_sockopt"},
	{BPF_PROG_TYPE_SK_REUSEPORT, "sk_reuseport_md"}, {BPF_PROG_TYPE_SK_LOOKUP, "bpf_sk_lookup"},
	{BPF_PROG_TYPE_CGROUP_DEVICE, "bpf_cgroup_dev_ctx"},
	{BPF_PROG_TYPE_NETFILTER, "bpf_nf_ctx"},
};

static bool is_ctx_name(const struct prog *p, const char *name)
{
	for (size_t k = 0; name && k < sizeof(ctx_names) / sizeof(ctx_names[0]); k++)
		if (ctx_names[k].type == p->type && !strcmp(ctx_names[k].name, name))
			return true;
	return false;
}

static const struct btf_type *prototype(const struct verifier *v, uint32_t func)
{
	const struct btf_data *b = v->p->btf ? &v->p->btf->data : NULL;
	const struct btf_type *t = b ? btf_type(b, v->p->func_infos[func].type_id) : NULL;

	return t ? btf_type(b, t->type) : NULL;
}

static enum arg_class classify(const struct verifier *v, uint32_t id, uint32_t *size)
{
	const struct btf_data *b = &v->p->btf->data;
	const struct btf_type *t = btf_type(b, btf_skip_modifiers(b, id)), *to, *named;

	if (!t)
		return CLASS_OTHER;
	if (btf_kind(t) == BTF_INT || btf_kind(t) == BTF_ENUM || btf_kind(t) == BTF_ENUM64)
		return CLASS_NUMBER;
	if (btf_kind(t) != BTF_PTR)
		return CLASS_OTHER;
	named = btf_type(b, t->type);
	while (named && (btf_kind(named) == BTF_CONST || btf_kind(named) == BTF_VOLATILE))
		named = btf_type(b, named->type);
	id = btf_skip_modifiers(b, t->type);
	to = btf_type(b, id);
	if (named && is_ctx_name(v->p, btf_string(b, named->name)))
		return CLASS_CTX;
	if (to && is_ctx_name(v->p, btf_string(b, to->name)))
		return CLASS_CTX;
	if (!to || b->size[id] == BTF_NO_SIZE)
		return CLASS_OTHER;
	*size = b->size[id];
	return CLASS_MEM;
}

/* Registers at the start of the function that is walked: of main, or as BTF promises. */
int func_entry(struct verifier *v, uint32_t func, struct frame *f)
{
	const struct btf_type *proto;
	const struct btf_param *args;

	if (!func) {
		reg_set_pointer(&f->regs[R1], REG_CTX, 0);
		scalar_set_const(&f->regs[R1].s, 0);
		return 0;
	}
	proto = prototype(v, func);
	if (!proto)
		return -EINVAL;
	args = btf_rest(proto);
	if (btf_vlen(proto) > 5)
		return reject(v, REJECT_GLOBAL_ARGS, func_name(v, func), btf_vlen(proto), 5);
	for (unsigned a = 0; a < btf_vlen(proto); a++) {
		struct reg *r = &f->regs[R1 + a];
		uint32_t size = 0;

		switch (classify(v, args[a].type, &size)) {
		case CLASS_NUMBER:
			reg_set_unknown(r);
			break;
		case CLASS_CTX:
			reg_set_pointer(r, REG_CTX, 0);
			scalar_set_const(&r->s, 0);
			break;
		case CLASS_MEM:
			reg_set_pointer(r, REG_MEM, REG_NULLABLE);
			scalar_set_const(&r->s, 0);
			r->mem_size = size;
			r->id = new_id(v);
			break;
		default:
			return reject(v, REJECT_GLOBAL_KIND, a, "PTR", func_name(v, func));
		}
	}
	return 0;
}

static int check_args(struct verifier *v, uint32_t func)
{
	const struct btf_type *proto = prototype(v, func);
	const struct btf_param *args = proto ? btf_rest(proto) : NULL;
	int err = proto && func ? 0 : -EINVAL; /* nobody calls the main program */

	for (unsigned a = 0; !err && a < btf_vlen(proto) && a < 5; a++) {
		const struct reg *r = &cur_regs(v)[R1 + a];
		uint32_t size = 0;

		err = reg_readable(v, R1 + a);
		if (err)
			return err;
		switch (classify(v, args[a].type, &size)) {
		case CLASS_NUMBER:
			if (r->kind != REG_SCALAR)
				err = reject(v, REJECT_KARG_SCALAR, R1 + a);
			break;
		case CLASS_CTX:
			if (r->kind != REG_CTX)
				err = reject(v, REJECT_ARG_TYPE, R1 + a, reg_kind_text(v, r), "ctx");
			else
				err = mem_plain_pointer(v, r, R1 + a, false);
			break;
		case CLASS_MEM:
			err = mem_object(v, R1 + a, size);
			break;
		default:
			err = reject(v, REJECT_GLOBAL_KIND, a, "PTR", func_name(v, func));
		}
	}
	return err ? reject(v, REJECT_GLOBAL_ARG, func, func_name(v, func)) : 0;
}

/* --- Calls -------------------------------------------------------------------------------- */

/* A new frame on top of s, with nothing but r10. */
static int push_frame(struct verifier *v, struct state *s, uint32_t pc, uint32_t func)
{
	struct frame *f;

	if (s->cur + 1 >= MAX_CALL_DEPTH)
		return reject(v, REJECT_CALL_DEPTH, s->cur + 2);
	f = frame_new(v);
	if (!f)
		return -ENOMEM;
	s->frames[++s->cur] = f;
	for (unsigned r = 0; r < NREGS; r++)
		reg_set_none(&f->regs[r]);
	reg_set_pointer(&f->regs[R10], REG_STACK, 0);
	scalar_set_const(&f->regs[R10].s, 0);
	f->regs[R10].frame = s->cur;
	f->number = s->cur;
	f->callsite = pc;
	f->subprog = func;
	return 0;
}

static int call_global(struct verifier *v, uint32_t *pc, uint32_t func)
{
	struct subprog *s = &v->subprogs[func];
	int err;

	if (v->cur->active_locks) {
		reject(v, REJECT_GLOBAL_LOCKED);
		return reject(v, REJECT_GLOBAL_STATIC);
	}
	err = check_args(v, func);
	if (err)
		return err;
	if (log_wanted(v, 3))
		log_say(v, "Func#%u ('%s') is global and assumed valid.\n", func, func_name(v, func));
	if (s->changes_packet)
		packet_forget(v);
	s->called = true;
	reg_clobber_call(v);
	reg_set_unknown(&cur_regs(v)[R0]);
	++*pc;
	return 0;
}

int call_func(struct verifier *v, uint32_t *pc)
{
	uint32_t func = v->ref[*pc];
	struct frame *caller = cur_frame(v);
	int err;

	if (v->subprogs[func].is_global && v->p->nfunc_infos)
		return call_global(v, pc, func);
	err = push_frame(v, v->cur, *pc, func);
	if (err)
		return err;
	for (unsigned r = R1; r <= R5; r++)
		cur_regs(v)[r] = caller->regs[r];
	for (unsigned r = R0; r <= R5; r++)
		reg_set_none(&caller->regs[r]);
	if (log_wanted(v, 3)) {
		log_say(v, "caller:\n");
		log_state(v, v->cur, v->cur->cur - 1u, true);
		log_say(v, "callee:\n");
		log_state(v, v->cur, v->cur->cur, true);
	}
	scratch_all(v);
	*pc = v->subprogs[func].start;
	return 0;
}

int callback_enter(struct verifier *v, uint32_t pc, uint32_t subprog, callback_args args)
{
	struct state *s = branch_push(v, v->subprogs[subprog].start, pc);
	int err;

	if (!s)
		return branch_error(v);
	v->subprogs[subprog].is_callback = true;
	err = push_frame(v, s, pc, subprog);
	if (err)
		return err;
	state_frame(s)->in_callback = true;
	err = args(v, s->frames[s->cur - 1], state_frame(s), pc);
	if (err)
		return err;
	s->unroll_depth++;
	s->frames[s->cur - 1]->callback_depth++;
	cur_frame(v)->callback_depth = 0;
	return 0;
}

int callback_async(struct verifier *v, uint32_t pc, uint32_t subprog, callback_args args,
                   bool sleepable)
{
	struct state *s = branch_push(v, v->subprogs[subprog].start, pc);
	struct frame *caller = cur_frame(v), *f;

	if (!s)
		return branch_error(v);
	for (unsigned i = 0; i <= s->cur; i++) {
		frame_free(v, s->frames[i]);
		s->frames[i] = NULL;
	}
	s->nrefs = 0;
	s->active_locks = s->active_preempt_locks = s->active_rcu_locks = 0;
	s->active_irq_id = s->active_lock_id = 0;
	s->active_lock_ptr = NULL;
	s->in_sleepable = sleepable;
	s->cur = 0;
	f = s->frames[0] = frame_new(v);
	if (!f)
		return -ENOMEM;
	for (unsigned r = 0; r < NREGS; r++)
		reg_set_none(&f->regs[r]);
	reg_set_pointer(&f->regs[R10], REG_STACK, 0);
	scalar_set_const(&f->regs[R10].s, 0);
	f->subprog = subprog;
	f->callsite = UINT32_MAX;
	f->in_async_callback = true;
	f->async_entries = caller->async_entries + 1;
	return args(v, caller, f, pc);
}

/* --- Leaving ------------------------------------------------------------------------------ */

/* "At program exit the register R0 has smin=5 should have been in [0, 4]" */
static int reject_range(struct verifier *v, const struct reg *r, const char *where, int32_t min,
                        int32_t max)
{
	char known[80] = "";
	int at = 0;

	if (r->s.smin > INT64_MIN)
		at += snprintf(known, sizeof(known), " smin=%lld", (long long)r->s.smin);
	if (r->s.smax < INT64_MAX)
		at += snprintf(known + at, sizeof(known) - (size_t)at, " smax=%lld",
		               (long long)r->s.smax);
	if (!at)
		strcpy(known, " unknown scalar value");
	return reject(v, REJECT_RETURN_RANGE, where, R0, known, min, max);
}

static bool in_range(const struct reg *r, int32_t min, int32_t max)
{
	return r->s.smin >= min && r->s.smax <= max;
}

static int check_result(struct verifier *v)
{
	struct frame *f = cur_frame(v);
	struct reg *r = &f->regs[R0];
	int32_t min = 0, max = 0;
	bool ranged = f->in_async_callback || hook_ret_range(v->p, &min, &max);
	const char *where = f->in_async_callback ? "At async callback return" : "At program exit";
	int err = reg_readable(v, R0);

	if (err)
		return err;
	if (!v->allow_ptr_leaks && r->kind != REG_SCALAR)
		return reject(v, REJECT_LEAKS_ADDR, R0);
	if (f->in_async_callback)
		min = max = 0;
	else if (f->subprog)
		return r->kind == REG_SCALAR ? 0
		                             : reject(v, REJECT_RETURN_SUBPROG, R0,
		                                      reg_kind_text(v, r));
	if (!ranged)
		return 0;
	if (r->kind != REG_SCALAR)
		return reject(v, REJECT_RETURN_POINTER, where, R0, reg_kind_text(v, r));
	err = precise_mark(v, R0);
	if (!err && !in_range(r, min, max))
		err = reject_range(v, r, where, min, max);
	return err;
}

static int leave(struct verifier *v, uint32_t *pc)
{
	struct state *s = v->cur;
	struct frame *callee = state_frame(s), *caller = s->frames[s->cur - 1];
	struct reg *r0 = &callee->regs[R0];
	struct state *before;
	bool callback = callee->in_callback;
	int err;

	if (r0->kind == REG_STACK)
		return reject(v, REJECT_RETURN_STACK);
	if (callback) {
		if (r0->kind != REG_SCALAR)
			return reject(v, REJECT_CALLBACK_RETURN, R0);
		err = precise_mark(v, R0);
		if (err)
			return err;
		if (!in_range(r0, callee->ret_min, callee->ret_max))
			return reject_range(v, r0, "At callback return", callee->ret_min,
			                    callee->ret_max);
	} else {
		caller->regs[R0] = *r0;
	}
	*pc = callback ? callee->callsite : callee->callsite + 1;
	if (log_wanted(v, 3)) {
		log_say(v, "returning from callee:\n");
		log_state(v, s, s->cur, true);
		log_say(v, "to caller at %u:\n", *pc);
		log_state(v, s, s->cur - 1u, true);
		scratch_none(v);
	}
	s->frames[s->cur--] = NULL;
	frame_free(v, callee);
	before = callback ? state_before(v, s, *pc) : NULL;
	if (before)
		state_widen(v, before, s);
	v->walk->print_state = true;
	return 0;
}

int step_return(struct verifier *v, uint32_t *pc)
{
	int err = refs_check_exit(v, false);

	if (err)
		return err;
	if (v->cur->cur)
		return leave(v, pc);
	err = check_result(v);
	return err ? err : 1;
}
