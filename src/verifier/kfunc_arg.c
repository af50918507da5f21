/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of a kernel function: what each must be follows from its type and from the end of its name
 * (core/kfunc.h lists the suffixes); what the register holds is checked against it.
 *
 * kind_of() decides, in the order in which the kernel does: suffixes, then structs by name, then what the
 * register is, and at last plain memory.
 */
#include <errno.h>
#include <string.h>

#include "core/dynptr.h"
#include "core/hook.h"
#include "verifier/kfunc.h"

enum karg {
	KARG_NULL,
	KARG_CTX,
	KARG_ALLOC,
	KARG_REFCOUNTED,
	KARG_DYNPTR,
	KARG_ITER,
	KARG_LIST_HEAD,
	KARG_LIST_NODE,
	KARG_RB_ROOT,
	KARG_RB_NODE,
	KARG_STR,
	KARG_MAP,
	KARG_WQ,
	KARG_IRQ,
	KARG_RES_LOCK,
	KARG_BTF,
	KARG_CALLBACK,
	KARG_MEM,
	KARG_MEM_SIZE,
	KARG_REFUSED,
};

/* One parameter of the prototype. */
struct param {
	const char *name;
	uint32_t id; /* its type without modifiers */
	const struct btf_type *type;
	uint32_t to; /* of a pointer: what it points to, without modifiers */
	const struct btf_type *target;
	bool to_const;
};

static struct param param_at(const struct kcall *c, unsigned n)
{
	const struct btf_param *p = (const struct btf_param *)btf_rest(c->proto) + n;
	const struct btf_data *b = &c->btf->data;
	struct param out = {.name = btf_string(b, p->name), .id = btf_skip_modifiers(b, p->type)};

	out.type = btf_type(b, out.id);
	if (out.type && btf_kind(out.type) == BTF_PTR) {
		const struct btf_type *t = btf_type(b, out.type->type);

		out.to_const = t && btf_kind(t) == BTF_CONST;
		out.to = btf_skip_modifiers(b, out.type->type);
		out.target = btf_type(b, out.to);
	}
	return out;
}

static bool ends(const struct param *p, const char *suffix)
{
	size_t n = strlen(p->name), m = strlen(suffix);

	return n >= m && !strcmp(p->name + n - m, suffix);
}

static bool is_scalar_type(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_INT || btf_kind(t) == BTF_ENUM || btf_kind(t) == BTF_ENUM64);
}

static bool is_struct(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_STRUCT || btf_kind(t) == BTF_UNION);
}

/* A struct of numbers only, however deep. */
static bool plain_struct(const struct btf *btf, const struct btf_type *t, unsigned depth)
{
	const struct btf_member *m;

	if (!is_struct(t) || depth > 4)
		return false;
	m = btf_rest(t);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *of = btf_type(&btf->data, btf_skip_modifiers(&btf->data, m[i].type));

		if (of && btf_kind(of) == BTF_ARRAY) {
			const struct btf_array *a = btf_rest(of);

			if (!a->nelems)
				return false;
			of = btf_type(&btf->data, btf_skip_modifiers(&btf->data, a->type));
		}
		if (!is_scalar_type(of) && !plain_struct(btf, of, depth + 1))
			return false;
	}
	return true;
}

static const char *target_name(const struct kcall *c, const struct param *p)
{
	return p->target ? btf_string(&c->btf->data, p->target->name) : "";
}

static const struct {
	const char *name;
	enum karg kind;
} structs[] = {
	{"bpf_dynptr", KARG_DYNPTR},       {"bpf_dynptr_kern", KARG_DYNPTR},
	{"bpf_list_head", KARG_LIST_HEAD}, {"bpf_list_node", KARG_LIST_NODE},
	{"bpf_rb_root", KARG_RB_ROOT},     {"bpf_rb_node", KARG_RB_NODE},
	{"bpf_wq", KARG_WQ},               {"bpf_res_spin_lock", KARG_RES_LOCK},
	{"__sk_buff", KARG_CTX},           {"xdp_md", KARG_CTX},
	{"bpf_sock_addr_kern", KARG_CTX},  {"bpf_sock_ops_kern", KARG_CTX},
	{"bpf_nf_ctx", KARG_CTX},
};

