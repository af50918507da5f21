/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction: what it reads must be there, what it writes is known afterwards.
 *
 * Provides: step(), reading and writing of registers.
 */
#include <errno.h>
#include <string.h>

#include "core/map.h"
#include "verifier/call.h"
#include "verifier/path.h"

int reg_readable(struct verifier *v, unsigned regno)
{
	scratch_reg(v, regno);
	if (cur_regs(v)[regno].kind == REG_NONE)
		return reject(v, REJECT_NOT_READABLE, regno);
	return 0;
}

int reg_writable(struct verifier *v, unsigned regno)
{
	if (regno == R10)
		return reject(v, REJECT_WRITE_R10);
	scratch_reg(v, regno);
	return 0;
}

void reg_clobber_call(struct verifier *v)
{
	for (unsigned r = R1; r <= R5; r++) {
		reg_set_none(&cur_regs(v)[r]);
		scratch_reg(v, r);
	}
	scratch_reg(v, R0);
}

struct map *inner_map(struct verifier *v, const struct map *outer)
{
	const struct map_attr *a = outer->inner;
	struct inner *in = v->inner;

	while (in && in->outer != outer)
		in = in->next;
	if (in)
		return in->map;
	in = mem_zalloc(v->mem, sizeof(*in) + sizeof(struct map));
	if (!in)
		return NULL;
	in->outer = outer;
	in->map = (struct map *)(in + 1);
	in->map->type = a->type;
	in->map->ops = map_ops_find(v->p->obj.k, a->type);
	in->map->key_size = a->key_size;
	in->map->value_size = a->value_size;
	in->map->max_entries = a->max_entries;
	in->map->flags = a->flags;
	memcpy(in->map->name, a->name, sizeof(in->map->name));
	in->next = v->inner;
	v->inner = in;
	return in->map;
}

static int step_load(struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	bool sext = (i->code & 0xe0) == 0x80;
	int err = reg_readable(v, i->src);

	if (!err)
		err = reg_writable(v, i->dst);
	return err ? err : mem_access(v, pc, i->src, i->off, insn_size(i), ACCESS_READ, i->dst,
	                              false, sext);
}

static int step_store(struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	bool from_reg = (i->code & 7) == CLASS_STX;
	int err = from_reg ? reg_readable(v, i->src) : 0;

	if (!err)
		err = reg_readable(v, i->dst);
	return err ? err : mem_access(v, pc, i->dst, i->off, insn_size(i), ACCESS_WRITE,
	                              from_reg ? i->src : -1, false, false);
}

/* Where atomic operations may not go. */
static bool no_atomics(const struct reg *r)
{
	return r->kind == REG_CTX || reg_is_packet(r) || r->kind == REG_FLOW_KEYS ||
	       (r->kind >= REG_SOCKET && r->kind <= REG_XDP_SOCK);
}

static int step_atomic(struct verifier *v, uint32_t pc, enum op op)
{
	const struct insn *i = &v->insns[pc];
	unsigned f = insn_info[op].fields, base = f & INSN_STORE ? i->dst : i->src;
	int err, to = -1;

	if (!(f & INSN_STORE)) { /* load acquire */
		err = reg_readable(v, base);
		if (!err)
			err = reg_writable(v, i->dst);
		if (!err && no_atomics(&cur_regs(v)[base]) && cur_regs(v)[base].kind != REG_CTX)
			return reject(v, REJECT_ACQUIRE_POINTER, base,
			              reg_kind_text(v, &cur_regs(v)[base]));
		if (!err && cur_regs(v)[base].kind == REG_CTX) {
			err = mem_access(v, pc, base, i->off, insn_size(i), ACCESS_READ, -1, true,
			                 false);
			return err ? err : reject(v, REJECT_CTX_ACQUIRE, base);
		}
		return err ? err : mem_access(v, pc, base, i->off, insn_size(i), ACCESS_READ,
		                              i->dst, true, false);
	}
	err = reg_readable(v, i->src);
	if (!err)
		err = reg_readable(v, base);
	if (err)
		return err;
	if (!(f & INSN_LOAD)) { /* store release */
		err = mem_access(v, pc, base, i->off, insn_size(i), ACCESS_WRITE, i->src, true,
		                 false);
		if (!err && no_atomics(&cur_regs(v)[base]))
			return reject(v, REJECT_ATOMIC_POINTER, base,
			              reg_kind_text(v, &cur_regs(v)[base]));
		return err;
	}
	if (f & INSN_U0) {
		err = reg_readable(v, R0);
		if (!err && !v->allow_ptr_leaks && cur_regs(v)[R0].kind != REG_SCALAR)
			return reject(v, REJECT_LEAKS_MEM, R0);
	}
	if (!err && !v->allow_ptr_leaks && cur_regs(v)[i->src].kind != REG_SCALAR)
		return reject(v, REJECT_LEAKS_MEM, i->src);
	if (!err && no_atomics(&cur_regs(v)[base]))
		return reject(v, REJECT_ATOMIC_POINTER, base, reg_kind_text(v, &cur_regs(v)[base]));
	if (f & (INSN_WS | INSN_W0))
		to = f & INSN_W0 ? R0 : i->src;
	/* The answer's register is lost before the memory is looked at, even if it is its address. */
	if (!err && to >= 0) {
		err = reg_writable(v, (unsigned)to);
		reg_set_unknown(&cur_regs(v)[to]);
	}
	/* Read twice: whether it may be, and, for operations that answer, what is there. */
	if (!err)
		err = mem_access(v, pc, base, i->off, insn_size(i), ACCESS_READ, -1, true, false);
	if (!err && to >= 0)
		err = mem_access(v, pc, base, i->off, insn_size(i), ACCESS_READ, to, true, false);
	return err ? err : mem_access(v, pc, base, i->off, insn_size(i), ACCESS_WRITE, -1, true,
	                              false);
}

