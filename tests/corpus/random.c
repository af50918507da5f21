/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs, in every place of the corpus: the interpreter, the checked one, the JIT and the real
 * kernel must answer the same r0 and leave the same memory. `random [SEED [COUNT]]`
 *
 * Programs are such as the kernel's verifier takes: registers are set before they are read, memory is
 * accessed aligned and at fixed places, jumps go forward but for counted loops, functions do not recurse.
 * r9 holds the memory; at the end r0 to r7 are stored to it and r8 is the result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "corpus.h"
#include "isa/text.h"

enum { MAX_CODE = 1200, INPUT = 64, OUTPUT = 64, SLOTS = 6, MAX_CALLEES = 3 };

struct generator {
	uint64_t state;
	struct insn code[MAX_CODE];
	uint32_t n;
	unsigned regs; /* r0 .. r(regs-1) may be written */
	unsigned callees; /* functions below may be called */
	bool in_callee;
	struct {
		uint32_t pc;
		unsigned callee;
	} calls[64];
	unsigned ncalls;
};

static unsigned draw(struct generator *g, unsigned limit)
{
	g->state ^= g->state << 13;
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return (unsigned)(g->state >> 32) % limit;
}

static int32_t draw_imm(struct generator *g)
{
	static const int32_t edges[] = {0, 1, -1, 2, 8, 255, 0xffff, INT32_MAX, INT32_MIN, -128};

	return draw(g, 2) ? edges[draw(g, 10)] : (int32_t)draw(g, UINT32_MAX);
}

static void add(struct generator *g, enum op op, unsigned dst, unsigned src, int off, int32_t imm)
{
	const struct insn_info *row = &insn_info[op];
	struct insn i = {.code = row->code, .off = (int16_t)off, .imm = imm};

	i.dst = dst & 15;
	i.src = row->key == KEY_SRC ? row->value & 15 : src & 15;
	if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	g->code[g->n++] = i;
}

static enum op draw_op(struct generator *g, enum op first, enum op last)
{
	return (enum op)((unsigned)first + draw(g, (unsigned)(last - first) + 1));
}

/* An immediate that the verifier lets an operation have. */
static int32_t imm_for(struct generator *g, enum op op)
{
	const char *name = insn_info[op].name;
	unsigned width = insn_info[op].code & 4 && (insn_info[op].code & 7) == CLASS_ALU64 ? 64 : 32;
	int32_t imm = draw_imm(g);

	if (strstr(name, "SH"))
		return (int32_t)draw(g, width);
	if ((strstr(name, "DIV") || strstr(name, "MOD")) && !imm)
		return 7;
	return imm;
}

static void item_alu(struct generator *g)
{
	enum op op = draw(g, 2) ? draw_op(g, OP_ADD64_K, OP_MOVSX32_64) : draw_op(g, OP_ADD32_K, OP_MOVSX16_32);
	unsigned f = insn_info[op].fields;

	add(g, op, draw(g, g->regs), f & INSN_RS ? draw(g, g->regs) : 0, 0,
	    f & INSN_IMM ? imm_for(g, op) : 0);
}

static void item_byte_order(struct generator *g)
{
	add(g, draw_op(g, OP_LE16, OP_BSWAP64), draw(g, g->regs), 0, 0, 0);
}

static void item_rotate(struct generator *g)
{
	bool wide = draw(g, 2), left = draw(g, 2);
	unsigned width = wide ? 64 : 32, count = 1 + draw(g, width - 1);
	unsigned t = draw(g, g->regs), s = draw(g, g->regs), d = draw(g, 2) ? s : draw(g, g->regs);
	enum op shl = wide ? OP_LSH64_K : OP_LSH32_K, shr = wide ? OP_RSH64_K : OP_RSH32_K;
	enum op mov = wide ? OP_MOV64_X : OP_MOV32_X;

	add(g, mov, t, s, 0, 0);
	add(g, left ? shl : shr, t, 0, 0, (int32_t)count);
	if (d != s)
		add(g, mov, d, s, 0, 0);
	add(g, left ? shr : shl, d, 0, 0, (int32_t)(width - count));
	add(g, wide ? OP_OR64_X : OP_OR32_X, d, t, 0, 0);
}

