/* SPDX-License-Identifier: BSD-2-Clause */
/* A Skep kernel for tests of verifier, hooks and helpers: programs go through verify(), not through bpf(2). */
#ifndef SKEP_TESTS_VERIFIER_VM_H
#define SKEP_TESTS_VERIFIER_VM_H

#include "core/hook.h"
#include "core/map.h"
#include "core/prog.h"

struct vm {
	struct skep k;
	struct map *maps[8]; /* map_fd[i] of programs is maps[i] */
	unsigned nmaps;
	const struct engine *engine; /* of the next programs; vm_init(): the checked one */
	bool btf; /* the next programs have func_info, as kernel_load()'s */
	uint32_t attach_type, flags; /* of the next program */
	bool trusted; /* the checked engine lets objects of the kernel's through */
	char line[512]; /* the last of the latest verify()'s log */
};

void vm_init(struct vm *vm);
void vm_exit(struct vm *vm);
/* Makes maps[nmaps]; ends the process when that fails. */
struct map *vm_map(struct vm *vm, uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t n);

/* A map as kernel_rodata()'s. */
struct map *vm_rodata(struct vm *vm, const void *value, uint32_t size);
void vm_drop_maps(struct vm *vm);

/* Assembles, or ends the process with the assembler's message. The caller frees. */
struct insn *vm_asm(const char *text, size_t *n);

/* Verifies a program and prepares it for vm->engine. 0 or verify()'s errno; then *out is NULL. */
int vm_load(struct vm *vm, uint32_t type, bool gpl, const struct insn *insns, size_t n,
            struct prog **out);

#endif
