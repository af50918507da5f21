/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of BTF types, for people and for programs.
 *
 * Type information comes from the object file and is trusted with nothing: every read is checked against
 * the bytes there are, and nesting is limited. Where a type makes no sense of its bytes, they are shown as
 * hex digits.
 *
 * Types known by name: struct in_addr and struct in6_addr are addresses, __be16 is a number in network
 * order. Arrays of char are text when they look like it, other arrays of bytes hex digits.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "cli/exec.h"

enum { DEPTH_MAX = 24, VALUES_MAX = 1 << 20 };

struct typed {
	struct out *out;
	const struct btf *btf;
	unsigned depth;
	unsigned left; /* values that may still be shown: nested structs can be made to explode */
};

static void value(struct typed *t, const char *name, uint32_t type, const uint8_t *data, size_t size);

/* A name of the object's, "" where it points nowhere. */
static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

/* Behind typedefs and qualifiers; *be16 when the name __be16 was on the way. */
static const struct btf_type *resolve(const struct btf *btf, uint32_t type, bool *be16)
{
	const struct btf_type *b = btf__type_by_id(btf, type);

	for (unsigned i = 0; b && (btf_is_mod(b) || btf_is_typedef(b)); i++) {
		if (btf_is_typedef(b) && be16 && !strcmp(name_of(btf, b->name_off), "__be16"))
			*be16 = true;
		b = i < DEPTH_MAX ? btf__type_by_id(btf, b->type) : NULL;
	}
	return b;
}

static uint64_t load(const uint8_t *data, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, data, size < sizeof(v) ? size : sizeof(v));
	return v;
}

static int64_t extend(uint64_t v, unsigned bits)
{
	return bits < 64 ? (int64_t)(v << (64 - bits)) >> (64 - bits) : (int64_t)v;
}

static void number(struct typed *t, const char *name, const struct btf_type *b, uint64_t v, unsigned bits)
{
	uint8_t encoding = btf_int_encoding(b);

	if (bits < 64)
		v &= (1ull << bits) - 1;
	if (encoding & BTF_INT_BOOL)
		out_bool(t->out, name, v);
	else if (encoding & BTF_INT_SIGNED)
		out_int(t->out, name, extend(v, bits));
	else
		out_uint(t->out, name, v);
}

static const char *enum_name(const struct btf *btf, const struct btf_type *b, uint64_t v)
{
	const struct btf_enum *e = btf_enum(b);
	const struct btf_enum64 *e64 = btf_enum64(b);

	for (unsigned i = 0; i < btf_vlen(b); i++) {
		if (btf_is_enum(b) && (uint32_t)e[i].val == (uint32_t)v)
			return name_of(btf, e[i].name_off);
		if (btf_is_enum64(b) && btf_enum64_value(&e64[i]) == v)
			return name_of(btf, e64[i].name_off);
	}
	return NULL;
}

static void enumeration(struct typed *t, const char *name, const struct btf_type *b, uint64_t v,
                        unsigned bits)
{
	const char *text = enum_name(t->btf, b, v);

	if (text)
		out_str(t->out, name, text);
	else if (btf_kflag(b))
		out_int(t->out, name, extend(v, bits));
	else
		out_uint(t->out, name, v);
}

/* --- Arrays ----------------------------------------------------------------------------------- */

/* Text up to a 0, and zeros to the end. */
static bool is_text(const uint8_t *data, size_t size)
{
	size_t n = 0;

	while (n < size && isprint(data[n]))
		n++;
	if (!n || n == size)
		return false;
	for (; n < size; n++)
		if (data[n])
			return false;
	return true;
}

