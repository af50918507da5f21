/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random arithmetic: what Skep knows of each register after each instruction is what the kernel prints
 * (log level 2), and concrete runs of the same instructions stay inside it.
 *
 * A program takes four unknown numbers (r6 .. r9), then applies random operations and conditions to
 * them. The fall-through of each condition is followed, as the kernel does first.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "isa/alu.h"
#include "kernel.h"
#include "tap.h"
#include "verifier/scalar.h"

enum { PROLOGUE = 8, STEPS = 32, LENGTH = PROLOGUE + STEPS + 2, RUNS = 6, FIRST_REG = 6 };

static uint64_t state = 0x243f6a8885a308d3u;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1du;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random64() >> 33) % n;
}

/* Numbers at which something happens, and their neighbours. */
static int32_t random_imm(void)
{
	static const int32_t near[] = {0, 0, 1, 8, 31, 64, 255, 0x7fff, 0x8000, 0xffff, INT32_MAX, INT32_MIN};
	int32_t imm = near[below(12)];

	switch (below(4)) {
	case 0:
		return (int32_t)((uint32_t)imm + below(4) - 2);
	case 1:
		return (int32_t)(0u - (uint32_t)imm);
	case 2:
		return (int32_t)random64() >> below(32);
	default:
		return imm;
	}
}

static struct insn random_alu(void)
{
	static const uint8_t ops[] = {ALU_ADD, ALU_SUB, ALU_MUL, ALU_OR,  ALU_AND,  ALU_AND, ALU_LSH, ALU_RSH,
	                              ALU_XOR, ALU_ARSH, ALU_NEG, ALU_ADD, ALU_DIV, ALU_MOD, ALU_END};
	struct insn i = {.dst = (uint8_t)(FIRST_REG + below(4) % 4) & 15};
	uint8_t op = ops[below(10) ? below(12) : below(15)], class = below(2) ? 7 : 4;

	if (op == ALU_END) {
		i.code = (uint8_t)(0xd0 | (below(2) ? 8 : 0) | (below(3) ? 4 : 7));
		i.code &= (i.code & 7) == 7 ? 0xf7 : 0xff;
		i.imm = 16 << below(3);
		return i;
	}
	i.code = op | class;
	if (op == ALU_NEG)
		return i;
	if (below(2)) {
		i.code |= 8;
		i.src = (uint8_t)(FIRST_REG + below(4)) & 15;
		return i;
	}
	i.imm = random_imm();
	if (op == ALU_LSH || op == ALU_RSH || op == ALU_ARSH)
		i.imm = (int32_t)below(class == 7 ? 63 : 31); /* see docs/differences.md: not the last */
	if ((op == ALU_DIV || op == ALU_MOD) && !i.imm)
		i.imm = 3;
	return i;
}

/* wN = wN, rN = (s8)rN and so on: of one register only, as copies share what they learn. */
static struct insn random_move(void)
{
	static const int16_t offs[] = {0, 8, 16, 32};
	uint8_t r = (uint8_t)(FIRST_REG + below(4)) & 15;
	struct insn i = {.code = 0xbf, .dst = r, .src = r, .off = offs[1 + below(3)]};

	if (below(2)) {
		i.code = 0xbc;
		i.off = offs[below(3)];
	}
	return i;
}

static struct insn random_jump(int at)
{
	static const uint8_t ops[] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0};
	struct insn i = {.code = ops[below(11)] | (below(2) ? 5 : 6), .dst = (uint8_t)(FIRST_REG + below(4)) & 15,
	                 .off = (int16_t)(LENGTH - 2 - at - 1)};

	if (below(2)) {
		i.code |= 8; /* not with itself: a way that is not possible is nobody's business */
		i.src = (uint8_t)(FIRST_REG + (i.dst - FIRST_REG + 1u + below(3)) % 4) & 15;
	} else {
		i.imm = random_imm();
	}
	return i;
}

