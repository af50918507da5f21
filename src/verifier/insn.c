/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single instructions: reserved fields, register numbers, immediates, helpers.
 *
 * Each class has its function, which asks in the order in which the kernel does: mostly reserved
 * fields, sources, destination, immediates. An instruction that passes is a row of insn.def with
 * insn_fields_ok().
 *
 * Requires: op[], references resolved. Provides: the promise above for every instruction.
 */
#include "core/hook.h"
#include "core/kfunc.h"
#include "core/uapi.h"
#include "verifier/state.h"

static int check_reg(const struct verifier *v, unsigned reg)
{
	return reg > R10 ? reject(v, REJECT_REGISTER, reg) : 0;
}

static int check_dst(const struct verifier *v, unsigned reg)
{
	if (reg == R10)
		return reject(v, REJECT_WRITE_R10);
	return check_reg(v, reg);
}

static int check_unary(const struct verifier *v, const struct insn *i)
{
	bool end = (i->code & 0xf0) == 0xd0;
	bool width_ok = i->imm == 16 || i->imm == 32 || i->imm == 64;
	int err;

	if (i->src || i->off || (end ? !width_ok : i->imm != 0))
		return reject(v, end ? REJECT_END_FIELDS : REJECT_NEG_FIELDS);
	err = check_reg(v, i->dst);
	return err ? err : check_dst(v, i->dst);
}

static int check_mov(const struct verifier *v, enum op op, const struct insn *i)
{
	int err = 0;

	if (op == OP_ADDR_CAST && i->imm != 1 && i->imm != 1 << 16)
		return reject(v, REJECT_ADDR_CAST);
	if (op == OP_ADDR_CAST && !v->arena)
		return reject(v, REJECT_ADDR_CAST_ARENA);
	if (op == OP_ADDR_CAST) {
		err = check_reg(v, i->src);
		return err ? err : check_dst(v, i->dst);
	}
	if (op == OP_INVALID)
		return reject(v, REJECT_MOV_FIELDS);
	if (i->code & 8) {
		if (i->imm)
			return reject(v, REJECT_MOV_FIELDS);
		err = check_reg(v, i->src);
	} else if (i->src || i->off) {
		return reject(v, REJECT_MOV_FIELDS);
	}
	return err ? err : check_dst(v, i->dst);
}

static int check_binary(const struct verifier *v, enum op op, const struct insn *i)
{
	unsigned code = i->code & 0xf0;
	bool divides = code == 0x30 || code == 0x90;
	int32_t width = (i->code & 7) == CLASS_ALU64 ? 64 : 32;
	bool reg = i->code & 8;
	int err = 0;

	if (op == OP_INVALID || (i->off && !divides) || (reg ? i->imm != 0 : i->src != 0))
		return reject(v, REJECT_ALU_FIELDS);
	if (reg)
		err = check_reg(v, i->src);
	if (!err)
		err = check_reg(v, i->dst);
	if (err)
		return err;
	if (!reg && divides && !i->imm)
		return reject(v, REJECT_DIV_ZERO);
	if (!reg && (code == 0x60 || code == 0x70 || code == 0xc0) &&
	    (i->imm < 0 || i->imm >= width))
		return reject(v, REJECT_SHIFT, i->imm);
	return check_dst(v, i->dst);
}

static int check_alu(const struct verifier *v, enum op op, const struct insn *i)
{
	switch (i->code & 0xf0) {
	case 0x80:
	case 0xd0:
		return check_unary(v, i);
	case 0xb0:
		return check_mov(v, op, i);
	default:
		return check_binary(v, op, i);
	}
}

static int check_helper(const struct verifier *v, uint32_t pc)
{
	int32_t id = v->insns[pc].imm;
	const struct prog *p = v->p;
	const struct helper *h = helper_find(p->obj.k, id);

	if (!h)
		return reject(v, REJECT_UNKNOWN_HELPER, id);
	if (!helper_allowed(h, (unsigned)id, p->hook->type_bit, p->type, p->expected_attach_type) ||
	    !helper_capable(h, (unsigned)id, p->type, p->caps))
		return reject(v, REJECT_HELPER_TYPE, h->name, id);
	if (helper_gpl_only(h, (unsigned)id, p->type) && !p->gpl)
		return reject(v, REJECT_HELPER_LICENCE);
	if (id == HELPER_TAIL_CALL && !p->nfunc_infos && subprog_of(v, pc))
		return reject(v, REJECT_TAIL_CALL_SUBPROG);
	return 0;
}

static int check_kfunc(const struct verifier *v, uint32_t pc)
{
	const struct kfunc *f = &v->p->obj.k->reg.kfuncs[v->ref[pc]];

	return f->types & v->p->hook->type_bit ? 0 : reject(v, REJECT_KFUNC_TYPE, f->name);
}

/*
 * What Skep has not got is said last: a program that the kernel would refuse is refused for the kernel's
 * reason. Requires: the walk, unless the program is trusted.
 */
