/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters in every form. All but tcpdump's list read back as they were, but for a k that is not used: what
 * names cannot show is written as numbers (`.insn`, a row in braces).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cbpf/cbpf.h"

/* --- asm ------------------------------------------------------------------------------------- */

static void put_target(struct buf *b, size_t n, uint64_t to, uint32_t skip)
{
	if (to < n)
		buf_printf(b, "l%llu", (unsigned long long)to);
	else
		buf_printf(b, "+%u", skip);
}

/* What conditional jumps are called when only their false way jumps; `jset` has no opposite. */
static const char *opposite(enum cbpf_op op)
{
	switch (op) {
	case CBPF_JEQ_K: case CBPF_JEQ_X: return "jne";
	case CBPF_JGT_K: case CBPF_JGT_X: return "jle";
	case CBPF_JGE_K: case CBPF_JGE_X: return "jlt";
	default: return NULL;
	}
}

static void put_condition(struct buf *b, const struct skep_cbpf_insn *i, size_t n, size_t pc)
{
	enum cbpf_op op = cbpf_op(i);
	const char *other = !i->jt && i->jf ? opposite(op) : NULL;

	buf_printf(b, "%s ", other ? other : cbpf_info[op].name);
	if (cbpf_info[op].operand == OPERAND_IF_X)
		buf_puts(b, "x, ");
	else
		buf_printf(b, "#0x%x, ", i->k);
	if (!other)
		put_target(b, n, pc + 1 + i->jt, i->jt);
	if (!other && i->jf)
		buf_puts(b, ", ");
	if (i->jf)
		put_target(b, n, pc + 1 + i->jf, i->jf);
}

static void put_asm(struct buf *b, const struct skep_cbpf_insn *i, size_t n, size_t pc)
{
	enum cbpf_op op = cbpf_op(i);
	enum cbpf_ext ext = cbpf_ext(i);
	const struct cbpf_info *info;

	if (!cbpf_is_plain(i)) {
		buf_printf(b, ".insn 0x%02x %u %u 0x%x", i->code, i->jt, i->jf, i->k);
		return;
	}
	info = &cbpf_info[op];
	if (cbpf_jumps_if(op)) {
		put_condition(b, i, n, pc);
		return;
	}
	buf_puts(b, info->name);
	switch (info->operand) {
	case OPERAND_ABS:
		if (ext != EXT_NONE && cbpf_ext_info[ext].names[0])
			buf_printf(b, " #%s", cbpf_ext_info[ext].names[0]);
		else
			buf_printf(b, " [%d]", (int32_t)i->k);
		break;
	case OPERAND_IND: buf_printf(b, " [x + %u]", i->k); break;
	case OPERAND_MSH: buf_printf(b, " 4*([%d]&0xf)", (int32_t)i->k); break;
	case OPERAND_MEM: buf_printf(b, " M[%u]", i->k); break;
	case OPERAND_LEN: buf_puts(b, " #len"); break;
	case OPERAND_K: buf_printf(b, info->number == NUMBER_HEX ? " #0x%x" : " #%u", i->k); break;
	case OPERAND_X: buf_puts(b, " x"); break;
	case OPERAND_A: buf_puts(b, " a"); break;
	case OPERAND_TO:
		buf_puts(b, " ");
		put_target(b, n, pc + 1 + (uint64_t)i->k, i->k);
		break;
	}
}

int skep_cbpf_insn_text(const struct skep_cbpf_insn *insns, size_t n, size_t i, char *to, size_t room)
{
	struct buf b = {0};
	int len;

	put_asm(&b, &insns[i], n, i);
	len = snprintf(to, room, "%s", b.failed || !b.data ? "?" : b.data);
	buf_free(&b);
	return len;
}

static bool is_target(const struct skep_cbpf_insn *insns, size_t pc, size_t to)
{
	const struct skep_cbpf_insn *i = &insns[pc];
	enum cbpf_op op = cbpf_op(i);

	if (!cbpf_is_plain(i))
		return false;
	if (cbpf_jumps_if(op))
		return pc + 1 + i->jt == to || pc + 1 + i->jf == to;
	return op == CBPF_JA && pc + 1 + (uint64_t)i->k == to;
}

