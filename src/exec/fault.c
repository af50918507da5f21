/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine's finding as one line: where in the program, the instruction, what is wrong, which
 * address, and what is near it. Instructions are numbered and shown as the program was loaded.
 *
 * Requires: disasm_insn(). Provides: fault_text().
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "exec/exec.h"
#include "isa/text.h"

const char *fault_text(struct fault *f)
{
	const struct prog *p = f->prog;
	uint32_t orig = p->aux[f->insn].orig;
	struct buf line = {0};

	buf_printf(&line, "%.*s, instruction %" PRIu32 " (", (int)sizeof(p->name),
	           p->name[0] ? p->name : "program", orig);
	disasm_insn(&line, p->orig, orig, p->norig, NULL);
	buf_printf(&line, "): %s", f->what);
	if (f->size)
		buf_printf(&line, ": %s of %" PRIu32 " byte%s at 0x%" PRIxPTR,
		           f->write ? "store" : "load", f->size, f->size == 1 ? "" : "s", f->addr);
	if (f->near[0])
		buf_printf(&line, ", %s", f->near);
	snprintf(f->text, sizeof(f->text), "%s", line.failed ? f->what : line.data);
	buf_free(&line);
	return f->text;
}
