/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helpers.
 *
 * Everything is in the helper's row: may it be called here (locks, sleeping); do the arguments fit, one
 * by one (call_arg.c); do map and helper fit (call_map.c); then what it does to the world: releases,
 * moves the packet, calls back (callback.c); and what r0 is afterwards. What only the verifier asks of a
 * helper stands in helper_facts.def.
 */
#include "verifier/call.h"

#include <errno.h>

#include "core/dynptr.h"
#include "core/uapi.h"
#include "core/vmlinux.h"
#include "verifier/btf_ptr.h"

static const struct helper_fact facts[] = {
#define PKT FACT_PKT
#define CAST FACT_CAST
#define STRING FACT_STRING
#define RINGBUF FACT_RINGBUF
#define MUTATES FACT_MUTATES
#define WRITES_MAP FACT_WRITES_MAP
#define FACT(id, flags, ret, arg) [id] = {flags, ret, arg},
#include "verifier/helper_facts.def"
#undef FACT
#undef PKT
#undef CAST
#undef STRING
#undef RINGBUF
#undef MUTATES
#undef WRITES_MAP
};

const struct helper_fact *helper_fact(uint32_t id)
{
	static const struct helper_fact none;

	return id < sizeof(facts) / sizeof(facts[0]) ? &facts[id] : &none;
}

/* May any helper, or one that may sleep, be called where we are? */
static int callable_here(struct verifier *v, const struct call *c)
{
	const struct state *s = v->cur;
	bool sleeps = c->h->flags & HELPER_MIGHT_SLEEP;

	if (s->active_locks && c->id != HELPER_SPIN_UNLOCK)
		return reject(v, REJECT_CALL_LOCKED);
	if (sleeps && !s->in_sleepable)
		return reject(v, REJECT_CALL_SLEEPS);
	if (sleeps && s->active_rcu_locks)
		return reject(v, REJECT_CALL_SLEEPS_RCU, c->h->name, c->id);
	if (sleeps && s->active_preempt_locks)
		return reject(v, REJECT_CALL_SLEEPS_PREEMPT, c->h->name, c->id);
	if (sleeps && s->active_irq_id)
		return reject(v, REJECT_CALL_SLEEPS_IRQ, c->h->name, c->id);
	return 0;
}

/* What the fix-up pass must know: the one map that is passed here on every path. */
static void note_map(struct verifier *v, const struct call *c, uint32_t pc)
{
	struct note *note = &v->notes[pc];

	if (!c->map)
		return;
	if (note->flags & NOTE_CALLS_MANY)
		return;
	if (note->map && note->map != c->map) {
		note->flags |= NOTE_CALLS_MANY;
		note->map = NULL;
		return;
	}
	note->map = c->map;
}

static int release(struct verifier *v, const struct call *c)
{
	const struct reg *r = &cur_regs(v)[c->release];

	if (!c->release)
		return 0;
	if (ARG_KIND(c->h->arg[c->release - R1]) == ARG_DYNPTR)
		return dynptr_unmark(v, c->release);
	if (c->ref_id && ref_release(v, c->ref_id))
		return 0;
	if (reg_is_null(r))
		return 0;
	return reject(v, REJECT_RELEASE_UNKNOWN, c->h->name, c->id);
}

/* --- Helpers with a rule of their own ------------------------------------------------------ */

static int rule_tail_call(struct verifier *v, const struct call *c)
{
	(void)c;
	return ref_check(v, false, true, "tail_call");
}

static int rule_local_storage(struct verifier *v, const struct call *c)
{
	(void)c;
	return reg_is_null(&cur_regs(v)[R2]) ? 0 : reject(v, REJECT_LOCAL_STORAGE);
}

static int rule_snprintf(struct verifier *v, const struct call *c)
{
	const struct reg *len = &cur_regs(v)[R5];
	const char *format;
	int err = 0;

	(void)c;
	format = call_string(v, R3, &err);
	if (err)
		return err;
	if (!tnum_is_const(len->s.var) || len->s.var.value % 8)
		return -EINVAL;
	return format_fits(format, (unsigned)(len->s.var.value / 8)) ? 0 : reject(v, REJECT_FORMAT);
}

static int rule_dynptr_from_mem(struct verifier *v, const struct call *c)
{
	const struct reg *r = &cur_regs(v)[R1];

	(void)c;
	return r->kind == REG_MAP_VALUE ? 0 : reject(v, REJECT_DYNPTR_MEM, reg_kind_text(v, r));
}

