/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores that touch special fields of map values: locks, timers, lists may not be touched at
 * all; kptrs are pointers, read and written whole.
 */
#include <string.h>

#include "core/map.h"
#include "core/record.h"
#include "verifier/btf_ptr.h"

static const char *const names[SPECIAL_KINDS] = {
	[SPECIAL_SPIN_LOCK] = "bpf_spin_lock",
	[SPECIAL_RES_SPIN_LOCK] = "bpf_res_spin_lock",
	[SPECIAL_TIMER] = "bpf_timer",
	[SPECIAL_WORKQUEUE] = "bpf_wq",
	[SPECIAL_TASK_WORK] = "bpf_task_work",
	[SPECIAL_KPTR_UNREF] = "kptr",
	[SPECIAL_KPTR_REF] = "kptr",
	[SPECIAL_KPTR_PERCPU] = "percpu_kptr",
	[SPECIAL_UPTR] = "uptr",
	[SPECIAL_LIST_HEAD] = "bpf_list_head",
	[SPECIAL_LIST_NODE] = "bpf_list_node",
	[SPECIAL_RB_ROOT] = "bpf_rb_root",
	[SPECIAL_RB_NODE] = "bpf_rb_node",
	[SPECIAL_REFCOUNT] = "bpf_refcount",
};

const char *special_name(enum special_kind kind)
{
	return names[kind];
}

static bool is_pointer(const struct special *f)
{
	return SPECIAL_BIT(f->kind) & (SPECIAL_KPTRS | SPECIAL_BIT(SPECIAL_UPTR));
}

/* Objects that stay valid in an RCU section, whoever drops them meanwhile. */
static bool rcu_safe(const struct special *f)
{
	static const char *const protected[] = {"task_struct", "cgroup", "bpf_cpumask",
	                                        "prog_test_ref_kfunc", "bpf_crypto_ctx"};
	const struct btf_type *t;

	if (f->kind == SPECIAL_KPTR_PERCPU)
		return true;
	if (f->kind != SPECIAL_KPTR_REF)
		return false;
	if (!f->btf->kernel)
		return true;
	t = btf_type(&f->btf->data, f->type_id);
	for (unsigned i = 0; i < sizeof(protected) / sizeof(protected[0]); i++)
		if (!strcmp(btf_string(&f->btf->data, t->name), protected[i]))
			return true;
	return false;
}

static void load(struct verifier *v, const struct special *f, struct reg *to)
{
	uint32_t flags = REG_NULLABLE;

	if (f->kind == SPECIAL_UPTR) {
		reg_set_pointer(to, REG_MEM, REG_NULLABLE);
		to->mem_size = f->btf->data.size[btf_skip_modifiers(&f->btf->data, f->type_id)];
		to->id = new_id(v);
		return;
	}
	if (rcu_safe(f) && state_in_rcu(v)) {
		flags |= REG_RCU;
		if (f->kind == SPECIAL_KPTR_PERCPU)
			flags |= REG_PERCPU;
		else if (!f->btf->kernel)
			flags |= REG_ALLOC;
	} else {
		flags |= REG_UNTRUSTED;
	}
	reg_set_pointer(to, REG_BTF_ID, flags);
	to->btf = f->btf;
	to->btf_id = f->type_id;
	to->id = new_id(v);
}

int kptr_fits(struct verifier *v, const struct special *f, unsigned regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct btf_type *t = btf_type(&f->btf->data, f->type_id);
	bool strict = f->kind != SPECIAL_KPTR_UNREF;
	uint32_t allowed = f->kind == SPECIAL_KPTR_UNREF
	                           ? REG_NULLABLE | REG_TRUSTED | REG_RCU | REG_UNTRUSTED
	                           : REG_NULLABLE | REG_TRUSTED | REG_RCU;

	if (f->kind == SPECIAL_KPTR_PERCPU)
		allowed |= REG_PERCPU;
	if (!f->btf->kernel || f->kind == SPECIAL_KPTR_PERCPU)
		allowed |= REG_ALLOC;
	if (r->kind == REG_BTF_ID && !(r->flags & ~allowed) && r->off >= 0 &&
	    scalar_is_const(&r->s) && r->s.var.value == 0 &&
	    btf_struct_at(r->btf, r->btf_id, (uint32_t)r->off, f->btf, f->type_id, strict))
		return 0;
	return reject(v, REJECT_KPTR_VALUE, regno, reg_kind_text(v, r),
	              r->kind == REG_BTF_ID ? btf_reg_name(r) : "",
	              btf_string(&f->btf->data, t->name));
}

static int pointer_access(struct verifier *v, uint32_t pc, const struct special *f,
                          enum access access, int value)
{
	const struct insn *i = &v->insns[pc];

	if (i->code >> 5 != 3)
		return reject(v, REJECT_KPTR_MODE);
	if (access == ACCESS_READ) {
		if (value >= 0)
			load(v, f, &cur_regs(v)[value]);
		return 1;
	}
	if (f->kind == SPECIAL_KPTR_REF || f->kind == SPECIAL_KPTR_PERCPU)
		return reject(v, REJECT_KPTR_STORE);
	if (f->kind == SPECIAL_UPTR)
		return reject(v, REJECT_UPTR_STORE);
	if ((i->code & 7) == CLASS_ST)
		return i->imm ? reject(v, REJECT_KPTR_IMM, f->offset) : 1;
	if (value >= 0 && !reg_is_null(&cur_regs(v)[value])) {
		int err = kptr_fits(v, f, (unsigned)value);

		return err ? err : 1;
	}
	return 1;
}

int special_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
                   enum access access, int value)
{
	const struct reg *r = &cur_regs(v)[regno];
	int64_t first = (int64_t)r->s.umin + off, last = (int64_t)r->s.umax + off + size;

	for (uint32_t i = 0; i < r->map->record->n; i++) {
		const struct special *f = &r->map->record->fields[i];
		int64_t at = off + (int64_t)r->s.var.value;

		if (first >= (int64_t)f->offset + f->size || last <= (int64_t)f->offset)
			continue;
		if (!is_pointer(f))
			return reject(v, REJECT_SPECIAL, names[f->kind]);
		if (!access)
			return reject(v, REJECT_KPTR_INDIRECT, f->kind == SPECIAL_UPTR ? "uptr" : "kptr");
		if (!tnum_is_const(r->s.var))
			return reject(v, REJECT_KPTR_VARIABLE, f->kind == SPECIAL_UPTR ? "uptr" : "kptr");
		if (at != (int64_t)f->offset)
			return reject(v, REJECT_KPTR_MISALIGNED, f->kind == SPECIAL_UPTR ? "uptr" : "kptr",
			              f->offset, (long long)at);
		if (size != 8)
			return reject(v, REJECT_KPTR_SIZE, f->kind == SPECIAL_UPTR ? "uptr" : "kptr");
		return pointer_access(v, pc, f, access, value);
	}
	return 0;
}
