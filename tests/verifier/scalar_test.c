/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers and scalars against sets of concrete numbers.
 *
 * Exhaustively at small widths: every pair of tnums of a few trits under every operation; every pair of
 * short ranges around the values at which a numbering wraps, under every operation and condition. What
 * the operation makes of any member must be a member of the result; bitwise operations, addition and
 * subtraction of tnums must be the best there is.
 */
#include <string.h>

#include "isa/alu.h"
#include "tap.h"
#include "verifier/scalar.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TRITS = 4, NTNUMS = 81 };

static struct tnum nth_tnum(unsigned n, unsigned shift)
{
	struct tnum t = {0, 0};

	for (unsigned bit = 0; bit < TRITS; bit++, n /= 3) {
		if (n % 3 == 1)
			t.value |= (uint64_t)1 << bit;
		if (n % 3 == 2)
			t.mask |= (uint64_t)1 << bit;
	}
	return tnum_lsh(t, shift);
}

static bool holds(struct tnum t, uint64_t x)
{
	return (x & ~t.mask) == t.value;
}

/* The members of t one after the other: next_member(t, x) == 0 offset ends. */
static uint64_t next_part(struct tnum t, uint64_t part)
{
	return (part - t.mask) & t.mask;
}

struct tnum_op {
	const char *name;
	struct tnum (*abstract)(struct tnum a, struct tnum b);
	uint64_t (*concrete)(uint64_t a, uint64_t b);
	bool best; /* is no smaller tnum right? */
};

static const struct tnum_op tnum_ops[] = {
	{"add", tnum_add, alu64_ADD, true}, {"sub", tnum_sub, alu64_SUB, true},
	{"mul", tnum_mul, alu64_MUL, false}, {"and", tnum_and, alu64_AND, true},
	{"or", tnum_or, alu64_OR, true},    {"xor", tnum_xor, alu64_XOR, true},
};

/* Every result is a member; seen collects the bits that differ among results. */
static bool tnum_op_right(const struct tnum_op *op, struct tnum a, struct tnum b)
{
	struct tnum r = op->abstract(a, b);
	uint64_t first = op->concrete(a.value, b.value), differ = 0, x = 0;

	do {
		uint64_t y = 0;

		do {
			uint64_t z = op->concrete(a.value | x, b.value | y);

			if (!holds(r, z) || r.value & r.mask)
				return false;
			differ |= first ^ z;
			y = next_part(b, y);
		} while (y);
		x = next_part(a, x);
	} while (x);
	return !op->best || differ == r.mask;
}

static void test_tnum_binary(void)
{
	static const unsigned shifts[] = {0, 30, 60};

	for (unsigned o = 0; o < COUNT(tnum_ops); o++) {
		bool ok = true;

		for (unsigned s = 0; s < COUNT(shifts); s++)
			for (unsigned i = 0; i < NTNUMS; i++)
				for (unsigned j = 0; j < NTNUMS; j++)
					ok &= tnum_op_right(&tnum_ops[o], nth_tnum(i, shifts[s]),
					                    nth_tnum(j, shifts[s]));
		tap(ok, "tnum %s: all pairs of %u trits", tnum_ops[o].name, TRITS);
	}
}

static void test_tnum_sets(void)
{
	bool intersect = true, unite = true, in = true, overlap = true;

	for (unsigned i = 0; i < NTNUMS; i++)
		for (unsigned j = 0; j < NTNUMS; j++) {
			struct tnum a = nth_tnum(i, 0), b = nth_tnum(j, 0);
			unsigned common = 0, only_b = 0;

			for (uint64_t x = 0; x < 1 << TRITS; x++) {
				bool of_a = holds(a, x), of_b = holds(b, x);

				common += of_a && of_b;
				only_b += of_b && !of_a;
				unite &= !(of_a || of_b) || holds(tnum_union(a, b), x);
			}
			overlap &= tnum_overlap(a, b) == (common > 0);
			in &= tnum_in(a, b) == !only_b;
			for (uint64_t x = 0; common && x < 1 << TRITS; x++)
				intersect &= holds(tnum_intersect(a, b), x) ==
				             (holds(a, x) && holds(b, x));
		}
	tap(intersect, "tnum intersection");
	tap(unite, "tnum union");
	tap(in, "tnum inclusion");
	tap(overlap, "tnum overlap");
}

