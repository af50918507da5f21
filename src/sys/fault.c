/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine's finding as one line: what, where in the program, which address, and what is
 * near it.
 */
#include "sys/fault.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/prog.h"

struct line {
	char *to;
	size_t room;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(l->to, l->room, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= l->room)
		len = (int)l->room - 1;
	l->to += len;
	l->room -= (size_t)len;
}

const char *fault_text(struct fault *f)
{
	struct line l = {f->text, sizeof(f->text)};
	const struct prog *p = f->prog;
	uint32_t orig = p->aux && f->insn < p->ninsns ? p->aux[f->insn].orig : f->insn;

	add(&l, "%s", p->name[0] ? p->name : "program");
	add(&l, ", instruction %" PRIu32 ": %s", orig, f->what);
	if (f->size)
		add(&l, " (%s of %" PRIu32 " bytes at 0x%" PRIxPTR "%s%s)", f->write ? "store" : "load",
		    f->size, f->addr, f->near[0] ? ", " : "", f->near);
	return f->text;
}
