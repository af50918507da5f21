/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to the context and the stack: is the place one that the hook offers, or within the frame?
 *
 * Requires: ref[] of loads and stores. Provides: every access whose base is VALUE_CTX lies in one field of
 * the hook's table that allows it, and subprogs[].touched covers every access by a frame pointer.
 */
#include "verifier/ctx.h"

#include "verifier/state.h"

/* Sizes and places within a field. */
static bool fits(const struct ctx_field *f, unsigned off, unsigned size)
{
	if (off == f->offset && size == f->size)
		return true;
	return f->access & FIELD_NARROW && off % size == 0 && off + size <= f->offset + f->size;
}

const struct ctx_field *ctx_field_for(const struct prog *p, int off, unsigned size, bool write)
{
	const struct hook *h = p->hook;
	const struct ctx_field *f;

	if (off < 0 || (uint32_t)off >= h->ctx_size)
		return NULL;
	f = hook_field(h, (uint32_t)off);
	if (!f || !(f->access & (write ? FIELD_W : FIELD_R)) || !fits(f, (unsigned)off, size))
		return NULL;
	return f;
}

static int check_ctx(const struct verifier *v, uint32_t pc, unsigned fields, value base)
{
	const struct insn *i = &v->insns[pc];
	bool write = fields & INSN_STORE;
	unsigned reg = write ? i->dst : i->src;

	if ((i->code & 0xe7) == 0xc3)
		return reject(v, REJECT_CTX_ATOMIC, reg);
	if (value_num(base))
		return reject(v, REJECT_CTX_MODIFIED, reg, value_num(base));
	if (!ctx_field_for(v->p, i->off, insn_size(i), write))
		return reject(v, REJECT_CTX_ACCESS, i->off, insn_size(i));
	return 0;
}

static int check_frame(const struct verifier *v, uint32_t pc, unsigned fields, value base,
                       struct subprog *f)
{
	const struct insn *i = &v->insns[pc];
	int off = value_num(base) + i->off;
	unsigned size = insn_size(i);

	if (off < -STACK_SIZE || off + (int)size > 0)
		return fields & INSN_STORE ? reject(v, REJECT_STACK_WRITE, i->dst, off, size)
		                           : reject(v, REJECT_STACK_READ, i->src, off, size);
	if (off < f->touched)
		f->touched = off;
	return 0;
}

int ctx_check(struct verifier *v)
{
	for (uint32_t s = 0; v->has_memory && s < v->nsubprogs; s++) {
		struct subprog *f = &v->subprogs[s];

		for (uint32_t pc = f->start; pc < f->end; pc += insn_slots(v->op[pc])) {
			unsigned fields = insn_info[v->op[pc]].fields;
			value base = v->ref[pc];
			int err = 0;

			if (!(fields & (INSN_LOAD | INSN_STORE)))
				continue;
			if (value_kind(base) == VALUE_FRAME)
				err = check_frame(v, pc, fields, base, f);
			else if (value_kind(base) == VALUE_CTX)
				err = check_ctx(v, pc, fields, base);
			else if (value_kind(base) == VALUE_CTX_MIXED)
				err = reject(v, REJECT_DIFFERENT_POINTERS);
			if (err)
				return err;
		}
	}
	return 0;
}
