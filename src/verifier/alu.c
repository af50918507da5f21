/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic: numbers by scalar.h, pointers by the rules below.
 *
 * A pointer plus or minus a number is a pointer. A known number moves its fixed offset (reg.off); an
 * unknown one becomes part of its variable offset (reg.s), which must stay within OFFSET_MAX either way
 * so that offsets can be added without overflow. A packet pointer whose variable offset changed is a
 * new one: it gets an id, and what was known of the bytes behind it is lost. Everything else with a
 * pointer is refused, or, where a pointer's value may leak, gives a number.
 *
 * Scalars that are copied share an id; `r1 = r2; r1 += 5` keeps it and notes the difference, so that a
 * branch on one of them tells of all (branch.c).
 *
 * Requires: insn.c found the fields sound. Provides: step_alu().
 */
#include <errno.h>

#include "verifier/path.h"
#include "verifier/spec.h"

enum { OFFSET_MAX = 1 << 29 };

static const char *const op_text[16] = {"+=", "-=", "*=", "/=",  "|=", "&=",   "<<=",   ">>=",
                                        "neg", "%=", "^=", "=", "s>>=", "endian"};

void reg_link(struct verifier *v, struct reg *r)
{
	if (r->kind != REG_SCALAR)
		return;
	if (r->id & SCALAR_DELTA) {
		r->id = 0;
		r->off = 0;
	}
	if (!r->id && !scalar_is_const(&r->s))
		r->id = new_id(v);
}

/* Is the offset small enough to be added to a pointer of this kind? */
static int check_offset(struct verifier *v, const struct reg *r, const struct reg *ptr)
{
	int64_t value = (int64_t)r->s.var.value;

	if (scalar_is_const(&r->s) && (value >= OFFSET_MAX || value <= -OFFSET_MAX))
		return reject(v, REJECT_POINTER_MATH, reg_kind_text(v, ptr), (long long)value);
	if (r->off >= OFFSET_MAX || r->off <= -OFFSET_MAX)
		return reject(v, REJECT_POINTER_OFFSET, reg_kind_text(v, ptr), r->off);
	if (r->s.smin == INT64_MIN)
		return reject(v, REJECT_POINTER_UNBOUNDED, reg_kind_text(v, ptr));
	if (r->s.smin >= OFFSET_MAX || r->s.smin <= -OFFSET_MAX)
		return reject(v, REJECT_POINTER_VALUE, (long long)r->s.smin, reg_kind_text(v, ptr));
	return 0;
}

static int check_kind(struct verifier *v, unsigned dst, const struct reg *ptr,
                      const struct reg *num, enum alu_op op)
{
	bool known = scalar_is_const(&num->s);

	if (ptr->flags & REG_NULLABLE)
		return reject(v, REJECT_NULLABLE_MATH, dst, reg_kind_text(v, ptr));
	switch (ptr->kind) {
	case REG_CTX:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_STACK:
	case REG_PACKET_META:
	case REG_PACKET:
	case REG_TP_BUFFER:
	case REG_BTF_ID:
	case REG_MEM:
	case REG_BUF:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_ARENA:
		return 0;
	case REG_FLOW_KEYS:
		if (known)
			return 0;
		break;
	case REG_MAP:
		break;
	default:
		return reject(v, REJECT_POINTER_KIND, dst, reg_kind_text(v, ptr));
	}
	if (known && num->s.smin == 0 && op == ALU_ADD)
		return 0;
	return reject(v, REJECT_POINTER_KIND, dst, reg_kind_text(v, ptr));
}

/* Does the number fit in the fixed offset? */
static bool fits_fixed(const struct reg *ptr, const struct reg *num, int64_t *sum, enum alu_op op)
{
	if (!scalar_is_const(&num->s))
		return false;
	*sum = op == ALU_ADD ? ptr->off + num->s.smin : ptr->off - num->s.smin;
	return *sum == (int32_t)*sum;
}

static void add_ranges(struct scalar *d, const struct scalar *p, const struct scalar *n)
{
	if (__builtin_add_overflow(p->smin, n->smin, &d->smin) ||
	    __builtin_add_overflow(p->smax, n->smax, &d->smax)) {
		d->smin = INT64_MIN;
		d->smax = INT64_MAX;
	}
	if (__builtin_add_overflow(p->umin, n->umin, &d->umin) ||
	    __builtin_add_overflow(p->umax, n->umax, &d->umax)) {
		d->umin = 0;
		d->umax = UINT64_MAX;
	}
	d->var = tnum_add(p->var, n->var);
}

static void sub_ranges(struct scalar *d, const struct scalar *p, const struct scalar *n)
{
	if (__builtin_sub_overflow(p->smin, n->smax, &d->smin) ||
	    __builtin_sub_overflow(p->smax, n->smin, &d->smax)) {
		d->smin = INT64_MIN;
		d->smax = INT64_MAX;
	}
	if (p->umin < n->umax) {
		d->umin = 0;
		d->umax = UINT64_MAX;
	} else {
		d->umin = p->umin - n->umax;
		d->umax = p->umax - n->umin;
	}
	d->var = tnum_sub(p->var, n->var);
}

