/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores through pointers to structs that BTF describes.
 *
 * A struct of the kernel's may be read, and what is read is followed by its type: a pointer in it is a
 * pointer again, and how far it may be trusted follows from how far the one it was read through is.
 * An object of a program's own (bpf_obj_new) may be written as well, but for its special fields.
 *
 *   read through              gives
 *   untrusted                 untrusted
 *   trusted or RCU            RCU where the field is known to be safe in an RCU section, and we are in
 *                             one; else untrusted
 *   neither (old programs)    a plain pointer
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "core/record.h"
#include "core/vmlinux.h"
#include "verifier/btf_ptr.h"
#include "verifier/memory.h"

bool state_in_rcu(const struct verifier *v)
{
	return v->cur->active_rcu_locks || v->cur->active_locks || !v->cur->in_sleepable;
}

/* Where a load or store at an offset of a struct arrives. */
struct place {
	const struct btf *btf;
	uint32_t id;    /* the struct; afterwards what a pointer there points to */
	uint32_t flags; /* REG_... that type tags of the pointer give */
	const char *field;
};

static const struct btf_type *plain(const struct btf *btf, uint32_t *id)
{
	*id = btf_skip_modifiers(&btf->data, *id);
	return btf_type(&btf->data, *id);
}

static const char *type_name(const struct btf *btf, const struct btf_type *t)
{
	return btf_string(&btf->data, t->name);
}

static bool is_struct(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_STRUCT || btf_kind(t) == BTF_UNION);
}

static const struct {
	const char *tag;
	uint32_t flags;
} tags[] = {{"user", REG_USER}, {"percpu", REG_PERCPU}, {"rcu", REG_RCU}};

/* A pointer member: what does it point to? 0: to nothing that can be followed. */
static bool pointee(struct place *p, const struct btf_type *ptr)
{
	const struct btf *btf = p->btf;
	uint32_t id = ptr->type;
	const struct btf_type *t = btf_type(&btf->data, id);

	for (; t && btf_kind(t) == BTF_TYPE_TAG; id = t->type, t = btf_type(&btf->data, id))
		for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
			if (!strcmp(type_name(btf, t), tags[i].tag))
				p->flags |= tags[i].flags;
	t = plain(btf, &id);
	p->id = id;
	return is_struct(t);
}

static uint32_t member_bits(const struct btf_type *t, const struct btf_member *m, uint32_t *width)
{
	*width = btf_kind_flag(t) ? m->offset >> 24 : 0;
	return btf_kind_flag(t) ? m->offset & 0xffffff : m->offset;
}

struct member {
	const struct btf_type *type;
	uint32_t id, off, size, end; /* end of the whole array, when it is one */
	uint32_t bit, width;
	const char *name;
};

/* The member that `off` is in; arrays are entered, and off moved back by whole elements. */
static bool find_member(const struct btf *btf, const struct btf_type *t, uint32_t *off, uint32_t size,
                        struct member *out)
{
	const struct btf_member *m = btf_rest(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		struct member at = {.id = m[i].type, .name = btf_string(&btf->data, m[i].name)};

		at.bit = member_bits(t, &m[i], &at.width);
		at.off = at.bit / 8;
		if (at.width) {
			if (*off < at.off || *off >= (at.bit + at.width + 7) / 8)
				continue;
			at.end = UINT32_MAX;
			*out = at;
			return true;
		}
		if (off[0] + size <= at.off)
			break;
		at.type = plain(btf, &at.id);
		at.size = at.type ? btf->data.size[at.id] : 0;
		at.end = at.off + at.size;
		if (*off >= at.end)
			continue;
		while (at.type && btf_kind(at.type) == BTF_ARRAY) {
			at.id = ((const struct btf_array *)btf_rest(at.type))->type;
			at.type = plain(btf, &at.id);
		}
		at.size = at.type ? btf->data.size[at.id] : 0;
		if (at.size && at.size != BTF_NO_SIZE && at.size < at.end - at.off && *off >= at.off)
			*off -= (*off - at.off) / at.size * at.size;
		*out = at;
		return true;
	}
	return false;
}

/* The last member is an array without a length, and off is in it: the element, counted from its start. */
static bool flexible(const struct btf *btf, const struct btf_type *t, uint32_t *off, uint32_t *id)
{
	const struct btf_member *m = btf_rest(t);
	uint32_t width, last, type, elem, size;
	const struct btf_type *array;
	const struct btf_array *a;

	if (!btf_vlen(t))
		return false;
	m += btf_vlen(t) - 1;
	last = member_bits(t, m, &width) / 8;
	type = m->type;
	array = plain(btf, &type);
	if (!array || btf_kind(array) != BTF_ARRAY)
		return false;
	a = btf_rest(array);
	elem = a->type;
	if (a->nelems > 1 || *off < last || !is_struct(plain(btf, &elem)))
		return false;
	size = btf->data.size[elem];
	if (!size)
		return false;
	*off = (*off - last) % size;
	*id = elem;
	return true;
}