static void item_copy(struct generator *g)
{
	unsigned d = draw(g, g->regs);
	enum op op = draw_op(g, OP_ADD64_K, OP_ARSH64_X);
	unsigned f = insn_info[op].fields;

	add(g, draw(g, 2) ? OP_MOV64_X : OP_MOV32_X, d, draw(g, g->regs), 0, 0);
	add(g, op, d, f & INSN_RS ? draw(g, g->regs) : 0, 0, f & INSN_IMM ? imm_for(g, op) : 0);
}

static void item_load(struct generator *g)
{
	static const enum op loads[] = {OP_LDX_B, OP_LDX_H, OP_LDX_W, OP_LDX_DW};
	unsigned size = draw(g, 4), d = draw(g, g->regs);
	int off = (int)(draw(g, INPUT >> size) << size);

	add(g, loads[size], d, R9, off, 0);
	if (draw(g, 2))
		add(g, draw_op(g, OP_ADD64_X, OP_ADD64_X) + 4 * draw(g, 2), draw(g, g->regs), d, 0, 0);
}

static void item_store(struct generator *g)
{
	static const enum op stores[2][4] = {{OP_STX_B, OP_STX_H, OP_STX_W, OP_STX_DW},
	                                     {OP_ST_B, OP_ST_H, OP_ST_W, OP_ST_DW}};
	unsigned size = draw(g, 4), constant = draw(g, 2);
	int off = (int)(draw(g, INPUT >> size) << size);

	add(g, stores[constant][size], R9, constant ? 0 : draw(g, g->regs), off,
	    constant ? draw_imm(g) : 0);
}

static void item_stack(struct generator *g)
{
	static const enum op loads[] = {OP_LDX_B, OP_LDX_H, OP_LDX_W, OP_LDX_DW, OP_LDSX_B, OP_LDSX_H, OP_LDSX_W};
	static const enum op stores[] = {OP_STX_B, OP_STX_H, OP_STX_W, OP_STX_DW};
	unsigned size = draw(g, 4);
	int off = -8 * SLOTS + (int)(draw(g, 8 * SLOTS >> size) << size);

	if (draw(g, 2))
		add(g, stores[size], R10, draw(g, g->regs), off, 0);
	else
		add(g, loads[size + (size < 3 && draw(g, 2) ? 4 : 0)], draw(g, g->regs), R10, off, 0);
}

/*
 * What an atomic operation fetches goes through memory of the context at once: the verifier of Linux 6.18
 * takes it for a constant where it is none (see control.bpf), and removes branches that are taken.
 */
static void item_atomic(struct generator *g)
{
	enum op op = draw_op(g, OP_ATOMIC_ADD64, g->in_callee ? OP_ATOMIC_XOR64 : OP_CMPXCHG32);
	int off = -8 * (int)(1 + draw(g, SLOTS));
	unsigned reg = draw(g, g->regs);

	add(g, op, R10, reg, off, 0);
	if (insn_info[op].fields & INSN_W0)
		reg = R0;
	if (insn_info[op].fields & (INSN_WS | INSN_W0)) {
		add(g, OP_STX_DW, R9, reg, 0, 0);
		add(g, OP_LDX_DW, reg, R9, 0, 0);
	}
}

static void items(struct generator *g, unsigned n, unsigned depth);

static void item_branch(struct generator *g, unsigned depth)
{
	enum op op = draw(g, 2) ? draw_op(g, OP_JEQ64_K, OP_JSLE64_X) : draw_op(g, OP_JEQ32_K, OP_JSLE32_X);
	bool x = insn_info[op].fields & INSN_RS, otherwise = draw(g, 3) == 0;
	uint32_t jump = g->n, over;

	add(g, op, draw(g, g->regs), x ? draw(g, g->regs) : 0, 0, x ? 0 : draw_imm(g));
	items(g, 1 + draw(g, 3), depth + 1);
	over = g->n;
	if (otherwise)
		add(g, OP_JA, 0, 0, 0, 0);
	g->code[jump].off = (int16_t)(g->n - jump - 1);
	if (otherwise) {
		items(g, 1 + draw(g, 3), depth + 1);
		g->code[over].off = (int16_t)(g->n - over - 1);
	}
}

