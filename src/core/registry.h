/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an embedder adds to a kernel's registries: program types, helpers, kernel functions, map types.
 *
 * A kernel begins with the built-in tables, which it shares with all others. The first addition gives it
 * copies of its own; rows of both kinds lie in the same arrays and are found in the same way, so nobody
 * behind the contracts can tell them apart. Additions come before the first program and map: from then on
 * the registries never change, and are read without locks.
 *
 * Numbers of user-defined things lie in one range, far from the kernel's: USER_FIRST .. USER_LAST.
 */
#ifndef SKEP_CORE_REGISTRY_H
#define SKEP_CORE_REGISTRY_H

#include "core/core.h"
#include "core/hook.h"
#include "core/kfunc.h"
#include "core/map.h"

enum {
	USER_FIRST = 0x534b1000,
	USER_LAST = 0x534bffff,
	USER_TYPE_BIT = 40, /* type bits of user-defined program types: below are the kernel's, ... */
	USER_TYPES_MAX = 63 - USER_TYPE_BIT, /* ... bit 63 is the raw type's */
};

static inline bool user_number(uint32_t n)
{
	return n >= USER_FIRST && n <= USER_LAST;
}

/* May something still be added? Nobody has made a program or a map yet. */
bool registry_open(const struct skep *k);
/*
 * The row given is copied but for what it points to, which stays. All answer 0 or -ENOMEM and ask
 * nothing: sys/type.c does.
 */
int registry_add_hook(struct skep *k, const struct hook *h);
int registry_add_helper(struct skep *k, uint32_t id, const struct helper *h);
int registry_add_kfunc(struct skep *k, const struct kfunc *f);
int registry_add_map(struct skep *k, uint32_t type, const struct map_ops *ops);
/* Makes a helper or kernel function of this name callable by programs with this type bit, or not. */
int registry_allow(struct skep *k, const char *name, uint64_t type_bit, bool on);
/* For all helpers that fn says so of: a type's bit goes. */
int registry_forbid_all(struct skep *k, uint64_t type_bit);
void registry_exit(struct skep *k);

#endif