static const struct {
	const char *suffix;
	enum karg kind;
} suffixes[] = {
	{"__alloc", KARG_ALLOC},
	{"__refcounted_kptr", KARG_REFCOUNTED},
	{"__str", KARG_STR},
	{"__map", KARG_MAP},
	{"__irq_flag", KARG_IRQ},
};

static bool sized(const struct kcall *c, unsigned n)
{
	struct param next;

	if (n + 1 >= btf_vlen(c->proto))
		return false;
	next = param_at(c, n + 1);
	return is_scalar_type(next.type) && (ends(&next, "__sz") || ends(&next, "__szk"));
}

static bool is_iter(const struct kcall *c, unsigned n, const struct param *p)
{
	uint32_t iter = KFUNC_ITER_NEW | KFUNC_ITER_NEXT | KFUNC_ITER_DESTROY;

	if (!is_struct(p->target) || strncmp(target_name(c, p), "bpf_iter_", 9))
		return false;
	return c->f->flags & iter ? n == 0 : ends(p, "__iter");
}

static const char *kind_text(const struct btf_type *t)
{
	return t ? btf_kind_name(btf_kind(t)) : "UNKNOWN";
}

static enum karg plain_kind(struct verifier *v, const struct kcall *c, unsigned n,
                            const struct param *p, int *err)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	bool with_size = sized(c, n);

	if (r->kind == REG_BTF_ID || r->kind == REG_SOCKET || r->kind == REG_SOCK_COMMON ||
	    r->kind == REG_TCP_SOCK || r->kind == REG_MAP) {
		if (is_struct(p->target))
			return KARG_BTF;
		*err = reject(v, REJECT_KARG_POINTER, c->f->name, n, kind_text(p->target),
		              target_name(c, p));
		return KARG_REFUSED;
	}
	if (p->target && btf_kind(p->target) == BTF_FUNC_PROTO)
		return KARG_CALLBACK;
	if (is_scalar_type(p->target) || plain_struct(c->btf, p->target, 0) || (with_size && !p->to))
		return with_size ? KARG_MEM_SIZE : KARG_MEM;
	*err = reject(v, REJECT_KARG_MEMORY, n, kind_text(p->target), target_name(c, p),
	              with_size ? "void, " : "");
	return KARG_REFUSED;
}

static enum karg kind_of(struct verifier *v, const struct kcall *c, unsigned n, const struct param *p,
                         int *err)
{
	const char *name = target_name(c, p);

	for (unsigned i = 0; i < sizeof(structs) / sizeof(structs[0]); i++)
		if (structs[i].kind == KARG_CTX && !strcmp(structs[i].name, name))
			return KARG_CTX;
	if (ends(p, "__nullable") && reg_is_null(&cur_regs(v)[R1 + n]))
		return KARG_NULL;
	for (unsigned i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (ends(p, suffixes[i].suffix))
			return suffixes[i].kind;
	if (is_iter(c, n, p))
		return KARG_ITER;
	for (unsigned i = 0; is_struct(p->target) && i < sizeof(structs) / sizeof(structs[0]); i++)
		if (!strcmp(structs[i].name, name))
			return structs[i].kind;
	return plain_kind(v, c, n, p, err);
}

/* --- Checks by kind ------------------------------------------------------------------------ */

static int scalar_arg(struct verifier *v, struct kcall *c, unsigned n, const struct param *p)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (!reg_is_scalar(r))
		return reject(v, REJECT_KARG_SCALAR, R1 + n);
	if (!ends(p, "__k"))
		return 0;
	if (!tnum_is_const(r->s.var))
		return reject(v, REJECT_KARG_CONST, R1 + n);
	c->has_const = true;
	c->constant = r->s.var.value;
	return precise_mark(v, R1 + n);
}