/* The last register counts and is not written otherwise. */
static void item_loop(struct generator *g, unsigned depth)
{
	unsigned counter = g->regs - 1;
	uint32_t start;

	add(g, OP_MOV64_K, counter, 0, 0, 0);
	start = g->n;
	g->regs--;
	items(g, 1 + draw(g, 3), depth + 2);
	g->regs++;
	add(g, OP_ADD64_K, counter, 0, 0, 1);
	add(g, OP_JNE64_K, counter, 0, (int)start - (int)g->n - 1, 2 + (int32_t)draw(g, 4));
}

static void item_call(struct generator *g)
{
	if (!g->callees || g->ncalls == 64)
		return item_alu(g);
	for (unsigned r = R1; r <= R5; r++)
		add(g, OP_MOV64_X, r, draw(g, 2) && r < g->regs ? r : R0, 0, 0);
	g->calls[g->ncalls].pc = g->n;
	g->calls[g->ncalls++].callee = MAX_CALLEES - 1 - draw(g, g->callees);
	add(g, OP_CALL_LOCAL, 0, 0, 0, 0);
	for (unsigned r = R1; r <= R5; r++)
		add(g, OP_MOV64_K, r, 0, 0, (int32_t)(r * 77777));
}

static void items(struct generator *g, unsigned n, unsigned depth)
{
	while (n-- && g->n < MAX_CODE - 200) {
		switch (draw(g, depth < 3 ? 20 : 16)) {
		case 0:
			item_byte_order(g);
			break;
		case 1:
		case 2:
			item_rotate(g);
			break;
		case 3:
		case 4:
			item_copy(g);
			break;
		case 5:
		case 6:
			item_load(g);
			break;
		case 7:
			item_store(g);
			break;
		case 8:
		case 9:
		case 10:
			item_stack(g);
			break;
		case 11:
			item_atomic(g);
			break;
		case 16:
		case 17:
			item_branch(g, depth);
			break;
		case 18:
			item_loop(g, depth);
			break;
		case 19:
			if (g->regs > R5 + 1)
				item_call(g);
			break;
		default:
			item_alu(g);
			break;
		}
	}
}

static void fill_stack(struct generator *g)
{
	for (int slot = 1; slot <= SLOTS; slot++)
		add(g, OP_ST_DW, R10, 0, -8 * slot, slot * 0x01010101);
}

static void generate(struct generator *g)
{
	g->n = 0;
	g->ncalls = 0;
	g->regs = 9;
	g->callees = MAX_CALLEES;
	g->in_callee = false;
	add(g, OP_MOV64_X, R9, R1, 0, 0);
	for (unsigned r = 0; r < g->regs; r++)
		add(g, OP_LDX_DW, r, R9, 8 * (int)(r % (INPUT / 8)), 0);
	fill_stack(g);
	items(g, 10 + draw(g, 25), 0);
	for (unsigned r = 0; r < 8; r++)
		add(g, OP_STX_DW, R9, r, INPUT + 8 * (int)r, 0);
	add(g, OP_MOV64_X, R0, R8, 0, 0);
	add(g, OP_EXIT, 0, 0, 0, 0);
	for (unsigned f = 0; f < MAX_CALLEES; f++) {
		bool called = false;

		for (unsigned c = 0; c < g->ncalls; c++)
			if (g->calls[c].callee == f) {
				g->code[g->calls[c].pc].imm = (int32_t)(g->n - g->calls[c].pc - 1);
				called = true;
			}
		if (!called)
			continue;
		g->callees = MAX_CALLEES - 1 - f;
		g->in_callee = true;
		/* Its r0 and r6 to r8 are not set yet; it has no memory but its stack. */
		add(g, OP_MOV64_X, R0, R1, 0, 0);
		for (unsigned r = R6; r <= R9; r++)
			add(g, OP_MOV64_K, r, 0, 0, (int32_t)(r * 1234567));
		fill_stack(g);
		add(g, OP_MOV64_X, R9, R10, 0, 0);
		add(g, OP_ADD64_K, R9, 0, 0, -INPUT);
		for (int off = 0; off < INPUT - 8 * SLOTS; off += 8)
			add(g, OP_ST_DW, R9, 0, off, off);
		items(g, 3 + draw(g, 8), 1);
		add(g, OP_EXIT, 0, 0, 0, 0);
	}
}

