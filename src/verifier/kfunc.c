/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of kernel functions (kfuncs).
 *
 * The instruction names a function of the kernel's BTF by id; its name leads to the row in kfuncs.def.
 * Whether it may be called here, what its arguments must be (kfunc_arg.c) and what it answers follow from
 * the row's flags and from BTF; what neither tells stands in kspecials[].
 */
#include "verifier/kfunc.h"

#include <errno.h>
#include <string.h>

#include "core/dynptr.h"
#include "core/hook.h"
#include "core/vmlinux.h"
#include "verifier/path.h"

/* --- Functions with something of their own -------------------------------------------------- */

static void leave_rcu(struct reg *r, void *arg)
{
	(void)arg;
	if (!(r->flags & REG_RCU))
		return;
	r->flags &= ~(uint32_t)(REG_RCU | REG_NULLABLE);
	r->flags |= REG_UNTRUSTED;
}

static int rcu_lock(struct verifier *v, struct kcall *c)
{
	if (v->cur->active_rcu_locks)
		return reject(v, REJECT_RCU_NESTED, c->f->name);
	v->cur->active_rcu_locks++;
	return 0;
}

static int rcu_unlock(struct verifier *v, struct kcall *c)
{
	if (!v->cur->active_rcu_locks)
		return reject(v, REJECT_RCU_NONE, c->f->name);
	v->cur->active_rcu_locks--;
	state_each_reg(v->cur, leave_rcu, NULL);
	for (unsigned n = 0; n <= v->cur->cur; n++) { /* iterators live by the section, too */
		struct frame *f = v->cur->frames[n];

		for (int spi = 0; spi < f->nslots; spi++)
			if (f->stack[spi].kind[0] == SLOT_ITER)
				leave_rcu(&f->stack[spi].spilled, NULL);
	}
	return 0;
}

static int preempt_disable(struct verifier *v, struct kcall *c)
{
	(void)c;
	v->cur->active_preempt_locks++;
	return 0;
}

static int preempt_enable(struct verifier *v, struct kcall *c)
{
	if (!v->cur->active_preempt_locks)
		return reject(v, REJECT_PREEMPT_NONE, c->f->name);
	v->cur->active_preempt_locks--;
	return 0;
}

/* A resilient lock may not be had: on that way nothing is held and r0 is an error. */
static int lock_may_fail(struct verifier *v, struct kcall *c)
{
	struct state *failed = branch_push(v, c->pc + 1, c->pc);
	struct reg *regs;

	if (!failed)
		return branch_error(v);
	regs = state_frame(failed)->regs;
	for (unsigned r = R0; r <= R5; r++)
		reg_set_none(&regs[r]);
	reg_set_unknown(&regs[R0]);
	regs[R0].s.smin = regs[R0].s.smin32 = -4095;
	regs[R0].s.smax = regs[R0].s.smax32 = -1;
	scalar_sync(&regs[R0].s);
	return 0;
}

static int answer_locked(struct verifier *v, struct kcall *c, struct reg *r0)
{
	(void)v;
	(void)c;
	reg_set_const(r0, 0);
	return 0;
}

static int set_object(struct verifier *v, struct kcall *c, struct reg *r0)
{
	const struct btf *btf = v->p->btf;
	uint32_t id = (uint32_t)c->constant;
	const struct btf_type *t;

	if (c->constant > UINT32_MAX)
		return reject(v, REJECT_NEW_ID);
	if (!btf)
		return reject(v, REJECT_NEW_BTF);
	t = btf_type(&btf->data, id);
	if (!t || btf_kind(t) != BTF_STRUCT)
		return reject(v, REJECT_NEW_STRUCT);
	reg_set_pointer(r0, REG_BTF_ID, REG_ALLOC | (c->special->flags & K_PERCPU ? REG_PERCPU : 0));
	r0->btf = btf;
	r0->btf_id = id;
	return 0;
}

static int answer_refcount(struct verifier *v, struct kcall *c, struct reg *r0)
{
	(void)v;
	reg_set_pointer(r0, REG_BTF_ID, REG_ALLOC);
	r0->btf = c->arg.btf;
	r0->btf_id = c->arg.btf_id;
	return 0;
}

