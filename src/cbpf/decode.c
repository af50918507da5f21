/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables as data, and instructions looked up in them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cbpf/cbpf.h"

const struct cbpf_info cbpf_info[CBPF_OPS] = {
#define CBPF(op, bits, text, kind, base, in_seccomp)                                               \
	[CBPF_##op] = {.name = text, .code = bits, .operand = OPERAND_##kind,                      \
	               .number = NUMBER_##base, .seccomp = in_seccomp},
#include "cbpf/insn.def"
#undef CBPF
};

/* Every code is a byte; 0 is none. */
static const uint8_t op_of[256] = {
#define CBPF(op, bits, ...) [bits] = CBPF_##op + 1,
#include "cbpf/insn.def"
#undef CBPF
};
static_assert(CBPF_OPS < 255, "operations and 1 are bytes");

const struct cbpf_ext_info cbpf_ext_info[EXT_COUNT] = {
#define EXT(op, at, name_c, list, name, alias1, alias2)                                            \
	[EXT_##op] = {.ad = at, .macro = #name_c, .listed = list, .names = {name, alias1, alias2}},
#include "cbpf/ext.def"
#undef EXT
};

enum cbpf_op cbpf_op(const struct skep_cbpf_insn *i)
{
	return i->code < 256 && op_of[i->code] ? (enum cbpf_op)(op_of[i->code] - 1) : CBPF_INVALID;
}

enum cbpf_ext cbpf_ext(const struct skep_cbpf_insn *i)
{
	uint32_t ad = i->k - AD_OFF;
	enum cbpf_op op = cbpf_op(i);

	if (op == CBPF_INVALID || cbpf_info[op].operand != OPERAND_ABS)
		return EXT_NONE;
	/* The table is dense: a row every four. */
	return i->k >= AD_OFF && ad % 4 == 0 && ad / 4 < EXT_COUNT ? (enum cbpf_ext)(ad / 4) : EXT_NONE;
}

#define EXT(op, at, ...) static_assert(EXT_##op * 4 == at, "ext.def is dense");
#include "cbpf/ext.def"
#undef EXT

unsigned cbpf_size(const struct skep_cbpf_insn *i)
{
	static const uint8_t sizes[4] = {4, 2, 1, 0};

	return sizes[i->code >> 3 & 3];
}

bool cbpf_is_plain(const struct skep_cbpf_insn *i)
{
	enum cbpf_op op = cbpf_op(i);

	return op != CBPF_INVALID && (cbpf_jumps_if(op) || (!i->jt && !i->jf));
}

int cbpf_fail(struct skep_cbpf_error *error, int insn, unsigned line, unsigned column,
              const char *format, ...)
{
	va_list args;

	if (!error)
		return -EINVAL;
	error->insn = insn;
	error->line = line;
	error->column = column;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}
