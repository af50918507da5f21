/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in the tables of hooks: see hook.h. */
#include "core/hook.h"

#include "core/map.h"
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

bool field_allows(const struct ctx_field *f, uint32_t off, unsigned size, bool write)
{
	uint32_t at = off - f->offset;
	uint16_t can = f->access;

	if (!at && size == f->size)
		return can & (write ? FIELD_W : FIELD_R);
	if (off % size || at + size > f->size)
		return !write && can & FIELD_PADDED && !at && size == f->size + 2u;
	if (write)
		return can & FIELD_NARROW_W || (can & FIELD_WORDS_W && size >= 4);
	return can & FIELD_NARROW || (can & FIELD_START && !at) || (can & FIELD_BEHIND && at) ||
	       (can & FIELD_WORDS && size == 4) || (can & FIELD_HALVES && size >= 2) ||
	       (can & FIELD_LONGS && size == 8);
}

const struct ctx_field *hook_access(const struct prog *p, int64_t off, unsigned size, bool write)
{
	const struct hook *h = p->hook;
	const struct ctx_field *f;

	if (off < 0 || off >= h->ctx_size)
		return NULL;
	f = hook_field(h, (uint32_t)off);
	if (!f || !field_allows(f, (uint32_t)off, size, write))
		return NULL;
	return h->field_ok && !h->field_ok(p, f, write) ? NULL : f;
}

bool hook_attach_type_ok(const struct hook *h, uint32_t attach_type)
{
	if (h->attach_type_ok)
		return h->attach_type_ok(attach_type);
	if (!h->attach_types)
		return true;
	for (const uint32_t *t = h->attach_types; *t; t++)
		if (*t == attach_type)
			return true;
	return false;
}

static const void *pointer_in(const void *ctx, const struct ctx_field *f)
{
	return *(void *const *)((const uint8_t *)ctx + f->real_offset);
}

unsigned hook_regions(const struct hook *h, const void *ctx, struct region *r, unsigned max)
{
	const void *packet = NULL;
	unsigned n = 0;

	if (h->regions)
		return h->regions(ctx, r, max);
	if (h->real_size && max)
		r[n++] = (struct region){(uintptr_t)ctx, h->real_size, true, "ctx"};
	for (const struct ctx_field *f = h->fields; f && f->name && n < max; f++) {
		const void *at = f->real_size == sizeof(void *) ? pointer_in(ctx, f) : NULL;

		if (f->kind == FIELD_PACKET)
			packet = at;
		else if (f->kind == FIELD_PACKET_END && packet)
			r[n++] = (struct region){(uintptr_t)packet, (uintptr_t)at - (uintptr_t)packet,
			                         h->pkt_write, "packet"};
		else if (f->mem_size && at)
			r[n++] = (struct region){(uintptr_t)at, f->mem_size,
			                         f->kind == FIELD_MEM || f->kind == FIELD_MEM_OR_NULL,
			                         f->name};
	}
	return n;
}