/* May programs of this type store into packets? */
static bool writes_packets(const struct verifier *v)
{
	return v->p->hook->pkt_write;
}

static int answer_slice(struct verifier *v, struct kcall *c, struct reg *r0)
{
	static const uint32_t flags[] = {
		[DYNPTR_SKB] = REG_DYNPTR_SKB,
		[DYNPTR_XDP] = REG_DYNPTR_XDP,
		[DYNPTR_SKB_META] = REG_DYNPTR_SKB_META,
	};
	uint32_t type = c->call.dynptr_type;
	bool rdwr = c->special->flags & K_RDWR;

	reg_set_pointer(r0, REG_MEM, (rdwr ? 0 : REG_RDONLY) | (type < 6 ? flags[type] : 0));
	r0->mem_size = (uint32_t)c->constant;
	r0->dynptr_id = c->call.dynptr_id;
	if (rdwr && !writes_packets(v))
		return reject(v, REJECT_SLICE_WRITE);
	return 0;
}

static int add_to_tree(struct verifier *v, struct kcall *c)
{
	int err = callback_enter(v, c->pc, c->call.subprog, graph_less);

	if (err)
		return err;
	return graph_give(v, c);
}

static int args_work(struct verifier *v, struct frame *caller, struct frame *callee, uint32_t pc)
{
	struct reg value = caller->regs[R1];

	(void)v;
	(void)pc;
	for (unsigned r = R1; r <= R3; r++) {
		reg_set_pointer(&callee->regs[r],
		                r == R1 ? REG_MAP : r == R2 ? REG_MAP_KEY : REG_MAP_VALUE, 0);
		callee->regs[r].map = value.map;
		callee->regs[r].map_uid = value.map_uid;
	}
	reg_set_none(&callee->regs[R4]);
	reg_set_none(&callee->regs[R5]);
	callee->in_callback = callee->in_async_callback = true;
	callee->ret_min = callee->ret_max = 0;
	return 0;
}

static int set_work(struct verifier *v, struct kcall *c)
{
	return callback_async(v, c->pc, c->call.subprog, args_work, true);
}

