/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters as eBPF, with the semantics that Linux gives them: instruction by instruction, in order, those
 * that are never reached left out. translate.h says what lives where.
 */
#include "cbpf/translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Appending ------------------------------------------------------------------------------- */

/* Room for one more of n elements. */
static bool grow(struct translation *t, void **of, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 128;
	void *grown;

	if (n < *cap)
		return true;
	grown = t->failed ? NULL : reallocarray(*of, more, size);
	if (!grown) {
		t->failed = true;
		return false;
	}
	*of = grown;
	*cap = more;
	return true;
}

void emit(struct translation *t, enum op op, unsigned dst, unsigned src, int16_t off, int32_t imm)
{
	const struct insn_info *info = &insn_info[op];

	if (!grow(t, (void **)&t->out, t->out_n, &t->out_cap, sizeof(*t->out)))
		return;
	t->out[t->out_n++] = (struct insn){
		.code = info->code, .dst = dst & 15, .src = src & 15, .off = off,
		.imm = info->key == KEY_IMM ? (int32_t)info->value : imm,
	};
}

static void fix_later(struct translation *t, size_t pc)
{
	if (grow(t, (void **)&t->fixes, t->fixes_n, &t->fixes_cap, sizeof(*t->fixes)))
		t->fixes[t->fixes_n++] = (struct fix){(uint32_t)t->out_n, (uint32_t)pc};
}

void emit_jump(struct translation *t, enum op op, unsigned dst, unsigned src, int32_t imm, size_t pc)
{
	if (t->far && op != OP_JA) {
		emit(t, op, dst, src, 1, imm);
		emit(t, OP_JA, 0, 0, 1, 0);
	}
	fix_later(t, pc);
	if (t->far)
		emit(t, OP_JAL, 0, 0, 0, 0);
	else
		emit(t, op, dst, src, 0, imm);
}

void land(struct translation *t, size_t at)
{
	if (!t->failed)
		t->out[at].off = (int16_t)(t->out_n - at - 1);
}

static void fix_jumps(struct translation *t)
{
	for (size_t i = 0; i < t->fixes_n; i++) {
		struct insn *jump = &t->out[t->fixes[i].at];
		int64_t distance = (int64_t)t->start[t->fixes[i].pc] - t->fixes[i].at - 1;

		if (jump->code == insn_info[OP_JAL].code)
			jump->imm = (int32_t)distance;
		else
			jump->off = (int16_t)distance;
	}
}

/* --- Scratch memory -------------------------------------------------------------------------- */

static int16_t slot(uint32_t k)
{
	return (int16_t)(-64 + 4 * (int)k);
}

/* See translate.h. */
static void place_registers(struct translation *t)
{
	static const uint8_t calls[] = {R9, 0}, plain[] = {R7, R8, R9, 0}, seccomp[] = {R2, R3, R4, R7, R8, 0};
	bool has_calls = false;
	const uint8_t *words;

	for (size_t pc = 0; pc < t->n; pc++)
		has_calls |= t->facts[pc].reached && load_clobbers(t, pc);
	if (t->target == SKEP_CBPF_TO_SECCOMP) {
		t->x = R5;
		t->ctx = R1;
		words = seccomp;
	} else if (has_calls) {
		t->x = R7;
		t->ctx = R6;
		t->data = R8;
		t->data_end = R9;
		words = &calls[is_direct(t)]; /* r8 keeps A across packet loads, where it is not data */
	} else {
		t->x = R5;
		t->ctx = R6;
		t->data = R3;
		t->data_end = R4;
		words = plain;
	}
	for (size_t pc = 0; pc < t->n && *words; pc++) {
		const struct skep_cbpf_insn *i = &t->insns[pc];

		if (cbpf_info[cbpf_op(i)].operand == OPERAND_MEM && !t->word[i->k])
			t->word[i->k] = *words++;
	}
}

static void emit_mem_load(struct translation *t, unsigned to, uint32_t k)
{
	if (t->word[k])
		emit(t, OP_MOV32_X, to, t->word[k], 0, 0);
	else
		emit(t, OP_LDX_W, to, R10, slot(k), 0);
}

static void emit_mem_store(struct translation *t, unsigned from, uint32_t k)
{
	if (t->word[k])
		emit(t, OP_MOV32_X, t->word[k], from, 0, 0);
	else
		emit(t, OP_STX_W, R10, from, slot(k), 0);
}

