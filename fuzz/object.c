/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an object file: the reader behind skep disasm (elf.c, code.c, lines.c) finds code
 * that lies in bounds, or refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/code.h"
#include "fuzz.h"

/* The command's messages are not wanted here. */
int fail(enum exit_code code, const char *format, ...)
{
	return code;
}

static size_t read_string(const char *s)
{
	return s ? strlen(s) : 0;
}

static size_t read_section(const struct code_section *s)
{
	size_t sum = read_string(s->name), covered = 0;

	for (size_t i = 0; i < s->nfuncs; i++) {
		if (s->funcs[i].start != covered || !s->funcs[i].n)
			abort();
		covered += s->funcs[i].n;
		sum += read_string(s->funcs[i].name);
	}
	if (covered != s->n)
		abort();
	for (size_t i = 0; i < s->nrefs; i++) {
		const struct code_ref *r = code_ref_at(s, s->refs[i].slot);

		if (!r || r->slot != s->refs[i].slot || r->slot >= s->n)
			abort();
		sum += read_string(s->refs[i].name) + read_string(s->refs[i].section);
	}
	for (size_t i = 0; i < s->nlines; i++)
		sum += read_string(s->lines[i].file) + read_string(s->lines[i].text);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = "";
	struct code c;
	volatile size_t sum = 0;

	if (elf_check("fuzz", data, size))
		return 0;
	if (code_read(data, size, &c, &why))
		return 0;
	for (size_t i = 0; i < c.n; i++)
		sum += read_section(&c.sections[i]);
	code_free(&c);
	return 0;
}
