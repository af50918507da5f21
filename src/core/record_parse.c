/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding special fields by their types: see record.h.
 *
 * A walk through the members of a struct, into structs and arrays of structs in it, notes what is found
 * (scan_*); then each finding is checked and completed (finish_*). What only looks like a special field,
 * by its name, but has another size or alignment, is an ordinary one.
 *
 * Requires: BTF that parsed. Provides: record_parse(), record_link(), record_parse_all().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/record.h"
#include "core/vmlinux.h"

enum {
	FIELDS_MAX = 11, /* the kernel's: of one record */
	MAX_DEPTH = 32,
	UPTR_MAX = 4096, /* what a __uptr points to fits a page */
};

enum { UNIQUE = 1, REPEATABLE = 2 };

static const struct {
	const char *name; /* NULL: known by a type tag */
	uint8_t size, align, rule;
} kinds[SPECIAL_KINDS] = {
	[SPECIAL_SPIN_LOCK] = {"bpf_spin_lock", 4, 4, UNIQUE},
	[SPECIAL_RES_SPIN_LOCK] = {"bpf_res_spin_lock", 4, 4, UNIQUE},
	[SPECIAL_TIMER] = {"bpf_timer", 16, 8, UNIQUE},
	[SPECIAL_WORKQUEUE] = {"bpf_wq", 16, 8, UNIQUE},
	[SPECIAL_TASK_WORK] = {"bpf_task_work", 8, 8, UNIQUE},
	[SPECIAL_KPTR_UNREF] = {NULL, 8, 8, REPEATABLE},
	[SPECIAL_KPTR_REF] = {NULL, 8, 8, REPEATABLE},
	[SPECIAL_KPTR_PERCPU] = {NULL, 8, 8, REPEATABLE},
	[SPECIAL_UPTR] = {NULL, 8, 8, REPEATABLE},
	[SPECIAL_LIST_HEAD] = {"bpf_list_head", 16, 8, REPEATABLE},
	[SPECIAL_LIST_NODE] = {"bpf_list_node", 24, 8, 0},
	[SPECIAL_RB_ROOT] = {"bpf_rb_root", 16, 8, REPEATABLE},
	[SPECIAL_RB_NODE] = {"bpf_rb_node", 32, 8, 0},
	[SPECIAL_REFCOUNT] = {"bpf_refcount", 4, 4, 0},
};

static const struct {
	const char *tag;
	enum special_kind kind;
} pointer_tags[] = {
	{"kptr", SPECIAL_KPTR_REF},
	{"kptr_untrusted", SPECIAL_KPTR_UNREF},
	{"percpu_kptr", SPECIAL_KPTR_PERCPU},
	{"uptr", SPECIAL_UPTR},
};