static const struct kspecial kspecials[] = {
	{"bpf_dynptr_clone", 0, NULL, NULL, NULL, 0},
	{"bpf_dynptr_from_skb", 0, NULL, NULL, NULL, DYNPTR_SKB},
	{"bpf_dynptr_from_skb_meta", 0, NULL, NULL, NULL, DYNPTR_SKB_META},
	{"bpf_dynptr_from_xdp", 0, NULL, NULL, NULL, DYNPTR_XDP},
	{"bpf_dynptr_slice", 0, NULL, NULL, answer_slice, 0},
	{"bpf_dynptr_slice_rdwr", K_RDWR, NULL, NULL, answer_slice, 0},
	{"bpf_iter_num_destroy", K_LOCKED_OK, NULL, NULL, NULL, 0},
	{"bpf_iter_num_new", K_LOCKED_OK, NULL, NULL, NULL, 0},
	{"bpf_iter_num_next", K_LOCKED_OK, NULL, NULL, NULL, 0},
	{"bpf_list_back", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_list_front", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_list_pop_back", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_list_pop_front", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_list_push_back_impl", K_LOCKED_OK | K_GIVES_NODE, NULL, graph_give, NULL, 0},
	{"bpf_list_push_front_impl", K_LOCKED_OK | K_GIVES_NODE, NULL, graph_give, NULL, 0},
	{"bpf_local_irq_restore", 0, NULL, NULL, NULL, 0},
	{"bpf_local_irq_save", K_SAVES_IRQ, NULL, NULL, NULL, 0},
	{"bpf_obj_drop_impl", K_LOCKED_OK | K_DROPS, NULL, NULL, NULL, 0},
	{"bpf_obj_new_impl", K_LOCKED_OK, NULL, NULL, set_object, 0},
	{"bpf_percpu_obj_drop_impl", K_DROPS | K_PERCPU, NULL, NULL, NULL, 0},
	{"bpf_percpu_obj_new_impl", K_PERCPU, NULL, NULL, set_object, 0},
	{"bpf_preempt_disable", 0, NULL, preempt_disable, NULL, 0},
	{"bpf_preempt_enable", 0, NULL, preempt_enable, NULL, 0},
	{"bpf_rbtree_add_impl", K_LOCKED_OK | K_GIVES_NODE, NULL, add_to_tree, NULL, 0},
	{"bpf_rbtree_first", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_rbtree_left", K_LOCKED_OK | K_TAKES_NODE, NULL, NULL, graph_answer, 0},
	{"bpf_rbtree_remove", K_LOCKED_OK | K_TAKES_NODE, NULL, NULL, graph_answer, 0},
	{"bpf_rbtree_right", K_LOCKED_OK | K_TAKES_NODE, NULL, NULL, graph_answer, 0},
	{"bpf_rbtree_root", K_LOCKED_OK, NULL, NULL, graph_answer, 0},
	{"bpf_rcu_read_lock", 0, NULL, rcu_lock, NULL, 0},
	{"bpf_rcu_read_unlock", 0, NULL, rcu_unlock, NULL, 0},
	{"bpf_refcount_acquire_impl", K_LOCKED_OK, NULL, NULL, answer_refcount, 0},
	{"bpf_res_spin_lock", K_LOCKED_OK | K_LOCKS, lock_may_fail, NULL, answer_locked, 0},
	{"bpf_res_spin_lock_irqsave", K_LOCKED_OK | K_LOCKS | K_IRQ_LOCK | K_SAVES_IRQ, lock_may_fail,
	 NULL, answer_locked, 0},
	{"bpf_res_spin_unlock", K_LOCKED_OK | K_UNLOCKS, NULL, NULL, NULL, 0},
	{"bpf_res_spin_unlock_irqrestore", K_LOCKED_OK | K_UNLOCKS | K_IRQ_LOCK, NULL, NULL, NULL, 0},
	{"bpf_wq_set_callback_impl", 0, NULL, set_work, NULL, 0},
};

static const struct kspecial *special_of(const char *name)
{
	static const struct kspecial none;

	for (unsigned i = 0; i < sizeof(kspecials) / sizeof(kspecials[0]); i++)
		if (!strcmp(kspecials[i].name, name))
			return &kspecials[i];
	return &none;
}

/* --- May it be called here ----------------------------------------------------------------- */

static int callable_here(struct verifier *v, const struct kcall *c)
{
	const struct state *s = v->cur;
	bool sleeps = c->f->flags & KFUNC_SLEEPABLE;

	if (s->active_locks && !(c->special->flags & K_LOCKED_OK))
		return reject(v, REJECT_CALL_LOCKED);
	if (!(c->f->types & v->p->hook->type_bit))
		return reject(v, REJECT_KFUNC_TYPE, c->f->name);
	if (sleeps && !s->in_sleepable)
		return reject(v, REJECT_KFUNC_SLEEPS, c->f->name);
	return 0;
}

static int sections_allow(struct verifier *v, const struct kcall *c)
{
	const struct state *s = v->cur;
	bool sleeps = c->f->flags & KFUNC_SLEEPABLE;

	if (c->f->flags & KFUNC_RCU_PROTECTED && !state_in_rcu(v))
		return reject(v, REJECT_KFUNC_NEEDS_RCU, c->f->name);
	if (sleeps && s->active_rcu_locks)
		return reject(v, REJECT_KFUNC_SLEEPS_IN, c->f->name, "rcu_read_lock");
	if (sleeps && s->active_preempt_locks)
		return reject(v, REJECT_KFUNC_SLEEPS_IN, c->f->name, "non-preemptible");
	if (sleeps && s->active_irq_id)
		return reject(v, REJECT_KFUNC_SLEEPS_IN, c->f->name, "IRQ-disabled");
	return 0;
}

/* --- What it answers ----------------------------------------------------------------------- */

static int answer_pointer(struct verifier *v, struct kcall *c, const struct btf_type *ptr,
                          struct reg *r0)
{
	const struct btf_data *b = &c->btf->data;
	uint32_t id = btf_skip_modifiers(b, ptr->type);
	const struct btf_type *t = btf_type(b, id);

	if (t && (btf_kind(t) == BTF_STRUCT || btf_kind(t) == BTF_UNION)) {
		reg_set_pointer(r0, REG_BTF_ID, 0);
		r0->btf = c->btf;
		r0->btf_id = id;
		if (c->f->flags & KFUNC_RCU_PROTECTED)
			r0->flags |= REG_RCU;
		else if (c->f->flags & KFUNC_ITER_NEXT)
			r0->flags |= c->iter_frame->stack[c->iter_spi].spilled.flags & REG_RCU
			                     ? REG_RCU
			                     : REG_TRUSTED;
		return 0;
	}
	/* An address that leads nowhere in particular is a number. */
	if (!id) {
		reg_set_unknown(r0);
		return 0;
	}
	if (!t || b->size[id] == BTF_NO_SIZE)
		return reject(v, REJECT_KFUNC_RETURN, c->f->name, t ? btf_kind_name(btf_kind(t)) : "UNKNOWN",
		              t ? btf_string(b, t->name) : "");
	reg_set_pointer(r0, REG_MEM, REG_RDONLY);
	r0->mem_size = b->size[id];
	r0->ref_id = c->ref_id;
	return 0;
}

static int answer_type(struct verifier *v, struct kcall *c, struct reg *r0)
{
	const struct btf_data *b = &c->btf->data;
	const struct btf_type *t = btf_type(b, btf_skip_modifiers(b, c->proto->type));

	if (c->special->answer)
		return c->special->answer(v, c, r0);
	if (!t) {
		reg_set_none(r0);
		return 0;
	}
	if (btf_kind(t) == BTF_PTR)
		return answer_pointer(v, c, t, r0);
	reg_set_unknown(r0);
	return 0;
}

static int answer(struct verifier *v, struct kcall *c)
{
	struct reg *r0 = &cur_regs(v)[R0];
	int err = answer_type(v, c, r0);

	if (err || r0->kind == REG_NONE || r0->kind == REG_SCALAR)
		return err;
	if (c->f->flags & KFUNC_RET_NULL && !(c->special->answer == answer_refcount && c->owning)) {
		r0->flags |= REG_NULLABLE;
		r0->id = new_id(v);
	}
	if (c->f->flags & KFUNC_ACQUIRE) {
		err = ref_acquire(v, c->pc, &r0->ref_id);
		if (reg_nullable(r0))
			r0->id = r0->ref_id;
	}
	return err;
}

/* --- The call ------------------------------------------------------------------------------ */

static int act(struct verifier *v, struct kcall *c)
{
	int err = c->special->effect ? c->special->effect(v, c) : 0;

	if (err)
		return err;
	if (c->release && !ref_release(v, cur_regs(v)[c->release].ref_id))
		return reject(v, REJECT_KFUNC_RELEASE, c->f->name);
	return 0;
}

int call_kfunc(struct verifier *v, uint32_t pc)
{
	const struct btf *btf = vmlinux(v->p->obj.k);
	const struct kfunc *f = &v->p->obj.k->reg.kfuncs[v->ref[pc]]; /* kfunc_find.c */
	const struct btf_type *func = btf_type(&btf->data, (uint32_t)v->insns[pc].imm);
	struct kcall c = {.f = f, .btf = btf, .pc = pc, .call = {.fact = helper_fact(0)}};
	int err;

	c.special = special_of(f->name);
	c.proto = btf_type(&btf->data, func->type);
	err = callable_here(v, &c);
	if (!err && c.special->check)
		err = c.special->check(v, &c);
	if (!err)
		err = kfunc_args(v, &c);
	if (!err)
		err = sections_allow(v, &c);
	if (!err)
		err = act(v, &c);
	if (err)
		return err;
	reg_clobber_call(v);
	err = answer(v, &c);
	if (!err && f->flags & KFUNC_ITER_NEXT)
		err = iter_next(v, &c);
	return err;
}
