/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From bytes to types: header, strings, and each type by itself.
 *
 * What a kind of type may hold stands in the table `kinds`; a row's check() looks at what follows
 * the type's header. What concerns two types at once is resolve.c's business.
 *
 * Requires: nothing. Provides: btf_parse(), btf_free(), btf_type(), btf_string(), the walk of
 * btf.h.
 */
#include "btf/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524 /* the kernel's; <errno.h> knows it not */
#endif

enum { MAGIC = 0xeb9f, MAX_TYPES = 0xfffff, MAX_STRINGS = 0xffffff };

struct header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

/* --- Access ------------------------------------------------------------------------------- */

const struct btf_type *btf_type(const struct btf_data *b, uint32_t id)
{
	return id && id <= b->ntypes ? (const struct btf_type *)(b->types + b->offset[id]) : NULL;
}

const char *btf_string(const struct btf_data *b, uint32_t offset)
{
	return offset < b->strings_len ? b->strings + offset : NULL;
}

uint32_t btf_skip_modifiers(const struct btf_data *b, uint32_t id)
{
	const struct btf_type *t = btf_type(b, id);

	while (t && btf_is_modifier(btf_kind(t))) {
		id = t->type;
		t = btf_type(b, id);
	}
	return id;
}

uint32_t btf_find(const struct btf_data *b, enum btf_kind kind, const char *name)
{
	for (uint32_t id = 1; id <= b->ntypes; id++) {
		const struct btf_type *t = btf_type(b, id);

		if (btf_kind(t) == kind && strcmp(btf_string(b, t->name), name) == 0)
			return id;
	}
	return 0;
}

/* --- Messages ----------------------------------------------------------------------------- */

int btf_reject(const struct btf_parser *p, uint32_t id, const char *why, int err)
{
	const struct btf_type *t = btf_type(p->b, id);
	const char *name = btf_string(p->b, t->name);

	if (p->log)
		buf_printf(p->log, "[%u] %s %s %s=%u vlen=%u %s\n", id, btf_kind_name(btf_kind(t)),
		           name && *name ? name : "(anon)",
		           p->b->size[id] == BTF_NO_SIZE ? "type_id" : "size", t->type, btf_vlen(t),
		           why);
	return err;
}

int btf_reject_member(const struct btf_parser *p, uint32_t id, const char *member, uint32_t type,
                      const char *why, int err)
{
	btf_reject(p, id, "", err);
	if (p->log)
		buf_printf(p->log, "\t%s type_id=%u %s\n", member && *member ? member : "(anon)",
		           type,
		           why);
	return err;
}

static int fail(struct buf *log, const char *why, int err)
{
	if (log)
		buf_printf(log, "%s\n", why);
	return err;
}

/* --- Names -------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

bool btf_is_identifier(const struct btf_data *b, uint32_t name)
{
	const char *s = btf_string(b, name);

	if (!s || !is_word(*s))
		return false;
	for (size_t i = 1; s[i]; i++)
		if (i + 1 >= BTF_MAX_NAME || !(is_word(s[i]) || (s[i] >= '0' && s[i] <= '9')))
			return false;
	return true;
}

static bool is_printable(const struct btf_data *b, uint32_t name)
{
	const char *s = btf_string(b, name);
	size_t i;

	for (i = 0; s[i]; i++)
		if (i + 1 >= BTF_MAX_NAME || s[i] < ' ' || s[i] > '~')
			return false;
	return i > 0;
}

/* --- What follows a type's header --------------------------------------------------------- */

static int check_int(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	uint32_t data, bits, offset, encoding;

	memcpy(&data, btf_rest(t), sizeof(data));
	bits = data & 0xff;
	offset = data >> 16 & 0xff;
	encoding = data >> 24;
	if (data & 0xf000ff00)
		return btf_reject(p, id, "Invalid int_data", -EINVAL);
	if (bits > 128)
		return btf_reject(p, id, "nr_bits exceeds 128", -EINVAL);
	if ((bits + offset + 7) / 8 > t->type)
		return btf_reject(p, id, "nr_bits exceeds type_size", -EINVAL);
	if (encoding & (encoding - 1) || encoding > 4)
		return btf_reject(p, id, "Unsupported encoding", -ENOTSUPP);
	return 0;
}

static int check_array(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_array *a = btf_rest(t);

	if (!a->type || a->type > p->b->ntypes)
		return btf_reject(p, id, "Invalid elem", -EINVAL);
	if (!a->index_type || a->index_type > p->b->ntypes)
		return btf_reject(p, id, "Invalid index", -EINVAL);
	return 0;
}

