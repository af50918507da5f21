/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a program: decoding answers a row that fits the bytes, or that there is none; the
 * printed program assembles to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "isa/text.h"

static void check_decoding(const struct insn *i, size_t left)
{
	enum op op = insn_op(i);

	if (op == OP_INVALID || left < insn_slots(op))
		return;
	if (op > OP_COUNT || insn_info[op].code != i->code)
		abort();
	if (insn_fields_ok(op, i) && (i->dst > R10 || i->src > R10))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size / sizeof(struct insn), m;
	struct insn *insns = malloc(n * sizeof(*insns) + 1), *again;
	struct asm_error error;
	struct buf text = {0};

	if (!insns)
		return 0;
	memcpy(insns, data, n * sizeof(*insns));
	for (size_t pc = 0; pc < n; pc++)
		check_decoding(insns + pc, n - pc);
	for (size_t pc = 0; pc < n;) {
		pc += disasm_insn(&text, insns, pc, n, NULL);
		buf_puts(&text, "\n");
	}
	if (asm_program(text.data, text.len, NULL, &again, &m, &error))
		abort();
	if (m != n || memcmp(insns, again, n * sizeof(*insns)))
		abort();
	free(insns);
	free(again);
	buf_free(&text);
	return 0;
}