static void test_tnum_unary(void)
{
	bool arsh = true, rsh = true, range = true, swap = true, neg = true;

	for (unsigned i = 0; i < NTNUMS; i++)
		for (unsigned at = 0; at <= 60; at += 4) {
			struct tnum a = nth_tnum(i, at);
			uint64_t part = 0;

			do {
				uint64_t x = a.value | part;

				for (unsigned k = 0; k < 64; k += 7) {
					arsh &= holds(tnum_arsh(a, k, 64), (uint64_t)((int64_t)x >> k));
					rsh &= holds(tnum_rsh(a, k), x >> k);
				}
				for (unsigned k = 0; k < 32; k += 5)
					arsh &= holds(tnum_arsh(a, k, 32), (uint32_t)((int32_t)x >> k));
				swap &= holds(tnum_bswap(a, 8), alu_BSWAP64(x)) &&
				        holds(tnum_bswap(a, 4), alu_BSWAP32(x)) &&
				        holds(tnum_bswap(a, 2), alu_BSWAP16(x));
				neg &= holds(tnum_neg(a), 0 - x);
				part = next_part(a, part);
			} while (part);
		}
	for (uint64_t base = 0; base < 2; base++)
		for (uint64_t min = 0; min < 40; min++)
			for (uint64_t max = min; max < 40; max++)
				for (uint64_t x = min; x <= max; x++)
					range &= holds(tnum_range((base << 60) + min, (base << 60) + max),
					               (base << 60) + x);
	tap(arsh, "tnum arithmetic shift");
	tap(rsh, "tnum shift");
	tap(range, "tnum of a range");
	tap(swap, "tnum byte swap");
	tap(neg, "tnum negation");
	tap(tnum_is_unknown(tnum_range(1, 0)) && tnum_is_unknown(tnum_range(0, UINT64_MAX)),
	    "tnum of everything");
}

static bool scalar_holds(const struct scalar *s, uint64_t x)
{
	int32_t low = (int32_t)x;

	return holds(s->var, x) && s->umin <= x && x <= s->umax && s->smin <= (int64_t)x &&
	       (int64_t)x <= s->smax && s->umin32 <= (uint32_t)x && (uint32_t)x <= s->umax32 &&
	       s->smin32 <= low && low <= s->smax32;
}

/* Where a numbering begins anew, or nearly. Ranges start within WINDOW of these and are as short. */
static const uint64_t bases[] = {
	0, 0x7ffffffe, 0xfffffffe, 0x7ffffffffffffffe, 0x8000000080000000 - 2, UINT64_MAX - 3, 0x17e,
};
enum { WINDOW = 4, NRANGES = sizeof(bases) / sizeof(bases[0]) * WINDOW * WINDOW };

struct span {
	struct scalar s;
	uint64_t min, n;
};

/* n values from min on, upwards and round: by its ranges where it does not wrap, else by its bits. */
static struct span nth_span(unsigned i)
{
	struct span p = {.min = bases[i / (WINDOW * WINDOW)] + i / WINDOW % WINDOW, .n = i % WINDOW + 1};
	uint64_t max = p.min + p.n - 1;

	if (p.min <= max) {
		scalar_set_range(&p.s, p.min, max);
	} else {
		scalar_set_unknown(&p.s);
		p.s.smin = (int64_t)p.min;
		p.s.smax = (int64_t)max;
		scalar_sync(&p.s);
	}
	return p;
}

struct scalar_op {
	const char *name;
	enum alu_op op;
	uint64_t (*wide)(uint64_t a, uint64_t b);
	uint32_t (*half)(uint32_t a, uint32_t b);
};

static const struct scalar_op scalar_ops[] = {
	{"add", ALU_ADD, alu64_ADD, alu32_ADD}, {"sub", ALU_SUB, alu64_SUB, alu32_SUB},
	{"mul", ALU_MUL, alu64_MUL, alu32_MUL}, {"div", ALU_DIV, alu64_DIV, alu32_DIV},
	{"or", ALU_OR, alu64_OR, alu32_OR},     {"and", ALU_AND, alu64_AND, alu32_AND},
	{"lsh", ALU_LSH, alu64_LSH, alu32_LSH}, {"rsh", ALU_RSH, alu64_RSH, alu32_RSH},
	{"mod", ALU_MOD, alu64_MOD, alu32_MOD}, {"xor", ALU_XOR, alu64_XOR, alu32_XOR},
	{"arsh", ALU_ARSH, alu64_ARSH, alu32_ARSH},
};

static bool scalar_op_right(const struct scalar_op *op, const struct span *a, const struct span *b,
                            bool is32)
{
	struct scalar r = a->s;

	scalar_alu(&r, &b->s, op->op, is32);
	if (!scalar_sane(&r))
		return false;
	for (uint64_t i = 0; i < a->n; i++)
		for (uint64_t j = 0; j < b->n; j++) {
			uint64_t x = a->min + i, y = b->min + j;
			uint64_t z = is32 ? op->half((uint32_t)x, (uint32_t)y) : op->wide(x, y);

			if (!scalar_holds(&r, z))
				return false;
		}
	return true;
}

static void test_scalar_alu(void)
{
	static struct span spans[NRANGES];

	for (unsigned i = 0; i < NRANGES; i++)
		spans[i] = nth_span(i);
	for (unsigned o = 0; o < COUNT(scalar_ops); o++) {
		bool ok = true;

		for (unsigned i = 0; i < NRANGES; i++)
			for (unsigned j = 0; j < NRANGES; j++)
				ok &= scalar_op_right(&scalar_ops[o], &spans[i], &spans[j], false) &&
				      scalar_op_right(&scalar_ops[o], &spans[i], &spans[j], true);
		tap(ok, "scalar %s: all pairs of ranges around the edges", scalar_ops[o].name);
	}
}

