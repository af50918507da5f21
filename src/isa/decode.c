/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From bytes to operations, by table.
 *
 * key_of[code] names the field that selects among the operations of one opcode (atomics by imm,
 * signed division by off, calls by src, most by none); op_of[code][SLOT(field)] is the candidate, and
 * one comparison with its row tells whether the field really holds that value. SLOT is a perfect hash
 * for each opcode's values: the compiler refuses a row that would meet another in the same slot.
 * Both tables are filled from insn.def by the compiler, so decoding has no state.
 *
 * Provides: insn_info[], insn_op(), insn_fields_ok(). Requires: insn.def.
 */
#include "isa/insn.h"

/* The short names that insn.def writes its columns in. */
enum {
	RD = INSN_RD,
	WD = INSN_WD,
	RS = INSN_RS,
	WS = INSN_WS,
	U0 = INSN_U0,
	W0 = INSN_W0,
	U6 = INSN_U6,
	OFF = INSN_OFF,
	IMM = INSN_IMM,
	IMM2 = INSN_IMM2,
	WIDE = INSN_WIDE,
	JOFF = INSN_JOFF,
	JIMM = INSN_JIMM,
	LOAD = INSN_LOAD,
	STORE = INSN_STORE,
	CALLS = INSN_CALLS,
	END = INSN_END,
};

const struct insn_info insn_info[OP_COUNT] = {
#define INSN(op, opcode, k, v, f, c, g, text)                                                      \
	[OP_##op] = {                                                                              \
		.name = #op,                                                                       \
		.syntax = text,                                                                    \
		.value = v,                                                                        \
		.fields = f,                                                                       \
		.code = opcode,                                                                    \
		.key = KEY_##k,                                                                    \
		.cpu = c,                                                                          \
		.group = GROUP_##g,                                                                \
	},
#include "isa/insn.def"
#undef INSN
};

/* A multiplier and shift found by search; a new row that collides needs a new pair. */
#define SLOT(value) (((value) * 559u >> 7) & 15)

static const uint8_t op_of[256][16] = {
#define INSN(op, code, k, v, ...) [code][SLOT(v)] = OP_##op,
#include "isa/insn.def"
#undef INSN
};

/* Rows of one opcode have the same key: only here may an initialiser stand twice. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint8_t key_of[256] = {
#define INSN(op, code, k, ...) [code] = KEY_##k,
#include "isa/insn.def"
#undef INSN
};
#pragma GCC diagnostic pop

static_assert(OP_COUNT < 256, "operations are stored in a byte");

static uint32_t key_value(const struct insn *i)
{
	switch (key_of[i->code]) {
	case KEY_OFF:
		return (uint16_t)i->off;
	case KEY_IMM:
		return (uint32_t)i->imm;
	case KEY_SRC:
		return i->src;
	default:
		return 0;
	}
}

enum op insn_op(const struct insn *i)
{
	uint32_t value = key_value(i);
	enum op op = op_of[i->code][SLOT(value)];
	const struct insn_info *row = &insn_info[op];

	return row->code == i->code && row->value == value ? op : OP_INVALID;
}

bool insn_fields_ok(enum op op, const struct insn *i)
{
	const struct insn_info *row = &insn_info[op];
	unsigned f = row->fields;

	if (i->dst > R10 || (i->dst && !(f & (INSN_RD | INSN_WD))))
		return false;
	if (row->key != KEY_SRC && (i->src > R10 || (i->src && !(f & (INSN_RS | INSN_WS)))))
		return false;
	if (i->off && row->key != KEY_OFF && !(f & (INSN_OFF | INSN_JOFF)))
		return false;
	if (i->imm && row->key != KEY_IMM && !(f & (INSN_IMM | INSN_JIMM)))
		return false;
	if (f & INSN_WIDE)
		return !i[1].code && !i[1].dst && !i[1].src && !i[1].off &&
		       (!i[1].imm || f & INSN_IMM2);
	return true;
}
