/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine's finding as one line: where in the program, the instruction, what is wrong, which
 * address, what is near it, and the source line where the program has line information. Instructions are
 * numbered and shown as the program was loaded.
 *
 * Requires: disasm_insn(), prog_line(). Provides: fault_text().
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "core/btf.h"
#include "exec/exec.h"
#include "isa/text.h"

/* "; FILE:LINE:COLUMN: TEXT" of the source that instruction orig comes from, if that is known. */
static void source(struct buf *out, const struct prog *p, uint32_t orig)
{
	int i = p->btf ? prog_line(p, orig) : -1;
	const struct line_info *l = i < 0 ? NULL : &p->lines[i];
	const char *file = l ? btf_string(&p->btf->data, l->file_name_off) : NULL;
	const char *text = l ? btf_string(&p->btf->data, l->line_off) : NULL;

	if (!file)
		return;
	/* line_col: the line in the upper 22 bits, the column in the lower 10. */
	buf_printf(out, "; %s:%" PRIu32 ":%" PRIu32, file, l->line_col >> 10, l->line_col & 0x3ff);
	if (text && *text)
		buf_printf(out, ": %s", text + strspn(text, " \t"));
}

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
	source(&line, p, orig);
	snprintf(f->text, sizeof(f->text), "%s", line.failed ? f->what : line.data);
	buf_free(&line);
	return f->text;
}