/* 0: a number, 1: a pointer to p->id, < 0: refused. */
static int walk(struct verifier *v, struct place *p, uint32_t off, uint32_t size)
{
	for (;;) {
		const struct btf_type *t = plain(p->btf, &p->id);
		struct member m;

		if (!is_struct(t))
			return reject(v, REJECT_BTF_NO_STRUCT, t ? type_name(p->btf, t) : "void");
		if (off + size > p->btf->data.size[p->id]) {
			if (flexible(p->btf, t, &off, &p->id))
				continue;
			return reject(v, REJECT_BTF_BEYOND, type_name(p->btf, t), off, size);
		}
		if (btf_kind(t) == BTF_UNION && btf_vlen(t) != 1)
			p->flags |= REG_UNTRUSTED;
		if (!find_member(p->btf, t, &off, size, &m))
			return reject(v, REJECT_BTF_NO_FIELD, type_name(p->btf, t), off);
		if (m.width)
			return 0;
		if (off < m.off)
			return reject(v, REJECT_BTF_NO_FIELD, type_name(p->btf, t), off);
		if (is_struct(m.type)) {
			p->id = m.id;
			off -= m.off;
			continue;
		}
		if (m.type && btf_kind(m.type) == BTF_PTR) {
			if (size != 8 || off != m.off)
				return reject(v, REJECT_BTF_PTR_PART, m.name, m.off, type_name(p->btf, t), off,
				              size);
			p->field = m.name;
			if (pointee(p, m.type))
				return 1;
		}
		if (off + size > m.end)
			return reject(v, REJECT_BTF_MEMBER_END, m.name, m.end, type_name(p->btf, t), off,
			              size);
		return 0;
	}
}

bool reg_trusted(const struct reg *r)
{
	uint32_t unsafe = REG_NULLABLE | REG_UNTRUSTED | REG_RCU | REG_USER | REG_PERCPU;

	if (r->ref_id)
		return true;
	if (r->kind == REG_SOCKET || r->kind == REG_SOCK_COMMON || r->kind == REG_TCP_SOCK ||
	    r->kind == REG_MAP)
		return !r->flags;
	return r->flags & (REG_TRUSTED | REG_ALLOC | REG_NON_OWN) && !(r->flags & unsafe);
}

/* Fields of the kernel's structs that are safe to follow: in an RCU section, or as trusted as we are. */
enum { SAFE_RCU = 1, SAFE_RCU_OR_NULL, SAFE_TRUSTED, SAFE_TRUSTED_OR_NULL };
static const struct {
	const char *type, *field;
	int how;
} safe[] = {
	{"task_struct", "cpus_ptr", SAFE_RCU},
	{"task_struct", "cgroups", SAFE_RCU},
	{"task_struct", "real_parent", SAFE_RCU},
	{"task_struct", "group_leader", SAFE_RCU},
	{"cgroup", "kn", SAFE_RCU},
	{"css_set", "dfl_cgrp", SAFE_RCU},
	{"cgroup_subsys_state", "cgroup", SAFE_RCU},
	{"mm_struct", "exe_file", SAFE_RCU_OR_NULL},
	{"sk_buff", "sk", SAFE_RCU_OR_NULL},
	{"request_sock", "sk", SAFE_RCU_OR_NULL},
	{"bpf_iter_meta", "seq", SAFE_TRUSTED},
	{"bpf_iter__task", "meta", SAFE_TRUSTED},
	{"bpf_iter__task", "task", SAFE_TRUSTED},
	{"linux_binprm", "file", SAFE_TRUSTED},
	{"file", "f_inode", SAFE_TRUSTED},
	{"socket", "sk", SAFE_TRUSTED_OR_NULL},
	{"vm_area_struct", "vm_mm", SAFE_TRUSTED_OR_NULL},
	{"vm_area_struct", "vm_file", SAFE_TRUSTED_OR_NULL},
};

static int safety(const struct reg *r, const char *field)
{
	for (unsigned i = 0; field && i < sizeof(safe) / sizeof(safe[0]); i++)
		if (!strcmp(safe[i].field, field) && !strcmp(safe[i].type, btf_reg_name(r)))
			return safe[i].how;
	return 0;
}

/* Flags of a pointer that was read through r. */
static uint32_t read_flags(const struct verifier *v, const struct reg *r, const struct place *p)
{
	uint32_t keep = p->flags & (REG_USER | REG_PERCPU);

	if (r->flags & REG_UNTRUSTED)
		return REG_UNTRUSTED;
	if (!reg_trusted(r) && !(r->flags & REG_RCU))
		return keep;
	switch (safety(r, p->field)) {
	case SAFE_TRUSTED:
		return p->flags | REG_TRUSTED;
	case SAFE_TRUSTED_OR_NULL:
		return p->flags | REG_TRUSTED | REG_NULLABLE;
	case SAFE_RCU:
		if (state_in_rcu(v))
			return p->flags | REG_RCU;
		break;
	case SAFE_RCU_OR_NULL:
		if (state_in_rcu(v))
			return p->flags | REG_RCU | REG_NULLABLE;
		break;
	default:
		if (!state_in_rcu(v))
			break;
		if (p->flags & REG_RCU)
			return p->flags | REG_NULLABLE;
		return keep;
	}
	return REG_UNTRUSTED;
}