/* --- Jumps ----------------------------------------------------------------------------------- */

struct condition {
	enum op if_true, if_false; /* OP_INVALID: there is no opposite */
};

static struct condition condition(enum cbpf_op op)
{
	switch (op) {
	case CBPF_JEQ_K: return (struct condition){OP_JEQ32_K, OP_JNE32_K};
	case CBPF_JEQ_X: return (struct condition){OP_JEQ32_X, OP_JNE32_X};
	case CBPF_JGT_K: return (struct condition){OP_JGT32_K, OP_JLE32_K};
	case CBPF_JGT_X: return (struct condition){OP_JGT32_X, OP_JLE32_X};
	case CBPF_JGE_K: return (struct condition){OP_JGE32_K, OP_JLT32_K};
	case CBPF_JGE_X: return (struct condition){OP_JGE32_X, OP_JLT32_X};
	case CBPF_JSET_K: return (struct condition){OP_JSET32_K, OP_INVALID};
	default: return (struct condition){OP_JSET32_X, OP_INVALID};
	}
}

/* A constant to compare or mask A with, in the order that A is in. */
static uint32_t constant(const struct translation *t, size_t pc)
{
	const struct fact *f = &t->facts[pc];
	uint32_t k = t->insns[pc].k;

	if (!f->swapped)
		return k;
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		return k;
	return f->size == 2 ? __builtin_bswap16((uint16_t)k) : __builtin_bswap32(k);
}

/* Do both ways return constants? Then there is nothing to jump to: the JIT makes a conditional move of it. */
static bool is_choice(const struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];

	return cbpf_jumps_if(cbpf_op(i)) && i->jt != i->jf && cbpf_op(&i[1 + i->jt]) == CBPF_RET_K &&
	       cbpf_op(&i[1 + i->jf]) == CBPF_RET_K;
}

static void emit_choice(struct translation *t, size_t pc, enum op if_true, unsigned src, int32_t imm)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	/* In seccomp filters r2 may be a word of M[], and r6 is free. */
	unsigned free = t->target == SKEP_CBPF_TO_SECCOMP ? R6 : TMP2;

	emit(t, OP_MOV32_K, TMP, 0, 0, (int32_t)i[1 + i->jt].k);
	emit(t, OP_MOV32_K, free, 0, 0, (int32_t)i[1 + i->jf].k);
	emit(t, if_true, A, src, 1, imm);
	emit(t, OP_MOV32_X, TMP, free, 0, 0);
	emit(t, OP_MOV32_X, A, TMP, 0, 0);
	emit(t, OP_EXIT, 0, 0, 0, 0);
}

/* What is reached by choices only is not emitted. */
static void leave_out_choices(struct translation *t)
{
	for (size_t pc = 1; pc < t->n; pc++)
		t->facts[pc].reached = false;
	for (size_t pc = 0; pc < t->n; pc++) {
		const struct skep_cbpf_insn *i = &t->insns[pc];
		enum cbpf_op op = cbpf_op(i);

		if (!t->facts[pc].reached || is_choice(t, pc) || op == CBPF_RET_K || op == CBPF_RET_A)
			continue;
		if (cbpf_jumps_if(op)) {
			t->facts[pc + 1 + i->jt].reached = true;
			t->facts[pc + 1 + i->jf].reached = true;
		} else {
			t->facts[pc + 1 + (op == CBPF_JA ? i->k : 0)].reached = true;
		}
	}
}

static void emit_condition(struct translation *t, size_t pc, enum cbpf_op op)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	bool by_x = cbpf_info[op].operand == OPERAND_IF_X;
	struct condition c = condition(op);
	unsigned src = by_x ? t->x : 0;
	int32_t imm = by_x ? 0 : (int32_t)constant(t, pc);

	if (is_choice(t, pc)) {
		emit_choice(t, pc, c.if_true, src, imm);
		return;
	}
	if (i->jt == i->jf) {
		if (i->jt)
			emit_jump(t, OP_JA, 0, 0, 0, pc + 1 + i->jt);
		return;
	}
	if (!i->jt && c.if_false != OP_INVALID) {
		emit_jump(t, c.if_false, A, src, imm, pc + 1 + i->jf);
		return;
	}
	emit_jump(t, c.if_true, A, src, imm, pc + 1 + i->jt);
	if (i->jf)
		emit_jump(t, OP_JA, 0, 0, 0, pc + 1 + i->jf);
}

