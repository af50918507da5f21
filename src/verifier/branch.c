/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps: which ways are possible, and what each of them tells.
 *
 * Where only one way is possible the path follows it, and the operands become precise, because their
 * exact values decided. Otherwise the jump is put aside as a branch of its own and the path goes on
 * below; in both, the operands learn: numbers (scalar.h) with all that are linked to them, a pointer
 * that was tested against NULL with all its copies, packet pointers compared with the packet's end.
 *
 * Requires: reg_link() gave copies of a number one id. Provides: step_branch().
 */
#include <errno.h>

#include "core/map.h"
#include "core/record.h"
#include "verifier/path.h"
#include "verifier/spec.h"

enum { PACKET_OFF_MAX = 0xffff };

/* --- Linked numbers ----------------------------------------------------------------------- */

/*
 * The registers and slots that one id ties together, packed for the jump history: a count in the low 4
 * bits, then for each 3 bits of frame, 6 of register or slot, 1 that tells which.
 */
enum { LINKED_MAX = 6, LINKED_BITS = 10 };

static void link_add(uint64_t *linked, struct reg *r, uint32_t id, unsigned frame, unsigned at,
                     bool is_reg)
{
	unsigned n = *linked & 15;

	if (r->kind != REG_SCALAR || (r->id & ~SCALAR_DELTA) != id)
		return;
	if (n == LINKED_MAX) {
		r->id = 0;
		return;
	}
	*linked |= (uint64_t)(frame | at << 3 | (unsigned)is_reg << 9) << (4 + n * LINKED_BITS);
	*linked += 1;
}

/* Only those that are still read. */
static void link_collect(const struct verifier *v, struct state *s, uint32_t id, uint64_t *linked)
{
	id &= ~SCALAR_DELTA;
	for (int i = s->cur; i >= 0; i--) {
		struct frame *f = s->frames[i];
		uint32_t live = v->notes[state_frame_pc(s, (unsigned)i)].live;

		for (unsigned r = 0; r < R10; r++)
			if (live >> r & 1)
				link_add(linked, &f->regs[r], id, (unsigned)i, r, true);
		for (unsigned n = 0; n < f->nslots; n++)
			if (slot_is_spill(&f->stack[n]))
				link_add(linked, &f->stack[n].spilled, id, (unsigned)i, n, false);
	}
}

/* reg becomes known plus the difference of their offsets. */
static void link_learn(struct reg *r, const struct reg *known)
{
	struct reg was = *r;
	struct scalar delta;

	*r = *known;
	if ((!(was.id & SCALAR_DELTA) && !(known->id & SCALAR_DELTA)) || was.off == known->off)
		return;
	r->off = was.off;
	r->id = was.id;
	scalar_set_const(&delta, (uint64_t)((int64_t)was.off - known->off));
	scalar_alu(&r->s, &delta, ALU_ADD, false);
}

static void link_sync(struct state *s, struct reg *known, uint64_t linked)
{
	unsigned n = linked & 15;

	for (unsigned k = 0; k < n; k++) {
		unsigned e = (unsigned)(linked >> (4 + k * LINKED_BITS)) & 1023;
		struct frame *f = s->frames[e & 7];
		unsigned at = e >> 3 & 63;
		struct reg *r = e >> 9 ? &f->regs[at] : &f->stack[at].spilled;

		if (r->kind != REG_SCALAR || r == known ||
		    (r->id & ~SCALAR_DELTA) != (known->id & ~SCALAR_DELTA))
			continue;
		link_learn(r, known);
	}
}

/* --- Pointers against NULL ---------------------------------------------------------------- */

struct null_test {
	struct verifier *v;
	uint32_t id;
	bool is_null;
};

static bool may_hold_lock(const struct reg *r)
{
	if (r->kind == REG_MAP_VALUE)
		return r->map->record &&
		       r->map->record->mask & (SPECIAL_BIT(SPECIAL_SPIN_LOCK) |
		                               SPECIAL_BIT(SPECIAL_RES_SPIN_LOCK));
	return r->kind == REG_BTF_ID && r->flags & REG_ALLOC;
}