static int check_members(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_member *m = btf_rest(t);
	bool flag = btf_kind_flag(t);
	uint32_t last = 0;

	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf_string(p->b, m->name), *why = NULL;
		uint32_t bit = flag ? m->offset & 0xffffff : m->offset;

		if (!name || (*name && !btf_is_identifier(p->b, m->name)))
			why = "Invalid name";
		else if (!m->type || m->type > p->b->ntypes)
			why = "Invalid type_id";
		else if (btf_kind(t) == BTF_UNION ? bit != 0 : bit < last)
			why = "Invalid member bits_offset";
		else if ((bit + 7) / 8 > t->type)
			why = "bits_offset exceeds its struct size";
		if (why)
			return btf_reject_member(p, id, name, m->type, why, -EINVAL);
		last = bit;
	}
	return 0;
}

static int check_enum(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	size_t each = btf_kind(t) == BTF_ENUM ? sizeof(struct btf_enumerator) : 12;
	const uint8_t *at = btf_rest(t);

	if (t->type > 8 || !t->type || t->type & (t->type - 1))
		return btf_reject(p, id, "Unexpected size", -EINVAL);
	for (uint32_t i = 0; i < btf_vlen(t); i++, at += each)
		if (!btf_is_identifier(p->b, ((const struct btf_enumerator *)at)->name))
			return btf_reject(p, id, "Invalid name", -EINVAL);
	return 0;
}

static int check_func(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	return btf_vlen(t) > 1 ? btf_reject(p, id, "Invalid func linkage", -EINVAL) : 0;
}

static int check_var(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	uint32_t linkage;

	memcpy(&linkage, btf_rest(t), sizeof(linkage));
	return linkage > 1 ? btf_reject(p, id, "Linkage not supported", -EINVAL) : 0;
}

static int check_vars(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	const struct btf_secinfo *v = btf_rest(t);
	uint64_t end = 0;

	if (!t->type)
		return btf_reject(p, id, "size == 0", -EINVAL);
	for (uint32_t i = 0; i < btf_vlen(t); i++, v++) {
		const char *why = NULL;

		if (!v->type || v->type > p->b->ntypes)
			why = "Invalid type_id";
		else if (v->offset < end || v->offset >= t->type)
			why = "Invalid offset";
		else if (!v->size || v->size > t->type)
			why = "Invalid size";
		else if ((uint64_t)v->offset + v->size > t->type)
			why = "Invalid offset+size";
		if (why)
			return btf_reject_member(p, id, NULL, v->type, why, -EINVAL);
		end = (uint64_t)v->offset + v->size;
	}
	return 0;
}

static int check_float(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	bool fine = t->type == 2 || t->type == 4 || t->type == 8 || t->type == 12 || t->type == 16;

	return fine ? 0 : btf_reject(p, id, "Invalid type_size", -EINVAL);
}

static int check_decl_tag(const struct btf_parser *p, uint32_t id, const struct btf_type *t)
{
	int32_t component;

	memcpy(&component, btf_rest(t), sizeof(component));
	return component < -1 ? btf_reject(p, id, "Invalid component_idx", -EINVAL) : 0;
}

/* --- Kinds -------------------------------------------------------------------------------- */

enum name_rule { NAME_NONE, NAME_ANY, NAME_OPTIONAL, NAME_IDENTIFIER, NAME_TEXT };
enum third_rule { THIRD_ZERO, THIRD_SIZE, THIRD_TYPE, THIRD_TYPE_NOT_VOID };