static int step_wide(struct verifier *v, uint32_t pc, enum op op)
{
	const struct insn *i = &v->insns[pc];
	struct reg *to = &cur_regs(v)[i->dst];
	int err = reg_writable(v, i->dst);

	if (err)
		return err;
	switch (op) {
	case OP_LDDW:
		reg_set_const(to, insn_imm64(i));
		return 0;
	case OP_LDDW_FUNC:
		reg_set_pointer(to, REG_FUNC, 0);
		scalar_set_const(&to->s, 0);
		to->subprog = v->ref[pc];
		return 0;
	case OP_LDDW_BTF_ID:
		return reject(v, REJECT_BTF_ID_ABSENT, i->imm);
	default:
		break;
	}
	reg_set_pointer(to, REG_MAP, 0);
	scalar_set_const(&to->s, 0);
	to->map = v->p->maps[v->ref[pc]];
	if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_IDX)
		return 0;
	if (to->map->type == BPF_MAP_TYPE_ARENA) {
		reg_set_unknown(to);
		return 0;
	}
	to->kind = REG_MAP_VALUE;
	to->off = i[1].imm;
	return 0;
}

static int step_ld_abs(struct verifier *v, uint32_t pc, enum op op)
{
	const struct insn *i = &v->insns[pc];
	int err = reg_readable(v, R6);

	if (!err)
		err = ref_check(v, false, true, "BPF_LD_[ABS|IND]");
	if (err)
		return err;
	if (cur_regs(v)[R6].kind != REG_CTX)
		return reject(v, REJECT_LD_ABS_CTX);
	err = mem_plain_pointer(v, &cur_regs(v)[R6], R6, false);
	if (!err && insn_info[op].fields & INSN_RS)
		err = reg_readable(v, i->src);
	if (err)
		return err;
	reg_clobber_call(v);
	reg_set_unknown(&cur_regs(v)[R0]);
	return 0;
}

static int step_may_goto(struct verifier *v, uint32_t *pc)
{
	struct state *before = v->cur->parent ? state_before(v, v->cur->parent, *pc) : NULL;
	struct state *fall;

	fall = branch_push(v, *pc + 1, *pc);
	if (!fall)
		return branch_error(v);
	fall->may_goto_depth++;
	if (before)
		state_widen(v, before, fall);
	*pc = (uint32_t)((int64_t)*pc + v->insns[*pc].off + 1);
	return 0;
}

static int step_jump(struct verifier *v, uint32_t *pc, enum op op)
{
	int err;

	v->walk->jumps++;
	switch (op) {
	case OP_JA:
	case OP_JAL:
		*pc = (uint32_t)insn_target(op, &v->insns[*pc], *pc);
		return 0;
	case OP_EXIT:
		return step_return(v, pc);
	case OP_CALL_LOCAL:
		return call_func(v, pc);
	case OP_CALL_KFUNC:
		err = call_kfunc(v, *pc);
		if (!err)
			++*pc;
		return err;
	case OP_CALL:
		err = call_helper(v, *pc);
		if (!err)
			++*pc;
		return err;
	case OP_MAY_GOTO:
		return step_may_goto(v, pc);
	default:
		return step_branch(v, pc);
	}
}

int step(struct verifier *v, uint32_t *pc)
{
	const struct insn *i = &v->insns[*pc];
	enum op op = v->op[*pc];
	int err = 0;

	if (!(v->notes[*pc].flags & NOTE_SEEN))
		err = insn_check(v, *pc);
	if (err)
		return err;
	if (!v->cur->speculative)
		v->notes[*pc].flags |= NOTE_SEEN;
	switch (i->code & 7) {
	case CLASS_JMP:
	case CLASS_JMP32:
		return step_jump(v, pc, op);
	case CLASS_ALU:
	case CLASS_ALU64:
		err = step_alu(v, *pc);
		break;
	case CLASS_LDX:
		err = step_load(v, *pc);
		break;
	case CLASS_LD:
		err = i->code == 0x18 ? step_wide(v, *pc, op) : step_ld_abs(v, *pc, op);
		break;
	default:
		err = (i->code & 0xe7) == 0xc3 ? step_atomic(v, *pc, op) : step_store(v, *pc);
	}
	*pc += op == OP_INVALID ? 1 : insn_slots(op);
	return err;
}
