/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of the embedder's: a struct skep_helper becomes a row like those of helpers.def.
 *
 * Provides: skep_helper_add(). What is asked here is what the verifier relies on when it reads a row.
 */
#include <errno.h>
#include <string.h>

#include "core/btf.h"
#include "core/prog.h"
#include "sys/say.h"
#include "sys/type.h"

enum { ARGS = 5, NAME_MAX_LEN = 63, BYTES_MAX = 255 };

static const uint8_t arg_kinds[] = {
	[SKEP_ARG_NONE] = ARG_NONE,
	[SKEP_ARG_ANY] = ARG_ANY,
	[SKEP_ARG_CTX] = ARG_CTX,
	[SKEP_ARG_CTX_OR_NULL] = ARG_CTX_OR_NULL,
	[SKEP_ARG_MAP] = ARG_MAP,
	[SKEP_ARG_MAP_KEY] = ARG_MAP_KEY,
	[SKEP_ARG_MAP_VALUE] = ARG_MAP_VALUE,
	[SKEP_ARG_MEM] = ARG_MEM,
	[SKEP_ARG_MEM_OR_NULL] = ARG_MEM_OR_NULL,
	[SKEP_ARG_UNINIT_MEM] = ARG_UNINIT_MEM,
	[SKEP_ARG_WRITE_MEM] = ARG_WRITE_MEM,
	[SKEP_ARG_SIZE] = ARG_SIZE,
	[SKEP_ARG_SIZE_OR_ZERO] = ARG_SIZE_OR_ZERO,
	[SKEP_ARG_FIXED_MEM] = ARG_FIXED_MEM,
	[SKEP_ARG_UNINIT_FIXED_MEM] = ARG_UNINIT_FIXED_MEM,
	[SKEP_ARG_STR] = ARG_CONST_STR,
	[SKEP_ARG_CONST] = ARG_ALLOC_SIZE_OR_ZERO,
	[SKEP_ARG_OBJECT] = ARG_BTF_ID,
	[SKEP_ARG_OBJECT_OR_NULL] = ARG_BTF_ID_OR_NULL,
};

static const uint8_t ret_kinds[] = {
	[SKEP_RET_INTEGER] = RET_INTEGER,
	[SKEP_RET_VOID] = RET_VOID,
	[SKEP_RET_MAP_VALUE_OR_NULL] = RET_MAP_VALUE_OR_NULL,
	[SKEP_RET_MEM_OR_NULL] = RET_FIXED_MEM_OR_NULL,
	[SKEP_RET_OBJECT_OR_NULL] = RET_OBJECT_OR_NULL,
	[SKEP_RET_OBJECT] = RET_OBJECT,
};

static const struct {
	uint8_t public, row;
} flags[] = {
	{SKEP_HELPER_GPL, HELPER_GPL},
	{SKEP_HELPER_SLEEPS, HELPER_MIGHT_SLEEP},
	{SKEP_HELPER_ACQUIRES, HELPER_ACQUIRES},
	{SKEP_HELPER_RELEASES, HELPER_RELEASES},
	{SKEP_HELPER_MOVES_PACKET, HELPER_CHANGES_PKT},
};
enum { FLAGS = 31 };

struct check {
	struct skep *k;
	const struct skep_helper *h;
	char *message;
};

#define wrong(c, err, ...) say((c)->k, (c)->message, err, __VA_ARGS__)

static uint32_t kind_of(uint32_t arg)
{
	return arg & 0xff;
}

static bool is_memory(uint32_t kind)
{
	return kind == SKEP_ARG_MEM || kind == SKEP_ARG_MEM_OR_NULL || kind == SKEP_ARG_UNINIT_MEM ||
	       kind == SKEP_ARG_WRITE_MEM;
}

static bool is_size(uint32_t kind)
{
	return kind == SKEP_ARG_SIZE || kind == SKEP_ARG_SIZE_OR_ZERO;
}

static bool is_fixed(uint32_t kind)
{
	return kind == SKEP_ARG_FIXED_MEM || kind == SKEP_ARG_UNINIT_FIXED_MEM;
}

static bool is_object(uint32_t kind)
{
	return kind == SKEP_ARG_OBJECT || kind == SKEP_ARG_OBJECT_OR_NULL;
}

