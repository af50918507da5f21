/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions as text: copies the template of the operation (insn.def, column syntax) and fills
 * its placeholders from the fields.
 *
 * The text is what clang -S and llvm-objdump --no-print-imm-hex print, but where that would lose
 * bits: `call pc+5` for a local function (LLVM prints it like a helper), `map_fd[3]` and its like
 * for the kinds of lddw (LLVM: ld_pseudo), `kfunc[id]`. Immediates of 64 bits are decimal only
 * where they are small. In the kernel's spelling (kernel.def) offsets and jumps have other signs,
 * and what is compared with is hexadecimal.
 *
 * Provides: disasm_insn(). Requires: insn.def, kernel.def, insn_op(), insn_fields_ok().
 */
#include "isa/text.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* The instruction that is printed, and where it stands. */
struct view {
	struct buf *out;
	const struct insn *i;
	size_t pc, n;
	const struct disasm_names *names;
	bool kernel;
};

static const char *const kernel_syntax[OP_COUNT] = {
#define KERNEL(op, text) [OP_##op] = text,
#include "isa/kernel.def"
#undef KERNEL
};

/* The magnitude in decimal, behind a prefix. */
static void put_decimal(struct buf *out, const char *prefix, uint64_t value)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_puts(out, prefix);
	buf_append(out, p, (size_t)(digits + sizeof(digits) - p));
}

/* The prefix for positive or negative numbers, then the magnitude. */
static void put_signed(struct buf *out, const char *plus, const char *minus, int64_t value)
{
	if (value < 0)
		put_decimal(out, minus, -(uint64_t)value);
	else
		put_decimal(out, plus, (uint64_t)value);
}

static void put_imm(const struct view *v)
{
	unsigned class = v->i->code & 7;

	if (v->kernel && (class == CLASS_JMP || class == CLASS_JMP32))
		buf_printf(v->out, "0x%x", (unsigned)v->i->imm);
	else
		put_signed(v->out, "", "-", v->i->imm);
}

static void put_imm64(const struct view *v)
{
	uint64_t value = insn_imm64(v->i);

	if (!v->kernel && (int64_t)value >= INT32_MIN && (int64_t)value <= INT32_MAX)
		put_signed(v->out, "", "-", (int64_t)value);
	else
		buf_printf(v->out, "0x%llx", (unsigned long long)value);
}

static void put_jump(const struct view *v, int32_t distance)
{
	if (v->kernel)
		buf_puts(v->out, "pc");
	put_signed(v->out, "+", "-", distance);
}

static void put_helper(const struct view *v)
{
	const struct disasm_names *names = v->names;
	const char *name = names && names->helper ? names->helper(names->arg, v->i->imm) : NULL;

	if (!name && v->kernel)
		name = "unknown";
	if (name) {
		buf_puts(v->out, name);
		buf_puts(v->out, "#");
	}
	put_signed(v->out, "", "-", v->i->imm);
}

static void put_func(const struct view *v)
{
	const struct disasm_names *names = v->names;
	int64_t target = (int64_t)v->pc + 1 + v->i->imm;
	const char *name = NULL;

	if (names && names->func && target >= 0 && target < (int64_t)v->n)
		name = names->func(names->arg, (uint32_t)target);
	if (name)
		buf_puts(v->out, name);
	else
		put_signed(v->out, "pc+", "pc-", v->i->imm);
}

static void put_map(const struct view *v)
{
	const struct disasm_names *names = v->names;
	const char *name = NULL;

	if (names && names->map)
		name = names->map(names->arg, v->i->imm, v->i->src);
	buf_puts(v->out, name ? "map[" : "map_fd[");
	if (name)
		buf_puts(v->out, name);
	else
		put_signed(v->out, "", "-", v->i->imm);
	buf_puts(v->out, "]");
}

static void put_kfunc(const struct view *v)
{
	put_signed(v->out, "kfunc[", "kfunc[-", v->i->imm);
	if (v->i->off)
		put_signed(v->out, "][", "][-", v->i->off);
	buf_puts(v->out, "]");
}

static void put_placeholder(const struct view *v, char letter)
{
	const struct insn *i = v->i;
	struct buf *out = v->out;

	switch (letter) {
	case 'd':
		return put_decimal(out, "r", i->dst);
	case 's':
		return put_decimal(out, "r", i->src);
	case 'w':
	case 'r':
		return put_decimal(out, "w", i->dst);
	case 'v':
	case 't':
		return put_decimal(out, "w", i->src);
	case 'i':
		return put_imm(v);
	case '2':
		return put_signed(out, "", "-", i[1].imm);
	case 'L':
		return put_imm64(v);
	case 'o':
		return put_signed(out, v->kernel ? " +" : " + ", v->kernel ? " -" : " - ", i->off);
	case 'j':
		return put_jump(v, i->off);
	case 'J':
		return put_jump(v, i->imm);
	case 'h':
		return put_helper(v);
	case 'l':
		return put_func(v);
	case 'k':
		return put_kfunc(v);
	case 'm':
		return put_map(v);
	case 'a':
		put_decimal(out, "", (uint32_t)i->imm >> 16);
		return put_decimal(out, ", ", (uint32_t)i->imm & 0xffff);
	case 'q':
		put_decimal(out, "r", i->src);
		if (i->imm || v->kernel)
			put_signed(out, " + ", v->kernel ? " + -" : " - ", i->imm);
		return;
	}
}

static unsigned put_raw(struct buf *out, const struct insn *i)
{
	unsigned char b[sizeof(*i)];

	memcpy(b, i, sizeof(b));
	buf_printf(out, ".insn 0x%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
	           b[5], b[6], b[7]);
	return 1;
}

unsigned disasm_insn(struct buf *out, const struct insn *insns, size_t pc, size_t n,
                     const struct disasm_names *names)
{
	struct view v = {.out = out, .i = insns + pc, .pc = pc, .n = n, .names = names};
	enum op op = insn_op(v.i);
	const char *s, *dollar;

	if (op == OP_INVALID || n - pc < insn_slots(op) || !insn_fields_ok(op, v.i))
		return put_raw(out, v.i);
	v.kernel = names && names->kernel;
	s = v.kernel && kernel_syntax[op] ? kernel_syntax[op] : insn_info[op].syntax;
	while ((dollar = strchr(s, '$'))) {
		buf_append(out, s, (size_t)(dollar - s));
		put_placeholder(&v, dollar[1]);
		s = dollar + 2;
	}
	buf_puts(out, s);
	return insn_slots(op);
}
