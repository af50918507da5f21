/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions in little programs, loaded by Skep and by the kernel.
 *
 * The kernel knows of values what Skep does not check yet, so verdicts are compared where either speaks of
 * something that stands in reject.def: what Skep refuses, the kernel must refuse with the same words; what
 * the kernel refuses with words of reject.def, Skep must, too.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/uapi.h"
#include "isa/text.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

enum { ROUNDS = 6000, MAX_PROGRAM = 64 };

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

static uint32_t pick(const uint32_t *from, unsigned n)
{
	return from[random_below(n)];
}
#define PICK(...) pick((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

static const char *const formats[] = {
#define REJECT(code, name, error, format) [code] = format,
#include "verifier/reject.def"
#undef REJECT
};

/* Is the line what printf could have made of the format? */
static bool matches(const char *format, const char *line)
{
	while (*format) {
		if (*format != '%') {
			if (*format++ != *line++)
				return false;
			continue;
		}
		format += strcspn(format, "dusx");
		if (*format++ == 's') {
			while (*line && *line != *format)
				line++;
			continue;
		}
		if (*line != '-' && !isxdigit((unsigned char)*line))
			return false;
		line += *line == '-';
		while (isxdigit((unsigned char)*line))
			line++;
	}
	return !*line;
}

/* The code of the row of reject.def that says this, or 0; what only Skep says has none. */
static unsigned code_of(const char *line)
{
	for (unsigned i = 1; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i] && i < 900 && matches(formats[i], line))
			return i;
	return 0;
}

/* --- Programs ------------------------------------------------------------------------------- */

struct program {
	struct insn insns[MAX_PROGRAM];
	uint32_t n, type;
	bool btf, shape;
};

static void add(struct program *p, struct insn i)
{
	p->insns[p->n++] = i;
}

static struct insn mov(unsigned dst, int32_t imm)
{
	return (struct insn){.code = insn_info[OP_MOV64_K].code, .dst = dst & 15, .imm = imm};
}

/* Any bytes, but mostly those of an operation with a field or two changed. */
static struct insn random_insn(void)
{
	const struct insn_info *row = &insn_info[random_below(OP_COUNT)];
	struct insn i = {.code = row->code};

	if (!random_below(20))
		i.code = (uint8_t)random_below(256);
	if (row->fields & (INSN_RD | INSN_WD))
		i.dst = PICK(0, 1, 2, 6, 7, 10) & 15;
	if (row->fields & (INSN_RS | INSN_WS))
		i.src = PICK(0, 1, 2, 6, 7, 10) & 15;
	if (row->fields & (INSN_OFF | INSN_JOFF))
		i.off = (int16_t)PICK(0, 1, 2, 4, 8, 12, 24, 76, -1, -2, -8, -16, -512, -520, -4);
	if (row->fields & INSN_JOFF)
		i.off = (int16_t)PICK(0, 1, 2, 3, 20, -40); /* loops are not the matter here */
	if (row->fields & (INSN_IMM | INSN_JIMM))
		i.imm = (int32_t)PICK(0, 1, 2, 3, 5, 7, 8, 12, 26, 31, 32, 63, 64, -1, 211, 212, 1 << 16);
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	else if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	else if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	switch (random_below(12)) {
	case 0:
		i.dst = random_below(16) & 15;
		break;
	case 1:
		i.src = random_below(16) & 15;
		break;
	case 2:
		i.off = (int16_t)PICK(1, 8, 16, 32, 2, -1);
		break;
	case 3:
		i.imm = (int32_t)PICK(1, 16, 24, 0x41, 0xe0, 0x100, 0x110, -1);
	}
	if (i.code == 0x18 && i.src)
		i.imm = 1000; /* no descriptor */
	if ((i.code & 0xe7) == 0xc3 && (i.src == 10 || i.src == i.dst))
		i.src = 2; /* of two mistakes the kernel may name the other one */
	return i;
}

/* r0, r2-r5, r8, r9 numbers, r6 the context, r7 a place on the stack, written; then a random one. */
static void make(struct program *p)
{
	uint32_t first;

	memset(p, 0, sizeof(*p));
	p->type = PICK(BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER);
	p->btf = random_below(2);
	add(p, mov(0, 0));
	for (unsigned r = 2; r <= 9; r++)
		add(p, mov(r, (int32_t)random_below(4)));
	add(p, (struct insn){.code = insn_info[OP_MOV64_X].code, .dst = 6, .src = 1});
	add(p, (struct insn){.code = insn_info[OP_MOV64_X].code, .dst = 7, .src = 10});
	add(p, (struct insn){.code = insn_info[OP_ADD64_K].code, .dst = 7, .imm = -16});
	add(p, (struct insn){.code = insn_info[OP_ST_DW].code, .dst = 10, .off = -8});
	add(p, (struct insn){.code = insn_info[OP_ST_DW].code, .dst = 10, .off = -16});
	first = p->n;
	add(p, random_insn());
	if (p->insns[first].code == 0x18 && random_below(8))
		add(p, (struct insn){.imm = (int32_t)random_below(2)});
	add(p, mov(0, 0));
	add(p, (struct insn){.code = insn_info[OP_EXIT].code});
	/* And a function that may be called or not; jumps that never jump are not the matter here. */
	if (!random_below(3) && (p->insns[first].code & 7) != CLASS_JMP32 &&
	    ((p->insns[first].code & 7) != CLASS_JMP || p->insns[first].code == 0x85)) {
		add(p, mov(0, 0));
		add(p, random_insn());
		add(p, (struct insn){.code = insn_info[OP_EXIT].code});
	}
}