static const struct kind {
	const char *name;
	uint8_t fixed, each; /* bytes behind the header: always, and for each of vlen */
	uint8_t name_rule, third_rule;
	bool vlen, flag; /* may be set */
	int (*check)(const struct btf_parser *, uint32_t id, const struct btf_type *);
} kinds[BTF_KINDS] = {
	[BTF_INT] = {"INT", 4, 0, NAME_ANY, THIRD_SIZE, false, false, check_int},
	[BTF_PTR] = {"PTR", 0, 0, NAME_NONE, THIRD_TYPE, false, false, NULL},
	[BTF_ARRAY] = {"ARRAY", 12, 0, NAME_NONE, THIRD_ZERO, false, false, check_array},
	[BTF_STRUCT] = {"STRUCT", 0, 12, NAME_OPTIONAL, THIRD_SIZE, true, true, check_members},
	[BTF_UNION] = {"UNION", 0, 12, NAME_OPTIONAL, THIRD_SIZE, true, true, check_members},
	[BTF_ENUM] = {"ENUM", 0, 8, NAME_OPTIONAL, THIRD_SIZE, true, true, check_enum},
	[BTF_FWD] = {"FWD", 0, 0, NAME_IDENTIFIER, THIRD_ZERO, false, true, NULL},
	[BTF_TYPEDEF] = {"TYPEDEF", 0, 0, NAME_IDENTIFIER, THIRD_TYPE, false, false, NULL},
	[BTF_VOLATILE] = {"VOLATILE", 0, 0, NAME_NONE, THIRD_TYPE, false, false, NULL},
	[BTF_CONST] = {"CONST", 0, 0, NAME_NONE, THIRD_TYPE, false, false, NULL},
	[BTF_RESTRICT] = {"RESTRICT", 0, 0, NAME_NONE, THIRD_TYPE, false, false, NULL},
	[BTF_FUNC] = {"FUNC", 0, 0, NAME_IDENTIFIER, THIRD_TYPE_NOT_VOID, true, false, check_func},
	[BTF_FUNC_PROTO] = {"FUNC_PROTO", 0, 8, NAME_NONE, THIRD_TYPE, true, false, NULL},
	[BTF_VAR] = {"VAR", 4, 0, NAME_IDENTIFIER, THIRD_TYPE_NOT_VOID, false, false, check_var},
	[BTF_DATASEC] = {"DATASEC", 0, 12, NAME_TEXT, THIRD_SIZE, true, false, check_vars},
	[BTF_FLOAT] = {"FLOAT", 0, 0, NAME_ANY, THIRD_SIZE, false, false, check_float},
	[BTF_DECL_TAG] = {"DECL_TAG", 4, 0, NAME_TEXT, THIRD_TYPE_NOT_VOID, false, true,
	                  check_decl_tag},
	[BTF_TYPE_TAG] = {"TYPE_TAG", 0, 0, NAME_TEXT, THIRD_TYPE, false, true, NULL},
	[BTF_ENUM64] = {"ENUM64", 0, 12, NAME_OPTIONAL, THIRD_SIZE, true, true, check_enum},
};

const char *btf_kind_name(enum btf_kind kind)
{
	return kind < BTF_KINDS && kinds[kind].name ? kinds[kind].name : "VOID";
}

static bool name_ok(const struct btf_data *b, uint32_t name, enum name_rule rule)
{
	switch (rule) {
	case NAME_NONE:
		return !name;
	case NAME_ANY:
		return true;
	case NAME_OPTIONAL:
		return !name || btf_is_identifier(b, name);
	case NAME_IDENTIFIER:
		return btf_is_identifier(b, name);
	case NAME_TEXT:
		return is_printable(b, name);
	}
	return false;
}

static int check_type(const struct btf_parser *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->b, id);
	const struct kind *k = &kinds[btf_kind(t)];

	if (!btf_string(p->b, t->name)) {
		if (p->log)
			buf_printf(p->log, "[%u] Invalid name_offset:%u\n", id, t->name);
		return -EINVAL;
	}
	if (btf_vlen(t) && !k->vlen)
		return btf_reject(p, id, "vlen != 0", -EINVAL);
	if (btf_kind_flag(t) && !k->flag)
		return btf_reject(p, id, "Invalid btf_info kind_flag", -EINVAL);
	if (!name_ok(p->b, t->name, k->name_rule))
		return btf_reject(p, id, "Invalid name", -EINVAL);
	if (k->third_rule == THIRD_ZERO && t->type)
		return btf_reject(p, id, btf_kind(t) == BTF_FWD ? "type != 0" : "size != 0",
		                  -EINVAL);
	if (k->third_rule >= THIRD_TYPE && t->type > p->b->ntypes)
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	if (k->third_rule == THIRD_TYPE_NOT_VOID && !t->type)
		return btf_reject(p, id, "Invalid type_id", -EINVAL);
	return k->check ? k->check(p, id, t) : 0;
}

/* --- Sections ----------------------------------------------------------------------------- */

/* The size of the type at `at`, of which `left` bytes are there; 0 when it is none or cut short. */
static uint32_t type_length(const struct btf_type *t, uint32_t left, uint32_t id, struct buf *log)
{
	const struct kind *k;
	uint32_t need = sizeof(*t);

	if (left >= need) {
		k = &kinds[btf_kind(t) < BTF_KINDS ? btf_kind(t) : BTF_VOID];
		if (t->info & 0x60ff0000) {
			if (log)
				buf_printf(log, "[%u] Invalid btf_info:%x\n", id, t->info);
			return 0;
		}
		if (!k->name) {
			if (log)
				buf_printf(log, "[%u] Invalid kind:%u\n", id, btf_kind(t));
			return 0;
		}
		need += k->fixed + k->each * btf_vlen(t);
	}
	if (left >= need)
		return need;
	if (log)
		buf_printf(log, "[%u] meta_left:%u meta_needed:%u\n", id, left, need);
	return 0;
}

