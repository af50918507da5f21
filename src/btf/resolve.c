/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How types refer to each other: no type contains itself, and everything that must have a size has
 * one.
 *
 * A walk in depth visits what a type is made of. A pointer needs no more of its target than that a
 * chain of pointers and modifiers ends, so such a chain is followed only to the first other type; and
 * what is in a struct or an array needs no more of a pointer than its size, so there a pointer is not
 * followed at all. As the kernel's, the walk is at most 32 deep.
 *
 * Requires: each type checked by itself. Provides: btf_resolve(), which fills in btf_data.size.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "btf/parse.h"

enum { NEW, OPEN, DONE };
enum { MAX_DEPTH = 32 };

/* On which way a type was reached. */
enum mode { FROM_START, FROM_POINTER, FROM_CONTAINER };

static int visit(struct btf_parser *p, uint32_t id, enum mode mode, unsigned depth);

static enum btf_kind kind_of(const struct btf_parser *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->b, id);

	return t ? btf_kind(t) : BTF_VOID;
}

/*
 * May a type be made of this one, or lead to it? Variables, sections and tags are only beginnings.
 */
static bool is_target(enum btf_kind kind)
{
	return kind != BTF_VAR && kind != BTF_DATASEC && kind != BTF_DECL_TAG;
}

static bool has_size(const struct btf_parser *p, uint32_t id)
{
	return id && p->b->size[id] != BTF_NO_SIZE;
}

static int resolve_reference(struct btf_parser *p, uint32_t id, const struct btf_type *t,
                             enum mode mode, unsigned depth)
{
	bool pointer = btf_kind(t) == BTF_PTR;
	int err;

	if (!is_target(kind_of(p, t->type)))
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	err = visit(p, t->type, pointer ? FROM_POINTER : mode, depth);
	if (!err)
		p->b->size[id] = pointer ? sizeof(uint64_t) : p->b->size[t->type];
	return err;
}

static int resolve_array(struct btf_parser *p, uint32_t id, const struct btf_type *t,
                         unsigned depth)
{
	const struct btf_array *a = btf_rest(t);
	int err = is_target(kind_of(p, a->index_type)) ? visit(p, a->index_type, FROM_CONTAINER, depth) : 0;
	uint64_t size;

	if (err)
		return err;
	if (kind_of(p, btf_skip_modifiers(p->b, a->index_type)) != BTF_INT)
		return btf_reject(p, id, "Invalid index", -EINVAL);
	if (!is_target(kind_of(p, a->type)))
		return btf_reject(p, id, "Invalid elem", -EINVAL);
	err = visit(p, a->type, FROM_CONTAINER, depth);
	if (err)
		return err;
	if (!has_size(p, a->type))
		return btf_reject(p, id, "Invalid elem", -EINVAL);
	size = (uint64_t)p->b->size[a->type] * a->nelems;
	if (size >= BTF_NO_SIZE)
		return btf_reject(p, id, "Array size overflows U32_MAX", -EINVAL);
	p->b->size[id] = (uint32_t)size;
	return 0;
}

/* What is wrong with a member whose type is known, or NULL. */
static const char *member_fault(const struct btf_parser *p, const struct btf_type *t,
                                const struct btf_member *m)
{
	uint32_t type = btf_skip_modifiers(p->b, m->type);
	uint32_t width = btf_kind_flag(t) ? m->offset >> 24 : 0;
	uint32_t bit = btf_kind_flag(t) ? m->offset & 0xffffff : m->offset;
	uint64_t bits = (uint64_t)p->b->size[m->type] * 8;
	enum btf_kind kind = kind_of(p, type);
	uint32_t data;

	if (width) {
		if (kind != BTF_INT && kind != BTF_ENUM && kind != BTF_ENUM64)
			return "Invalid member bitfield_size";
		if (width > bits)
			return "Invalid member bitfield_size";
		bits = width;
	} else if (kind == BTF_INT) {
		memcpy(&data, btf_rest(btf_type(p->b, type)), sizeof(data));
		if (!btf_kind_flag(t) || (data & 0xff) != bits)
			bits = (data & 0xff) + (data >> 16 & 0xff);
		else if (bit % 8)
			return "Invalid member offset";
	} else if (bit % 8) {
		return "Member is not byte aligned";
	}
	return bit + bits > (uint64_t)t->type * 8 ? "Member exceeds struct_size" : NULL;
}

static int resolve_members(struct btf_parser *p, uint32_t id, const struct btf_type *t,
                           unsigned depth)
{
	const struct btf_member *m = btf_rest(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		const char *why = "Invalid member";

		if (is_target(kind_of(p, m->type))) {
			int err = visit(p, m->type, FROM_CONTAINER, depth);

			if (err)
				return err;
			if (has_size(p, m->type))
				why = member_fault(p, t, m);
		}
		if (why)
			return btf_reject_member(p, id, btf_string(p->b, m->name), m->type, why,
			                         -EINVAL);
	}
	return 0;
}

static int resolve_var(struct btf_parser *p, uint32_t id, const struct btf_type *t, unsigned depth)
{
	int err;

	if (!is_target(kind_of(p, t->type)))
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	err = visit(p, t->type, FROM_START, depth);
	if (err)
		return err;
	if (!has_size(p, t->type))
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	p->b->size[id] = p->b->size[t->type];
	return 0;
}