/* --- Instructions ---------------------------------------------------------------------------- */

static enum op alu(enum cbpf_op op)
{
	switch (op) {
	case CBPF_ADD_K: return OP_ADD32_K;
	case CBPF_ADD_X: return OP_ADD32_X;
	case CBPF_SUB_K: return OP_SUB32_K;
	case CBPF_SUB_X: return OP_SUB32_X;
	case CBPF_MUL_K: return OP_MUL32_K;
	case CBPF_MUL_X: return OP_MUL32_X;
	case CBPF_DIV_K: return OP_DIV32_K;
	case CBPF_DIV_X: return OP_DIV32_X;
	case CBPF_MOD_K: return OP_MOD32_K;
	case CBPF_MOD_X: return OP_MOD32_X;
	case CBPF_OR_K: return OP_OR32_K;
	case CBPF_OR_X: return OP_OR32_X;
	case CBPF_AND_K: return OP_AND32_K;
	case CBPF_AND_X: return OP_AND32_X;
	case CBPF_XOR_K: return OP_XOR32_K;
	case CBPF_XOR_X: return OP_XOR32_X;
	case CBPF_LSH_K: return OP_LSH32_K;
	case CBPF_LSH_X: return OP_LSH32_X;
	case CBPF_RSH_K: return OP_RSH32_K;
	default: return OP_RSH32_X;
	}
}

static void emit_alu(struct translation *t, size_t pc, enum cbpf_op op)
{
	bool by_x = cbpf_info[op].operand == OPERAND_X;
	int32_t k = (int32_t)(op == CBPF_AND_K ? constant(t, pc) : t->insns[pc].k);

	if (op == CBPF_DIV_X || op == CBPF_MOD_X)
		emit_jump(t, OP_JEQ32_K, t->x, 0, 0, t->n);
	emit(t, alu(op), A, by_x ? t->x : 0, 0, by_x ? 0 : k);
}

static void emit_len(struct translation *t, unsigned to)
{
	if (t->target == SKEP_CBPF_TO_SECCOMP)
		emit(t, OP_MOV32_K, to, 0, 0, SECCOMP_DATA);
	else
		emit(t, OP_LDX_W, to, t->ctx, SKB_LEN, 0);
}

static void emit_abs(struct translation *t, size_t pc)
{
	enum cbpf_ext ext = cbpf_ext(&t->insns[pc]);

	if (t->target == SKEP_CBPF_TO_SECCOMP)
		emit(t, OP_LDX_W, A, t->ctx, (int16_t)t->insns[pc].k, 0);
	else if (ext != EXT_NONE)
		emit_ext(t, ext);
	else
		emit_load(t, pc);
}

static void emit_insn(struct translation *t, size_t pc)
{
	const struct skep_cbpf_insn *i = &t->insns[pc];
	enum cbpf_op op = cbpf_op(i);

	switch (op) {
	case CBPF_LD_W_ABS: case CBPF_LD_H_ABS: case CBPF_LD_B_ABS: emit_abs(t, pc); return;
	case CBPF_LD_W_IND: case CBPF_LD_H_IND: case CBPF_LD_B_IND: case CBPF_LDX_MSH: emit_load(t, pc); return;
	case CBPF_LD_LEN: emit_len(t, A); return;
	case CBPF_LDX_LEN: emit_len(t, t->x); return;
	case CBPF_LD_K: emit(t, OP_MOV32_K, A, 0, 0, (int32_t)i->k); return;
	case CBPF_LDX_K: emit(t, OP_MOV32_K, t->x, 0, 0, (int32_t)i->k); return;
	case CBPF_LD_MEM: emit_mem_load(t, A, i->k); return;
	case CBPF_LDX_MEM: emit_mem_load(t, t->x, i->k); return;
	case CBPF_ST: emit_mem_store(t, A, i->k); return;
	case CBPF_STX: emit_mem_store(t, t->x, i->k); return;
	case CBPF_NEG: emit(t, OP_NEG32, A, 0, 0, 0); return;
	case CBPF_TAX: emit(t, OP_MOV32_X, t->x, A, 0, 0); return;
	case CBPF_TXA: emit(t, OP_MOV32_X, A, t->x, 0, 0); return;
	case CBPF_JA:
		if (i->k)
			emit_jump(t, OP_JA, 0, 0, 0, pc + 1 + i->k);
		return;
	case CBPF_RET_K:
		emit(t, OP_MOV32_K, A, 0, 0, (int32_t)i->k);
		emit(t, OP_EXIT, 0, 0, 0, 0);
		return;
	case CBPF_RET_A: emit(t, OP_EXIT, 0, 0, 0, 0); return;
	default: break;
	}
	if (cbpf_jumps_if(op))
		emit_condition(t, pc, op);
	else
		emit_alu(t, pc, op);
}

