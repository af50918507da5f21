/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads from packets, as eBPF.
 *
 *   SOCKET   the packet load instruction
 *   TC       a direct load where data has the bytes; else, away from the straight line, the packet load
 *            instruction, which finds them in fragments and headers, or ends the run
 *   LINEAR   a direct load; packet loads only for offsets that may be negative or beyond 32 KB
 *
 * A direct load may leave A in network order: struct fact says where that does no harm.
 */
#include "cbpf/translate.h"

#include <stdlib.h>

enum { HELPER_RANDOM = 7, HELPER_CPU = 8 };

static enum op direct_op(unsigned size)
{
	return size == 4 ? OP_LDX_W : size == 2 ? OP_LDX_H : OP_LDX_B;
}

static enum op packet_op(unsigned size, bool indirect)
{
	switch (size) {
	case 4: return indirect ? OP_LD_IND_W : OP_LD_ABS_W;
	case 2: return indirect ? OP_LD_IND_H : OP_LD_ABS_H;
	}
	return indirect ? OP_LD_IND_B : OP_LD_ABS_B;
}

static bool is_ind(const struct skep_cbpf_insn *i)
{
	return cbpf_info[cbpf_op(i)].operand == OPERAND_IND;
}

/* Can the offset be reached directly at all? */
static bool may_be_direct(const struct translation *t, const struct skep_cbpf_insn *i)
{
	return is_direct(t) && i->k <= DIRECT_MAX - 4;
}

static bool is_near(const struct translation *t, size_t pc)
{
	return fact_is_near(&t->insns[pc], is_ind(&t->insns[pc]), t->facts[pc].x_max);
}

bool load_clobbers(const struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	enum cbpf_op op = cbpf_op(i);

	if (t->target == SKEP_CBPF_TO_SECCOMP)
		return false;
	switch (cbpf_ext(i)) {
	case EXT_RANDOM: case EXT_CPU: case EXT_NLATTR: case EXT_NLATTR_NEST: return true;
	case EXT_NONE: break;
	default: return false;
	}
	if (cbpf_info[op].operand != OPERAND_ABS && cbpf_info[op].operand != OPERAND_IND &&
	    cbpf_info[op].operand != OPERAND_MSH)
		return false;
	return t->target != SKEP_CBPF_TO_LINEAR || !may_be_direct(t, i) || !is_near(t, pc);
}

static void emit_swap(struct translation *t, unsigned size)
{
	if (size > 1)
		emit(t, size == 4 ? OP_BE32 : OP_BE16, A, 0, 0, 0);
}

/* X = 4 * (byte & 15), from a register. */
static void emit_nibble(struct translation *t, unsigned from)
{
	if (from != t->x)
		emit(t, OP_MOV32_X, t->x, from, 0, 0);
	emit(t, OP_AND32_K, t->x, 0, 0, 0xf);
	emit(t, OP_LSH32_K, t->x, 0, 0, 2);
}

/* The packet load instruction. A survives where the load is of X. */
static void emit_packet_load(struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	bool msh = cbpf_op(i) == CBPF_LDX_MSH;
	bool keep = msh && t->facts[pc].live & LIVE_A;
	bool in_register = keep && !is_direct(t);

	if (in_register)
		emit(t, OP_MOV32_X, R8, A, 0, 0);
	else if (keep)
		emit(t, OP_STX_W, R10, A, SAVED_A, 0);
	if (is_ind(i))
		emit(t, packet_op(cbpf_size(i), true), 0, t->x, 0, (int32_t)i->k);
	else
		emit(t, packet_op(cbpf_size(i), false), 0, 0, 0, (int32_t)i->k);
	if (msh)
		emit_nibble(t, A);
	else if (t->facts[pc].swapped)
		emit_swap(t, cbpf_size(i));
	if (in_register)
		emit(t, OP_MOV32_X, A, R8, 0, 0);
	else if (keep)
		emit(t, OP_LDX_W, A, R10, SAVED_A, 0);
}

/* A jump to the detour of this load: where it begins is not known yet. */
static void emit_leave(struct translation *t, enum op op, unsigned dst, unsigned src, int32_t imm, size_t pc)
{
	struct detour *grown;
	size_t cap = t->detours_cap ? 2 * t->detours_cap : 64;

	if (t->detours_n == t->detours_cap) {
		grown = t->failed ? NULL : reallocarray(t->detours, cap, sizeof(*grown));
		if (!grown) {
			t->failed = true;
			return;
		}
		t->detours = grown;
		t->detours_cap = cap;
	}
	if (t->far) {
		emit(t, op, dst, src, 1, imm);
		emit(t, OP_JA, 0, 0, 1, 0);
		op = OP_JAL;
	}
	t->detours[t->detours_n++] = (struct detour){.from = (uint32_t)t->out_n, .pc = (uint16_t)pc};
	emit(t, op, t->far ? 0 : dst, t->far ? 0 : src, 0, t->far ? 0 : imm);
}

