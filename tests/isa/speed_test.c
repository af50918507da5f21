/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of a million instructions: both directions are linear in CPU time. A ratio within one run, and
 * a loose one: something quadratic is ten times as slow an instruction.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "isa/text.h"

enum { SMALL = 100000, LARGE = 1000000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Blocks of ten instructions with a label, that jump to the block before them and to the far end. */
static void make_text(struct buf *text, unsigned n)
{
	for (unsigned i = 0; i < n / 10; i++) {
		buf_printf(text, "block_%u:\n\tr1 = *(u64 *)(r10 - 8)\n\tr1 += 5\n\tw2 = w1\n", i);
		buf_printf(text, "\tif r1 > 7 goto block_%u\n", i ? i - 1 : 0);
		buf_puts(text, "\t*(u32 *)(r10 - 16) = w2\n\tr3 = -1\n\tcall 5\n\tr4 s>>= 63\n"
		               "\tgotol end\n\tlock *(u64 *)(r10 - 8) += r3\n");
	}
	buf_puts(text, "end: exit\n");
}

struct times {
	double assemble, disassemble; /* ns for one instruction */
};

/* False where the assembler refuses the text or what is printed. */
static bool measure(unsigned n, struct times *t)
{
	struct buf text = {0}, printed = {0};
	struct insn *insns;
	size_t slots;
	double start;

	make_text(&text, n);
	start = now();
	if (asm_program(text.data, text.len, NULL, &insns, &slots, NULL))
		return false;
	t->assemble = (now() - start) / (double)slots;
	start = now();
	for (size_t pc = 0; pc < slots;) {
		pc += disasm_insn(&printed, insns, pc, slots, NULL);
		buf_puts(&printed, "\n");
	}
	t->disassemble = (now() - start) / (double)slots;
	free(insns);
	buf_free(&text);
	buf_free(&printed);
	return slots == n + 1;
}

static int number;

static void report(bool ok, const char *what, double small, double large)
{
	printf("%sok %d - %s: %.0f ns an instruction of %d, %.0f ns of %d\n", ok ? "" : "not ",
	       ++number, what, small, SMALL, large, LARGE);
}

/* A growth by the factor of ten would be quadratic. */
static bool linear(double small, double large)
{
	return large < 5 * small;
}

int main(void)
{
	struct times small, large;

	printf("1..2\n");
	if (!measure(SMALL, &small) || !measure(LARGE, &large)) {
		printf("Bail out! the text does not assemble\n");
		return 1;
	}
	report(linear(small.assemble, large.assemble), "assembling", small.assemble,
	       large.assemble);
	report(linear(small.disassemble, large.disassemble), "disassembling", small.disassemble,
	       large.disassemble);
	return 0;
}