static void array(struct typed *t, const char *name, const struct btf_type *b, const uint8_t *data,
                  size_t size)
{
	const struct btf_array *a = btf_array(b);
	const struct btf_type *element = resolve(t->btf, a->type, NULL);
	int64_t each = btf__resolve_size(t->btf, a->type);

	if (each <= 0 || !element || (uint64_t)each * a->nelems > size) {
		out_bytes(t->out, name, data, size);
		return;
	}
	size = (size_t)each * a->nelems;
	if (btf_is_int(element) && each == 1) {
		if (!strcmp(name_of(t->btf, element->name_off), "char") && is_text(data, size))
			out_str(t->out, name, (const char *)data);
		else
			out_bytes(t->out, name, data, size);
		return;
	}
	out_list(t->out, name);
	for (uint32_t i = 0; i < a->nelems; i++)
		value(t, NULL, a->type, data + i * (size_t)each, (size_t)each);
	out_close(t->out);
}

/* --- Structs ---------------------------------------------------------------------------------- */

static bool address(struct typed *t, const char *name, const struct btf_type *b, const uint8_t *data,
                    size_t size)
{
	const char *type = name_of(t->btf, b->name_off);
	char text[INET6_ADDRSTRLEN];
	int family = !strcmp(type, "in_addr") && size >= 4     ? AF_INET
	             : !strcmp(type, "in6_addr") && size >= 16 ? AF_INET6
	                                                       : 0;

	if (!family || !inet_ntop(family, data, text, sizeof(text)))
		return false;
	out_str(t->out, name, text);
	return true;
}

static void bitfield(struct typed *t, const char *name, const struct btf_member *m, const uint8_t *data,
                     size_t size, unsigned offset, unsigned bits)
{
	const struct btf_type *b = resolve(t->btf, m->type, NULL);
	size_t first = offset / 8, bytes = (offset % 8 + bits + 7) / 8;
	unsigned __int128 v = 0;

	if (!b || bits > 64 || first > size || bytes > size - first || bytes > sizeof(v))
		return;
	memcpy(&v, data + first, bytes);
	v >>= offset % 8;
	if (bits < 64)
		v &= (1ull << bits) - 1;
	if (btf_is_any_enum(b))
		enumeration(t, name, b, (uint64_t)v, bits);
	else if (btf_is_int(b))
		number(t, name, b, (uint64_t)v, bits);
}

static void members(struct typed *t, const struct btf_type *b, const uint8_t *data, size_t size)
{
	const struct btf_member *m = btf_members(b);

	for (unsigned i = 0; i < btf_vlen(b); i++, m++) {
		const char *name = name_of(t->btf, m->name_off);
		unsigned offset = btf_member_bit_offset(b, i), bits = btf_member_bitfield_size(b, i);
		const struct btf_type *inner = resolve(t->btf, m->type, NULL);

		if (bits) {
			if (*name)
				bitfield(t, name, m, data, size, offset, bits);
			continue;
		}
		if (offset / 8 > size || !inner)
			continue;
		if (!*name && btf_is_composite(inner) && t->depth < DEPTH_MAX) {
			t->depth++;
			members(t, inner, data + offset / 8, size - offset / 8);
			t->depth--;
		} else {
			value(t, name, m->type, data + offset / 8, size - offset / 8);
		}
		if (btf_is_union(b))
			break; /* one view of the bytes is enough */
	}
}

/* The variables of .bss, .data, .rodata. */
static void section(struct typed *t, const char *name, const struct btf_type *b, const uint8_t *data,
                    size_t size)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(b);

	out_object(t->out, name);
	for (unsigned i = 0; i < btf_vlen(b); i++, v++) {
		const struct btf_type *var = btf__type_by_id(t->btf, v->type);

		if (var && btf_is_var(var) && v->offset <= size && v->size <= size - v->offset)
			value(t, name_of(t->btf, var->name_off), var->type, data + v->offset,
			      v->size);
	}
	out_close(t->out);
}

/* --- Any value -------------------------------------------------------------------------------- */