static const struct {
	uint32_t helper;
	int (*check)(struct verifier *v, const struct call *c);
} rules[] = {
	{HELPER_TAIL_CALL, rule_tail_call},
	{81, rule_local_storage},
	{165, rule_snprintf},
	{197, rule_dynptr_from_mem},
};

static int own_rule(struct verifier *v, const struct call *c)
{
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].helper == c->id)
			return rules[i].check(v, c);
	return 0;
}

/* --- What it answers ----------------------------------------------------------------------- */

static void bound_integer(const struct verifier *v, struct reg *r, const struct call *c)
{
	enum { MAX_ERRNO = 4095 };

	if (c->fact->flags & FACT_STRING) {
		r->s.smax = (int64_t)c->size_max;
		r->s.smax32 = (int32_t)c->size_max;
		r->s.smin = r->s.smin32 = -MAX_ERRNO;
		scalar_sync(&r->s);
	} else if (c->id == HELPER_GET_SMP_PROCESSOR_ID) {
		uint32_t last = v->p->obj.k->ncpus - 1;

		r->s.umax = r->s.umax32 = last;
		r->s.smax = r->s.smax32 = (int32_t)last;
		r->s.umin = r->s.umin32 = 0;
		r->s.smin = r->s.smin32 = 0;
		scalar_sync(&r->s);
	}
}

/* An array has all its elements: a look-up at a constant index that it has cannot fail. */
static bool lookup_finds(const struct call *c)
{
	return c->id == HELPER_MAP_LOOKUP_ELEM && c->key_known && map_is_array(c->map) &&
	       c->key < c->map->max_entries;
}

static int answer_map_value(struct verifier *v, struct reg *r, const struct call *c, uint32_t null)
{
	if (!c->map)
		return -EINVAL;
	reg_set_pointer(r, REG_MAP_VALUE, lookup_finds(c) ? 0 : null);
	r->map = c->map;
	r->map_uid = c->map_uid;
	if (!r->flags && c->map->record && c->map->record->mask & SPECIAL_LOCKS)
		r->id = new_id(v); /* which value: locks are told apart by it */
	return 0;
}

static int answer_btf(struct verifier *v, struct reg *r, const struct call *c, uint32_t flags)
{
	struct skep *k = v->p->obj.k;

	reg_set_pointer(r, REG_BTF_ID, flags);
	if (c->kptr) {
		r->btf = c->kptr->btf;
		r->btf_id = c->kptr->type_id;
		if (!c->kptr->btf->kernel)
			r->flags |= REG_ALLOC;
		else if (c->kptr->kind == SPECIAL_KPTR_PERCPU)
			r->flags |= REG_ALLOC | REG_PERCPU;
		return 0;
	}
	r->btf = vmlinux(k);
	if (!r->btf)
		return reject(v, REJECT_NO_VMLINUX, c->h->name);
	r->btf_id = c->fact->ret ? vmlinux_find(k, BTF_STRUCT, c->fact->ret) : 0;
	return r->btf_id ? 0 : reject(v, REJECT_NO_STRUCT, c->fact->ret ? c->fact->ret : c->h->name);
}

/* this_cpu_ptr, per_cpu_ptr: what the per-CPU variable is, of one CPU. */
static int answer_percpu(struct verifier *v, struct reg *r, const struct reg *from, uint32_t null)
{
	struct reg var = *from;
	const struct btf_type *t = btf_type(&var.btf->data, btf_skip_modifiers(&var.btf->data, var.btf_id));

	(void)v;
	if (!t || btf_kind(t) == BTF_STRUCT) {
		reg_set_pointer(r, REG_BTF_ID, null | (var.flags & ~(uint32_t)REG_PERCPU));
		r->btf = var.btf;
		r->btf_id = var.btf_id;
		return 0;
	}
	reg_set_pointer(r, REG_MEM, null | REG_RDONLY);
	r->mem_size = var.btf->data.size[btf_skip_modifiers(&var.btf->data, var.btf_id)];
	return 0;
}

static void answer_mem(struct reg *r, const struct call *c, uint32_t flags)
{
	reg_set_pointer(r, REG_MEM, flags);
	r->mem_size = (uint32_t)c->mem_size;
}

