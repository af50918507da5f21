/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in an object file, for people who read it: instructions by section and function, the
 * names behind relocations, source lines. Nothing is loaded or linked; that is libbpf's work.
 *
 * All strings and arrays belong to the struct code and to the file's bytes, which must outlive it.
 */
#ifndef SKEP_CLI_CODE_H
#define SKEP_CLI_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/insn.h"

struct code_func {
	const char *name; /* "" where the object names none */
	uint32_t start, n; /* slots in the section */
};

/* What the linker would put into an instruction, as a name. */
struct code_ref {
	uint32_t slot;
	enum { REF_FUNC, REF_MAP, REF_DATA, REF_EXTERN } kind;
	const char *name;
	const char *section; /* DATA: where the variable stands */
};

struct code_line {
	uint32_t slot;
	uint32_t line, column;
	const char *file, *text;
};

struct code_section {
	const char *name;
	unsigned index; /* in the object */
	struct insn *insns; /* relocated as far as a listing can: see code_read() */
	size_t n;
	struct code_func *funcs; /* by start; they cover the section */
	size_t nfuncs;
	struct code_ref *refs; /* by slot */
	size_t nrefs;
	struct code_line *lines; /* by slot */
	size_t nlines;
};

struct code {
	struct code_section *sections;
	size_t n;
};

/*
 * Finds the code of an object that elf_check() has passed. Relocated instructions get the form that
 * libbpf would give them, without its numbers: a map reference becomes map_fd[0] and a REF_MAP, a
 * variable map_fd[0][offset] and a REF_DATA, a call of another section `call pc-1` and a REF_FUNC,
 * a call of the kernel kfunc[0] and a REF_EXTERN. 0, -EINVAL (the object contradicts itself; *why
 * says how), -ENOMEM.
 */
int code_read(const uint8_t *data, size_t len, struct code *out, const char **why);
void code_free(struct code *c);

/* The reference of a slot, or NULL. */
const struct code_ref *code_ref_at(const struct code_section *s, size_t slot);

/* lines.c: fills in the lines of all sections from .BTF and .BTF.ext. Damaged ones give none. */
struct code_bytes {
	const uint8_t *data;
	size_t len;
};
int code_lines(struct code *c, struct code_bytes btf, struct code_bytes ext);

#endif
