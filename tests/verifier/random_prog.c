/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See random_prog.h.
 *
 * Two things never occur, because 6.18's verifier dies of them when they are met thousands of times on one
 * way: arithmetic right shifts by 31 or 63, and negation, in front of a mask by a constant.
 */
#include "random_prog.h"

#include <stdbool.h>

#include "base/buf.h"

struct gen {
	uint64_t state;
	struct buf *out;
	unsigned label; /* the next one's number */
};

uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 20) % n;
}

static uint32_t below(struct gen *g, uint32_t n)
{
	return random_below(&g->state, n);
}

#define PICK(g, ...)                                                                               \
	((const int[]){__VA_ARGS__}[below(g, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))])
#define WORD(g, ...)                                                                               \
	((const char *const[]){__VA_ARGS__}[below(g, sizeof((const char *const[]){__VA_ARGS__}) /  \
	                                                     sizeof(char *))])

static int edge(struct gen *g)
{
	return PICK(g, 0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 48, 55, 56, 57, 60, 63, 64, 65, 127, 128, 255, 256,
	            -1, -2, -8, -64, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -0x7fffffff - 1, 0x1000);
}

/* A register that holds a number. */
static int number(struct gen *g)
{
	return PICK(g, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void arithmetic(struct gen *g)
{
	const char *op = WORD(g, "+=", "-=", "*=", "&=", "|=", "^=", "&=", "+=", "&=", "/=", "%=", "s/=", "s%=");
	char width = below(g, 3) ? 'r' : 'w';
	int d = number(g), imm = edge(g);

	if (below(g, 3) == 0)
		buf_printf(g->out, "\t%c%d %s %c%d\n", width, d, op, width, number(g));
	else
		buf_printf(g->out, "\t%c%d %s %d\n", width, d, op,
		           imm || (op[0] != '/' && op[0] != '%' && op[0] != 's') ? imm : 3);
}

static void shift(struct gen *g)
{
	const char *op = WORD(g, "<<=", ">>=", "s>>=");
	bool wide = below(g, 3);
	int by = wide ? PICK(g, 1, 3, 8, 16, 31, 32, 33, 48, 56, 58, 60, 62) : PICK(g, 1, 3, 8, 16, 24, 26, 30);

	if (op[0] == 's' && by == 31)
		by = 30;
	buf_printf(g->out, "\t%c%d %s %d\n", wide ? 'r' : 'w', number(g), op, by);
}

static void move(struct gen *g)
{
	switch (below(g, 6)) {
	case 0:
		buf_printf(g->out, "\tr%d = %d\n", number(g), edge(g));
		break;
	case 1:
		buf_printf(g->out, "\tw%d = w%d\n", number(g), number(g));
		break;
	case 2:
		buf_printf(g->out, "\tr%d = (%s)r%d\n", number(g), WORD(g, "s8", "s16", "s32"), number(g));
		break;
	case 3:
		buf_printf(g->out, "\tr%d = 0x%x%08x ll\n", number(g), PICK(g, 0, 1, 0x7fffffff, 0xff),
		           (unsigned)edge(g));
		break;
	default:
		buf_printf(g->out, "\tr%d = r%d\n", number(g), number(g));
	}
}

static void swap(struct gen *g)
{
	int r = number(g);

	buf_printf(g->out, "\tr%d = %s r%d\n", r, WORD(g, "be16", "be32", "le16", "le32", "bswap16", "bswap64"),
	           r);
}

static const char *condition(struct gen *g)
{
	return WORD(g, "==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&");
}

static void leave_if(struct gen *g)
{
	char width = below(g, 3) ? 'r' : 'w';

	if (below(g, 4) == 0)
		buf_printf(g->out, "\tif %c%d %s %c%d goto out\n", width, number(g), condition(g), width,
		           number(g));
	else
		buf_printf(g->out, "\tif %c%d %s %d goto out\n", width, number(g), condition(g), edge(g));
}

static void spill(struct gen *g)
{
	int slot = PICK(g, -8, -16), r = number(g);

	if (below(g, 3))
		buf_printf(g->out, "\t*(u64 *)(r10 %d) = r%d\n\tr%d = *(u64 *)(r10 %d)\n", slot, r, number(g),
		           slot);
	else
		buf_printf(g->out, "\t*(u64 *)(r10 %d) = r%d\n\tr%d = *(%s *)(r10 %d)\n", slot, r, number(g),
		           WORD(g, "u32", "u16", "u8", "s32", "s8"), slot);
}

static void step(struct gen *g)
{
	switch (below(g, 12)) {
	case 0:
	case 1:
	case 2:
		return arithmetic(g);
	case 3:
	case 4:
		return shift(g);
	case 5:
	case 6:
		return move(g);
	case 7:
		return below(g, 3) ? move(g) : swap(g);
	case 8:
		return spill(g);
	default:
		return leave_if(g);
	}
}

static void steps(struct gen *g, unsigned most)
{
	for (unsigned n = below(g, most) + 1; n; n--)
		step(g);
}

/* r2-r9: numbers, some unknown. r0: the value of m. */
static void numbers(struct gen *g)
{
	buf_puts(g->out, "\tr0 = map[m][0]\n");
	for (int r = 2; r <= 9; r++)
		buf_printf(g->out, "\tr%d = *(%s *)(r0 + %d)\n", r,
		           WORD(g, "u64", "u64", "u32", "u16", "u8", "s8", "s16", "s32"), 8 * (r - 2));
}

/* Makes a number nearly fit. */
static void bound(struct gen *g, int r)
{
	int limit = PICK(g, 7, 31, 55, 56, 57, 60, 63, 64, 127);

	switch (below(g, 5)) {
	case 0:
		buf_printf(g->out, "\tr%d &= %d\n", r, limit);
		break;
	case 1:
		buf_printf(g->out, "\tif r%d > %d goto out\n", r, limit);
		break;
	case 2:
		buf_printf(g->out, "\tif r%d s> %d goto out\n\tif r%d s< %d goto out\n", r, limit, r,
		           PICK(g, 0, -1, 1));
		break;
	case 3:
		buf_printf(g->out, "\tw%d &= %d\n", r, limit);
		break;
	default:
		buf_printf(g->out, "\tif w%d >= %d goto out\n", r, limit);
	}
	if (below(g, 4) == 0)
		step(g);
}

static void access_by(struct gen *g, const char *base, int r)
{
	const char *size = WORD(g, "u8", "u8", "u16", "u32", "u64");
	int off = PICK(g, 0, 0, 0, 1, 4, 7, 8, -1, -8, 56);

	buf_printf(g->out, "\t%s += r%d\n", base, r);
	if (below(g, 2))
		buf_printf(g->out, "\tr2 = *(%s *)(%s + %d)\n", size, base, off);
	else
		buf_printf(g->out, "\t*(%s *)(%s + %d) = 1\n", size, base, off);
}

static void values(struct gen *g)
{
	int r = number(g);

	numbers(g);
	steps(g, 8);
	bound(g, r);
	steps(g, 3);
	buf_puts(g->out, "\tr1 = map[m][0]\n");
	if (below(g, 3) == 0)
		buf_printf(g->out, "\tr1 += %d\n", PICK(g, 1, 8, 32, 63, 64, -1));
	access_by(g, "r1", below(g, 5) ? r : number(g));
}

static void stack(struct gen *g)
{
	int r = number(g);

	numbers(g);
	for (unsigned n = below(g, 4); n; n--)
		buf_printf(g->out, "\t*(%s *)(r10 %d) = %d\n", WORD(g, "u8", "u16", "u32", "u64"),
		           PICK(g, -8, -16, -24, -32), edge(g));
	steps(g, 4);
	bound(g, r);
	buf_printf(g->out, "\tr1 = r10\n\tr1 += %d\n", PICK(g, -8, -16, -32, -64, -128, -512));
	access_by(g, "r1", r);
	buf_printf(g->out, "\tr%d = *(u64 *)(r10 %d)\n", number(g), PICK(g, -8, -16, -24));
	steps(g, 3);
}

static void packet(struct gen *g)
{
	unsigned checks = below(g, 3) + 1;

	buf_puts(g->out, "\tr2 = *(u32 *)(r1 + 0)\n\tr3 = *(u32 *)(r1 + 4)\n\tr6 = r1\n");
	for (; checks; checks--) {
		int size = PICK(g, 1, 4, 8, 14);

		buf_printf(g->out, "\tr4 = r2\n\tr4 += %d\n", size);
		buf_printf(g->out, "\tif %s goto out\n",
		           WORD(g, "r4 > r3", "r4 > r3", "r4 > r3", "r3 < r4", "r4 >= r3", "r4 == r3", "r3 > r4"));
		buf_printf(g->out, "\tr5 = *(%s *)(r2 + %d)\n", WORD(g, "u8", "u16", "u32", "u64"),
		           PICK(g, 0, 0, 1, 4, 7, 13, -1));
		switch (below(g, 4)) {
		case 0:
			buf_printf(g->out, "\tr5 &= %d\n\tr2 += r5\n", PICK(g, 1, 15, 255, 0xffff));
			break;
		case 1:
			buf_printf(g->out, "\tr2 += %d\n", size);
			break;
		case 2:
			buf_puts(g->out, "\tcall bpf_ktime_get_ns\n\tr2 = *(u32 *)(r6 + 0)\n"
			                 "\tr3 = *(u32 *)(r6 + 4)\n");
			break;
		}
	}
}

static void lookups(struct gen *g)
{
	unsigned l = g->label++;

	numbers(g);
	buf_puts(g->out, "\t*(u64 *)(r10 - 8) = r7\n\tr1 = map[h]\n\tr2 = r10\n");
	buf_printf(g->out, "\tr2 += %d\n\tcall bpf_map_lookup_elem\n", PICK(g, -8, -8, -8, -8, -4, -16));
	if (below(g, 5))
		buf_printf(g->out, "\tif %s goto out\n",
		           WORD(g, "r0 == 0", "r0 == 0", "r0 == 0", "r0 != 0", "w0 == 0", "r0 == 1"));
	buf_printf(g->out, "\tr1 = *(%s *)(r0 + %d)\n", WORD(g, "u8", "u32", "u64"), PICK(g, 0, 8, 16, 20, 24));
	if (below(g, 2)) {
		buf_printf(g->out, "\tr6 = 0\nloop%u:\tr6 += %d\n", l, PICK(g, 1, 2, 3));
		buf_printf(g->out, "\tif r6 %s %d goto loop%u\n", WORD(g, "<", "s<", "<=", "!="),
		           PICK(g, 3, 6, 12), l);
	}
	if (below(g, 2))
		buf_puts(g->out, "\tr1 = r8\n\tcall f\n\tr6 = r0\n");
	else
		return;
	buf_puts(g->out, "out:\tr0 = 0\n\texit\nf:\tr0 = r1\n");
	if (below(g, 2))
		buf_printf(g->out, "\tr0 &= %d\n", edge(g));
	if (below(g, 6) == 0)
		buf_printf(g->out, "\tr0 += r%d\n", PICK(g, 1, 2, 6));
	buf_puts(g->out, "\texit\n");
}

static void scalars(struct gen *g)
{
	numbers(g);
	steps(g, 30);
	steps(g, 10);
}

void random_program(uint64_t seed, enum random_kind kind, struct buf *out)
{
	static void (*const kinds[RANDOM_KINDS])(struct gen *) = {scalars, values, stack, packet, lookups};
	struct gen g = {.state = seed * 0x9e3779b97f4a7c15u + 0x1234567, .out = out};
	size_t before;

	for (int i = 0; i < 8; i++)
		below(&g, 2);
	buf_printf(out, "test random\ntype %s\nmap m array 4 64 1\nmap h hash 8 24 4\n",
	           kind == RANDOM_PACKET ? "xdp" : "socket_filter");
	before = out->len;
	kinds[kind](&g);
	/* lookups() may have ended the program already, with a function behind it. */
	if (kind != RANDOM_LOOKUPS || out->data[out->len - 2] != 't' || out->len == before)
		buf_puts(out, "\tr1 = 0\nout:\tr0 = 0\n\texit\n");
	buf_puts(out, "accept\n");
}