static bool is_object(const struct reg *r)
{
	return r->kind == REG_BTF_ID && r->flags == REG_ALLOC;
}

static int alloc_arg(struct verifier *v, struct kcall *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	uint32_t k = c->special->flags;

	if (is_object(r)) {
		if (!(k & K_DROPS) || k & K_PERCPU)
			return reject(v, REJECT_KARG_DROP, n, "bpf_obj_drop");
	} else if (r->kind == REG_BTF_ID && r->flags == (REG_ALLOC | REG_PERCPU)) {
		if (!(k & K_DROPS) || !(k & K_PERCPU))
			return reject(v, REJECT_KARG_DROP, n, "bpf_percpu_obj_drop");
	} else {
		return reject(v, REJECT_KARG_OBJECT, n);
	}
	return r->ref_id ? 0 : reject(v, REJECT_KARG_OWNED);
}

static int refcounted_arg(struct verifier *v, struct kcall *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (r->kind != REG_BTF_ID || !(r->flags & REG_ALLOC))
		return reject(v, REJECT_KARG_REF, n);
	c->owning = !(r->flags & REG_NON_OWN);
	if (!record_has(btf_record(r->btf, r->btf_id), SPECIAL_REFCOUNT))
		return reject(v, REJECT_KARG_REFCOUNT, n);
	c->arg = *r;
	return 0;
}

static int root_arg(struct verifier *v, struct kcall *c, unsigned n, enum special_kind kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (r->kind != REG_MAP_VALUE && !is_object(r))
		return reject(v, REJECT_KARG_VALUE_OR_OBJECT, n);
	if (is_object(r) && !r->ref_id)
		return reject(v, REJECT_KARG_OWNED);
	return graph_root_arg(v, c, R1 + n, kind);
}

static int node_arg(struct verifier *v, struct kcall *c, unsigned n, enum special_kind kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];

	if (c->special->flags & K_TAKES_NODE) {
		if (r->kind != REG_BTF_ID || (!(r->flags & REG_NON_OWN) && !r->ref_id))
			return reject(v, REJECT_KARG_NODE, c->f->name);
	} else {
		if (!is_object(r))
			return reject(v, REJECT_KARG_OBJECT, n);
		if (!r->ref_id)
			return reject(v, REJECT_KARG_OWNED);
	}
	c->arg = *r;
	return graph_node_arg(v, c, R1 + n, kind);
}

/* A dynptr that is made here: of the kind that the function makes, or for a clone, of its model's. */
static int dynptr_kind(struct verifier *v, struct kcall *c, unsigned n, const struct param *p)
{
	const struct helper_fact made = {0};
	bool uninit = ends(p, "__uninit");
	struct call *call = &c->call;
	uint32_t id = call->dynptr_id, type = call->dynptr_type, ref = c->clone_ref;
	int err;

	call->fact = &made;
	call->id = UINT32_MAX;
	err = dynptr_arg_of(v, call, R1 + n, uninit, !uninit && !p->to_const,
	                    c->special->dynptr ? c->special->dynptr : type, uninit ? ref : 0);
	call->fact = helper_fact(0);
	if (uninit) {
		call->dynptr_id = id;
		call->dynptr_type = type;
	} else {
		c->clone_ref = call->ref_id;
		call->ref_id = 0;
	}
	return err;
}

static int map_arg(struct verifier *v, struct kcall *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	const struct call *call = &c->call;

	if (r->kind != REG_MAP)
		return reject(v, REJECT_KARG_MAP, R1 + n);
	if (call->map && record_has(r->map->record, SPECIAL_WORKQUEUE) &&
	    (r->map != call->map || r->map_uid != call->map_uid))
		return reject(v, REJECT_WQ_MAP, call->map_uid, r->map_uid);
	c->call.map = r->map;
	c->call.map_uid = r->map_uid;
	return 0;
}

static int wq_arg(struct verifier *v, struct kcall *c, unsigned n)
{
	if (cur_regs(v)[R1 + n].kind != REG_MAP_VALUE)
		return reject(v, REJECT_KARG_VALUE, n);
	return special_arg(v, &c->call, R1 + n, SPECIAL_WORKQUEUE);
}

