/* SPDX-License-Identifier: BSD-2-Clause */
/* Additions to a kernel's registries: see registry.h. */
#include "core/registry.h"

#include <errno.h>
#include <string.h>

/* What a kernel owns of its registries; the built-in tables are what is NULL here. */
struct user_registry {
	const struct hook **hooks;
	struct helper *helpers; /* copies of the built-in rows */
	struct kfunc *kfuncs;
};

bool registry_open(const struct skep *k)
{
	return !k->ids[OBJ_PROG].last_id && !k->ids[OBJ_MAP].last_id;
}

static int begin(struct skep *k)
{
	if (!k->user)
		k->user = mem_zalloc(&k->mem, sizeof(*k->user));
	return k->user ? 0 : -ENOMEM;
}

/* A copy of n elements with room for one more, at `at`; what was there before is freed, unless shared. */
static void *widen(struct skep *k, const void *from, void *owned, unsigned n, unsigned at, size_t each)
{
	uint8_t *to = mem_zalloc_array(&k->mem, (size_t)n + 1, each);

	if (!to)
		return NULL;
	if (at)
		memcpy(to, from, at * each);
	if (n - at)
		memcpy(to + (at + 1) * each, (const uint8_t *)from + at * each, (n - at) * each);
	mem_free(&k->mem, owned);
	return to;
}

int registry_add_hook(struct skep *k, const struct hook *h)
{
	unsigned n = k->reg.nhooks;
	const struct hook **hooks;
	int err = begin(k);

	if (err)
		return err;
	hooks = widen(k, k->reg.hooks, k->user->hooks, n, n, sizeof(hooks[0]));
	if (!hooks)
		return -ENOMEM;
	hooks[n] = h;
	k->reg.hooks = k->user->hooks = hooks;
	k->reg.nhooks = n + 1;
	return 0;
}

int registry_add_helper(struct skep *k, uint32_t id, const struct helper *h)
{
	unsigned n = k->reg.nuser_helpers;
	struct user_helper *helpers = widen(k, k->reg.user_helpers, k->reg.user_helpers, n, n,
	                                    sizeof(helpers[0]));

	if (!helpers)
		return -ENOMEM;
	helpers[n] = (struct user_helper){.id = id, .row = *h};
	k->reg.user_helpers = helpers;
	k->reg.nuser_helpers = n + 1;
	return 0;
}

int registry_add_kfunc(struct skep *k, const struct kfunc *f)
{
	unsigned n = k->reg.nkfuncs, at = 0;
	struct kfunc *kfuncs;
	int err = begin(k);

	if (err)
		return err;
	while (at < n && strcmp(k->reg.kfuncs[at].name, f->name) < 0)
		at++;
	kfuncs = widen(k, k->reg.kfuncs, k->user->kfuncs, n, at, sizeof(kfuncs[0]));
	if (!kfuncs)
		return -ENOMEM;
	kfuncs[at] = *f;
	k->reg.kfuncs = k->user->kfuncs = kfuncs;
	k->reg.nkfuncs = n + 1;
	return 0;
}

int registry_add_map(struct skep *k, uint32_t type, const struct map_ops *ops)
{
	unsigned n = k->reg.nuser_maps;
	struct user_map *maps = widen(k, k->reg.user_maps, k->reg.user_maps, n, n, sizeof(maps[0]));

	if (!maps)
		return -ENOMEM;
	maps[n] = (struct user_map){.type = type, .ops = ops};
	k->reg.user_maps = maps;
	k->reg.nuser_maps = n + 1;
	return 0;
}

/* --- Who may call what ---------------------------------------------------------------------- */

static int own_helpers(struct skep *k)
{
	int err = begin(k);

	if (err || k->user->helpers)
		return err;
	k->user->helpers = mem_copy(&k->mem, k->reg.helpers, k->reg.nhelpers * sizeof(struct helper));
	if (!k->user->helpers)
		return -ENOMEM;
	k->reg.helpers = k->user->helpers;
	return 0;
}

static int own_kfuncs(struct skep *k)
{
	int err = begin(k);

	if (err || k->user->kfuncs)
		return err;
	k->user->kfuncs = mem_copy(&k->mem, k->reg.kfuncs, k->reg.nkfuncs * sizeof(struct kfunc));
	if (!k->user->kfuncs)
		return -ENOMEM;
	k->reg.kfuncs = k->user->kfuncs;
	return 0;
}

static void set(uint64_t *types, uint64_t bit, bool on)
{
	*types = on ? *types | bit : *types & ~bit;
}

int registry_allow(struct skep *k, const char *name, uint64_t type_bit, bool on)
{
	bool found = false;
	int err = own_helpers(k);

	if (!err)
		err = own_kfuncs(k);
	if (err)
		return err;
	for (unsigned i = 1; i < k->reg.nhelpers; i++)
		if (!strcmp(k->user->helpers[i].name, name)) {
			set(&k->user->helpers[i].types, type_bit, on);
			found = true;
		}
	for (unsigned i = 0; i < k->reg.nuser_helpers; i++)
		if (!strcmp(k->reg.user_helpers[i].row.name, name)) {
			set(&k->reg.user_helpers[i].row.types, type_bit, on);
			found = true;
		}
	for (unsigned i = 0; i < k->reg.nkfuncs; i++)
		if (!strcmp(k->user->kfuncs[i].name, name)) {
			set(&k->user->kfuncs[i].types, type_bit, on);
			found = true;
		}
	return found ? 0 : -ENOENT;
}

int registry_forbid_all(struct skep *k, uint64_t type_bit)
{
	int err = own_helpers(k);

	if (!err)
		err = own_kfuncs(k);
	if (err)
		return err;
	for (unsigned i = 0; i < k->reg.nhelpers; i++)
		set(&k->user->helpers[i].types, type_bit, false);
	for (unsigned i = 0; i < k->reg.nkfuncs; i++)
		set(&k->user->kfuncs[i].types, type_bit, false);
	return 0;
}

void registry_exit(struct skep *k)
{
	mem_free(&k->mem, k->reg.user_helpers);
	mem_free(&k->mem, k->reg.user_maps);
	if (!k->user)
		return;
	mem_free(&k->mem, k->user->hooks);
	mem_free(&k->mem, k->user->helpers);
	mem_free(&k->mem, k->user->kfuncs);
	mem_free(&k->mem, k->user);
}

/* --- Finding ------------------------------------------------------------------------------- */

const struct helper *helper_find(const struct skep *k, int32_t id)
{
	if (id >= 0 && (uint32_t)id < k->reg.nhelpers)
		return &k->reg.helpers[id];
	for (unsigned i = 0; i < k->reg.nuser_helpers; i++)
		if (k->reg.user_helpers[i].id == (uint32_t)id)
			return &k->reg.user_helpers[i].row;
	return NULL;
}

const struct map_ops *map_ops_find(const struct skep *k, uint32_t type)
{
	if (type < k->reg.nmap_types)
		return k->reg.map_types[type];
	for (unsigned i = 0; i < k->reg.nuser_maps; i++)
		if (k->reg.user_maps[i].type == type)
			return k->reg.user_maps[i].ops;
	return NULL;
}
