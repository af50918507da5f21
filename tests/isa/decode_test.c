/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of instructions against itself and against every opcode byte: decoding, reserved
 * fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "isa/insn.h"

/* An instruction of a row with everything that is not the key zero. */
static void make(enum op op, struct insn i[2])
{
	const struct insn_info *row = &insn_info[op];

	memset(i, 0, 2 * sizeof(*i));
	i->code = row->code;
	if (row->key == KEY_OFF)
		i->off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i->imm = (int32_t)row->value;
	if (row->key == KEY_SRC)
		i->src = row->value & 15;
}

static void each_row_decodes_to_itself(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		struct insn i[2];

		make(op, i);
		assert_string_equal(insn_info[insn_op(i)].name, insn_info[op].name);
		assert_true(insn_fields_ok(op, i));
	}
}

/* Decoding by searching the rows. */
static enum op search(const struct insn *i)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		const struct insn_info *row = &insn_info[op];
		uint32_t have[] = {
			[KEY_ANY] = row->value,
			[KEY_OFF] = (uint16_t)i->off,
			[KEY_IMM] = (uint32_t)i->imm,
			[KEY_SRC] = i->src,
		};

		if (row->code == i->code && have[row->key] == row->value)
			return op;
	}
	return OP_INVALID;
}

static void check(struct insn i)
{
	if (insn_op(&i) != search(&i))
		fail_msg("code %02x src %u off %d imm %#x", i.code, i.src, i.off, (unsigned)i.imm);
}

static void decoding_agrees_with_a_search(void **state)
{
	for (unsigned code = 0; code < 256; code++) {
		struct insn i = {.code = (uint8_t)code};

		for (unsigned src = 0; src < 16; src++)
			check((struct insn){.code = (uint8_t)code, .src = src & 15});
		for (i.off = -80; i.off < 80; i.off++)
			check(i);
		for (int bit = 0; bit < 16; bit++)
			check((struct insn){.code = (uint8_t)code, .off = (int16_t)(1 << bit)});
		i.off = 0;
		for (i.imm = -0x20; i.imm < 0x200; i.imm++)
			check(i);
		for (int bit = 0; bit < 32; bit++)
			check((struct insn){.code = (uint8_t)code, .imm = (int32_t)(1u << bit)});
	}
}

/* What the syntax names: a second opinion on the column `fields`. */
static bool names_field(enum op op, const char *letters)
{
	for (const char *s = insn_info[op].syntax; (s = strchr(s, '$')); s++) {
		if (strchr(letters, s[1]))
			return true;
	}
	return false;
}

static void used_fields_are_the_ones_in_the_syntax(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		unsigned f = insn_info[op].fields;
		const char *name = insn_info[op].name;

		if (!!(f & (INSN_RD | INSN_WD)) != names_field(op, "dwr"))
			fail_msg("%s: dst", name);
		if (!!(f & (INSN_RS | INSN_WS)) != names_field(op, "svtq"))
			fail_msg("%s: src", name);
		if (!!(f & INSN_OFF) != names_field(op, "ok"))
			fail_msg("%s: off", name);
		if (!!(f & INSN_IMM) !=
		    (names_field(op, "iLhkmaq") || (f & INSN_IMM && names_field(op, "l"))))
			fail_msg("%s: imm", name);
		if (!!(f & INSN_IMM2) != names_field(op, "2L"))
			fail_msg("%s: imm of the second slot", name);
		if (!!(f & INSN_JOFF) != names_field(op, "j") ||
		    !!(f & INSN_JIMM) != names_field(op, "J"))
			fail_msg("%s: jump", name);
	}
}

static void expect(enum op op, const struct insn *i, bool ok, const char *what)
{
	if (insn_fields_ok(op, i) != ok)
		fail_msg("%s: %s should be %s", insn_info[op].name, what,
		         ok ? "accepted" : "refused");
}

static void registers_are_checked(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		unsigned f = insn_info[op].fields;
		bool dst = f & (INSN_RD | INSN_WD), src = f & (INSN_RS | INSN_WS);
		struct insn i[2];

		for (unsigned r = 1; r < 16; r++) {
			make(op, i);
			i->dst = r & 15;
			expect(op, i, dst && r <= R10, "dst");
			make(op, i);
			i->src = r & 15;
			if (insn_info[op].key != KEY_SRC)
				expect(op, i, src && r <= R10, "src");
		}
	}
}

static void reserved_fields_are_checked(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		const struct insn_info *row = &insn_info[op];
		struct insn i[2];

		for (unsigned bit = 0; bit < 16 && row->key != KEY_OFF; bit++) {
			make(op, i);
			i->off = (int16_t)(1 << bit);
			expect(op, i, row->fields & (INSN_OFF | INSN_JOFF), "off");
		}
		for (unsigned bit = 0; bit < 32 && row->key != KEY_IMM; bit++) {
			make(op, i);
			i->imm = (int32_t)(1u << bit);
			expect(op, i, row->fields & (INSN_IMM | INSN_JIMM), "imm");
		}
	}
}

static void second_slots_are_checked(void **state)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		bool wide = insn_info[op].fields & INSN_WIDE;

		for (unsigned bit = 0; bit < 64; bit++) {
			struct insn i[2];
			uint64_t slot = UINT64_C(1) << bit;
			bool imm;

			make(op, i);
			memcpy(&i[1], &slot, sizeof(slot));
			imm = i[1].imm != 0;
			expect(op, i, !wide || (imm && insn_info[op].fields & INSN_IMM2),
			       "second slot");
		}
	}
}

static void sizes_and_targets(void **state)
{
	assert_int_equal(insn_size(&(struct insn){.code = insn_info[OP_LDX_B].code}), 1);
	assert_int_equal(insn_size(&(struct insn){.code = insn_info[OP_STX_H].code}), 2);
	assert_int_equal(insn_size(&(struct insn){.code = insn_info[OP_ST_W].code}), 4);
	assert_int_equal(insn_size(&(struct insn){.code = insn_info[OP_LDSX_W].code}), 4);
	assert_int_equal(insn_size(&(struct insn){.code = insn_info[OP_FETCH_ADD64].code}), 8);
	assert_int_equal(insn_slots(OP_LDDW_FUNC), 2);
	assert_int_equal(insn_slots(OP_EXIT), 1);
	assert_int_equal(insn_target(OP_JA, &(struct insn){.off = -3, .imm = 99}, 10), 8);
	assert_int_equal(insn_target(OP_JAL, &(struct insn){.off = 99, .imm = -70000}, 80000),
	                 10001);
	assert_true(insn_imm64((struct insn[]){{.imm = -1}, {.imm = 5}}) == 0x5ffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_decodes_to_itself),
		cmocka_unit_test(decoding_agrees_with_a_search),
		cmocka_unit_test(used_fields_are_the_ones_in_the_syntax),
		cmocka_unit_test(registers_are_checked),
		cmocka_unit_test(reserved_fields_are_checked),
		cmocka_unit_test(second_slots_are_checked),
		cmocka_unit_test(sizes_and_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
