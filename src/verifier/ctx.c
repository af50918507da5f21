/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to the context and the stack: is the place one that the hook offers, or within the frame?
 *
 * Requires: ref[] of loads and stores. Provides: every access whose base is VALUE_CTX lies in one field of
 * the hook's table that allows it, and subprogs[].touched covers every access by a frame pointer.
 */
#include "verifier/ctx.h"

#include "verifier/state.h"

/* May so many bytes of the field be accessed there? */
static bool fits(const struct ctx_field *f, unsigned off, unsigned size, bool write)
{
	if (!(f->access & (write ? FIELD_W : FIELD_R)))
		return false;
	if (off == f->offset && size == f->size)
		return true;
	return f->access & (write ? FIELD_NARROW_W : FIELD_NARROW) && off % size == 0 &&
	       off + size <= (unsigned)f->offset + f->size;
}

const struct ctx_field *ctx_field_for(const struct prog *p, int off, unsigned size, bool write)
{
	const struct hook *h = p->hook;
	const struct ctx_field *f;

	if (off < 0 || (uint32_t)off >= h->ctx_size)
		return NULL;
	f = hook_field(h, (uint32_t)off);
	if (!f || !fits(f, (unsigned)off, size, write) || (h->field_ok && !h->field_ok(p, f)))
		return NULL;
	return f;
}

static bool is_packet(const struct ctx_field *f)
{
	return f->kind == FIELD_PACKET || f->kind == FIELD_PACKET_END || f->kind == FIELD_PACKET_META;
}

static int check_ctx(struct verifier *v, uint32_t pc, unsigned fields, value base)
{
	const struct insn *i = &v->insns[pc];
	bool write = fields & INSN_STORE;
	unsigned reg = write ? i->dst : i->src;
	const struct ctx_field *f;

	if ((i->code & 0xe7) == 0xc3)
		return reject(v, write ? REJECT_CTX_ATOMIC : REJECT_CTX_ACQUIRE, reg);
	if (value_num(base))
		return reject(v, value_num(base) < 0 ? REJECT_CTX_NEGATIVE : REJECT_CTX_MODIFIED,
		              reg, value_num(base));
	f = ctx_field_for(v->p, i->off, insn_size(i), write);
	if (!f || (is_packet(f) && i->code != insn_info[OP_LDX_W].code))
		return reject(v, REJECT_CTX_ACCESS, i->off, insn_size(i));
	v->has_growth |= write && f->kind == FIELD_QUEUE;
	return 0;
}

static int check_frame(const struct verifier *v, uint32_t pc, unsigned fields, value base,
                       struct subprog *f)
{
	const struct insn *i = &v->insns[pc];
	int off = value_num(base) + i->off;
	unsigned size = insn_size(i);

	if (off % (int)size)
		return reject(v, REJECT_STACK_ALIGN, value_num(base), i->off, size);
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
