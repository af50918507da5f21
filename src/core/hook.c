/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in the tables of hooks: see hook.h. */
#include "core/hook.h"

#include "core/prog.h"

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

bool hook_ret_range(const struct prog *p, int32_t *min, int32_t *max)
{
	const struct ret_range *r = p->hook ? p->hook->ret_ranges : NULL;

	if (!r)
		return false;
	while (r->attach_type != RET_ANY_ATTACH && r->attach_type != p->expected_attach_type)
		r++;
	*min = r->min;
	*max = r->max;
	return !r->any;
}