static void generate(struct insn p[LENGTH])
{
	for (int r = 0; r < 4; r++) {
		p[2 * r] = (struct insn){.code = 0x85, .imm = 5}; /* bpf_ktime_get_ns() */
		p[2 * r + 1] = (struct insn){.code = 0xbf, .dst = (uint8_t)(FIRST_REG + r) & 15};
	}
	/* The copy of r0 shares its id with r0 until that is overwritten. */
	for (int at = PROLOGUE; at < PROLOGUE + STEPS; at++) {
		uint32_t kind = below(10);

		p[at] = kind < 6 ? random_alu() : kind < 7 ? random_move() : random_jump(at);
	}
	p[PROLOGUE] = (struct insn){.code = 0xb7}; /* r0 = 0 */
	p[LENGTH - 2] = (struct insn){.code = 0xb7};
	p[LENGTH - 1] = (struct insn){.code = 0x95};
}

static bool load_log(const struct insn *p, char *log, uint32_t size)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)p,
		.insn_cnt = LENGTH,
		.license = (uintptr_t)"GPL",
		.log_level = 2,
		.log_buf = (uintptr_t)log,
		.log_size = size,
	};
	int fd;

	log[0] = '\0';
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* "scalar(id=3+5,umax=7)" without the id, "P5" without the P. */
static void strip(char *text)
{
	char *id;

	if (text[0] == 'P')
		memmove(text, text + 1, strlen(text));
	id = strstr(text, "(id=");
	if (id) {
		size_t n = strcspn(id + 1, ",)");

		memmove(id + 1, id + 1 + n + (id[1 + n] == ','), strlen(id + 1 + n + (id[1 + n] == ',')) + 1);
	}
}

/* What the log says of register r behind instruction `at`; false: nothing. */
static bool printed(const char *log, int at, int r, char *text, size_t size)
{
	char line[16], name[8];
	const char *from, *end, *reg;
	size_t n;

	snprintf(line, sizeof(line), "\n%d: (", at);
	from = strstr(log, line);
	if (!from)
		return false;
	end = strchr(from + 1, '\n');
	from = strchr(from, ';');
	if (!from || !end || from > end)
		return false;
	snprintf(name, sizeof(name), " R%d", r);
	reg = strstr(from, name);
	if (!reg || reg > end)
		return false;
	reg = strchr(reg, '=') + 1;
	if (!strncmp(reg, "scalar(", 7) || !strncmp(reg, "Pscalar(", 8)) {
		const char *close = strstr(reg, "var_off=");

		close = strchr(reg, ')');
		if (strstr(reg, "var_off=") && strstr(reg, "var_off=") < close)
			close++;
		n = (size_t)(close + 1 - reg);
	} else {
		n = strcspn(reg, " \n");
	}
	if (n >= size)
		return false;
	memcpy(text, reg, n);
	text[n] = '\0';
	strip(text);
	return true;
}

static void describe(const struct scalar *s, char *text, size_t size)
{
	struct buf b = {0};

	if (scalar_is_const(s)) {
		int64_t v = (int64_t)s->var.value;

		snprintf(text, size, v >= INT16_MIN && v <= INT16_MAX ? "%lld" : "%#llx", (long long)v);
		return;
	}
	buf_puts(&b, "scalar(");
	scalar_print(&b, s, "");
	buf_puts(&b, ")");
	snprintf(text, size, "%s", b.data);
	buf_free(&b);
}

static bool inside(const struct scalar *s, uint64_t x)
{
	return tnum_in(s->var, tnum_const(x)) && s->umin <= x && x <= s->umax && s->smin <= (int64_t)x &&
	       (int64_t)x <= s->smax && s->umin32 <= (uint32_t)x && (uint32_t)x <= s->umax32 &&
	       s->smin32 <= (int32_t)x && (int32_t)x <= s->smax32;
}

struct world {
	struct scalar reg[4];
	uint64_t run[RUNS][4];
	bool alive[RUNS]; /* this run took every fall-through so far */
};