/* Types of the kernel's that know how to be given back. */
static const struct {
	const char *type, *dtor;
} dtors[] = {
	{"bpf_cpumask", "bpf_cpumask_release"},
	{"bpf_crypto_ctx", "bpf_crypto_ctx_release"},
	{"cgroup", "bpf_cgroup_release"},
	{"task_struct", "bpf_task_release"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct finding {
	enum special_kind kind;
	uint32_t offset;
	uint32_t type_id; /* of what it points to or contains, in the program's BTF */
	const char *node; /* name of the node's member */
};

struct scan {
	const struct btf_data *b;
	uint32_t allowed;
};

/* Where findings go. */
struct room {
	struct finding *at;
	uint32_t left;
};

static const char *name_of(const struct btf_data *b, const struct btf_type *t)
{
	const char *name = btf_string(b, t->name);

	return name ? name : "";
}

/* --- Looking for fields -------------------------------------------------------------------- */

/* 1 and *f filled in, 0: an ordinary field, or -EINVAL. */
static int find_pointer(const struct scan *s, const struct btf_type *t, uint32_t offset,
                        struct finding *f)
{
	const struct btf_type *tag;

	if (btf_kind(t) == BTF_VOLATILE)
		t = btf_type(s->b, t->type);
	if (!t || btf_kind(t) != BTF_PTR)
		return 0;
	tag = btf_type(s->b, t->type);
	if (!tag || btf_kind(tag) != BTF_TYPE_TAG || btf_kind_flag(tag))
		return 0;
	t = btf_type(s->b, tag->type);
	if (t && btf_kind(t) == BTF_TYPE_TAG && !btf_kind_flag(t))
		return -EINVAL;
	for (size_t i = 0; i < COUNT(pointer_tags); i++) {
		if (strcmp(name_of(s->b, tag), pointer_tags[i].tag) != 0)
			continue;
		if (!(s->allowed & SPECIAL_BIT(pointer_tags[i].kind)))
			return 0;
		*f = (struct finding){.kind = pointer_tags[i].kind, .offset = offset,
		                      .type_id = btf_skip_modifiers(s->b, tag->type)};
		t = btf_type(s->b, f->type_id);
		return t && btf_kind(t) == BTF_STRUCT ? 1 : -EINVAL;
	}
	return -EINVAL;
}

/* What stands behind "contains:" in the tag of a member; NULL: no tag, or more than one. */
static const char *contains_tag(const struct btf_data *b, uint32_t owner, uint32_t member)
{
	static const char prefix[] = "contains:";
	const char *found = NULL;

	for (uint32_t id = 1; id <= b->ntypes; id++) {
		const struct btf_type *t = btf_type(b, id);
		uint32_t component;

		if (btf_kind(t) != BTF_DECL_TAG || t->type != owner)
			continue;
		memcpy(&component, btf_rest(t), sizeof(component));
		if (component != member ||
		    strncmp(name_of(b, t), prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (found)
			return NULL;
		found = name_of(b, t) + sizeof(prefix) - 1;
	}
	return found;
}

/* A head or root says "struct name:member". */
static int find_graph(const struct scan *s, uint32_t owner, uint32_t member, struct finding *f)
{
	const char *text = contains_tag(s->b, owner, member);
	const char *colon = text ? strchr(text, ':') : NULL;
	char name[BTF_MAX_NAME];

	if (!colon || (size_t)(colon - text) >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	f->type_id = btf_find(s->b, BTF_STRUCT, name);
	if (!f->type_id)
		return -ENOENT;
	f->node = colon + 1;
	return f->node[0] ? 1 : -EINVAL;
}

/* The kind that a type is by its name, SPECIAL_KINDS: none. */
static enum special_kind kind_by_name(const struct scan *s, const struct btf_type *t)
{
	const char *name = name_of(s->b, t);

	for (unsigned kind = 0; kind < SPECIAL_KINDS; kind++)
		if (kinds[kind].name && s->allowed & SPECIAL_BIT(kind) &&
		    strcmp(name, kinds[kind].name) == 0)
			return (enum special_kind)kind;
	return SPECIAL_KINDS;
}

/* Repeats n findings for the other elements of an array. Answers how many there are then. */
static int repeat(struct room r, uint32_t n, uint32_t nelems, uint32_t elem_size)
{
	for (uint32_t i = 0; i < n; i++)
		if (!(kinds[r.at[i].kind].rule & REPEATABLE))
			return -EINVAL;
	if ((uint64_t)n * nelems > r.left)
		return -E2BIG;
	for (uint32_t i = n; i < n * nelems; i++) {
		r.at[i] = r.at[i - n];
		r.at[i].offset += elem_size;
	}
	return (int)(n * nelems);
}

static int scan_struct(const struct scan *s, uint32_t id, struct room r, unsigned depth);

static int scan_nested(const struct scan *s, uint32_t id, uint32_t offset, uint32_t nelems,
                       struct room r, unsigned depth)
{
	int n = depth + 1 < MAX_DEPTH ? scan_struct(s, id, r, depth + 1) : -E2BIG;

	for (int i = 0; i < n; i++)
		r.at[i].offset += offset;
	return n > 0 && nelems > 1 ? repeat(r, (uint32_t)n, nelems, s->b->size[id]) : n;
}

/* A variable or member. */
struct place {
	uint32_t type, offset;
	uint32_t expected; /* its size when a section says so, or 0 */
	uint32_t owner, member; /* what a tag names it by */
};

/* The type of an array's elements, through all dimensions. */
static uint32_t flatten(const struct btf_data *b, uint32_t id, uint32_t *nelems)
{
	const struct btf_type *t = btf_type(b, id);

	*nelems = 1;
	while (t && btf_kind(t) == BTF_ARRAY) {
		const struct btf_array *a = btf_rest(t);

		*nelems *= a->nelems;
		id = a->type;
		t = btf_type(b, id);
	}
	return id;
}

/* Fills in r.at[0] when the place holds a field of this kind: 1, 0 or an error. */
static int find_field(const struct scan *s, const struct place *p, const struct btf_type *t,
                      enum special_kind kind, struct finding *f)
{
	if (p->offset % kinds[kind].align)
		return 0;
	if (!kinds[kind].name)
		return find_pointer(s, t, p->offset, f);
	if (btf_kind(t) != BTF_STRUCT || t->type != kinds[kind].size)
		return 0;
	*f = (struct finding){.kind = kind, .offset = p->offset};
	return kind == SPECIAL_LIST_HEAD || kind == SPECIAL_RB_ROOT
	               ? find_graph(s, p->owner, p->member, f)
	               : 1;
}

static int scan_place(const struct scan *s, const struct place *p, uint32_t *seen, struct room r,
                      unsigned depth)
{
	uint32_t nelems, id = flatten(s->b, p->type, &nelems), size;
	const struct btf_type *t = btf_type(s->b, id);
	enum special_kind kind;
	struct finding f;
	int n;

	if (!nelems || !t)
		return 0;
	kind = kind_by_name(s, t);
	if (kind == SPECIAL_KINDS && btf_kind(t) == BTF_STRUCT) {
		if (p->expected && p->expected != (uint64_t)t->type * nelems)
			return 0;
		return scan_nested(s, id, p->offset, nelems, r, depth);
	}
	if (kind == SPECIAL_KINDS) {
		if (!(s->allowed & (SPECIAL_KPTRS | SPECIAL_BIT(SPECIAL_UPTR))))
			return 0;
		kind = SPECIAL_KPTR_REF; /* or one of the others */
	} else if (kinds[kind].rule & UNIQUE) {
		if (*seen & SPECIAL_BIT(kind))
			return -E2BIG;
		*seen |= SPECIAL_BIT(kind);
	}
	size = kinds[kind].size;
	if (p->expected && p->expected != (uint64_t)size * nelems)
		return 0;
	n = find_field(s, p, t, kind, &f);
	if (n <= 0)
		return n;
	if (!r.left)
		return -E2BIG;
	r.at[0] = f;
	return nelems > 1 ? repeat(r, 1, nelems, size) : 1;
}

static int scan_struct(const struct scan *s, uint32_t id, struct room r, unsigned depth)
{
	const struct btf_type *t = btf_type(s->b, id);
	const struct btf_member *m = btf_rest(t);
	uint32_t seen = 0, found = 0;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t bit = btf_kind_flag(t) ? m[i].offset & 0xffffff : m[i].offset;
		struct place p = {.type = m[i].type, .offset = bit / 8, .owner = id, .member = i};
		int n;

		if (bit % 8) /* bit fields and special ones do not go together */
			return -EINVAL;
		n = scan_place(s, &p, &seen, (struct room){r.at + found, r.left - found}, depth);
		if (n < 0)
			return n;
		found += (uint32_t)n;
	}
	return (int)found;
}

static int scan_section(const struct scan *s, uint32_t id, struct room r)
{
	const struct btf_type *t = btf_type(s->b, id);
	const struct btf_secinfo *v = btf_rest(t);
	uint32_t seen = 0, found = 0;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf_type(s->b, v[i].type);
		struct place p = {.type = var->type, .offset = v[i].offset, .expected = v[i].size,
		                  .owner = v[i].type, .member = UINT32_MAX};
		int n = scan_place(s, &p, &seen, (struct room){r.at + found, r.left - found}, 0);

		if (n < 0)
			return n;
		found += (uint32_t)n;
	}
	return (int)found;
}

/* --- Completing them ----------------------------------------------------------------------- */

/* Pointers lead to a type of the kernel's where it has one of that name, else to the program's. */
static int finish_pointer(const struct btf *btf, const struct finding *f, struct special *to)
{
	struct skep *k = btf->obj.k;
	const char *name = name_of(&btf->data, btf_type(&btf->data, f->type_id));
	uint32_t id = f->kind == SPECIAL_UPTR ? 0 : vmlinux_find(k, BTF_STRUCT, name);

	to->btf = id ? vmlinux(k) : btf;
	to->type_id = id ? id : f->type_id;
	if (!id || f->kind != SPECIAL_KPTR_REF)
		return 0;
	for (size_t i = 0; i < COUNT(dtors); i++)
		if (strcmp(name, dtors[i].type) == 0)
			to->dtor = dtors[i].dtor;
	return to->dtor ? 0 : -ENOENT;
}

static int finish_graph(const struct btf *btf, const struct finding *f, struct special *to)
{
	enum special_kind want = f->kind == SPECIAL_LIST_HEAD ? SPECIAL_LIST_NODE : SPECIAL_RB_NODE;
	const struct btf_type *t = btf_type(&btf->data, f->type_id), *node;
	const struct btf_member *m = btf_rest(t);
	bool found = false;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = btf_string(&btf->data, m[i].name);
		uint32_t bit = btf_kind_flag(t) ? m[i].offset & 0xffffff : m[i].offset;

		if (!name || strcmp(name, f->node) != 0)
			continue;
		node = btf_type(&btf->data, m[i].type);
		if (found || !node || btf_kind(node) != BTF_STRUCT ||
		    node->type != kinds[want].size ||
		    strcmp(name_of(&btf->data, node), kinds[want].name) != 0 || bit % 8 ||
		    bit / 8 % kinds[want].align)
			return -EINVAL;
		found = true;
		to->node_offset = bit / 8;
	}
	to->btf = btf;
	to->type_id = f->type_id;
	return found ? 0 : -ENOENT;
}

static int finish(const struct btf *btf, const struct finding *f, struct special *to)
{
	*to = (struct special){.kind = f->kind, .offset = f->offset, .size = kinds[f->kind].size};
	if (!kinds[f->kind].name)
		return finish_pointer(btf, f, to);
	if (f->kind == SPECIAL_LIST_HEAD || f->kind == SPECIAL_RB_ROOT)
		return finish_graph(btf, f, to);
	return 0;
}

/* Fields that need, or exclude, others. */
static int check_company(uint32_t mask)
{
	if ((mask & SPECIAL_LOCKS) == SPECIAL_LOCKS)
		return -EINVAL;
	if (mask & SPECIAL_ROOTS && !(mask & SPECIAL_LOCKS))
		return -EINVAL;
	if ((mask & SPECIAL_NODES) == SPECIAL_NODES && !(mask & SPECIAL_BIT(SPECIAL_REFCOUNT)))
		return -EINVAL;
	return 0;
}

static int finish_all(const struct btf *btf, const struct finding *found, uint32_t size,
                      struct record *r)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		struct special *to = &r->fields[i];
		int err;

		if (found[i].offset + kinds[found[i].kind].size > size)
			return -EFAULT;
		if (found[i].offset < end)
			return -EEXIST;
		end = found[i].offset + kinds[found[i].kind].size;
		err = finish(btf, &found[i], to);
		if (err)
			return err;
		r->mask |= SPECIAL_BIT(to->kind);
	}
	return check_company(r->mask);
}