static int resolve_vars(struct btf_parser *p, uint32_t id, const struct btf_type *t, unsigned depth)
{
	const struct btf_secinfo *v = btf_rest(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++, v++) {
		const char *why = NULL;
		int err = 0;

		if (kind_of(p, v->type) != BTF_VAR)
			why = "Not a VAR kind member";
		else
			err = visit(p, v->type, FROM_START, depth);
		if (err)
			return err;
		if (!why && v->size < p->b->size[v->type])
			why = "Invalid size";
		if (why)
			return btf_reject_member(p, id, NULL, v->type, why, -EINVAL);
	}
	return 0;
}

/* May a value of this type be passed to or returned from a function? */
static int check_passed(struct btf_parser *p, uint32_t type, bool *fine)
{
	int err = 0;

	*fine = type <= p->b->ntypes && is_target(kind_of(p, type));
	if (*fine)
		err = visit(p, type, FROM_START, 0);
	*fine = *fine && has_size(p, type);
	return err;
}

static int resolve_proto(struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_param *a = btf_rest(t);
	uint32_t n = btf_vlen(t);
	char why[32];
	bool fine = true;
	int err = 0;

	if (t->type && btf_skip_modifiers(p->b, t->type))
		err = check_passed(p, t->type, &fine);
	if (err || !fine)
		return err ? err : btf_reject(p, id, "Invalid return type", -EINVAL);
	if (n && !a[n - 1].type && !a[n - 1].name)
		n--; /* "..." */
	for (uint32_t i = 0; i < n; i++) {
		err = check_passed(p, a[i].type, &fine);
		if (err)
			return err;
		if (!fine || (a[i].name && !btf_is_identifier(p->b, a[i].name))) {
			snprintf(why, sizeof(why), "Invalid arg#%u", i + 1);
			return btf_reject(p, id, why, -EINVAL);
		}
	}
	return 0;
}

/* A function has a prototype whose parameters are named. */
static int resolve_func(struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_type *proto = btf_type(p->b, t->type);
	const struct btf_param *a;

	if (btf_kind(proto) != BTF_FUNC_PROTO)
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	a = btf_rest(proto);
	for (uint32_t i = 0; i < btf_vlen(proto); i++)
		if (a[i].type && !a[i].name)
			return btf_reject(p, id, "Invalid arg", -EINVAL);
	return 0;
}

static int resolve_decl_tag(struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_type *on = btf_type(p->b, t->type);
	enum btf_kind kind = btf_kind(on);
	uint32_t parts = 0;
	int32_t component;

	memcpy(&component, btf_rest(t), sizeof(component));
	if (kind == BTF_STRUCT || kind == BTF_UNION)
		parts = btf_vlen(on);
	else if (kind == BTF_FUNC && kind_of(p, on->type) == BTF_FUNC_PROTO)
		parts = btf_vlen(btf_type(p->b, on->type));
	else if (kind != BTF_VAR && kind != BTF_FUNC && kind != BTF_TYPEDEF)
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	if (component != -1 && (uint32_t)component >= parts)
		return btf_reject(p, id, "Invalid component_idx", -EINVAL);
	return 0;
}

static int visit(struct btf_parser *p, uint32_t id, enum mode mode, unsigned depth)
{
	const struct btf_type *t = btf_type(p->b, id);
	enum btf_kind kind = t ? btf_kind(t) : BTF_VOID;
	int err = 0;

	if (!t || p->state[id] == DONE)
		return 0;
	if (mode == FROM_POINTER && kind != BTF_PTR && !btf_is_modifier(kind))
		return 0;
	if (mode == FROM_CONTAINER && kind == BTF_PTR)
		return 0;
	if (kind != BTF_PTR && kind != BTF_ARRAY && kind != BTF_STRUCT && kind != BTF_UNION &&
	    kind != BTF_VAR && kind != BTF_DATASEC && !btf_is_modifier(kind))
		return 0;
	if (p->state[id] == OPEN)
		return btf_reject(p, id, "Loop detected", -EEXIST);
	if (depth == MAX_DEPTH)
		return btf_reject(p, id, "Exceeded max resolving depth:32", -E2BIG);
	p->state[id] = OPEN;
	if (kind == BTF_ARRAY)
		err = resolve_array(p, id, t, depth + 1);
	else if (kind == BTF_STRUCT || kind == BTF_UNION)
		err = resolve_members(p, id, t, depth + 1);
	else if (kind == BTF_VAR)
		err = resolve_var(p, id, t, depth + 1);
	else if (kind == BTF_DATASEC)
		err = resolve_vars(p, id, t, depth + 1);
	else
		err = resolve_reference(p, id, t, mode, depth + 1);
	/* A modifier that was not followed to its end stays to be visited. */
	p->state[id] = mode != FROM_START && btf_is_modifier(kind) ? NEW : DONE;
	return err;
}

int btf_resolve(struct btf_parser *p)
{
	int err = 0;

	for (uint32_t id = 1; id <= p->b->ntypes; id++)
		if (btf_kind(btf_type(p->b, id)) == BTF_PTR)
			p->b->size[id] = sizeof(uint64_t);

	for (uint32_t id = 1; !err && id <= p->b->ntypes; id++)
		err = visit(p, id, FROM_START, 0);
	for (uint32_t id = 1; !err && id <= p->b->ntypes; id++) {
		const struct btf_type *t = btf_type(p->b, id);

		if (btf_kind(t) == BTF_FUNC_PROTO)
			err = resolve_proto(p, id, t);
		else if (btf_kind(t) == BTF_FUNC)
			err = resolve_func(p, id, t);
		else if (btf_kind(t) == BTF_DECL_TAG)
			err = resolve_decl_tag(p, id, t);
	}
	return err;
}