static uint64_t concrete_alu(uint8_t code, uint64_t a, uint64_t b)
{
	switch (code & 0xf7) {
#define X(name, value)                                                                             \
	case ALU_##name | 7:                                                                       \
		return alu64_##name(a, b);                                                         \
	case ALU_##name | 4:                                                                       \
		return alu32_##name((uint32_t)a, (uint32_t)b);
		X(ADD, ) X(SUB, ) X(MUL, ) X(DIV, ) X(OR, ) X(AND, ) X(LSH, ) X(RSH, ) X(MOD, ) X(XOR, )
		X(ARSH, )
#undef X
	case ALU_NEG | 7:
		return alu_NEG64(a);
	case ALU_NEG | 4:
		return alu_NEG32(a);
	}
	abort();
}

static uint64_t concrete_end(const struct insn *i, uint64_t a)
{
	bool big = (i->code & 8) || (i->code & 7) == 7;

	switch (i->imm) {
	case 16:
		return (i->code & 7) == 7 ? alu_BSWAP16(a) : big ? alu_BE16(a) : alu_LE16(a);
	case 32:
		return (i->code & 7) == 7 ? alu_BSWAP32(a) : big ? alu_BE32(a) : alu_LE32(a);
	default:
		return (i->code & 7) == 7 ? alu_BSWAP64(a) : big ? alu_BE64(a) : alu_LE64(a);
	}
}

static uint64_t concrete_move(const struct insn *i, uint64_t a)
{
	unsigned drop = i->off ? 64 - (unsigned)i->off : 0;
	uint64_t v = (uint64_t)((int64_t)(a << drop) >> drop);

	return (i->code & 7) == 4 ? (uint32_t)v : v;
}

static bool concrete_jump(uint8_t code, uint64_t a, uint64_t b)
{
	switch (code & 0xf7) {
#define X(name, value)                                                                             \
	case CMP_##name | 5:                                                                       \
		return cmp64_J##name(a, b);                                                        \
	case CMP_##name | 6:                                                                       \
		return cmp32_J##name((uint32_t)a, (uint32_t)b);
		X(EQ, ) X(GT, ) X(GE, ) X(SET, ) X(NE, ) X(SGT, ) X(SGE, ) X(LT, ) X(LE, ) X(SLT, ) X(SLE, )
#undef X
	}
	abort();
}

static void source(const struct world *w, const struct insn *i, struct scalar *s)
{
	if (i->code & 8)
		*s = w->reg[i->src - FIRST_REG];
	else
		scalar_set_const(s, (uint64_t)(int64_t)i->imm);
}

static void step_alu(struct world *w, const struct insn *i)
{
	struct scalar *d = &w->reg[i->dst - FIRST_REG], s, zero, ones;
	uint64_t before[RUNS];
	uint8_t op = i->code & 0xf0;
	bool is32 = (i->code & 7) == 4;

	for (int r = 0; r < RUNS; r++) {
		uint64_t *x = &w->run[r][i->dst - FIRST_REG];
		uint64_t y = i->code & 8 ? w->run[r][(i->src - FIRST_REG) & 3] : (uint64_t)(int64_t)i->imm;

		before[r] = *x;
		*x = op == ALU_END   ? concrete_end(i, *x)
		     : op == ALU_MOV ? concrete_move(i, *x)
		                     : concrete_alu(i->code, *x, y);
	}
	if (op == ALU_END) {
		scalar_end(d, (i->code & 7) == 7 || i->code & 8, (unsigned)i->imm);
	} else if (op == ALU_NEG) {
		scalar_neg(d, is32);
	} else if (op == ALU_MOV) {
		if (i->off && is32)
			scalar_sext32(d, (unsigned)i->off / 8);
		else if (i->off)
			scalar_sext(d, (unsigned)i->off / 8);
		if (is32)
			scalar_zext(d);
		scalar_sync(d);
	} else {
		source(w, i, &s);
		if (scalar_forks(d, &s, op, &zero, &ones)) { /* the kernel follows this one first */
			*d = ones;
			for (int r = 0; r < RUNS; r++)
				w->alive[r] &= inside(d, before[r]);
		}
		scalar_alu(d, &s, op, is32);
	}
}

