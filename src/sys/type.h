/* SPDX-License-Identifier: BSD-2-Clause */
/* Program types of the embedder's, as the rest of sys/ meets them: skep_hook.h, core/registry.h. */
#ifndef SKEP_SYS_TYPE_H
#define SKEP_SYS_TYPE_H

#include "core/hook.h"
#include "core/registry.h"
#include "skep_hook.h"

struct call;

/* A type and the hook made of it. */
struct user_type {
	struct hook hook;
	const struct skep_type *def;
	struct ctx_field *fields;
	struct ret_range *ranges;
	struct ret_name *names;
	uint32_t own_attach_type[2];
};

static inline bool is_user_hook(const struct hook *h)
{
	return h && user_number(h->prog_type);
}

static inline const struct user_type *user_type_of(const struct hook *h)
{
	return (const struct user_type *)h;
}

/* The type that this attach type belongs to, or NULL. */
const struct user_type *user_type_by_attach(const struct skep *k, uint32_t attach_type);
/* type_run.c: a test run by the rows of the type's context. */
int user_test_run(struct prog *p, struct test_run *t);
/* type_check.c: 0, or -errno and a sentence. */
int user_type_check(struct skep *k, const struct skep_type *t, char *message);
/* point.c: BPF_LINK_CREATE and BPF_PROG_QUERY of user-defined types. */
int user_link_create(struct call *call, struct prog *p);
int user_query(struct call *call, const struct user_type *type, uint32_t *ids, uint32_t room);

/* At the end of a kernel: points when the links have gone, types when all objects have. */
void user_points_exit(struct skep *k);
void user_types_exit(struct skep *k);

#endif