/* Is there an instruction that reads bytes of the packet; one that reads the context? */
static void find_uses(const struct translation *t, bool *packet, bool *context)
{
	*packet = *context = false;
	for (size_t pc = 0; pc < t->n; pc++) {
		const struct skep_cbpf_insn *i = &t->insns[pc];
		unsigned operand = cbpf_info[cbpf_op(i)].operand;
		enum cbpf_ext ext = cbpf_ext(i);

		if (!t->facts[pc].reached)
			continue;
		*context |= operand == OPERAND_LEN || (ext != EXT_NONE && ext != EXT_XOR_X) || load_clobbers(t, pc);
		*packet |= (operand == OPERAND_ABS && (ext == EXT_NONE || load_clobbers(t, pc))) ||
		           operand == OPERAND_IND || operand == OPERAND_MSH;
	}
}

static void emit_prologue(struct translation *t)
{
	bool packet, context;

	find_uses(t, &packet, &context);
	if (context && t->ctx != R1)
		emit(t, OP_MOV64_X, t->ctx, R1, 0, 0);
	if (is_direct(t) && packet) {
		emit(t, OP_LDX_W, t->data, R1, SKB_DATA, 0);
		emit(t, OP_LDX_W, t->data_end, R1, SKB_DATA_END, 0);
	}
	if (t->facts[0].live & LIVE_A)
		emit(t, OP_MOV32_K, A, 0, 0, 0);
	if (t->facts[0].live & LIVE_X)
		emit(t, OP_MOV32_K, t->x, 0, 0, 0);
}

static void emit_all(struct translation *t)
{
	bool drops = false;

	emit_prologue(t);
	for (size_t pc = 0; pc < t->n; pc++) {
		t->start[pc] = (uint32_t)t->out_n;
		if (t->facts[pc].reached)
			emit_insn(t, pc);
	}
	emit_detours(t);
	t->start[t->n] = (uint32_t)t->out_n;
	for (size_t i = 0; i < t->fixes_n; i++)
		drops |= t->fixes[i].pc == t->n;
	if (drops) {
		emit(t, OP_MOV32_K, A, 0, 0, 0);
		emit(t, OP_EXIT, 0, 0, 0, 0);
	}
	if (!t->failed)
		fix_jumps(t);
}

int skep_cbpf_translate(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_target target,
                        uint32_t hatype, void **out, size_t *out_n, struct skep_cbpf_error *error)
{
	enum { FAR = 1500 }; /* instructions; none becomes more than 20 of ours */
	struct translation t = {.insns = insns, .n = n, .target = target, .hatype = hatype, .far = n > FAR};
	bool seccomp = target == SKEP_CBPF_TO_SECCOMP;
	uint16_t *def;
	int err = skep_cbpf_check(insns, n, seccomp ? SKEP_CBPF_SECCOMP : SKEP_CBPF_SOCKET, error);

	if (err)
		return err;
	t.facts = calloc(n, sizeof(*t.facts));
	t.start = calloc(n + 1, sizeof(*t.start));
	def = calloc(n, sizeof(*def));
	t.failed = !t.facts || !t.start || !def;
	if (!t.failed) {
		facts_find(insns, n, is_direct(&t), target == SKEP_CBPF_TO_LINEAR, t.facts, def);
		leave_out_choices(&t);
		place_registers(&t);
		emit_all(&t);
	}
	free(def);
	free(t.facts);
	free(t.start);
	free(t.fixes);
	free(t.detours);
	if (t.failed) {
		free(t.out);
		return -ENOMEM;
	}
	*out = t.out;
	*out_n = t.out_n;
	return 0;
}