static int touches_special(struct verifier *v, const struct reg *r, uint32_t off, uint32_t size)
{
	const struct record *record = btf_record(r->btf, r->btf_id);

	for (uint32_t i = 0; record && i < record->n; i++)
		if (off < record->fields[i].offset + record->fields[i].size &&
		    record->fields[i].offset < off + size)
			return reject(v, REJECT_BTF_SPECIAL, special_name(record->fields[i].kind));
	return 0;
}

static int allowed(struct verifier *v, const struct reg *r, unsigned regno, int off,
                   enum access access)
{
	char text[64];

	if (!v->allow_ptr_leaks)
		return reject(v, REJECT_BTF_PRIVILEGE, btf_reg_name(r));
	if (r->btf->kernel && !v->p->gpl)
		return reject(v, REJECT_BTF_LICENCE, btf_reg_name(r));
	if (off < 0)
		return reject(v, REJECT_BTF_NEGATIVE, regno, btf_reg_name(r), off);
	if (!tnum_is_const(r->s.var) || r->s.var.value)
		return reject(v, REJECT_BTF_VARIABLE, regno, btf_reg_name(r), off,
		              tnum_text(r->s.var, text));
	if (r->flags & REG_USER)
		return reject(v, REJECT_BTF_USER, regno, btf_reg_name(r), off);
	if (r->flags & REG_PERCPU)
		return reject(v, REJECT_BTF_PERCPU, regno, btf_reg_name(r), off);
	if (access == ACCESS_WRITE && !(r->flags & REG_ALLOC))
		return reject(v, REJECT_BTF_READ_ONLY);
	return 0;
}

/* The kernel's structs behind its maps. */
static const char *const map_structs[] = {
	[BPF_MAP_TYPE_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_PERCPU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_LRU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_HASH_OF_MAPS] = "bpf_htab",
	[BPF_MAP_TYPE_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PERCPU_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PROG_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_CGROUP_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = "bpf_array",
	[BPF_MAP_TYPE_LPM_TRIE] = "lpm_trie",
	[BPF_MAP_TYPE_RINGBUF] = "bpf_ringbuf_map",
	[BPF_MAP_TYPE_USER_RINGBUF] = "bpf_ringbuf_map",
	[BPF_MAP_TYPE_QUEUE] = "bpf_queue_stack",
	[BPF_MAP_TYPE_STACK] = "bpf_queue_stack",
	[BPF_MAP_TYPE_ARENA] = "bpf_arena",
};

/*
 * Their fields can be read there. Skep has maps of its own making, and no such fields: but what the kernel
 * refuses is refused for its reason.
 */
static int map_field(struct verifier *v, unsigned regno, int off, unsigned size, enum access access)
{
	enum { KNOWN = sizeof(map_structs) / sizeof(map_structs[0]) };
	const struct reg *r = &cur_regs(v)[regno];
	const char *name = r->map->type < KNOWN ? map_structs[r->map->type] : NULL;
	struct place p = {.btf = name ? vmlinux(v->p->obj.k) : NULL};
	int err;

	if (p.btf)
		p.id = vmlinux_find(v->p->obj.k, BTF_STRUCT, name);
	if (!p.id)
		return reject(v, REJECT_MAP_FIELDS);
	if (!v->allow_ptr_leaks)
		return reject(v, REJECT_BTF_PRIVILEGE, name);
	if (off < 0)
		return reject(v, REJECT_MAP_NEGATIVE, regno, name, off);
	if (access != ACCESS_READ)
		return reject(v, REJECT_MAP_READ_ONLY, name);
	err = walk(v, &p, (uint32_t)off, size);
	return err < 0 ? err : reject(v, REJECT_MAP_FIELDS);
}

int btf_access(struct verifier *v, uint32_t pc, unsigned regno, int off, unsigned size,
               enum access access, int value)
{
	struct reg *r = &cur_regs(v)[regno], from = *r, *to;
	struct place p = {.btf = r->btf, .id = r->btf_id};
	int err;

	(void)pc;
	if (r->kind == REG_MAP)
		return map_field(v, regno, off, size, access);
	err = allowed(v, r, regno, off, access);
	if (!err && r->flags & REG_ALLOC)
		err = touches_special(v, r, (uint32_t)off, size);
	if (err)
		return err;
	err = walk(v, &p, (uint32_t)off, size);
	if (err < 0 || access == ACCESS_WRITE || value < 0)
		return err < 0 ? err : 0;
	to = &cur_regs(v)[value];
	/* A program's own structs hold no pointers that could be followed. */
	if (!err || from.flags & REG_ALLOC) {
		reg_set_unknown(to);
		return 0;
	}
	reg_set_pointer(to, REG_BTF_ID, read_flags(v, &from, &p));
	to->btf = p.btf;
	to->btf_id = p.id;
	if (reg_nullable(to))
		to->id = new_id(v);
	return 0;
}