/* Jumps, calls and ends at random, around a wide load or two: the shape is the matter. */
static void make_shape(struct program *p)
{
	static const enum op ops[] = {OP_JA, OP_JAL, OP_JEQ64_K, OP_JEQ64_K, OP_JEQ64_K, OP_JSGT32_K,
	                              OP_CALL_LOCAL, OP_CALL_LOCAL, OP_EXIT, OP_EXIT, OP_EXIT,
	                              OP_MOV64_K, OP_MOV64_K, OP_LDDW, OP_LDDW_FUNC, OP_MAY_GOTO};
	uint32_t n = 2 + random_below(14);

	memset(p, 0, sizeof(*p));
	p->type = BPF_PROG_TYPE_XDP;
	p->shape = true;
	p->btf = !random_below(4);
	add(p, (struct insn){.code = insn_info[OP_LDX_W].code, .dst = 0, .src = 1, .off = 12});
	while (p->n < n) {
		enum op op = ops[random_below(sizeof(ops) / sizeof(ops[0]))];
		const struct insn_info *row = &insn_info[op];
		struct insn i = {.code = row->code};
		int32_t target = (int32_t)random_below(n + 1) - (int32_t)p->n - 1;

		if (random_below(12) && target < 0)
			target = (int32_t)random_below(4);
		i.src = row->key == KEY_SRC ? row->value & 15 : 0;
		i.dst = op == OP_LDDW_FUNC ? 3 : 0;
		if (row->fields & INSN_JOFF)
			i.off = (int16_t)target;
		else if (row->fields & INSN_JIMM || op == OP_CALL_LOCAL || op == OP_LDDW_FUNC)
			i.imm = target;
		add(p, i);
		if (row->fields & INSN_WIDE)
			add(p, (struct insn){0});
	}
	if (random_below(4))
		add(p, (struct insn){.code = insn_info[OP_EXIT].code});
}

static void show(const struct program *p)
{
	for (size_t pc = 0; pc < p->n;) {
		struct buf text = {0};
		unsigned slots = disasm_insn(&text, p->insns, pc, p->n, NULL);

		printf("#   %2zu: %s\n", pc, text.data);
		buf_free(&text);
		pc += slots;
	}
}

static bool agree(struct vm *vm, const struct program *p)
{
	struct kernel_load l = {
		.insns = p->insns, .n = p->n, .type = p->type, .gpl = true, .btf = p->btf};
	int kernels = kernel_load(&l), ours;
	struct prog *prog;

	if (kernels >= 0) {
		close(kernels);
		kernels = 0;
		l.line[0] = '\0';
	}
	vm->btf = p->btf;
	ours = vm_load(vm, p->type, true, p->insns, p->n, &prog);
	if (prog)
		obj_put(&prog->obj);
	if (ours == -ENOTSUPP || (ours == kernels && !strcmp(vm->line, l.line)))
		return true;
	if (!ours && !code_of(l.line))
		return true;
	/* The kernel does not look at instructions that no values reach; Skep knows no values yet. */
	if (p->shape && code_of(vm->line) >= 200 && !code_of(l.line))
		return true;
	/* The depth of calls is found out while values are followed: something else may be wrong before. */
	if (code_of(vm->line) == 107 && kernels && !code_of(l.line))
		return true;
	printf("# type %u%s: Skep %d \"%s\", the kernel %d \"%s\"\n", p->type, p->btf ? " with BTF" : "",
	       ours, vm->line, kernels, l.line);
	show(p);
	return false;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : ROUNDS, wrong = 0;
	struct program p;
	const char *why;
	struct vm vm;

	vm_init(&vm);
	if (!kernel_here(&why)) {
		tap_skip(why, "random instructions, as the kernel");
		tap_skip(why, "random shapes, as the kernel");
		return tap_end();
	}
	for (unsigned i = 0; i < rounds && wrong < 20; i++) {
		make(&p);
		wrong += !agree(&vm, &p);
	}
	tap(!wrong, "%u programs of random instructions, as the kernel", rounds);
	wrong = 0;
	for (unsigned i = 0; i < rounds && wrong < 20; i++) {
		make_shape(&p);
		wrong += !agree(&vm, &p);
	}
	tap(!wrong, "%u programs of random shapes, as the kernel", rounds);
	vm_exit(&vm);
	return tap_end();
}