void reg_not_null(struct verifier *v, struct reg *r)
{
	r->flags &= ~(uint32_t)REG_NULLABLE;
	if (r->kind != REG_MAP_VALUE)
		return;
	if (r->map->inner) {
		r->kind = REG_MAP;
		r->map_uid = 0;
		r->map = inner_map(v, r->map);
	} else if (r->map->type == BPF_MAP_TYPE_XSKMAP) {
		r->kind = REG_XDP_SOCK;
	} else if (r->map->type == BPF_MAP_TYPE_SOCKMAP || r->map->type == BPF_MAP_TYPE_SOCKHASH) {
		r->kind = REG_SOCKET;
	}
}

static void null_tested(struct reg *r, void *arg)
{
	const struct null_test *t = arg;

	if (!(r->flags & REG_NULLABLE) || r->id != t->id)
		return;
	if (t->is_null) {
		reg_set_const(r, 0);
		return;
	}
	reg_not_null(t->v, r);
	if (!may_hold_lock(r))
		r->id = 0;
}

/* The register of a path turned out to be, or not to be, NULL. */
static void null_test(struct verifier *v, struct state *s, unsigned regno, bool is_null)
{
	const struct reg *r = &state_frame(s)->regs[regno];
	struct null_test t = {.v = v, .id = r->id, .is_null = is_null};

	if (r->ref_id && r->ref_id == r->id && is_null)
		for (uint32_t n = 0; n < s->nrefs; n++)
			if (s->refs[n].kind == REF_PTR && s->refs[n].id == r->id) {
				for (uint32_t k = n + 1; k < s->nrefs; k++)
					s->refs[k - 1] = s->refs[k];
				s->nrefs--;
				break;
			}
	state_each_reg(s, null_tested, &t);
}

/* --- Packets ------------------------------------------------------------------------------ */

struct packet_range {
	uint32_t id;
	uint8_t kind;
	int32_t range;
};

static void packet_learn(struct reg *r, void *arg)
{
	const struct packet_range *p = arg;

	if (r->kind == p->kind && r->id == p->id && !r->flags && r->range < p->range)
		r->range = p->range;
}

/* All of ptr's kin may reach ptr->off bytes, one more if the end was found to be strictly behind. */
static void packet_good(struct state *s, const struct reg *ptr, bool one_more)
{
	struct packet_range p = {ptr->id, ptr->kind, ptr->off + one_more};

	if (ptr->off < 0 || (ptr->off == 0 && one_more))
		return;
	if (ptr->s.umax > PACKET_OFF_MAX || ptr->s.umax + (uint64_t)ptr->off > PACKET_OFF_MAX)
		return;
	state_each_reg(s, packet_learn, &p);
}

static void packet_end(struct state *s, unsigned regno, bool beyond)
{
	struct reg *r = &state_frame(s)->regs[regno];

	if (r->kind == REG_PACKET)
		r->range = beyond ? PACKET_RANGE_BEYOND : PACKET_RANGE_AT;
}

static bool is_packet_start(const struct reg *r)
{
	return r->kind == REG_PACKET && !r->id && !r->off && scalar_is_const(&r->s) &&
	       !r->s.var.value;
}

/* Is a a packet pointer and b the end of its area? */
static bool packet_pair(const struct reg *a, const struct reg *b)
{
	return (a->kind == REG_PACKET && b->kind == REG_PACKET_END) ||
	       (a->kind == REG_PACKET_META && is_packet_start(b));
}

/* False: these are not a packet pointer and an end. `jump` is the branch taken, `fall` the other. */
static bool packet_compare(struct verifier *v, const struct insn *i, struct state *fall,
                           struct state *jump)
{
	struct reg dst = state_frame(fall)->regs[i->dst], src = state_frame(fall)->regs[i->src];
	enum cmp_op op = i->code & 0xf0;
	unsigned ptr = i->dst;

	(void)v;
	if (!(i->code & 8) || (i->code & 7) == CLASS_JMP32)
		return false;
	if (op != CMP_GT && op != CMP_GE && op != CMP_LT && op != CMP_LE)
		return false;
	if (packet_pair(&src, &dst)) {
		struct reg swap = dst;

		dst = src;
		src = swap;
		ptr = i->src;
		op = cmp_swap(op);
	} else if (!packet_pair(&dst, &src)) {
		return false;
	}
	switch (op) { /* of the pointer with the end */
	case CMP_GT:
		packet_good(fall, &dst, false);
		packet_end(jump, ptr, true);
		break;
	case CMP_GE:
		packet_good(fall, &dst, true);
		packet_end(jump, ptr, false);
		break;
	case CMP_LT:
		packet_good(jump, &dst, true);
		packet_end(fall, ptr, false);
		break;
	default:
		packet_good(jump, &dst, false);
		packet_end(fall, ptr, true);
	}
	return true;
}