static void test_scalar_unary(void)
{
	bool zext = true, sext = true, cut = true, neg = true, sane = true;

	for (unsigned i = 0; i < NRANGES; i++) {
		struct span p = nth_span(i);
		struct scalar z = p.s, n64 = p.s, n32 = p.s;

		scalar_zext(&z);
		scalar_sync(&z);
		scalar_neg(&n64, false);
		scalar_neg(&n32, true);
		sane &= scalar_sane(&p.s) && scalar_sane(&z) && scalar_sane(&n64) && scalar_sane(&n32);
		for (uint64_t j = 0; j < p.n; j++) {
			uint64_t x = p.min + j;

			zext &= scalar_holds(&p.s, x) && scalar_holds(&z, (uint32_t)x);
			neg &= scalar_holds(&n64, 0 - x) && scalar_holds(&n32, (uint32_t)(0 - x));
			for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
				struct scalar t = p.s, e = p.s, h = p.s;
				unsigned drop = 64 - 8 * bytes;
				int64_t v = (int64_t)(x << drop) >> drop;

				scalar_truncate(&t, bytes);
				scalar_sext(&e, bytes);
				cut &= scalar_holds(&t, x << drop >> drop);
				sext &= scalar_holds(&e, (uint64_t)v);
				if (bytes == 4)
					continue;
				scalar_sext32(&h, bytes);
				scalar_zext(&h);
				sext &= scalar_holds(&h, (uint32_t)v);
			}
		}
	}
	tap(zext, "scalar zero extension");
	tap(sext, "scalar sign extension");
	tap(cut, "scalar truncation");
	tap(neg, "scalar negation");
	tap(sane, "scalars of possible values are sane");
}

struct scalar_cmp {
	const char *name;
	enum cmp_op op;
	bool (*wide)(uint64_t a, uint64_t b);
	bool (*half)(uint32_t a, uint32_t b);
};

static const struct scalar_cmp cmps[] = {
#define CMP(name) {#name, CMP_##name, cmp64_J##name, cmp32_J##name}
	CMP(EQ), CMP(GT), CMP(GE), CMP(SET), CMP(NE), CMP(SGT),
	CMP(SGE), CMP(LT), CMP(LE), CMP(SLT), CMP(SLE),
};

static bool cmp_right(const struct scalar_cmp *c, const struct span *a, const struct span *b, bool is32)
{
	int certain = scalar_branch(&a->s, &b->s, c->op, is32);
	struct scalar x[2] = {a->s, a->s}, y[2] = {b->s, b->s};

	for (int taken = 0; taken < 2; taken++)
		scalar_refine(&x[taken], &y[taken], c->op, is32, taken);
	for (uint64_t i = 0; i < a->n; i++)
		for (uint64_t j = 0; j < b->n; j++) {
			uint64_t u = a->min + i, w = b->min + j;
			bool taken = is32 ? c->half((uint32_t)u, (uint32_t)w) : c->wide(u, w);

			if (certain >= 0 && certain != taken)
				return false;
			if (!scalar_holds(&x[taken], u) || !scalar_holds(&y[taken], w))
				return false;
		}
	return true;
}

static void test_scalar_cmp(void)
{
	static struct span spans[NRANGES];

	for (unsigned i = 0; i < NRANGES; i++)
		spans[i] = nth_span(i);
	for (unsigned c = 0; c < COUNT(cmps); c++) {
		bool ok = true;

		for (unsigned i = 0; i < NRANGES; i++)
			for (unsigned j = 0; j < NRANGES; j++)
				ok &= cmp_right(&cmps[c], &spans[i], &spans[j], false) &&
				      cmp_right(&cmps[c], &spans[i], &spans[j], true);
		tap(ok, "scalar %s: certain only when it is, and neither side loses a value", cmps[c].name);
	}
}

static void test_scalar_faults(void)
{
	struct scalar s;

	scalar_set_range(&s, 3, 9);
	tap(scalar_sane(&s), "a range is sane");
	s.umin = 10;
	tap(!scalar_sane(&s), "an empty range is not");
	scalar_set_const(&s, 7);
	s.smax++;
	tap(!scalar_sane(&s), "nor a constant with a range");
	scalar_set_const(&s, 7);
	s.var.mask = ~(uint64_t)0 << 32;
	s.umax = UINT64_MAX;
	s.umax32++;
	tap(!scalar_sane(&s), "nor a constant half with a range");
}

int main(void)
{
	test_tnum_binary();
	test_tnum_sets();
	test_tnum_unary();
	test_scalar_alu();
	test_scalar_unary();
	test_scalar_cmp();
	test_scalar_faults();
	return tap_end();
}