/* Into the fall-through; false: there is none. */
static bool step_jump(struct world *w, const struct insn *i)
{
	struct scalar *a = &w->reg[i->dst - FIRST_REG], b, *other = &b;
	enum cmp_op op = i->code & 0xf0;
	bool is32 = (i->code & 7) == 6;
	int certain;

	source(w, i, &b);
	certain = scalar_branch(a, &b, op, is32);
	for (int r = 0; r < RUNS; r++) {
		uint64_t y = i->code & 8 ? w->run[r][(i->src - FIRST_REG) & 3] : (uint64_t)(int64_t)i->imm;

		if (concrete_jump(i->code, w->run[r][i->dst - FIRST_REG], y))
			w->alive[r] = false;
	}
	if (certain >= 0)
		return !certain;
	if (i->code & 8)
		other = &w->reg[i->src - FIRST_REG];
	scalar_refine(a, other, op, is32, false);
	return true;
}

struct tally {
	unsigned compared, stopped, differ, unsound;
};

static void complain(const struct insn *i, int at, const char *ours, const char *theirs, struct tally *t)
{
	if (t->differ++ < 8)
		printf("# insn %d code %02x dst %u src %u off %d imm %#x\n#   ours   %s\n#   kernel %s\n", at,
		       i->code, i->dst, i->src, i->off, (unsigned)i->imm, ours, theirs);
}

static void follow(const struct insn *p, const char *log, struct tally *t)
{
	struct world w;

	for (int r = 0; r < 4; r++)
		scalar_set_unknown(&w.reg[r]);
	for (int r = 0; r < RUNS; r++) {
		w.alive[r] = true;
		for (int n = 0; n < 4; n++)
			w.run[r][n] = r & 1 ? (uint64_t)(int64_t)random_imm() : random64() >> below(64);
	}
	for (int at = PROLOGUE + 1; at < PROLOGUE + STEPS; at++) {
		const struct insn *i = &p[at];
		char ours[512], theirs[512];

		if ((i->code & 7) == 5 || (i->code & 7) == 6) {
			if (!step_jump(&w, i))
				return;
		} else {
			step_alu(&w, i);
		}
		for (int n = 0; n < 4; n++) {
			if (!scalar_sane(&w.reg[n])) {
				t->stopped++;
				return;
			}
			for (int r = 0; r < RUNS; r++)
				t->unsound += w.alive[r] && !inside(&w.reg[n], w.run[r][n]);
			if (!log || !printed(log, at, FIRST_REG + n, theirs, sizeof(theirs)))
				continue;
			describe(&w.reg[n], ours, sizeof(ours));
			t->compared++;
			if (strcmp(ours, theirs)) {
				complain(i, at, ours, theirs, t);
				return;
			}
		}
	}
}

int main(int argc, char **argv)
{
	static char log[1 << 20];
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 4000;
	struct tally t = {0};
	const char *why;
	bool kernel = kernel_here(&why);

	for (unsigned n = 0; n < rounds; n++) {
		struct insn p[LENGTH];
		bool loaded;

		generate(p);
		loaded = kernel && load_log(p, log, sizeof(log));
		if (kernel && !loaded) {
			printf("# not loaded: %.600s\n", log);
			t.differ++;
		}
		follow(p, loaded ? log : NULL, &t);
	}
	printf("# %u programs, %u states compared, %u ended in a contradiction\n", rounds, t.compared, t.stopped);
	tap(!t.unsound, "concrete runs stay inside the abstract state");
	if (kernel)
		tap(t.differ * 100000 <= t.compared && t.compared > rounds,
		    "the kernel prints the same states (but for ways that are not possible)");
	else
		tap_skip(why, "the kernel prints the same states");
	return tap_end();
}