/* Labels stand at targets only: a first pass marks them. */
static void write_asm(struct buf *b, const struct skep_cbpf_insn *insns, size_t n)
{
	struct buf marks = {0};
	char zero = 0, one = 1;

	for (size_t i = 0; i < n; i++)
		buf_append(&marks, &zero, 1);
	if (marks.failed) {
		b->failed = true;
		buf_free(&marks);
		return;
	}
	for (size_t pc = 0; pc < n; pc++) {
		const struct skep_cbpf_insn *i = &insns[pc];
		uint64_t to[3] = {pc + 1 + i->jt, pc + 1 + i->jf, pc + 1 + (uint64_t)i->k};

		for (unsigned t = 0; t < 3; t++)
			if (to[t] < n && is_target(insns, pc, to[t]))
				marks.data[to[t]] = one;
	}
	for (size_t pc = 0; pc < n; pc++) {
		if (marks.data[pc])
			buf_printf(b, "l%zu:", pc);
		buf_puts(b, "\t");
		put_asm(b, &insns[pc], n, pc);
		buf_puts(b, "\n");
	}
	buf_free(&marks);
}

/* --- tcpdump -d ------------------------------------------------------------------------------ */

static void put_operand(char *to, size_t room, const struct skep_cbpf_insn *i, size_t pc)
{
	const struct cbpf_info *info = &cbpf_info[cbpf_op(i)];
	enum cbpf_ext ext = cbpf_ext(i);
	int32_t k = (int32_t)i->k;

	*to = 0;
	switch (info->operand) {
	case OPERAND_ABS:
		if (ext != EXT_NONE)
			snprintf(to, room, "[%s]", cbpf_ext_info[ext].listed);
		else
			snprintf(to, room, "[%d]", k);
		break;
	case OPERAND_IND: snprintf(to, room, "[x + %d]", k); break;
	case OPERAND_MSH: snprintf(to, room, "4*([%d]&0xf)", k); break;
	case OPERAND_MEM: snprintf(to, room, "M[%d]", k); break;
	case OPERAND_LEN: snprintf(to, room, "#pktlen"); break;
	case OPERAND_K:
	case OPERAND_IF_K: snprintf(to, room, info->number == NUMBER_HEX ? "#0x%x" : "#%d", k); break;
	case OPERAND_X:
	case OPERAND_IF_X: snprintf(to, room, "x"); break;
	case OPERAND_TO: snprintf(to, room, "%d", (int32_t)(pc + 1 + i->k)); break;
	}
}

/* As libpcap has it: `ldx #len` it does not know, and whatever is of the class of jumps gets targets. */
static void put_list(struct buf *b, const struct skep_cbpf_insn *i, size_t pc)
{
	enum cbpf_op op = cbpf_op(i);
	const char *name = op == CBPF_INVALID ? "unimp" : cbpf_info[op].name;
	char operand[40];

	if (op == CBPF_LDX_LEN) {
		op = CBPF_INVALID;
		name = "unimp";
	}
	if (op == CBPF_INVALID)
		snprintf(operand, sizeof(operand), "0x%x", i->code);
	else
		put_operand(operand, sizeof(operand), i, pc);
	if ((i->code & CLASS_MASK) == CLASSIC_JMP && (i->code & 0xf0))
		buf_printf(b, "(%03zu) %-8s %-16s jt %zu\tjf %zu\n", pc, name, operand, pc + 1 + i->jt,
		           pc + 1 + i->jf);
	else
		buf_printf(b, "(%03zu) %-8s %s\n", pc, name, operand);
}

/* --- Macros ---------------------------------------------------------------------------------- */

static const char *const classes[8] = {"BPF_LD", "BPF_LDX", "BPF_ST", "BPF_STX", "BPF_ALU", "BPF_JMP",
                                       "BPF_RET", "BPF_MISC"};
static const char *const sizes[4] = {"BPF_W", "BPF_H", "BPF_B", NULL};
static const char *const modes[8] = {"BPF_IMM", "BPF_ABS", "BPF_IND", "BPF_MEM", "BPF_LEN", "BPF_MSH"};
static const char *const operations[16] = {"BPF_ADD", "BPF_SUB", "BPF_MUL", "BPF_DIV", "BPF_OR", "BPF_AND",
                                           "BPF_LSH", "BPF_RSH", "BPF_NEG", "BPF_MOD", "BPF_XOR"};
