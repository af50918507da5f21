/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text: what assembles is printed, assembled again and must be the same; what does not has a
 * message and a position inside the text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "isa/text.h"

/* Line and column of the error must lie in the text, or just behind it. */
static void check_error(const struct asm_error *e, const uint8_t *text, size_t len)
{
	unsigned line = 1;
	size_t at = 0;

	for (; line < e->line && at < len; at++)
		line += text[at] == '\n';
	if (line != e->line || !e->column || e->column - 1 > len - at || !e->text[0])
		abort();
}

static void print(struct buf *out, const struct insn *insns, size_t n)
{
	for (size_t pc = 0; pc < n;) {
		pc += disasm_insn(out, insns, pc, n, NULL);
		buf_puts(out, "\n");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asm_error error = {0};
	struct insn *insns, *again;
	size_t n, m;
	struct buf text = {0};

	if (asm_program((const char *)data, size, NULL, &insns, &n, &error)) {
		check_error(&error, data, size);
		return 0;
	}
	print(&text, insns, n);
	if (asm_program(text.data, text.len, NULL, &again, &m, &error))
		abort();
	if (m != n || memcmp(insns, again, n * sizeof(*insns)))
		abort();
	free(insns);
	free(again);
	buf_free(&text);
	return 0;
}
