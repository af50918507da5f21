/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "load": how long BPF_PROG_LOAD takes, by length of program, in Skep and in the kernel.
 *
 * The programs are straight lines of arithmetic with a conditional jump now and then. Skep does not
 * verify values yet and the kernel always does: the comparison is between what a user waits for.
 * Closing the descriptor is part of it. The clock is the thread's CPU time (neither side sleeps).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <math.h>
#include <skep.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "report.h"
#include "sections.h"

struct loader {
	struct skep *skep; /* NULL: the kernel */
	const struct bpf_insn *insns;
	uint32_t n;
};

/* n instructions: a constant, arithmetic on it, exit. NULL: no memory. */
static struct bpf_insn *make_program(uint32_t n)
{
	static const struct bpf_insn step[] = {
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 0, .imm = 12345},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 0},
		{.code = BPF_ALU | BPF_XOR | BPF_K, .dst_reg = 2, .imm = 0x55},
		{.code = BPF_ALU64 | BPF_LSH | BPF_K, .dst_reg = 2, .imm = 3},
		{.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 0, .src_reg = 2},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 0, .off = -8},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .off = 0, .imm = 7},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 3, .src_reg = 10, .off = -8},
		{.code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = 0, .imm = 0xffffff},
		{.code = BPF_ALU64 | BPF_SUB | BPF_X, .dst_reg = 0, .src_reg = 3},
	};
	struct bpf_insn *insns = calloc(n, sizeof(*insns));

	if (!insns)
		return NULL;
	insns[0] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1};
	for (uint32_t i = 1; i < n - 1; i++)
		insns[i] = step[(i - 1) % (sizeof(step) / sizeof(step[0]))];
	insns[n - 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return insns;
}

static double run_load(void *arg, uint64_t repeat)
{
	const struct loader *l = arg;
	double start, took = -1;

	skep_bpf_bind(l->skep);
	start = cpu_ns();
	while (repeat) {
		int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "load", "GPL", l->insns, l->n, NULL);

		if (fd < 0) {
			fprintf(stderr,
			        "bench: a program of %u instructions is not loaded by %s: %s\n",
			        l->n, l->skep ? "Skep" : "the kernel", strerror(-fd));
			break;
		}
		close(fd);
		repeat--;
	}
	if (!repeat)
		took = cpu_ns() - start;
	skep_bpf_bind(NULL);
	return took;
}

enum column { JIT, INTERP, KERNEL, COLUMNS };

static const char *const column_name[COLUMNS] = {"jit", "interp", "kernel"};

/* Times loading n instructions; the medians go to ns. */
static void measure_length(struct bench *b, uint32_t n, double ns[COLUMNS])
{
	struct plan plan = b->plan;
	struct subject subject[COLUMNS] = {0};
	struct loader loader[COLUMNS];
	struct bpf_insn *insns = make_program(n);
	json_t *json = report_row(b, "load");

	if (n > 10000 && plan.rounds > 5)
		plan.rounds = 5; /* the kernel takes a second for the longest */
	for (int c = 0; insns && c < COLUMNS; c++) {
		loader[c] = (struct loader){NULL, insns, n};
		if (c != KERNEL)
			loader[c].skep =
				skep_of_engine(c == JIT ? SKEP_ENGINE_JIT : SKEP_ENGINE_INTERP);
		subject[c].arg = &loader[c];
		if (c == KERNEL ? !b->no_kernel : loader[c].skep != NULL)
			subject[c].run = run_load;
	}
	measure(subject, COLUMNS, &plan);
	json_object_set_new(json, "insns", json_integer(n));
	printf("%-44u", n);
	for (int c = 0; c < COLUMNS; c++) {
		ns[c] = subject[c].median;
		print_cell(ns[c] / 1000, 12, 2);
		report_number(json, column_name[c], ns[c]);
	}
	print_cell(ns[JIT] / ns[KERNEL], 12, 3);
	print_cell(ns[JIT] / n, 14, 1);
	printf("\n");
	fflush(stdout);
	free(insns);
}

void section_load(struct bench *b)
{
	static const uint32_t lengths[] = {10, 1000, 10000, 100000, 1000000};
	enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };
	double ns[LENGTHS][COLUMNS];

	if (!bench_wants(b, "load"))
		return;
	printf("\n%-44s%12s%12s%12s%12s%14s\n", "us to load so many instructions", column_name[JIT],
	       column_name[INTERP], column_name[KERNEL], "jit/kernel", "jit ns/insn");
	for (unsigned i = 0; i < LENGTHS; i++)
		measure_length(b, lengths[i], ns[i]);
	target_most(b, "loading 10 instructions, / the kernel's BPF_PROG_LOAD",
	            ns[0][JIT] / ns[0][KERNEL], 0.25, "x");
	/*
	 * Linear: an instruction of the longest program costs what one of a middling program costs.
	 */
	target_most(b, "load time per instruction, 1 000 000 / 10 000",
	            ns[4][JIT] / 1e6 / (ns[2][JIT] / 1e4), 1.5, "x");
}