int calls_present(struct verifier *v)
{
	const struct registry *reg = &v->p->obj.k->reg;

	for (uint32_t pc = 0; pc < v->n; pc++) {
		const struct helper *h;

		if (!v->trust && !(v->notes[pc].flags & NOTE_SEEN))
			continue;
		if (v->op[pc] == OP_CALL_KFUNC && !reg->kfuncs[v->ref[pc]].fn)
			return reject(v, REJECT_KFUNC_ABSENT, reg->kfuncs[v->ref[pc]].name);
		if (v->op[pc] != OP_CALL)
			continue;
		h = helper_find(v->p->obj.k, v->insns[pc].imm);
		if (!h->fn && !(h->flags & HELPER_INLINE))
			return reject(v, REJECT_HELPER_ABSENT, h->name, v->insns[pc].imm);
	}
	return 0;
}

static int check_jmp(const struct verifier *v, enum op op, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	int err;

	switch (i->code & 0xf0) {
	case 0x80:
		if (i->dst || op == OP_INVALID || i->off)
			return reject(v, REJECT_CALL_FIELDS);
		if (op == OP_CALL_KFUNC)
			return check_kfunc(v, pc);
		return op == OP_CALL ? check_helper(v, pc) : 0;
	case 0x90:
		return i->dst || i->src || i->imm ? reject(v, REJECT_EXIT_FIELDS) : 0;
	case 0x00:
		if (i->dst || i->src || (op == OP_JA ? i->imm != 0 : i->off != 0))
			return reject(v, REJECT_JA_FIELDS);
		return 0;
	case 0xe0:
		if (i->dst || i->src || i->imm)
			return reject(v, REJECT_MAY_GOTO_IMM, i->imm);
		return 0;
	}
	err = check_reg(v, i->dst);
	if (err)
		return err;
	if (i->code & 8 ? i->imm != 0 : i->src != 0)
		return reject(v, REJECT_JMP_FIELDS);
	return i->code & 8 ? check_reg(v, i->src) : 0;
}

static int check_atomic(const struct verifier *v, enum op op, const struct insn *i)
{
	int err;

	if (op == OP_INVALID) {
		bool small = (i->code & 0x18) == 0x08 || (i->code & 0x18) == 0x10;

		return small && insn_op(&(struct insn){.code = 0xdb, .imm = i->imm}) != OP_INVALID
		               ? reject(v, REJECT_ATOMIC_SIZE)
		               : reject(v, REJECT_ATOMIC_OP, i->imm);
	}
	err = check_reg(v, i->src);
	if (err)
		return err;
	if (insn_info[op].fields & INSN_WD)
		return check_dst(v, i->dst);
	err = check_reg(v, i->dst);
	return !err && insn_info[op].fields & INSN_WS ? check_dst(v, i->src) : err;
}

static int check_memory(const struct verifier *v, enum op op, const struct insn *i)
{
	int err;

	switch (i->code & 7) {
	case CLASS_LDX:
		err = check_reg(v, i->src);
		return err ? err : check_dst(v, i->dst);
	case CLASS_ST:
		if (i->src)
			return reject(v, REJECT_ST_FIELDS);
		return check_reg(v, i->dst);
	}
	if ((i->code & 0xe0) == 0xc0)
		return check_atomic(v, op, i);
	if (i->imm)
		return reject(v, REJECT_STX_FIELDS);
	err = check_reg(v, i->src);
	return err ? err : check_reg(v, i->dst);
}

static int check_ld(const struct verifier *v, enum op op, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];

	if (i->code == 0x18) {
		if (i->off)
			return reject(v, REJECT_WIDE_FIELDS);
		if (op == OP_LDDW_FUNC && !v->p->nfunc_infos)
			return reject(v, REJECT_NO_FUNC_INFO);
		if (op == OP_LDDW_FUNC && v->subprogs[v->ref[pc]].is_global)
			return reject(v, REJECT_CALLBACK_STATIC);
		return check_dst(v, i->dst);
	}
	if (!v->p->hook->ld_abs)
		return reject(v, REJECT_LD_ABS_TYPE);
	if (i->dst || i->off || (i->src && !(insn_info[op].fields & INSN_RS)))
		return reject(v, REJECT_LD_ABS_FIELDS);
	if (subprog_of(v, pc) && !v->p->nfunc_infos)
		return reject(v, REJECT_LD_ABS_SUBPROG);
	return insn_info[op].fields & INSN_RS ? check_reg(v, i->src) : 0;
}

int insn_check(struct verifier *v, uint32_t pc)
{
	const struct insn *i = &v->insns[pc];
	enum op op = v->op[pc];

	switch (i->code & 7) {
	case CLASS_LD:
		return check_ld(v, op, pc);
	case CLASS_ALU:
	case CLASS_ALU64:
		return check_alu(v, op, i);
	case CLASS_JMP:
	case CLASS_JMP32:
		return check_jmp(v, op, pc);
	default:
		return check_memory(v, op, i);
	}
}

int insn_check_all(struct verifier *v)
{
	for (uint32_t pc = 0; pc < v->n; pc += v->insns[pc].code == 0x18 ? 2 : 1) {
		int err = insn_check(v, pc);

		if (err)
			return err;
	}
	return 0;
}
