/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel for tests of engines, and programs in it: loaded by hand, with no verifier and no bpf(2) in
 * between, so that an engine can be given exactly what a test wants.
 */
#ifndef SKEP_TESTS_EXEC_VM_H
#define SKEP_TESTS_EXEC_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "core/hook.h"
#include "core/map.h"
#include "core/prog.h"
#include "exec/exec.h"

enum { VM_CPUS = 4 };

/* The context of vm_hook: what r1 points to. */
struct vm_ctx {
	void *mem; /* readable and writable */
	uint64_t len;
};

extern const struct hook vm_hook;

/* helpers by id, nhelpers of them; may be NULL. */
void vm_init(struct skep *k, const struct mem *mem, const struct helper *helpers, unsigned nhelpers);
void vm_exit(struct skep *k);

/*
 * Translates and prepares a program: map_fd[N] and map_idx[N] are maps[N], func[] and local calls make
 * functions. 0 or what prepare() answers; on failure nothing is left.
 */
int vm_load(struct skep *k, const struct engine *e, const struct hook *hook, const struct insn *insns,
            uint32_t n, struct map *const *maps, uint32_t nmaps, struct prog **out);
/* The same of text; fails the process with a message where the text is wrong. */
int vm_asm(struct skep *k, const struct engine *e, const char *text, struct map *const *maps,
           uint32_t nmaps, struct prog **out);

#endif