/* Leaves for the detour, or in one piece of packet for the end, when `end` lies behind data_end. */
static void emit_check(struct translation *t, unsigned end, size_t pc)
{
	if (t->target == SKEP_CBPF_TO_TC)
		emit_leave(t, OP_JGT64_X, end, t->data_end, 0, pc);
	else
		emit_jump(t, OP_JGT64_X, end, t->data_end, 0, t->n);
}

/* TMP = data + X, checked. Its detour, in one piece of packet, is for large X only. */
static void emit_base(struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];

	if (!is_near(t, pc))
		emit_leave(t, OP_JGT32_K, t->x, 0, DIRECT_MAX, pc);
	emit(t, OP_MOV64_X, TMP, t->data, 0, 0);
	emit(t, OP_ADD64_X, TMP, t->x, 0, 0);
	emit(t, OP_MOV64_X, TMP2, TMP, 0, 0);
	emit(t, OP_ADD64_K, TMP2, 0, 0, (int32_t)(i->k + cbpf_size(i)));
	emit_check(t, TMP2, pc);
}

static void emit_direct_load(struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	unsigned size = cbpf_size(i), base = is_ind(i) ? TMP : t->data;
	bool msh = cbpf_op(i) == CBPF_LDX_MSH;
	size_t first = t->detours_n;

	if (is_ind(i)) {
		emit_base(t, pc);
	} else if (t->target == SKEP_CBPF_TO_TC || i->k + size > t->facts[pc].len) {
		emit(t, OP_MOV64_X, TMP, t->data, 0, 0);
		emit(t, OP_ADD64_K, TMP, 0, 0, (int32_t)(i->k + size));
		emit_check(t, TMP, pc);
	}
	emit(t, direct_op(size), msh ? t->x : A, base, (int16_t)i->k, 0);
	if (msh)
		emit_nibble(t, t->x);
	else if (!t->facts[pc].swapped)
		emit_swap(t, size);
	for (size_t d = first; d < t->detours_n; d++)
		t->detours[d].back = (uint32_t)t->out_n;
}

void emit_load(struct translation *t, size_t pc)
{
	if (may_be_direct(t, &t->insns[pc]))
		emit_direct_load(t, pc);
	else
		emit_packet_load(t, pc);
}

void emit_detours(struct translation *t)
{
	for (size_t d = 0; d < t->detours_n && !t->failed; d++) {
		const struct detour *way = &t->detours[d];
		struct insn *jump = &t->out[way->from];
		int64_t distance = (int64_t)t->out_n - way->from - 1;

		if (t->far)
			jump->imm = (int32_t)distance;
		else
			jump->off = (int16_t)distance;
		emit_packet_load(t, way->pc);
		distance = (int64_t)way->back - (int64_t)t->out_n - 1;
		emit(t, t->far ? OP_JAL : OP_JA, 0, 0, t->far ? 0 : (int16_t)distance,
		     t->far ? (int32_t)distance : 0);
	}
}

/* --- Extensions ------------------------------------------------------------------------------ */

static void emit_field(struct translation *t, int16_t offset)
{
	emit(t, OP_LDX_W, A, t->ctx, offset, 0);
}

/* A field of the device. Without a device the run ends with what is in A. */
static void emit_device(struct translation *t, bool type)
{
	emit(t, OP_LDX_W, TMP, t->ctx, SKB_IFINDEX, 0);
	emit(t, OP_JNE32_K, TMP, 0, 1, 0);
	emit(t, OP_EXIT, 0, 0, 0, 0);
	if (type)
		emit(t, OP_MOV32_K, A, 0, 0, (int32_t)t->hatype);
	else
		emit(t, OP_MOV32_X, A, TMP, 0, 0);
}

/* A half-word of an attribute, which is in the order of the host: of what CURSOR says, + at. */
static void emit_attr(struct translation *t, int32_t at)
{
	emit(t, OP_LDX_W, TMP, R10, CURSOR, 0);
	emit(t, OP_LD_IND_H, 0, TMP, 0, at);
	emit_swap(t, 2);
}

/*
 * A netlink attribute of type X from A on: its offset, or 0. Nested: in the attribute at A. A loop over
 * packet loads; its variables are on the stack.
 */