static void scalar(struct typed *t, const char *name, const struct btf_type *b, const uint8_t *data,
                   size_t size, bool be16)
{
	double real;
	float single;

	if (be16 && size == 2) {
		out_uint(t->out, name, (uint64_t)data[0] << 8 | data[1]);
	} else if (btf_is_any_enum(b) && size <= 8) {
		enumeration(t, name, b, load(data, size), (unsigned)size * 8);
	} else if (btf_is_ptr(b)) {
		out_hex(t->out, name, load(data, 8));
	} else if (btf_is_float(b) && size == sizeof(real)) {
		memcpy(&real, data, sizeof(real));
		out_real(t->out, name, real, 6);
	} else if (btf_is_float(b) && size == sizeof(single)) {
		memcpy(&single, data, sizeof(single));
		out_real(t->out, name, (double)single, 6);
	} else if (btf_is_int(b) && size <= 8) {
		number(t, name, b, load(data, size), (unsigned)size * 8);
	} else {
		out_bytes(t->out, name, data, size);
	}
}

static void value(struct typed *t, const char *name, uint32_t type, const uint8_t *data, size_t size)
{
	bool be16 = false;
	const struct btf_type *b = type ? resolve(t->btf, type, &be16) : NULL;
	int64_t want = b && !btf_is_datasec(b) ? btf__resolve_size(t->btf, type) : (int64_t)size;

	if (!b || want < 0 || (uint64_t)want > size || t->depth == DEPTH_MAX || !t->left) {
		out_bytes(t->out, name, data, size);
		return;
	}
	size = (size_t)want;
	t->left--;
	t->depth++;
	if (btf_is_datasec(b)) {
		section(t, name, b, data, size);
	} else if (btf_is_array(b)) {
		array(t, name, b, data, size);
	} else if (!btf_is_composite(b)) {
		scalar(t, name, b, data, size, be16);
	} else if (!address(t, name, b, data, size)) {
		out_object(t->out, name);
		members(t, b, data, size);
		out_close(t->out);
	}
	t->depth--;
}

void typed_value(struct out *out, const char *name, const struct btf *btf, uint32_t type,
                 const void *data, size_t size)
{
	struct typed t = {.out = out, .btf = btf, .left = VALUES_MAX};

	if (btf && type)
		value(&t, name, type, data, size);
	else
		out_bytes(out, name, data, size);
}

/* --- Sums ------------------------------------------------------------------------------------- */

static bool add(const struct btf *btf, uint32_t type, uint8_t *to, const uint8_t *from, size_t size,
                unsigned depth, unsigned *left)
{
	const struct btf_type *b = resolve(btf, type, NULL);
	int64_t want = b ? btf__resolve_size(btf, type) : -1;
	uint64_t v;

	if (want < 0 || (uint64_t)want > size || depth == DEPTH_MAX || !*left)
		return false;
	--*left;
	if (btf_is_int(b) && want <= 8) {
		v = load(to, (size_t)want) + load(from, (size_t)want);
		memcpy(to, &v, (size_t)want);
		return true;
	}
	if (btf_is_array(b)) {
		const struct btf_array *a = btf_array(b);
		size_t each = a->nelems ? (size_t)want / a->nelems : 0;

		for (size_t i = 0; i < a->nelems; i++)
			if (!add(btf, a->type, to + i * each, from + i * each, each, depth + 1, left))
				return false;
		return true;
	}
	if (!btf_is_struct(b))
		return false;
	for (unsigned i = 0; i < btf_vlen(b); i++) {
		size_t at = btf_member_bit_offset(b, i) / 8;

		if (btf_member_bitfield_size(b, i) || at > size ||
		    !add(btf, btf_members(b)[i].type, to + at, from + at, size - at, depth + 1, left))
			return false;
	}
	return true;
}

bool typed_add(const struct btf *btf, uint32_t type, void *to, const void *from, size_t size)
{
	unsigned left = VALUES_MAX;

	return btf && type && add(btf, type, to, from, size, 0, &left);
}