static int lock_arg(struct verifier *v, struct kcall *c, unsigned n)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	uint32_t k = c->special->flags;

	if (r->kind != REG_MAP_VALUE && !is_object(r))
		return reject(v, REJECT_KARG_LOCK, n);
	return lock_change(v, R1 + n, SPECIAL_RES_SPIN_LOCK, k & K_IRQ_LOCK, k & K_LOCKS);
}

static int btf_arg(struct verifier *v, struct kcall *c, unsigned n, const struct param *p)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	bool strict = c->f->flags & KFUNC_RELEASE && r->ref_id;
	const struct btf_type *have;

	if (r->kind != REG_BTF_ID)
		return r->kind == REG_SOCKET || r->kind == REG_SOCK_COMMON || r->kind == REG_TCP_SOCK
		               ? 0
		               : reject(v, REJECT_KARG_BTF, n, reg_kind_text(v, r), "PTR_TO_BTF_ID");
	if (btf_struct_at(r->btf, r->btf_id, (uint32_t)r->off, c->btf, p->to, strict))
		return 0;
	have = btf_type(&r->btf->data, r->btf_id);
	return reject(v, REJECT_KARG_STRUCT, c->f->name, n, kind_text(p->target), target_name(c, p),
	              R1 + n, kind_text(have), btf_reg_name(r));
}

static int mem_arg(struct verifier *v, const struct kcall *c, unsigned n, const struct param *p)
{
	uint32_t size = c->btf->data.size[p->to];

	if (size == BTF_NO_SIZE)
		return reject(v, REJECT_KARG_SIZE, n, kind_text(p->target), target_name(c, p), -EINVAL);
	return mem_object(v, R1 + n, size);
}

/* Read and written: the kernel asks for both. */
static int mem_size_arg(struct verifier *v, struct kcall *c, unsigned n, const struct param *p)
{
	struct param size = param_at(c, n + 1);
	const struct reg *len = &cur_regs(v)[R2 + n];
	int err = reg_readable(v, R2 + n);

	if (err)
		return err;
	if (!reg_is_null(&cur_regs(v)[R1 + n]) || !ends(p, "__opt")) {
		err = reg_is_scalar(len) ? mem_helper_size(v, R1 + n, R2 + n, ACCESS_READ, true, false)
		                         : -EINVAL;
		if (!err)
			err = mem_helper_size(v, R1 + n, R2 + n, ACCESS_WRITE, true, false);
		if (err) {
			reject(v, REJECT_KARG_PAIR, n, n + 1);
			return err;
		}
	}
	if (!ends(&size, "__szk"))
		return 0;
	if (!tnum_is_const(len->s.var))
		return reject(v, REJECT_KARG_CONST, R2 + n);
	c->has_const = true;
	c->constant = len->s.var.value;
	return precise_mark(v, R2 + n);
}