static void emit_nlattr(struct translation *t, bool nested)
{
	size_t none[6], n = 0, found, again, over;

	emit(t, OP_STX_W, R10, A, CURSOR, 0);
	if (is_direct(t)) {
		emit(t, OP_MOV64_X, TMP, t->data_end, 0, 0);
		emit(t, OP_SUB64_X, TMP, t->data, 0, 0);
	} else {
		emit(t, OP_LDX_W, TMP, t->ctx, SKB_LEN, 0);
	}
	emit(t, OP_STX_W, R10, TMP, LIMIT, 0);
	none[n++] = t->out_n;
	emit(t, OP_JLT32_K, TMP, 0, 0, 4);
	emit(t, OP_ADD32_K, TMP, 0, 0, -4);
	none[n++] = t->out_n;
	emit(t, OP_JGT32_X, A, TMP, 0, 0);
	if (nested) {
		emit_attr(t, 0);
		emit(t, OP_LDX_W, TMP, R10, LIMIT, 0);
		emit(t, OP_LDX_W, TMP2, R10, CURSOR, 0);
		emit(t, OP_SUB32_X, TMP, TMP2, 0, 0);
		none[n++] = t->out_n;
		emit(t, OP_JGT32_X, A, TMP, 0, 0);
		emit(t, OP_ADD32_X, A, TMP2, 0, 0);
		emit(t, OP_STX_W, R10, A, LIMIT, 0);
		emit(t, OP_ADD32_K, TMP2, 0, 0, 4);
		emit(t, OP_STX_W, R10, TMP2, CURSOR, 0);
	}
	/* While cursor + 4 <= limit: */
	again = t->out_n;
	emit(t, OP_LDX_W, TMP, R10, CURSOR, 0);
	emit(t, OP_ADD32_K, TMP, 0, 0, 4);
	emit(t, OP_LDX_W, TMP2, R10, LIMIT, 0);
	none[n++] = t->out_n;
	emit(t, OP_JGT32_X, TMP, TMP2, 0, 0);
	emit_attr(t, 0); /* its length: 4 to what is left */
	none[n++] = t->out_n;
	emit(t, OP_JLT32_K, A, 0, 0, 4);
	emit(t, OP_LDX_W, TMP, R10, CURSOR, 0);
	emit(t, OP_LDX_W, TMP2, R10, LIMIT, 0);
	emit(t, OP_SUB32_X, TMP2, TMP, 0, 0);
	none[n++] = t->out_n;
	emit(t, OP_JGT32_X, A, TMP2, 0, 0);
	emit(t, OP_STX_W, R10, A, SAVED_A, 0);
	emit_attr(t, 2); /* its type */
	emit(t, OP_AND32_K, A, 0, 0, 0x3fff);
	found = t->out_n;
	emit(t, OP_JEQ32_X, A, t->x, 0, 0);
	emit(t, OP_LDX_W, TMP, R10, SAVED_A, 0);
	emit(t, OP_ADD32_K, TMP, 0, 0, 3);
	emit(t, OP_AND32_K, TMP, 0, 0, ~3);
	emit(t, OP_LDX_W, TMP2, R10, CURSOR, 0);
	emit(t, OP_ADD32_X, TMP, TMP2, 0, 0);
	emit(t, OP_STX_W, R10, TMP, CURSOR, 0);
	emit(t, OP_MAY_GOTO, 0, 0, 1, 0);
	emit(t, OP_JA, 0, 0, (int16_t)((int64_t)again - (int64_t)t->out_n - 1), 0);
	for (size_t i = 0; i < n; i++)
		land(t, none[i]);
	emit(t, OP_MOV32_K, A, 0, 0, 0);
	over = t->out_n;
	emit(t, OP_JA, 0, 0, 0, 0);
	land(t, found);
	emit(t, OP_LDX_W, A, R10, CURSOR, 0);
	land(t, over);
}

void emit_ext(struct translation *t, enum cbpf_ext ext)
{
	switch (ext) {
	case EXT_PROTOCOL:
		emit_field(t, SKB_PROTOCOL);
		emit_swap(t, 2);
		return;
	case EXT_VLAN_TPID:
		emit_field(t, SKB_VLAN_PROTO);
		emit_swap(t, 2);
		return;
	case EXT_PKTTYPE: emit_field(t, SKB_PKT_TYPE); return;
	case EXT_MARK: emit_field(t, SKB_MARK); return;
	case EXT_QUEUE: emit_field(t, SKB_QUEUE); return;
	case EXT_RXHASH: emit_field(t, SKB_HASH); return;
	case EXT_VLAN_TAG: emit_field(t, SKB_VLAN_TCI); return;
	case EXT_VLAN_PRESENT: emit_field(t, SKB_VLAN_PRESENT); return;
	case EXT_PAYLOAD: emit_field(t, SKB_CB); return;
	case EXT_IFINDEX: emit_device(t, false); return;
	case EXT_HATYPE: emit_device(t, true); return;
	case EXT_XOR_X: emit(t, OP_XOR32_X, A, t->x, 0, 0); return;
	case EXT_RANDOM: emit(t, OP_CALL, 0, 0, 0, HELPER_RANDOM); return;
	case EXT_CPU: emit(t, OP_CALL, 0, 0, 0, HELPER_CPU); return;
	case EXT_NLATTR: emit_nlattr(t, false); return;
	case EXT_NLATTR_NEST: emit_nlattr(t, true); return;
	case EXT_NONE: return;
	}
}