int record_parse(const struct btf *btf, uint32_t type_id, uint32_t size, uint32_t allowed,
                 struct record **out)
{
	const struct mem *mem = &btf->obj.k->mem;
	const struct scan s = {.b = &btf->data, .allowed = allowed};
	const struct btf_type *t = btf_type(s.b, type_id);
	struct finding found[FIELDS_MAX];
	struct room room = {found, FIELDS_MAX};
	struct record *r;
	int n = -EINVAL;

	if (t && btf_kind(t) == BTF_STRUCT)
		n = scan_struct(&s, type_id, room, 0);
	else if (t && btf_kind(t) == BTF_DATASEC)
		n = scan_section(&s, type_id, room);
	if (n <= 0) {
		*out = NULL;
		return n;
	}
	r = mem_zalloc(mem, sizeof(*r) + (size_t)n * sizeof(r->fields[0]));
	if (!r)
		return -ENOMEM;
	r->n = (uint32_t)n;
	n = finish_all(btf, found, size, r);
	if (n)
		record_free(mem, r);
	else
		*out = r;
	return n;
}

int record_link(const struct btf *btf, struct record *r)
{
	for (uint32_t i = 0; r && i < r->n; i++) {
		struct special *f = &r->fields[i];

		if (SPECIAL_BIT(f->kind) & SPECIAL_KPTRS && f->btf == btf)
			f->record = btf_record(btf, f->type_id);
		if (f->kind == SPECIAL_UPTR && btf_type(&btf->data, f->type_id)->type > UPTR_MAX)
			return -E2BIG;
		if (!(SPECIAL_BIT(f->kind) & SPECIAL_ROOTS))
			continue;
		f->record = btf_record(btf, f->type_id);
		if (!f->record)
			return -EFAULT;
		/* Who owns and is owned owns nobody who owns: no object owns itself. */
		if (r->mask & SPECIAL_NODES && f->record->mask & SPECIAL_ROOTS)
			return -ELOOP;
	}
	return 0;
}