static const char *const jumps[16] = {"BPF_JA", "BPF_JEQ", "BPF_JGT", "BPF_JGE", "BPF_JSET"};

static void put_code(struct buf *b, enum cbpf_op op)
{
	unsigned code = cbpf_info[op].code, class = code & CLASS_MASK;

	buf_puts(b, classes[class]);
	switch (class) {
	case 0: case 1:
		buf_printf(b, " | %s | %s", sizes[code >> 3 & 3], modes[code >> 5]);
		break;
	case 4: case 5:
		buf_printf(b, " | %s", class == 4 ? operations[code >> 4] : jumps[code >> 4]);
		if (op != CBPF_NEG && op != CBPF_JA)
			buf_puts(b, code & 8 ? " | BPF_X" : " | BPF_K");
		break;
	case 6: buf_puts(b, op == CBPF_RET_A ? " | BPF_A" : " | BPF_K"); break;
	case 7: buf_puts(b, op == CBPF_TAX ? " | BPF_TAX" : " | BPF_TXA"); break;
	}
}

static void put_c(struct buf *b, const struct skep_cbpf_insn *i)
{
	buf_printf(b, "{ 0x%x, %d, %d, 0x%08x },\n", i->code, i->jt, i->jf, i->k);
}

static void put_macro(struct buf *b, const struct skep_cbpf_insn *i)
{
	enum cbpf_op op = cbpf_op(i);
	enum cbpf_ext ext = cbpf_ext(i);
	bool branches = op != CBPF_INVALID && cbpf_jumps_if(op);

	if (op == CBPF_INVALID || (!branches && (i->jt || i->jf))) {
		put_c(b, i);
		return;
	}
	buf_puts(b, branches ? "BPF_JUMP(" : "BPF_STMT(");
	put_code(b, op);
	if (ext != EXT_NONE)
		buf_printf(b, ", SKF_AD_OFF + %s", cbpf_ext_info[ext].macro);
	else
		buf_printf(b, i->k > 9 && (cbpf_info[op].number == NUMBER_HEX || i->k >> 31) ? ", 0x%x" : ", %u", i->k);
	if (branches)
		buf_printf(b, ", %u, %u", i->jt, i->jf);
	buf_puts(b, "),\n");
}

/* --- All ------------------------------------------------------------------------------------- */

static void put_numbers(struct buf *b, const struct skep_cbpf_insn *i)
{
	buf_printf(b, "%u %u %u %u", i->code, i->jt, i->jf, i->k);
}

static void write_form(struct buf *b, const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_form form)
{
	if (form == SKEP_CBPF_ASM)
		write_asm(b, insns, n);
	else if (form == SKEP_CBPF_RAW)
		buf_append(b, insns, n * sizeof(*insns));
	else if (form == SKEP_CBPF_DECIMAL)
		buf_printf(b, "%zu\n", n);
	else if (form == SKEP_CBPF_XT)
		buf_printf(b, "%zu", n);
	for (size_t pc = 0; pc < n; pc++) {
		const struct skep_cbpf_insn *i = &insns[pc];

		switch (form) {
		case SKEP_CBPF_LIST: put_list(b, i, pc); break;
		case SKEP_CBPF_C: put_c(b, i); break;
		case SKEP_CBPF_MACROS: put_macro(b, i); break;
		case SKEP_CBPF_DECIMAL:
			put_numbers(b, i);
			buf_puts(b, "\n");
			break;
		case SKEP_CBPF_XT:
			buf_puts(b, ",");
			put_numbers(b, i);
			break;
		default: return;
		}
	}
	if (form == SKEP_CBPF_XT)
		buf_puts(b, "\n");
}

int skep_cbpf_write(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_form form, char **out,
                    size_t *len)
{
	struct buf b = {0};

	write_form(&b, insns, n, form);
	if (!b.failed)
		buf_puts(&b, ""); /* the NUL, also of nothing */
	if (b.failed || !b.data) {
		buf_free(&b);
		return -ENOMEM;
	}
	*out = b.data;
	*len = b.len;
	return 0;
}
