/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real kernel, for differential tests: loads and runs programs with bpf(2). Knows nothing of Skep's
 * headers beyond struct insn, because <linux/bpf.h> and core/uapi.h are never included together.
 */
#ifndef SKEP_TESTS_VERIFIER_KERNEL_H
#define SKEP_TESTS_VERIFIER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/insn.h"

/* Is bpf(2) to be had? Asked once; says why not. */
bool kernel_here(const char **why);

struct kernel_load {
	const struct insn *insns;
	uint32_t n, type, attach_type, flags;
	bool gpl;
	const int *fd_array;
	bool btf;        /* with func_info: every function but the first is static */
	const int *maps; /* map_fd[i] of the program is maps[i]; NULL: it is a descriptor */
	char line[512]; /* out: the last line of the log that is no statistics */
};

/* A descriptor, or the negative errno. */
int kernel_load(struct kernel_load *l);

int kernel_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries);
/* A map of one element that programs may only read, and nobody write any more. */
int kernel_rodata(const void *value, uint32_t size);

/* BTF: int; int (void); global function main (3); static function sub (4). */
const void *small_btf(uint32_t *size);

enum { MAX_FUNCS = 16 };

/* Where the functions of a program begin, as the verifier finds them. Answers how many; 0: too many. */
unsigned find_funcs(const struct insn *insns, uint32_t n, uint32_t starts[MAX_FUNCS]);

struct test_run;

/* BPF_PROG_TEST_RUN. 0 or the negative errno; fills in what the struct says is output either way. */
int kernel_test_run(int fd, struct test_run *t);

#endif