void record_free(const struct mem *mem, struct record *r)
{
	mem_free(mem, r);
}

/* --- All structs of a program --------------------------------------------------------------- */

/* Does a member of this type make its struct one that is worth a record? */
static bool attracts(const struct scan *s, const struct btf_type *t)
{
	enum {
		NAMED = SPECIAL_BIT(SPECIAL_SPIN_LOCK) | SPECIAL_ROOTS | SPECIAL_NODES |
		        SPECIAL_BIT(SPECIAL_REFCOUNT),
	};
	struct finding f;
	enum special_kind kind;

	if (!t)
		return false;
	if (btf_kind(t) != BTF_STRUCT)
		return find_pointer(s, t, 0, &f) == 1;
	kind = kind_by_name(s, t);
	return kind != SPECIAL_KINDS && NAMED & SPECIAL_BIT(kind);
}

static bool worth_a_record(const struct scan *s, const struct btf_type *t)
{
	const struct btf_member *m = btf_rest(t);

	if (btf_kind(t) != BTF_STRUCT)
		return false;
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (attracts(s, btf_type(s->b, m[i].type)))
			return true;
	return false;
}

static int parse_structs(struct btf *btf, const struct scan *s)
{
	int err = 0;

	for (uint32_t id = 1; !err && id <= s->b->ntypes; id++) {
		const struct btf_type *t = btf_type(s->b, id);
		struct record *r = NULL;

		if (!worth_a_record(s, t))
			continue;
		err = record_parse(btf, id, t->type, s->allowed, &r);
		if (!err && !r)
			err = -EFAULT;
		if (!err)
			btf->structs[btf->nstructs++] = (struct btf_struct){id, r};
	}
	return err;
}

int record_parse_all(struct btf *btf)
{
	const struct scan s = {.b = &btf->data, .allowed = SPECIAL_IN_OBJECTS};
	uint32_t n = 0;
	int err;

	for (uint32_t id = 1; id <= s.b->ntypes; id++)
		n += worth_a_record(&s, btf_type(s.b, id));
	if (!n)
		return 0;
	btf->structs = mem_zalloc_array(&btf->obj.k->mem, n, sizeof(btf->structs[0]));
	if (!btf->structs)
		return -ENOMEM;
	err = parse_structs(btf, &s);
	for (uint32_t i = 0; !err && i < btf->nstructs; i++)
		err = record_link(btf, btf->structs[i].record);
	return err;
}
