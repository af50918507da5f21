/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structs that BTF describes, seen through pointers: is it the struct that is asked for?
 *
 * A struct contains its first member at the same address, so a pointer to it serves as one to the type of
 * that member, and so on inwards; strict: only exactly that type does.
 */
#include "verifier/btf_ptr.h"

#include <string.h>

#include "core/vmlinux.h"

static const struct btf_type *plain_type(const struct btf *btf, uint32_t *id)
{
	*id = btf_skip_modifiers(&btf->data, *id);
	return btf_type(&btf->data, *id);
}

static bool is_struct(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_STRUCT || btf_kind(t) == BTF_UNION);
}

/* Types of two BTFs are the same when they have kind, name and size in common. */
static bool same_type(const struct btf *a, uint32_t id, const struct btf *b, uint32_t want)
{
	const struct btf_type *x = btf_type(&a->data, id), *y = btf_type(&b->data, want);

	if (a == b)
		return id == want;
	return x && y && btf_kind(x) == btf_kind(y) && x->type == y->type &&
	       !strcmp(btf_string(&a->data, x->name), btf_string(&b->data, y->name));
}

/* The struct-like member that begins at or before off and holds it: its type, and off made relative. */
static bool enter_member(const struct btf *btf, const struct btf_type *t, uint32_t *id, uint32_t *off)
{
	const struct btf_member *m = btf_rest(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t bits = btf_kind_flag(t) ? m[i].offset & 0xffffff : m[i].offset;
		uint32_t type = m[i].type, size;
		const struct btf_type *inner = plain_type(btf, &type);

		if (bits % 8 || bits / 8 > *off || !inner)
			continue;
		if (btf_kind(inner) == BTF_ARRAY) {
			const struct btf_array *a = btf_rest(inner);
			uint32_t each, elem = a->type;

			inner = plain_type(btf, &elem);
			each = inner ? btf->data.size[elem] : 0;
			if (!is_struct(inner) || !each || *off - bits / 8 >= (uint64_t)each * a->nelems)
				continue;
			*off = (*off - bits / 8) % each;
			*id = elem;
			return true;
		}
		size = btf->data.size[type];
		if (!is_struct(inner) || *off - bits / 8 >= size)
			continue;
		*off -= bits / 8;
		*id = type;
		return true;
	}
	return false;
}

bool btf_struct_at(const struct btf *btf, uint32_t id, uint32_t off, const struct btf *want_btf,
                   uint32_t want, bool strict)
{
	for (;;) {
		const struct btf_type *t = plain_type(btf, &id);

		if (!is_struct(t))
			return false;
		if (!off && same_type(btf, id, want_btf, want))
			return true;
		if ((strict && !off) || !enter_member(btf, t, &id, &off))
			return false;
	}
}

bool btf_is_a(struct verifier *v, const struct reg *r, const char *name)
{
	struct skep *k = v->p->obj.k;
	uint32_t want = vmlinux_find(k, BTF_STRUCT, name);

	return want && r->off >= 0 &&
	       btf_struct_at(r->btf, r->btf_id, (uint32_t)r->off, vmlinux(k), want, false);
}

bool btf_offset_ok(const struct reg *r)
{
	switch (r->kind == REG_BTF_ID ? r->flags : REG_NULLABLE) {
	case 0:
	case REG_ALLOC:
	case REG_TRUSTED:
	case REG_RCU:
	case REG_ALLOC | REG_NON_OWN:
	case REG_ALLOC | REG_NON_OWN | REG_RCU:
		return true;
	default:
		return false;
	}
}

const char *btf_reg_name(const struct reg *r)
{
	const struct btf_type *t = btf_type(&r->btf->data, r->btf_id);

	return t ? btf_string(&r->btf->data, t->name) : "";
}
