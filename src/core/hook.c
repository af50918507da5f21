/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in the tables of hooks: see hook.h. */
#include "core/hook.h"

#include "core/core.h"

const struct hook *hook_find(const struct skep *k, uint32_t prog_type)
{
	for (unsigned i = 0; i < k->reg.nhooks; i++)
		if (k->reg.hooks[i]->prog_type == prog_type)
			return k->reg.hooks[i];
	return NULL;
}

const struct ctx_field *hook_field(const struct hook *h, uint32_t offset)
{
	for (const struct ctx_field *f = h->fields; f && f->name; f++)
		if (offset >= f->offset && offset < (uint32_t)f->offset + f->size)
			return f;
	return NULL;
}

const char *hook_ret_name(const struct hook *h, int32_t code)
{
	for (const struct ret_name *r = h->rets; r && r->name; r++)
		if (r->code == code)
			return r->name;
	return NULL;
}