/* First counts the types (offset NULL), then notes where they are. */
static int index_types(struct btf_data *b, uint32_t *offset, struct buf *log)
{
	uint32_t at = 0, n = 0;

	while (at < b->types_len) {
		uint32_t len = type_length((const struct btf_type *)(b->types + at),
		                           b->types_len - at, n + 1, log);

		if (!len || n == MAX_TYPES)
			return len ? -E2BIG : -EINVAL;
		n++;
		if (offset)
			offset[n] = at;
		at += len;
	}
	b->ntypes = n;
	return 0;
}

/* Header and sections: types, then strings, with no gap, to the end. */
static int find_sections(struct btf_data *b, struct buf *log)
{
	struct header h;
	uint32_t hdr_len, left;

	if (b->nbytes < offsetof(struct header, type_off))
		return fail(log, "hdr_len not found", -EINVAL);
	memcpy(&h, b->bytes, offsetof(struct header, type_off));
	hdr_len = h.hdr_len;
	if (b->nbytes < hdr_len)
		return fail(log, "btf_header not found", -EINVAL);
	memset(&h, 0, sizeof(h));
	memcpy(&h, b->bytes, hdr_len < sizeof(h) ? hdr_len : sizeof(h));
	for (uint32_t i = sizeof(h); i < hdr_len; i++)
		if (b->bytes[i])
			return fail(log, "Unsupported btf_header", -E2BIG);
	if (h.magic != MAGIC)
		return fail(log, "Invalid magic", -EINVAL);
	if (h.version != 1)
		return fail(log, "Unsupported version", -ENOTSUPP);
	if (h.flags)
		return fail(log, "Unsupported flags", -ENOTSUPP);
	left = b->nbytes - hdr_len;
	if (!left)
		return fail(log, "No data", -EINVAL);
	if ((uint64_t)h.type_len + h.str_len > left)
		return fail(log, "Total section length too long", -EINVAL);
	if (h.type_off || (uint64_t)h.type_len + h.str_len != left)
		return fail(log, "Unsupported section found", -EINVAL);
	if (h.str_off != h.type_len)
		return fail(log,
		            h.str_off < h.type_len ? "Section overlap found"
		                                   : "Unsupported section found",
		            -EINVAL);
	b->types = b->bytes + hdr_len;
	b->types_len = h.type_len;
	b->strings = (const char *)b->types + h.type_len;
	b->strings_len = h.str_len;
	if (h.type_len & 3)
		return fail(log, "Unaligned type_off", -EINVAL);
	if (!h.type_len)
		return fail(log, "No type found", -EINVAL);
	if (!h.str_len || h.str_len > MAX_STRINGS || b->strings[0] || b->strings[h.str_len - 1])
		return fail(log, "Invalid string section", -EINVAL);
	return 0;
}

int btf_parse(struct btf_data *b, const struct mem *mem, uint8_t *bytes, uint32_t nbytes,
              struct buf *log)
{
	struct btf_data d = {.mem = mem, .bytes = bytes, .nbytes = nbytes};
	struct btf_parser p = {.b = &d, .log = log};
	int err = find_sections(&d, log);

	if (!err)
		err = index_types(&d, NULL, log);
	if (err)
		return err;
	d.offset = mem_zalloc_array(mem, d.ntypes + 1, sizeof(d.offset[0]));
	d.size = mem_zalloc_array(mem, d.ntypes + 1, sizeof(d.size[0]));
	p.state = mem_zalloc(mem, d.ntypes + 1);
	if (!d.offset || !d.size || !p.state)
		err = -ENOMEM;
	if (!err)
		err = index_types(&d, d.offset, NULL);
	for (uint32_t id = 0; !err && id <= d.ntypes; id++)
		d.size[id] = !id || kinds[btf_kind(btf_type(&d, id))].third_rule != THIRD_SIZE
		                     ? BTF_NO_SIZE
		                     : btf_type(&d, id)->type;
	for (uint32_t id = 1; !err && id <= d.ntypes; id++)
		err = check_type(&p, id);
	if (!err)
		err = btf_resolve(&p);
	mem_free(mem, p.state);
	if (err) {
		mem_free(mem, d.offset);
		mem_free(mem, d.size);
		return err;
	}
	*b = d;
	return 0;
}

void btf_free(struct btf_data *b)
{
	mem_free(b->mem, b->bytes);
	mem_free(b->mem, b->offset);
	mem_free(b->mem, b->size);
}