static bool is_any_packet(const struct reg *r)
{
	return r->kind == REG_PACKET || r->kind == REG_PACKET_META || r->kind == REG_PACKET_END;
}

/* -1: either way. A pointer that was compared with the end before may know. */
static int packet_branch(const struct reg *dst, const struct reg *src, enum cmp_op op)
{
	const struct reg *ptr = dst;

	if (dst->kind == REG_PACKET_END) {
		ptr = src;
		op = cmp_swap(op);
	} else if (src->kind != REG_PACKET_END) {
		return -1;
	}
	if (src->kind == REG_PACKET_END) {
		ptr = dst;
		op = dst->kind == REG_PACKET_END ? cmp_swap(op) : op;
	}
	if (ptr->range >= 0 || ptr->kind == REG_PACKET_END)
		return -1;
	if (op == CMP_LE || op == CMP_GT)
		return ptr->range == PACKET_RANGE_BEYOND ? op == CMP_GT : -1;
	if (op == CMP_LT || op == CMP_GE)
		return op == CMP_GE;
	return -1;
}

/* --- The jump ----------------------------------------------------------------------------- */

/* A pointer that certainly is not NULL. */
static bool never_null(const struct reg *r)
{
	if (r->flags & REG_NULLABLE)
		return false;
	switch (r->kind) {
	case REG_SOCKET:
	case REG_TCP_SOCK:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_SOCK_COMMON:
	case REG_MAP:
		return true;
	case REG_BTF_ID:
		return r->ref_id || (r->flags & REG_TRUST_FLAGS && !(r->flags & REG_UNTRUSTED));
	case REG_MEM:
		return !(r->flags & REG_UNTRUSTED);
	default:
		return false;
	}
}

static bool is_const(const struct reg *r, bool is32)
{
	return r->kind == REG_SCALAR && (is32 ? scalar_is_const32(&r->s) : scalar_is_const(&r->s));
}

static int predict(const struct reg *a, const struct reg *b, enum cmp_op op, bool is32)
{
	if (is_any_packet(a) && is_any_packet(b) && !is32)
		return packet_branch(a, b, op);
	if (!is_const(b, is32)) {
		const struct reg *swap = a;

		a = b;
		b = swap;
		op = cmp_swap(op);
	}
	if (a->kind == REG_SCALAR && b->kind == REG_SCALAR)
		return scalar_branch(&a->s, &b->s, op, is32);
	if (a->kind == REG_SCALAR || !is_const(b, is32) || !never_null(a))
		return -1;
	if (is32 ? (uint32_t)b->s.var.value : b->s.var.value)
		return -1;
	return op == CMP_EQ ? 0 : op == CMP_NE ? 1 : -1;
}

static void sane(struct reg *r)
{
	if (!scalar_sane(&r->s))
		scalar_unbound(&r->s);
}

/* Both states' operands learn. src: for an immediate, one that is no register. */
static void refine(struct verifier *v, const struct insn *i, struct state *fall,
                   struct state *jump, const struct reg *imm, uint64_t linked)
{
	struct state *side[2] = {fall, jump};
	bool is32 = (i->code & 7) == CLASS_JMP32;

	for (int taken = 0; taken < 2; taken++) {
		struct reg *regs = state_frame(side[taken])->regs, copy = *imm;
		struct reg *dst = &regs[i->dst], *src = i->code & 8 ? &regs[i->src] : &copy;

		if (dst->kind == REG_SCALAR && src->kind == REG_SCALAR) {
			struct scalar own = src->s;

			/* A register against itself: each side refines its own copy. */
			scalar_refine(&dst->s, dst == src ? &own : &src->s, i->code & 0xf0, is32, taken);
			sane(dst);
			sane(src);
		}
	}
	for (int taken = 0; taken < 2; taken++) {
		struct reg *regs = state_frame(side[taken])->regs;

		if (i->code & 8 && regs[i->src].kind == REG_SCALAR && regs[i->src].id)
			link_sync(side[taken], &regs[i->src], linked);
		if (regs[i->dst].kind == REG_SCALAR && regs[i->dst].id)
			link_sync(side[taken], &regs[i->dst], linked);
	}
}