static int check_head(const struct check *c)
{
	const struct skep_helper *h = c->h;
	const struct registry *reg = &c->k->reg;

	if (!registry_open(c->k))
		return wrong(c, -EBUSY, "helpers are added before the first program and map: move "
		                        "skep_helper_add() right behind skep_new()");
	if (h->size != sizeof(*h) || h->abi != SKEP_HOOK_ABI)
		return wrong(c, -EINVAL,
		             "struct skep_helper of %zu bytes, ABI %u, is not this library's (%zu bytes, ABI "
		             "%d): begin it with SKEP_HELPER_HEAD() and compile against the skep_hook.h of "
		             "libskep %s", h->size, h->abi, sizeof(*h), SKEP_HOOK_ABI, SKEP_VERSION);
	if (!h->name || !h->name[0] || strlen(h->name) > NAME_MAX_LEN)
		return wrong(c, -EINVAL, "helper 0x%x has no proper name: give it one of up to %d characters",
		             h->number, NAME_MAX_LEN);
	if (!user_number(h->number))
		return wrong(c, -EINVAL, "%s: number 0x%x may meet the kernel's: take one of 0x%x .. 0x%x",
		             h->name, h->number, USER_FIRST, USER_LAST);
	if (!h->fn)
		return wrong(c, -EINVAL, "%s: fn is NULL: name the function that programs shall call", h->name);
	for (unsigned i = 0; i < reg->nuser_helpers; i++)
		if (reg->user_helpers[i].id == h->number || !strcmp(reg->user_helpers[i].row.name, h->name))
			return wrong(c, -EEXIST, "%s: number 0x%x or the name is already that of %s: give one "
			                         "of them another", h->name, h->number,
			             reg->user_helpers[i].row.name);
	for (unsigned i = 1; i < reg->nhelpers; i++)
		if (!strcmp(reg->helpers[i].name, h->name))
			return wrong(c, -EEXIST, "%s: the kernel has a helper of this name: rename yours", h->name);
	return 0;
}

static int check_arg(const struct check *c, unsigned n, bool map_before)
{
	uint32_t arg = c->h->arg[n], kind = kind_of(arg);
	uint32_t before = n ? kind_of(c->h->arg[n - 1]) : SKEP_ARG_NONE;
	uint32_t next = n + 1 < ARGS ? kind_of(c->h->arg[n + 1]) : SKEP_ARG_NONE;
	const char *name = c->h->name;

	if (kind > SKEP_ARG_OBJECT_OR_NULL)
		return wrong(c, -EINVAL, "%s: argument %u is of no kind that there is (%u): see enum "
		                         "skep_arg_kind", name, n + 1, kind);
	if (is_memory(kind) && !is_size(next))
		return wrong(c, -EINVAL, "%s: argument %u is memory of unknown length: let SKEP_ARG_SIZE "
		                         "follow it, or make it SKEP_ARG_FIXED_MEM", name, n + 1);
	if (is_size(kind) && !is_memory(before))
		return wrong(c, -EINVAL, "%s: argument %u is the length of nothing: put the memory before it, "
		                         "or make it SKEP_ARG_ANY", name, n + 1);
	if (is_fixed(kind) != !!(arg >> 8) || arg >> 8 > BYTES_MAX)
		return wrong(c, -EINVAL, "%s: argument %u: SKEP_ARG_BYTES() of 1 .. %d belongs to fixed "
		                         "memory, and to nothing else", name, n + 1, BYTES_MAX);
	if ((kind == SKEP_ARG_MAP_KEY || kind == SKEP_ARG_MAP_VALUE) && !map_before)
		return wrong(c, -EINVAL, "%s: argument %u is the key or value of which map? Put SKEP_ARG_MAP "
		                         "before it", name, n + 1);
	if (is_object(kind) && (!c->h->btf || !c->h->arg_object))
		return wrong(c, -EINVAL, "%s: argument %u is an object, but of which struct? Set btf "
		                         "(skep_btf_add()) and arg_object", name, n + 1);
	return 0;
}