static int check_kind(struct verifier *v, struct kcall *c, unsigned n, const struct param *p,
                      enum karg kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	int err = 0;

	switch (kind) {
	case KARG_CTX:
		return r->kind == REG_CTX ? 0 : reject(v, REJECT_KARG_CTX, n, reg_kind_text(v, r));
	case KARG_ALLOC:
		err = alloc_arg(v, c, n);
		c->arg = *r;
		return err;
	case KARG_REFCOUNTED:
		return refcounted_arg(v, c, n);
	case KARG_DYNPTR:
		return dynptr_kind(v, c, n, p);
	case KARG_ITER:
		return iter_arg(v, c, R1 + n, p->to);
	case KARG_LIST_HEAD:
		return root_arg(v, c, n, SPECIAL_LIST_HEAD);
	case KARG_LIST_NODE:
		return node_arg(v, c, n, SPECIAL_LIST_NODE);
	case KARG_RB_ROOT:
		return root_arg(v, c, n, SPECIAL_RB_ROOT);
	case KARG_RB_NODE:
		return node_arg(v, c, n, SPECIAL_RB_NODE);
	case KARG_STR:
		if (r->kind != REG_MAP_VALUE)
			return reject(v, REJECT_KARG_STR, n);
		call_string(v, R1 + n, &err);
		return err;
	case KARG_MAP:
		return map_arg(v, c, n);
	case KARG_WQ:
		return wq_arg(v, c, n);
	case KARG_IRQ:
		return irq_flag_arg(v, c, R1 + n);
	case KARG_RES_LOCK:
		return lock_arg(v, c, n);
	case KARG_BTF:
		return btf_arg(v, c, n, p);
	case KARG_CALLBACK:
		if (r->kind != REG_FUNC)
			return reject(v, REJECT_KARG_FUNC, n);
		c->call.subprog = r->subprog;
		return 0;
	case KARG_MEM:
		return mem_arg(v, c, n, p);
	case KARG_MEM_SIZE:
		return mem_size_arg(v, c, n, p);
	default:
		return 0;
	}
}

/* How far the pointer may be trusted, and whether its offset is fine. */
static int check_trust(struct verifier *v, const struct kcall *c, unsigned n, enum karg kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	bool wants = c->f->flags & (KFUNC_TRUSTED_ARGS | KFUNC_RELEASE | KFUNC_RCU);
	bool rcu = c->f->flags & KFUNC_RCU;

	if ((kind == KARG_BTF || kind == KARG_ALLOC) && wants && !reg_trusted(r)) {
		if (!rcu)
			return reject(v, REJECT_KARG_TRUSTED, R1 + n);
		if (!(r->flags & REG_RCU))
			return reject(v, REJECT_KARG_RCU, R1 + n);
	}
	if (c->f->flags & KFUNC_RELEASE && r->ref_id && r->off && r->kind != REG_STACK)
		return reject(v, REJECT_ARG_RELEASE_OFF, R1 + n);
	if (r->kind == REG_BTF_ID || r->kind == REG_CTX)
		return mem_plain_pointer(v, r, R1 + n, btf_offset_ok(r));
	return 0;
}

static int pointer_arg(struct verifier *v, struct kcall *c, unsigned n, const struct param *p,
                       enum karg *kind)
{
	const struct reg *r = &cur_regs(v)[R1 + n];
	int err = 0;

	if ((reg_is_null(r) || reg_nullable(r)) && !ends(p, "__nullable") && !ends(p, "__opt"))
		return reject(v, REJECT_KARG_NULL, n);
	if (r->ref_id && r->kind != REG_STACK) {
		c->ref_id = r->ref_id;
		if (c->f->flags & KFUNC_RELEASE)
			c->release = R1 + n;
	}
	*kind = kind_of(v, c, n, p, &err);
	if (*kind == KARG_REFUSED || *kind == KARG_NULL)
		return err;
	err = check_trust(v, c, n, *kind);
	return err ? err : check_kind(v, c, n, p, *kind);
}

int kfunc_args(struct verifier *v, struct kcall *c)
{
	for (unsigned n = 0; n < btf_vlen(c->proto) && n < 5; n++) {
		struct param p = param_at(c, n);
		enum karg kind = KARG_NULL;
		int err = 0;

		if (ends(&p, "__ign") || ends(&p, "__prog") || ends(&p, "__impl"))
			continue;
		err = reg_readable(v, R1 + n);
		if (err)
			return err;
		if (is_scalar_type(p.type))
			err = scalar_arg(v, c, n, &p);
		else if (!p.type || btf_kind(p.type) != BTF_PTR)
			err = reject(v, REJECT_KARG_TYPE, n, kind_text(p.type));
		else
			err = pointer_arg(v, c, n, &p, &kind);
		if (err)
			return err;
		n += kind == KARG_MEM_SIZE;
	}
	if (c->f->flags & KFUNC_RELEASE && !c->release)
		return reject(v, REJECT_KFUNC_REFERENCE, c->f->name);
	return 0;
}
