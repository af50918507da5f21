/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to the context and the stack: is the place one that the hook offers, or within the
 * frame?
 *
 * Requires: ref[] of loads and stores. Provides: every access whose base is VALUE_CTX lies in one
 * field of the hook's table that allows it, and subprogs[].touched covers every access by a frame
 * pointer.
 */
#include "core/hook.h"

#include "verifier/state.h"
#include "verifier/track.h"

static bool is_packet(const struct ctx_field *f)
{
	return f->kind == FIELD_PACKET || f->kind == FIELD_PACKET_END ||
	       f->kind == FIELD_PACKET_META;
}

/* Of what is a pointer there is no signed load. */
static bool sign_extends(enum op op)
{
	return op == OP_LDSX_B || op == OP_LDSX_H || op == OP_LDSX_W;
}

/* An access as all kinds of bases see it. */
struct access {
	int16_t off;
	uint8_t size, reg;
	bool read, write, atomic; /* both: an atomic operation that changes what is there */
};

static struct access access_of(const struct insn *i, unsigned fields)
{
	return (struct access){
		.off = i->off,
		.size = (uint8_t)insn_size(i),
		.reg = fields & INSN_STORE ? i->dst : i->src,
		.read = fields & INSN_LOAD,
		.write = fields & INSN_STORE,
		.atomic = (i->code & 0xe7) == 0xc3,
	};
}

/*
 * The kernel asks whether an atomic operation may touch the context before where, a release or
 * acquire after.
 */
static int check_ctx(struct verifier *v, uint32_t pc, const struct access *a, value base)
{
	const struct ctx_field *f;

	if (a->read && a->write)
		return reject(v, REJECT_CTX_ATOMIC, a->reg);
	if (a->atomic && (value_num(base) + a->off) % a->size)
		return reject(v, REJECT_CTX_ALIGN, value_num(base), a->off, a->size);
	if (value_num(base))
		return reject(v, value_num(base) < 0 ? REJECT_CTX_NEGATIVE : REJECT_CTX_MODIFIED,
		              a->reg, value_num(base));
	f = hook_access(v->p, a->off, a->size, a->write);
	if (!f || (is_packet(f) && sign_extends(v->op[pc]) && !a->atomic))
		return reject(v, REJECT_CTX_ACCESS, a->off, a->size);
	if (a->atomic)
		return reject(v, a->write ? REJECT_CTX_ATOMIC : REJECT_CTX_ACQUIRE, a->reg);
	if (v->p->max_ctx_offset < (unsigned)a->off + a->size)
		v->p->max_ctx_offset = (unsigned)a->off + a->size;
	v->has_growth |= a->write && f->kind == FIELD_QUEUE;
	return 0;
}

static int check_frame(const struct verifier *v, const struct access *a, value base,
                       struct subprog *f)
{
	int off = value_num(base) + a->off;

	if (off % a->size)
		return reject(v, REJECT_STACK_ALIGN, value_num(base), a->off, a->size);
	if (off < -STACK_SIZE || off + a->size > 0)
		return reject(v, a->read ? REJECT_STACK_READ : REJECT_STACK_WRITE, a->reg, off,
		              a->size);
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
			struct access a;
			int err = 0;

			if (!(fields & (INSN_LOAD | INSN_STORE)))
				continue;
			a = access_of(&v->insns[pc], fields);
			if (value_kind(base) == VALUE_FRAME)
				err = check_frame(v, &a, base, f);
			else if (value_kind(base) == VALUE_CTX)
				err = check_ctx(v, pc, &a, base);
			else if (value_kind(base) == VALUE_CTX_MIXED)
				err = reject(v, REJECT_DIFFERENT_POINTERS);
			if (err)
				return err;
		}
	}
	return 0;
}
