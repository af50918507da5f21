/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program types of the embedder's: a struct skep_type becomes a struct hook, as built-in ones are.
 *
 * Requires: type_check.c has passed it. Provides: skep_type_add().
 */
#include "sys/type.h"

#include <errno.h>

#include "core/prog.h"
#include "sys/say.h"

static_assert((int)SKEP_READ == (int)FIELD_R && (int)SKEP_WRITE == (int)FIELD_W &&
                      (int)SKEP_READ_PARTS == (int)FIELD_NARROW &&
                      (int)SKEP_WRITE_PARTS == (int)FIELD_NARROW_W,
              "accesses are the same bits");
static_assert((int)SKEP_USER_FIRST == (int)USER_FIRST && (int)SKEP_USER_LAST == (int)USER_LAST &&
                      (int)SKEP_TYPES_MAX == (int)USER_TYPES_MAX && SKEP_ANY_ATTACH == RET_ANY_ATTACH,
              "");

static const uint8_t field_kinds[] = {
	[SKEP_SCALAR] = FIELD_SCALAR,
	[SKEP_PACKET] = FIELD_PACKET,
	[SKEP_PACKET_END] = FIELD_PACKET_END,
	[SKEP_MEM] = FIELD_MEM,
	[SKEP_MEM_RDONLY] = FIELD_MEM_RDONLY,
	[SKEP_MEM_OR_NULL] = FIELD_MEM_OR_NULL,
	[SKEP_MEM_RDONLY_OR_NULL] = FIELD_MEM_RDONLY_OR_NULL,
};

static void type_free(struct skep *k, struct user_type *u)
{
	mem_free(&k->mem, u->fields);
	mem_free(&k->mem, u->ranges);
	mem_free(&k->mem, u->names);
	mem_free(&k->mem, u);
}

static struct ctx_field *make_fields(struct skep *k, const struct skep_field *from)
{
	struct ctx_field *to;
	size_t n = 0;

	while (from && from[n].name)
		n++;
	to = mem_zalloc_array(&k->mem, n + 1, sizeof(*to));
	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct ctx_field){
			.name = from[i].name,
			.offset = from[i].offset,
			.size = from[i].size,
			.access = from[i].access,
			.kind = field_kinds[from[i].kind],
			.real_offset = from[i].real_offset,
			.real_size = from[i].real_size,
			.mem_size = from[i].mem_size,
		};
	return to;
}

static struct ret_range *make_ranges(struct skep *k, const struct skep_range *from)
{
	struct ret_range *to;
	size_t n = 1;

	while (from && from[n - 1].attach_type != SKEP_ANY_ATTACH)
		n++;
	to = mem_zalloc_array(&k->mem, n, sizeof(*to));
	for (size_t i = 0; to && from && i < n; i++)
		to[i] = (struct ret_range){from[i].attach_type, from[i].min, from[i].max, false};
	return to;
}

static struct ret_name *make_names(struct skep *k, const struct skep_name *from)
{
	struct ret_name *to;
	size_t n = 0;

	while (from && from[n].name)
		n++;
	to = mem_zalloc_array(&k->mem, n + 1, sizeof(*to));
	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct ret_name){from[i].number, from[i].name};
	return to;
}

static bool may_sleep(uint32_t attach_type)
{
	return true;
}

static int make(struct skep *k, const struct skep_type *t, unsigned bit, struct user_type **out)
{
	struct user_type *u = mem_zalloc(&k->mem, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->def = t;
	u->fields = make_fields(k, t->fields);
	u->ranges = make_ranges(k, t->returns);
	u->names = make_names(k, t->names);
	u->own_attach_type[0] = t->number;
	if (!u->fields || !u->ranges || !u->names) {
		type_free(k, u);
		return -ENOMEM;
	}
	u->hook = (struct hook){
		.name = t->name,
		.prog_type = t->number,
		.type_bit = (uint64_t)1 << bit,
		.ctx_size = t->ctx_size,
		.real_size = t->real_ctx_size ? t->real_ctx_size : t->ctx_size,
		.fields = u->fields,
		.rets = u->names,
		.ret_ranges = t->returns ? u->ranges : NULL,
		.attach_types = t->attach_types ? t->attach_types : u->own_attach_type,
		.pkt_write = t->packet_writes,
		.may_sleep = t->may_sleep ? may_sleep : NULL,
		.test_run = user_test_run,
	};
	*out = u;
	return 0;
}

static int allow_calls(struct skep *k, const struct skep_type *t, uint64_t bit)
{
	int err = t->calls ? registry_forbid_all(k, bit) : 0;

	for (const char *const *name = t->calls; !err && name && *name; name++)
		err = registry_allow(k, *name, bit, true);
	return err;
}

int skep_type_add(struct skep *k, const struct skep_type *type, char message[SKEP_MESSAGE])
{
	struct user_type *u;
	unsigned n = 0;
	int err = user_type_check(k, type, message);

	if (err)
		return err;
	for (unsigned i = 0; i < k->reg.nhooks; i++)
		n += is_user_hook(k->reg.hooks[i]);
	if (n == USER_TYPES_MAX)
		return say(k, message, -ENOSPC, "%s: a kernel has room for %d program types: make another "
		                                "kernel for it", type->name, USER_TYPES_MAX);
	err = make(k, type, USER_TYPE_BIT + n, &u);
	if (err)
		return say(k, message, err, "%s: no memory", type->name);
	err = allow_calls(k, type, u->hook.type_bit);
	if (!err)
		err = registry_add_hook(k, &u->hook);
	if (err) {
		type_free(k, u);
		return say(k, message, err, "%s: no memory", type->name);
	}
	return 0;
}

const struct skep_type *skep_type_next(const struct skep *k, uint32_t after)
{
	const struct skep_type *next = NULL;

	for (unsigned i = 0; i < k->reg.nhooks; i++) {
		const struct hook *h = k->reg.hooks[i];

		if (is_user_hook(h) && h->prog_type > after && (!next || h->prog_type < next->number))
			next = user_type_of(h)->def;
	}
	return next;
}

const struct user_type *user_type_by_attach(const struct skep *k, uint32_t attach_type)
{
	for (unsigned i = 0; i < k->reg.nhooks; i++)
		if (is_user_hook(k->reg.hooks[i]) && hook_attach_type_ok(k->reg.hooks[i], attach_type))
			return user_type_of(k->reg.hooks[i]);
	return NULL;
}

void user_types_exit(struct skep *k)
{
	for (unsigned i = 0; i < k->reg.nhooks; i++)
		if (is_user_hook(k->reg.hooks[i]))
			type_free(k, (struct user_type *)k->reg.hooks[i]);
}