static const struct place *const places[] = {&place_interp, &place_checked, &place_jit, &place_kernel};

struct outcome {
	uint64_t r0;
	uint8_t memory[INPUT + OUTPUT];
};

/* Prints it as a test of the corpus. */
static void show(const struct generator *g, const uint8_t *in)
{
	struct buf text = {0};

	for (size_t pc = 0; pc < g->n;) {
		buf_printf(&text, "#\t%zu: ", pc);
		pc += disasm_insn(&text, g->code, pc, g->n, NULL);
		buf_puts(&text, "\n");
	}
	printf("%s#run bytes", text.data);
	for (unsigned i = 0; i < INPUT + OUTPUT; i++)
		printf(" %x", in[i]);
	printf(" -> 0\n");
	buf_free(&text);
}

/* Runs it in a place; false: it is not there, or refuses the program. */
static bool run_in(const struct place *p, struct test *t, uint8_t *in, struct outcome *out)
{
	static char log[65536];
	char why[512] = "";
	void *loaded;
	bool ran;

	if (p->absent(p, t) || p->load(p, t, &loaded, log, sizeof(log)))
		return false;
	memcpy(out->memory, in, sizeof(out->memory));
	ran = p->run(loaded, out->memory, &out->r0, why, sizeof(why));
	p->unload(loaded);
	if (!ran)
		printf("# %s: %s\n", p->name, why);
	return ran;
}

/* Compares the places; true when they agree. *in_kernel: the kernel was among them. */
static bool compare(struct generator *g, bool *in_kernel)
{
	struct test t = {.name = "random", .nprograms = 1, .memory = INPUT + OUTPUT};
	uint8_t in[INPUT + OUTPUT] = {0};
	struct outcome want, got;
	bool same = true;

	t.programs[0].insns = g->code;
	t.programs[0].n = g->n;
	t.programs[0].funcs[t.programs[0].nfuncs++] = 0;
	for (uint32_t pc = 0; pc < g->n; pc++) {
		bool begins = false;

		for (unsigned c = 0; c < g->ncalls; c++)
			begins |= g->calls[c].pc + 1 + (uint32_t)g->code[g->calls[c].pc].imm == pc;
		if (begins)
			t.programs[0].funcs[t.programs[0].nfuncs++] = pc;
	}
	for (unsigned i = 0; i < INPUT; i++)
		in[i] = draw(g, 3) ? (uint8_t)draw(g, 256) : 0xff * (draw(g, 2) != 0);
	if (!run_in(places[0], &t, in, &want)) {
		show(g, in);
		return false;
	}
	*in_kernel = false;
	for (unsigned i = 1; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!run_in(places[i], &t, in, &got))
			continue;
		*in_kernel |= places[i] == &place_kernel;
		if (!memcmp(&want, &got, sizeof(got)))
			continue;
		same = false;
		show(g, in);
		printf("# %s answers 0x%llx, %s 0x%llx\n", places[0]->name,
		       (unsigned long long)want.r0, places[i]->name, (unsigned long long)got.r0);
		for (unsigned at = 0; at < sizeof(want.memory); at++)
			if (want.memory[at] != got.memory[at])
				printf("# memory at %u: %02x, %02x\n", at, want.memory[at],
				       got.memory[at]);
	}
	return same;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 300;
	unsigned differ = 0, kernel = 0;
	static struct generator g;

	for (unsigned i = 0; i < count; i++) {
		bool in_kernel;

		g.state = (seed + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
		for (int warm = 0; warm < 8; warm++)
			draw(&g, 2);
		generate(&g);
		if (!compare(&g, &in_kernel)) {
			printf("# seed %llu\n", (unsigned long long)(seed + i));
			differ++;
		} else {
			kernel += in_kernel;
		}
	}
	printf("%sok 1 - %u random programs, the same everywhere\n", differ ? "not " : "", count);
	if (kernel)
		printf("%sok 2 - the kernel ran %u of them\n", kernel < count / 2 ? "not " : "", kernel);
	else
		printf("ok 2 - the kernel # SKIP bpf(2) does not load programs here\n");
	printf("1..2\n");
	return differ || (kernel && kernel < count / 2);
}
