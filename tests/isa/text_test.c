/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembler and disassembler against each other: asm(disasm(p)) == p for every operation with every
 * register and edge value, for random programs and for random bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "isa/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct program {
	struct insn *insns;
	size_t n, cap;
};

static void add(struct program *p, const struct insn *i, unsigned slots)
{
	if (p->n + slots > p->cap) {
		p->cap = p->cap ? 2 * p->cap : 1024;
		p->insns = realloc(p->insns, p->cap * sizeof(*p->insns));
		assert_non_null(p->insns);
	}
	memcpy(p->insns + p->n, i, slots * sizeof(*i));
	p->n += slots;
}

static void print(const struct program *p, struct buf *text)
{
	for (size_t pc = 0; pc < p->n;) {
		pc += disasm_insn(text, p->insns, pc, p->n, NULL);
		buf_puts(text, "\n");
	}
	assert_false(text->failed);
}

/* Disassembles, assembles, compares, and frees the program. */
static void round_trip(struct program *p)
{
	struct buf text = {0};
	struct asm_error e;
	struct insn *back;
	size_t n;

	print(p, &text);
	if (asm_program(text.data, text.len, NULL, &back, &n, &e))
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	assert_int_equal(n, p->n);
	for (size_t i = 0; i < n; i++) {
		struct buf line = {0};

		if (!memcmp(&back[i], &p->insns[i], sizeof(*back)))
			continue;
		disasm_insn(&line, p->insns, i, n, NULL);
		fail_msg("slot %zu differs: %s", i, line.data);
	}
	free(back);
	free(p->insns);
	buf_free(&text);
}

static struct insn row_insn(enum op op)
{
	const struct insn_info *row = &insn_info[op];
	struct insn i = {.code = row->code};

	if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	return i;
}

static const int16_t edge_offs[] = {0, 1, -1, 8, -8, 255, INT16_MAX, INT16_MIN};
static const int32_t edge_imms[] = {0, 1, -1, 7, -512, 0xffff, 0x10000, INT32_MAX, INT32_MIN};

/* Every operation with all registers and edge values that its fields may have. */
static void every_operation_round_trips(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		const struct insn_info *row = &insn_info[op];
		unsigned f = row->fields;
		unsigned ndst = f & (INSN_RD | INSN_WD) ? NREGS : 1;
		unsigned nsrc = f & (INSN_RS | INSN_WS) ? NREGS : 1;
		unsigned noff = f & (INSN_OFF | INSN_JOFF) ? COUNT(edge_offs) : 1;
		unsigned nimm = f & (INSN_IMM | INSN_JIMM) ? COUNT(edge_imms) : 1;
		unsigned nimm2 = f & INSN_IMM2 ? COUNT(edge_imms) : 1;
		struct program p = {0};

		for (unsigned n = 0; n < ndst * nsrc * noff * nimm * nimm2; n++) {
			struct insn i[2] = {row_insn(op)};
			unsigned rest = n;

			i->dst = rest % ndst & 15;
			rest /= ndst;
			if (nsrc > 1)
				i->src = rest % nsrc & 15;
			rest /= nsrc;
			if (noff > 1)
				i->off = edge_offs[rest % noff];
			rest /= noff;
			if (nimm > 1)
				i->imm = edge_imms[rest % nimm];
			rest /= nimm;
			if (nimm2 > 1)
				i[1].imm = edge_imms[rest];
			assert_true(insn_fields_ok(op, i));
			add(&p, i, insn_slots(op));
		}
		round_trip(&p);
	}
}

/* No valid instruction may be printed as bytes. */
static void valid_instructions_are_never_raw(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		struct insn i[2] = {row_insn(op)};
		struct buf text = {0};

		assert_int_equal(disasm_insn(&text, i, 0, insn_slots(op), NULL), insn_slots(op));
		assert_null(strstr(text.data, ".insn"));
		assert_null(strchr(text.data, '$'));
		buf_free(&text);
	}
}

static uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void random_bytes_round_trip(void **state)
{
	uint64_t seed = 1;
	struct program p = {0};

	for (unsigned n = 0; n < 100000; n++) {
		uint64_t bytes = random_next(&seed);
		struct insn i;

		memcpy(&i, &bytes, sizeof(i));
		add(&p, &i, 1);
	}
	round_trip(&p);
}

/* Nearly valid: a random operation with one field of random bits. */
static void damaged_instructions_round_trip(void **state)
{
	uint64_t seed = 2;
	struct program p = {0};

	for (unsigned n = 0; n < 100000; n++) {
		struct insn i[2] = {row_insn(random_next(&seed) % OP_COUNT)};

		switch (random_next(&seed) % 5) {
		case 0:
			i->dst = random_next(&seed) & 15;
			break;
		case 1:
			i->src = random_next(&seed) & 15;
			break;
		case 2:
			i->off = (int16_t)random_next(&seed);
			break;
		case 3:
			i->imm = (int32_t)random_next(&seed);
			break;
		case 4:
			i[1].imm = (int32_t)random_next(&seed);
			break;
		}
		add(&p, i, 1 + random_next(&seed) % 2);
	}
	round_trip(&p);
}

static void half_a_wide_instruction_at_the_end(void **state)
{
	struct insn i[2] = {row_insn(OP_LDDW)};
	struct program p = {0};
	struct buf text = {0};

	assert_int_equal(disasm_insn(&text, i, 0, 1, NULL), 1);
	assert_string_equal(text.data, ".insn 0x1800000000000000");
	buf_free(&text);
	add(&p, i, 1);
	round_trip(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_round_trips),
		cmocka_unit_test(valid_instructions_are_never_raw),
		cmocka_unit_test(random_bytes_round_trip),
		cmocka_unit_test(damaged_instructions_round_trip),
		cmocka_unit_test(half_a_wide_instruction_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
