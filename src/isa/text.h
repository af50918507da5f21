/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF as text: the pseudo-C syntax that clang, llvm-objdump and the kernel print.
 *
 * Both directions are driven by the `syntax` column of insn.def, so for every valid program
 * assembling what disasm printed gives the same bytes. The assembler reads the spellings of all
 * three.
 */
#ifndef SKEP_ISA_TEXT_H
#define SKEP_ISA_TEXT_H

#include <stddef.h>

#include "isa/insn.h"

struct buf;

/* What a number in an instruction is called. Each callback may be NULL, and may answer NULL. */
struct disasm_names {
	void *arg;
	bool kernel; /* spell as the verifier's log does, not as LLVM */
	const char *(*helper)(void *arg, int32_t id);
	const char *(*func)(void *arg, uint32_t insn_index); /* target of a local call or func[] */
	const char *(*map)(void *arg, int32_t imm, unsigned src);
};

/*
 * Appends the text of the instruction at index pc of a program of n slots, without a line end.
 * Bytes that are no instruction become `.insn 0x<16 hex digits>`, which the assembler reads too.
 * Answers the number of slots consumed: 1 or 2.
 */
unsigned disasm_insn(struct buf *out, const struct insn *insns, size_t pc, size_t n,
                     const struct disasm_names *names);

struct asm_error {
	unsigned line, column; /* from 1 */
	char text[200];        /* what is wrong and why, without position */
};

/*
 * What names in the source stand for; callbacks may be NULL. They answer false for an unknown name.
 */
struct asm_names {
	void *arg;
	bool (*helper)(void *arg, const char *name, size_t len, int32_t *id);
	bool (*map)(void *arg, const char *name, size_t len, int32_t *fd);
};

/*
 * Assembles text of len bytes. On success *out is a malloc()ed array of *n slots which the caller
 * frees. On failure -EINVAL (error filled in) or -ENOMEM; *out is untouched.
 */
int asm_program(const char *text, size_t len, const struct asm_names *names, struct insn **out,
                size_t *n, struct asm_error *error);

#endif
