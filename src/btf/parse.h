/* SPDX-License-Identifier: BSD-2-Clause */
/* What parse.c and resolve.c share. */
#ifndef SKEP_BTF_PARSE_H
#define SKEP_BTF_PARSE_H

#include "btf/btf.h"

struct btf_parser {
	struct btf_data *b;
	struct buf *log;
	uint8_t *state; /* of resolve.c, by id */
};

/* Notes what is wrong with a type, as the kernel words it, and answers err. */
int btf_reject(const struct btf_parser *p, uint32_t id, const char *why, int err);
/* The same for a member of a type. */
int btf_reject_member(const struct btf_parser *p, uint32_t id, const char *member, uint32_t type,
                      const char *why, int err);
bool btf_is_identifier(const struct btf_data *b, uint32_t name);
/* Checks how types refer to each other and finds their sizes. */
int btf_resolve(struct btf_parser *p);

static inline bool btf_is_modifier(enum btf_kind kind)
{
	return kind == BTF_TYPEDEF || kind == BTF_VOLATILE || kind == BTF_CONST ||
	       kind == BTF_RESTRICT || kind == BTF_TYPE_TAG;
}

#endif