/* dst = ptr op num; dst is one of them. */
static int pointer_op(struct verifier *v, const struct insn *i, const struct reg *ptr_in,
                      const struct reg *num_in)
{
	struct reg ptr = *ptr_in, num = *num_in, *dst = &cur_regs(v)[i->dst];
	enum alu_op op = i->code & 0xf0;
	bool number_is_dst = num_in == dst;
	struct spec_mask mask = {0};
	int64_t sum;
	int err;

	if (!scalar_sane(&num.s)) {
		reg_set_unknown(dst);
		return 0;
	}
	if ((i->code & 7) != CLASS_ALU64) {
		if (op != ALU_SUB || !v->allow_ptr_leaks)
			return reject(v, REJECT_POINTER_32, i->dst);
		reg_set_unknown(dst);
		return 0;
	}
	if (!(ptr.flags & REG_NULLABLE) && ptr.kind == REG_MEM && ptr.flags & REG_UNTRUSTED) {
		*dst = ptr;
		return 0;
	}
	err = check_kind(v, i->dst, &ptr, &num, op);
	if (!err)
		err = check_offset(v, &num, &ptr) ? -EINVAL : 0;
	if (!err)
		err = check_offset(v, &ptr, &ptr) ? -EINVAL : 0;
	if (!err)
		err = spec_pointer(v, i, &ptr, &num, number_is_dst, &mask);
	if (err)
		return err;
	if (op == ALU_SUB && number_is_dst)
		return reject(v, REJECT_NUMBER_MINUS_POINTER, i->dst);
	if (op == ALU_SUB && ptr.kind == REG_STACK)
		return reject(v, REJECT_STACK_MINUS, i->dst);
	if (op == ALU_AND || op == ALU_OR || op == ALU_XOR)
		return reject(v, REJECT_POINTER_BITWISE, i->dst, op_text[op >> 4]);
	if (op != ALU_ADD && op != ALU_SUB)
		return reject(v, REJECT_POINTER_OPERATOR, i->dst, op_text[op >> 4]);
	*dst = ptr;
	scalar_unbound32(&dst->s);
	if (fits_fixed(&ptr, &num, &sum, op)) {
		dst->off = (int32_t)sum;
	} else {
		if (op == ALU_ADD)
			add_ranges(&dst->s, &ptr.s, &num.s);
		else
			sub_ranges(&dst->s, &ptr.s, &num.s);
		if (reg_is_packet(&ptr)) {
			dst->id = new_id(v);
			if (op == ALU_ADD || num.s.smin < 0)
				dst->raw[0] = dst->raw[1] = 0;
		}
	}
	if (check_offset(v, dst, &ptr))
		return -EINVAL;
	scalar_sync(&dst->s);
	err = spec_inside(v, i->dst);
	return err ? err : spec_moved(v, i, &mask);
}

/* Keeps or drops the tie to the register that dst was copied from. */
static void note_delta(struct verifier *v, struct reg *dst, const struct reg *num, enum alu_op op,
                       bool is32)
{
	int64_t delta = (int64_t)num->s.var.value;

	if (v->bpf_capable && op == ALU_ADD && !is32 && dst->id && scalar_is_const(&num->s) &&
	    !(dst->id & SCALAR_DELTA) && delta == (int32_t)delta) {
		dst->id |= SCALAR_DELTA;
		dst->off = (int32_t)delta;
		return;
	}
	if (op == ALU_ADD && !is32 && dst->id && scalar_is_const(&num->s))
		dst->off = 0;
	dst->id = 0;
}

/* Arithmetic on an arena's pointer is made with 32 bits (arena.c), that on numbers with all. */
static int note_arena(struct verifier *v, const struct insn *i)
{
	const struct reg *dst = &cur_regs(v)[i->dst], *src = i->code & 8 ? &cur_regs(v)[i->src] : dst;
	bool is_arena = dst->kind == REG_ARENA || (dst->kind == REG_SCALAR && src->kind == REG_ARENA);
	uint16_t *flags = &v->notes[v->pc].flags;

	*flags |= is_arena ? NOTE_ARENA_ALU : NOTE_OTHER_ALU;
	return *flags & NOTE_ARENA_ALU && *flags & NOTE_OTHER_ALU ? reject(v, REJECT_DIFFERENT_POINTERS)
	                                                           : 0;
}

