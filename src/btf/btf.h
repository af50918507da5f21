/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF: the types of a program, as clang describes them and bpf(2) takes them.
 *
 * btf_parse() accepts what Linux 6.18 accepts; afterwards every reference leads to a type, every
 * name to a string, and following types ends. Type ids count from 1; 0 is void.
 *
 * Format: Linux, Documentation/bpf/btf.rst.
 */
#ifndef SKEP_BTF_BTF_H
#define SKEP_BTF_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct buf;

enum btf_kind {
	BTF_VOID,
	BTF_INT,
	BTF_PTR,
	BTF_ARRAY,
	BTF_STRUCT,
	BTF_UNION,
	BTF_ENUM,
	BTF_FWD,
	BTF_TYPEDEF,
	BTF_VOLATILE,
	BTF_CONST,
	BTF_RESTRICT,
	BTF_FUNC,
	BTF_FUNC_PROTO,
	BTF_VAR,
	BTF_DATASEC,
	BTF_FLOAT,
	BTF_DECL_TAG,
	BTF_TYPE_TAG,
	BTF_ENUM64,
	BTF_KINDS,
};

enum btf_linkage { BTF_FUNC_STATIC, BTF_FUNC_GLOBAL, BTF_FUNC_EXTERN }; /* btf_vlen() of a FUNC */

/* What the format knows; packed, as nothing promises that a header's length is a multiple of 4. */
#define BTF_PACKED __attribute__((packed))

struct btf_type {
	uint32_t name, info;
	uint32_t type; /* or the size of INT, STRUCT, UNION, ENUM, DATASEC, FLOAT, ENUM64 */
} BTF_PACKED;

struct btf_array {
	uint32_t type, index_type, nelems;
} BTF_PACKED;

struct btf_member {
	uint32_t name, type;
	uint32_t offset; /* in bits; with a kind flag, 8 bits of width and 24 of offset */
} BTF_PACKED;

struct btf_enumerator {
	uint32_t name, value; /* ENUM64 has another word */
} BTF_PACKED;

struct btf_param {
	uint32_t name, type;
} BTF_PACKED;

struct btf_secinfo {
	uint32_t type, offset, size;
} BTF_PACKED;

/* A parsed piece of BTF. */
struct btf_data {
	const struct mem *mem;
	uint8_t *bytes; /* the whole, as it came */
	uint32_t nbytes;
	const uint8_t *types;
	const char *strings;
	uint32_t types_len, strings_len;
	uint32_t ntypes;  /* ids 1 .. ntypes */
	uint32_t *offset; /* [ntypes + 1], in types */
	uint32_t *size;   /* [ntypes + 1], bytes of a value, or BTF_NO_SIZE */
};

enum { BTF_MAX_SIZE = 16 * 1024 * 1024, BTF_MAX_NAME = 512 };
#define BTF_NO_SIZE UINT32_MAX /* void, functions, forward declarations */

/*
 * Takes over bytes (from mem) on success. -EINVAL, -EEXIST (types that contain themselves), -E2BIG,
 * -ENOMEM, -ENOTSUPP; the reason is appended to log, which may be NULL.
 */
int btf_parse(struct btf_data *b, const struct mem *mem, uint8_t *bytes, uint32_t nbytes,
              struct buf *log);
void btf_free(struct btf_data *b);

/* NULL for void and for ids that do not exist. */
const struct btf_type *btf_type(const struct btf_data *b, uint32_t id);
/* The string at this offset; NULL when there is none. "" has no name. */
const char *btf_string(const struct btf_data *b, uint32_t offset);

static inline enum btf_kind btf_kind(const struct btf_type *t)
{
	return (enum btf_kind)(t->info >> 24 & 31);
}

static inline uint32_t btf_vlen(const struct btf_type *t)
{
	return t->info & 0xffff;
}

static inline bool btf_kind_flag(const struct btf_type *t)
{
	return t->info >> 31;
}

/* What follows a type's header: a struct btf_array, members ... */
static inline const void *btf_rest(const struct btf_type *t)
{
	return t + 1;
}

/* Follows typedefs, const, volatile, restrict and tags. 0: void. */
uint32_t btf_skip_modifiers(const struct btf_data *b, uint32_t id);
/* The first type of a kind with this name, or 0. */
uint32_t btf_find(const struct btf_data *b, enum btf_kind kind, const char *name);
const char *btf_kind_name(enum btf_kind kind); /* "FUNC_PROTO" */

#endif