static int answer_kind(struct verifier *v, struct reg *r, const struct reg *first, const struct call *c)
{
	switch ((enum ret_kind)c->h->ret) {
	case RET_INTEGER:
		reg_set_unknown(r);
		bound_integer(v, r, c);
		return 0;
	case RET_VOID:
	case RET_NEVER:
		reg_set_none(r);
		return 0;
	case RET_MAP_VALUE:
		return answer_map_value(v, r, c, 0);
	case RET_MAP_VALUE_OR_NULL:
		return answer_map_value(v, r, c, REG_NULLABLE);
	case RET_SOCKET_OR_NULL:
		reg_set_pointer(r, REG_SOCKET, REG_NULLABLE);
		return 0;
	case RET_TCP_SOCK_OR_NULL:
		reg_set_pointer(r, REG_TCP_SOCK, REG_NULLABLE);
		return 0;
	case RET_SOCK_COMMON_OR_NULL:
		reg_set_pointer(r, REG_SOCK_COMMON, REG_NULLABLE);
		return 0;
	case RET_RINGBUF_MEM_OR_NULL:
		answer_mem(r, c, REG_RINGBUF | REG_NULLABLE);
		return 0;
	case RET_DYNPTR_MEM_OR_NULL:
		answer_mem(r, c, REG_NULLABLE | (c->dynptr_type == DYNPTR_SKB   ? REG_DYNPTR_SKB
		                                 : c->dynptr_type == DYNPTR_XDP ? REG_DYNPTR_XDP
		                                                                : 0));
		r->dynptr_id = c->dynptr_id;
		return 0;
	case RET_BTF_ID:
		return answer_btf(v, r, c, 0);
	case RET_BTF_ID_OR_NULL:
		return answer_btf(v, r, c, REG_NULLABLE);
	case RET_BTF_ID_TRUSTED:
		return answer_btf(v, r, c, REG_TRUSTED);
	case RET_FIXED_MEM_OR_NULL:
		reg_set_pointer(r, REG_MEM, REG_NULLABLE);
		r->mem_size = c->h->ret_size;
		return 0;
	case RET_OBJECT:
	case RET_OBJECT_OR_NULL:
		reg_set_pointer(r, REG_BTF_ID,
		                REG_TRUSTED | (c->h->ret == RET_OBJECT_OR_NULL ? REG_NULLABLE : 0));
		r->btf = c->h->btf;
		r->btf_id = c->h->ret_id;
		return 0;
	case RET_MEM_OR_BTF_ID:
		return answer_percpu(v, r, first, 0);
	case RET_MEM_OR_BTF_ID_OR_NULL:
		return answer_percpu(v, r, first, REG_NULLABLE);
	}
	return -EINVAL;
}

static int answer(struct verifier *v, const struct call *c, const struct reg *first, uint32_t pc)
{
	struct reg *r = &cur_regs(v)[R0];
	int err = answer_kind(v, r, first, c);

	if (err)
		return err;
	if (reg_nullable(r))
		r->id = new_id(v);
	if (c->fact->flags & FACT_CAST || c->h->ret == RET_DYNPTR_MEM_OR_NULL) {
		r->ref_id = c->ref_id;
	} else if (c->h->flags & HELPER_ACQUIRES || (c->kptr && c->id == HELPER_KPTR_XCHG)) {
		err = ref_acquire(v, pc, &r->ref_id);
		r->id = r->ref_id;
	}
	return err;
}

/* Does it move the packet? Some do so for one kind of dynptr only. */
static bool moves_packet(const struct call *c)
{
	enum { HELPER_DYNPTR_WRITE = 202 };

	return c->h->flags & HELPER_CHANGES_PKT ||
	       (c->id == HELPER_DYNPTR_WRITE &&
	        (c->dynptr_type == DYNPTR_SKB || c->dynptr_type == DYNPTR_SKB_META));
}

int call_helper(struct verifier *v, uint32_t pc)
{
	uint32_t id = (uint32_t)v->insns[pc].imm;
	struct call c = {
		.h = helper_find(v->p->obj.k, (int32_t)id), .fact = helper_fact(id), .id = id};
	struct reg first;
	bool done;
	int err = callable_here(v, &c);

	for (unsigned n = 0; !err && n < 5 && c.h->arg[n] != ARG_NONE; n++)
		err = call_arg(v, &c, n);
	if (err)
		return err;
	first = cur_regs(v)[R1];
	note_map(v, &c, pc);
	if (c.fact->flags & FACT_WRITES_MAP && c.map && !map_prog_writes(c.map))
		return reject(v, REJECT_MAP_RDONLY);
	err = release(v, &c);
	if (!err)
		err = own_rule(v, &c);
	if (!err)
		err = call_callback(v, &c, pc, &done);
	if (err)
		return err;
	reg_clobber_call(v);
	err = answer(v, &c, &first, pc);
	if (!err)
		err = call_map_fits(v, &c);
	if (!err && moves_packet(&c))
		packet_forget(v);
	return err;
}