static int binary(struct verifier *v, const struct insn *i)
{
	struct reg *dst = &cur_regs(v)[i->dst], *src, imm;
	enum alu_op op = i->code & 0xf0;
	bool is32 = (i->code & 7) == CLASS_ALU, from_reg = i->code & 8;
	int err = 0;

	if (v->arena && !is32)
		err = note_arena(v, i);
	if (err || dst->kind == REG_ARENA)
		return err;
	if (from_reg) {
		src = &cur_regs(v)[i->src];
		if (src->kind != REG_SCALAR && dst->kind != REG_SCALAR) {
			if (op != ALU_SUB || !v->allow_ptr_leaks)
				return reject(v, REJECT_TWO_POINTERS, i->dst, op_text[op >> 4]);
			reg_set_unknown(dst);
			return 0;
		}
		if (src->kind != REG_SCALAR) {
			err = precise_mark(v, i->dst);
			if (!err)
				err = pointer_op(v, i, src, dst);
			/* Wherever in the arena it leads. */
			if (!err && dst->kind == REG_ARENA)
				reg_set_pointer(dst, REG_ARENA, 0);
			return err;
		}
		if (dst->kind != REG_SCALAR || dst->precise)
			err = precise_mark(v, i->src);
	} else {
		src = &imm;
		reg_set_const(src, (uint64_t)(int64_t)i->imm);
	}
	if (err)
		return err;
	if (dst->kind != REG_SCALAR)
		return pointer_op(v, i, dst, src);
	err = spec_number(v, i);
	if (err)
		return err;
	imm = *src;
	scalar_alu(&dst->s, &imm.s, op, is32);
	note_delta(v, dst, &imm, op, is32);
	return 0;
}

/* Below 2^(bits - 1): sign extension changes nothing. */
static bool positive(const struct reg *r, unsigned bits)
{
	return r->s.umax < (uint64_t)1 << (bits - 1);
}

static int move64(struct verifier *v, const struct insn *i)
{
	struct reg *src = &cur_regs(v)[i->src], *dst = &cur_regs(v)[i->dst];
	bool same;

	if (i->off == 0) {
		reg_link(v, src);
		*dst = *src;
		return 0;
	}
	if (src->kind != REG_SCALAR) {
		if (!v->allow_ptr_leaks)
			return reject(v, REJECT_SEXT_POINTER, i->src);
		reg_set_unknown(dst);
		return 0;
	}
	same = positive(src, (unsigned)i->off);
	if (same)
		reg_link(v, src);
	*dst = *src;
	if (!same)
		dst->id = 0;
	scalar_sext(&dst->s, (unsigned)i->off / 8);
	return 0;
}

static int move32(struct verifier *v, const struct insn *i)
{
	struct reg *src = &cur_regs(v)[i->src], *dst = &cur_regs(v)[i->dst];
	bool same;

	if (src->kind != REG_SCALAR) {
		if (!v->allow_ptr_leaks)
			return reject(v, REJECT_PARTIAL_POINTER, i->src);
		reg_set_unknown(dst);
		scalar_zext(&dst->s);
		scalar_sync(&dst->s);
		return 0;
	}
	same = i->off ? positive(src, (unsigned)i->off) : src->s.umax <= UINT32_MAX;
	if (same)
		reg_link(v, src);
	*dst = *src;
	if (!same)
		dst->id = 0;
	if (i->off)
		scalar_sext32(&dst->s, (unsigned)i->off / 8);
	scalar_zext(&dst->s);
	scalar_sync(&dst->s);
	return 0;
}

static int move(struct verifier *v, uint32_t pc, const struct insn *i)
{
	struct reg *dst = &cur_regs(v)[i->dst];
	bool is32 = (i->code & 7) == CLASS_ALU;

	if (v->op[pc] == OP_ADDR_CAST) {
		reg_set_unknown(dst);
		if (i->imm == 1)
			reg_set_pointer(dst, REG_ARENA, 0);
		return 0;
	}
	if (i->code & 8)
		return is32 ? move32(v, i) : move64(v, i);
	reg_set_const(dst, is32 ? (uint32_t)i->imm : (uint64_t)(int64_t)i->imm);
	return 0;
}

static int unary(struct verifier *v, const struct insn *i)
{
	struct reg *dst = &cur_regs(v)[i->dst];

	if (dst->kind != REG_SCALAR) {
		if (!v->allow_ptr_leaks)
			return reject(v, REJECT_POINTER_UNARY, i->dst);
		reg_set_unknown(dst);
		return 0;
	}
	if ((i->code & 0xf0) == ALU_NEG) {
		scalar_neg(&dst->s, (i->code & 7) == CLASS_ALU);
		dst->id = 0;
	} else {
		/* Bytes change places for bswap, and on a little-endian host for be. */
		bool swap = (i->code & 7) == CLASS_ALU64 ||
		            !(i->code & 8) == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

		scalar_end(&dst->s, swap, (unsigned)i->imm);
		dst->id = 0;
	}
	return 0;
}

int step_alu(struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	enum alu_op op = i->code & 0xf0;
	int err = 0;

	if (op != ALU_END && op != ALU_NEG && i->code & 8)
		err = reg_readable(v, i->src);
	if (!err && op != ALU_MOV)
		err = reg_readable(v, i->dst);
	if (!err)
		err = reg_writable(v, i->dst);
	if (err)
		return err;
	if (op == ALU_MOV)
		return move(v, pc, i);
	return op == ALU_END || op == ALU_NEG ? unary(v, i) : binary(v, i);
}