static int check_args(const struct check *c)
{
	bool map = false, object = false;
	int err = 0;

	for (unsigned n = 0; !err && n < ARGS && kind_of(c->h->arg[n]) != SKEP_ARG_NONE; n++) {
		err = check_arg(c, n, map);
		map |= kind_of(c->h->arg[n]) == SKEP_ARG_MAP;
		object |= is_object(kind_of(c->h->arg[n]));
	}
	if (!err && c->h->flags & SKEP_HELPER_RELEASES && !is_object(kind_of(c->h->arg[0])))
		err = wrong(c, -EINVAL, "%s: it releases its first argument, which is no object: make that "
		                        "SKEP_ARG_OBJECT, or drop SKEP_HELPER_RELEASES", c->h->name);
	if (!err && c->h->ret == SKEP_RET_MAP_VALUE_OR_NULL && !map)
		err = wrong(c, -EINVAL, "%s: it answers a value of which map? Give it a SKEP_ARG_MAP",
		            c->h->name);
	return err;
}

static int check_ret(const struct check *c)
{
	const struct skep_helper *h = c->h;
	bool object = h->ret == SKEP_RET_OBJECT || h->ret == SKEP_RET_OBJECT_OR_NULL;

	if (h->ret > SKEP_RET_OBJECT)
		return wrong(c, -EINVAL, "%s: it answers of no kind that there is (%u): see enum "
		                         "skep_ret_kind", h->name, h->ret);
	if ((h->ret == SKEP_RET_MEM_OR_NULL) != !!h->ret_size)
		return wrong(c, -EINVAL, "%s: ret_size belongs to SKEP_RET_MEM_OR_NULL, and to nothing else",
		             h->name);
	if (object && (!h->btf || !h->ret_object))
		return wrong(c, -EINVAL, "%s: it answers an object, but of which struct? Set btf "
		                         "(skep_btf_add()) and ret_object", h->name);
	if (h->flags & ~(uint32_t)FLAGS)
		return wrong(c, -EINVAL, "%s: flags 0x%x are none: see enum skep_helper_flags", h->name,
		             h->flags);
	if (h->flags & SKEP_HELPER_ACQUIRES && !object)
		return wrong(c, -EINVAL, "%s: what it acquires must be an object: make ret "
		                         "SKEP_RET_OBJECT_OR_NULL, or drop SKEP_HELPER_ACQUIRES", h->name);
	return 0;
}

static int find_struct(const struct check *c, const char *name, uint32_t *id)
{
	const struct btf *btf = (const struct btf *)c->h->btf;

	*id = name ? btf_find(&btf->data, BTF_STRUCT, name) : 0;
	if (name && !*id)
		return wrong(c, -EINVAL, "%s: its BTF has no struct %s: is the header in the object that the "
		                         "BTF was made of?", c->h->name, name);
	return 0;
}

int skep_helper_add(struct skep *k, const struct skep_helper *helper, char message[SKEP_MESSAGE])
{
	const struct check c = {.k = k, .h = helper, .message = message};
	struct helper row = {.name = helper->name};
	int err = check_head(&c);

	if (!err)
		err = check_args(&c);
	if (!err)
		err = check_ret(&c);
	if (!err && helper->btf)
		err = find_struct(&c, helper->arg_object, &row.arg_id);
	if (!err && helper->btf)
		err = find_struct(&c, helper->ret_object, &row.ret_id);
	if (err)
		return err;
	for (unsigned n = 0; n < ARGS && kind_of(helper->arg[n]) != SKEP_ARG_NONE; n++)
		row.arg[n] = (uint16_t)(arg_kinds[kind_of(helper->arg[n])] | (helper->arg[n] & 0xff00));
	row.ret = ret_kinds[helper->ret];
	row.ret_size = helper->ret_size;
	row.btf = (const struct btf *)helper->btf;
	row.types = PROG_TYPE_BIT_RAW; /* and the types that name it: registry_allow() */
	row.fn = (helper_fn)(void (*)(void))helper->fn;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		row.flags |= helper->flags & flags[i].public ? flags[i].row : 0;
	err = registry_add_helper(k, helper->number, &row);
	return err ? wrong(&c, err, "%s: no memory", helper->name) : 0;
}

void *skep_cpu_ctx(struct skep_cpu *cpu)
{
	return ((struct cpu *)cpu)->ctx;
}

struct skep *skep_cpu_kernel(struct skep_cpu *cpu)
{
	return ((struct cpu *)cpu)->k;
}