/* A nullable pointer that equals one which is not NULL is not either. */
static void equal_pointers(struct verifier *v, const struct insn *i, struct state *fall,
                           struct state *jump)
{
	struct reg *a = &state_frame(fall)->regs[i->dst], *b = &state_frame(fall)->regs[i->src];
	enum cmp_op op = i->code & 0xf0;
	struct state *equal = op == CMP_EQ ? jump : op == CMP_NE ? fall : NULL;

	if (!equal || (i->code & 7) == CLASS_JMP32 || !(i->code & 8))
		return;
	if (a->kind == REG_SCALAR || b->kind == REG_SCALAR || a->kind == REG_BTF_ID ||
	    b->kind == REG_BTF_ID || reg_nullable(a) == reg_nullable(b))
		return;
	reg_not_null(v, &state_frame(equal)->regs[reg_nullable(b) ? i->src : i->dst]);
}

static int both_ways(struct verifier *v, const struct insn *i, const struct reg *imm, uint32_t pc)
{
	struct reg *regs = cur_regs(v), *dst = &regs[i->dst];
	enum cmp_op op = i->code & 0xf0;
	bool is32 = (i->code & 7) == CLASS_JMP32;
	uint64_t linked = 0;
	struct state *jump;
	int err = 0;

	if (i->code & 8 && regs[i->src].kind == REG_SCALAR && regs[i->src].id)
		link_collect(v, v->cur, regs[i->src].id, &linked);
	if (dst->kind == REG_SCALAR && dst->id &&
	    !(i->code & 8 && regs[i->src].kind == REG_SCALAR &&
	      (regs[i->src].id & ~SCALAR_DELTA) == (dst->id & ~SCALAR_DELTA)))
		link_collect(v, v->cur, dst->id, &linked);
	if ((linked & 15) > 1)
		err = jump_note(v, 0, linked);
	if (err)
		return err;
	jump = branch_push(v, (uint32_t)((int64_t)pc + i->off + 1), pc);
	if (!jump)
		return branch_error(v);
	refine(v, i, v->cur, jump, imm, linked);
	equal_pointers(v, i, v->cur, jump);
	if (!is32 && !(i->code & 8) && i->imm == 0 && (op == CMP_EQ || op == CMP_NE) &&
	    reg_nullable(dst)) {
		null_test(v, v->cur, i->dst, op == CMP_NE);
		null_test(v, jump, i->dst, op == CMP_EQ);
		return 0;
	}
	if (!packet_compare(v, i, v->cur, jump) && !v->allow_ptr_leaks && dst->kind != REG_SCALAR)
		return reject(v, REJECT_POINTER_COMPARE, i->dst);
	return 0;
}

int step_branch(struct verifier *v, uint32_t *pc)
{
	const struct insn *i = &v->insns[*pc];
	struct reg *regs = cur_regs(v), imm, *src = &imm, *dst = &regs[i->dst];
	bool from_reg = i->code & 8;
	unsigned flags = 0;
	int err = reg_readable(v, i->dst), taken;

	if (!err && from_reg)
		err = reg_readable(v, i->src);
	if (err)
		return err;
	if (from_reg) {
		src = &regs[i->src];
		if (!(is_any_packet(dst) && is_any_packet(src)) && !v->allow_ptr_leaks &&
		    src->kind != REG_SCALAR)
			return reject(v, REJECT_POINTER_COMPARE, i->src);
		flags |= src->kind == REG_STACK ? JUMP_SRC_STACK : 0;
		imm = *src;
	} else {
		reg_set_const(&imm, (uint64_t)(int64_t)i->imm);
	}
	flags |= dst->kind == REG_STACK ? JUMP_DST_STACK : 0;
	if (flags)
		err = jump_note(v, flags, 0);
	if (err)
		return err;
	taken = predict(dst, src, i->code & 0xf0, (i->code & 7) == CLASS_JMP32);
	if (taken >= 0 && dst->kind == REG_SCALAR)
		err = precise_mark(v, i->dst);
	if (taken >= 0 && !err && from_reg && src->kind == REG_SCALAR)
		err = precise_mark(v, i->src);
	if (taken >= 0 && !err)
		err = spec_branch(v, i, taken ? *pc + 1 : (uint32_t)((int64_t)*pc + i->off + 1));
	if (!err && taken < 0)
		err = both_ways(v, i, &imm, *pc);
	if (err)
		return err;
	if (log_wanted(v, 3))
		log_insn_state(v, v->cur);
	*pc = taken == 1 ? (uint32_t)((int64_t)*pc + i->off + 1) : *pc + 1;
	return 0;
}
