/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF instruction: its layout in memory, its operations, its registers.
 *
 * Layout and numbers: RFC 9669 section 3. Operations: insn.def.
 */
#ifndef SKEP_ISA_INSN_H
#define SKEP_ISA_INSN_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One slot of 8 bytes, in the byte order of the host:
 *
 *    0      1         2      4            8
 *   | code | src:dst | off  | imm        |
 *
 * A wide instruction (lddw) takes two slots; the second has only imm, the upper half.
 */
struct insn {
	uint8_t code;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint8_t dst : 4, src : 4;
#else
	uint8_t src : 4, dst : 4;
#endif
	int16_t off;
	int32_t imm;
};
static_assert(sizeof(struct insn) == 8, "an instruction slot is 8 bytes");

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, NREGS };
enum { STACK_SIZE = 512 };        /* bytes of stack of one program or subprogram, below r10 */
enum { MAX_CALL_DEPTH = 8 };      /* frames, the main program included */
enum { MAX_TAIL_CALLS = 33 };     /* tail calls that succeed in one run */
enum { MAX_INSNS = 1000000 };     /* slots of one program */

/* Instruction classes: code & 7. */
enum { CLASS_LD, CLASS_LDX, CLASS_ST, CLASS_STX, CLASS_ALU, CLASS_JMP, CLASS_JMP32, CLASS_ALU64 };

enum op {
#define INSN(op, ...) OP_##op,
#include "isa/insn.def"
#undef INSN
	OP_COUNT,
	OP_INVALID = OP_COUNT, /* no such instruction */
};

/* What an operation uses; the column `fields` of insn.def. */
enum insn_fields {
	INSN_RD = 1 << 0,
	INSN_WD = 1 << 1,
	INSN_RS = 1 << 2,
	INSN_WS = 1 << 3,
	INSN_U0 = 1 << 4,
	INSN_W0 = 1 << 5,
	INSN_U6 = 1 << 6,
	INSN_OFF = 1 << 7,
	INSN_IMM = 1 << 8,
	INSN_WIDE = 1 << 9,
	INSN_JOFF = 1 << 10,
	INSN_JIMM = 1 << 11,
	INSN_LOAD = 1 << 12,
	INSN_STORE = 1 << 13,
	INSN_CALLS = 1 << 14,
	INSN_END = 1 << 15,
	INSN_IMM2 = 1 << 16,
};

enum insn_key { KEY_ANY, KEY_OFF, KEY_IMM, KEY_SRC };

enum insn_group {
	GROUP_BASE32,
	GROUP_BASE64,
	GROUP_DIVMUL32,
	GROUP_DIVMUL64,
	GROUP_ATOMIC32,
	GROUP_ATOMIC64,
	GROUP_PACKET,
	GROUP_CALLX,
	GROUP_LINUX,
	GROUP_INTERNAL,
};

/* One row of insn.def. */
struct insn_info {
	const char *name;   /* "ADD64_K" */
	const char *syntax; /* "$d += $i" */
	uint32_t value;     /* of the key field */
	uint32_t fields;    /* enum insn_fields */
	uint8_t code;
	uint8_t key;   /* enum insn_key */
	uint8_t cpu;   /* 1..4 */
	uint8_t group; /* enum insn_group */
};

extern const struct insn_info insn_info[OP_COUNT];

/*
 * The operation of an instruction, or OP_INVALID. Looks at the opcode byte and the key field only;
 * whether the other fields are as they must be is insn_fields_ok()'s question.
 */
enum op insn_op(const struct insn *i);

/* Registers in range and every unused field zero. For a wide instruction i[1] is examined too. */
bool insn_fields_ok(enum op op, const struct insn *i);

/* Bytes that a LOAD or STORE moves: 1, 2, 4, 8. */
static inline unsigned insn_size(const struct insn *i)
{
	static const uint8_t bytes[4] = {4, 2, 1, 8};
	return bytes[i->code >> 3 & 3];
}

/* Slots that the operation takes: 1, or 2 for lddw. */
static inline unsigned insn_slots(enum op op)
{
	return insn_info[op].fields & INSN_WIDE ? 2 : 1;
}

/* Index of the jump target of a jump at index pc. Only for operations with JOFF or JIMM. */
static inline int64_t insn_target(enum op op, const struct insn *i, int64_t pc)
{
	return pc + 1 + (insn_info[op].fields & INSN_JIMM ? i->imm : i->off);
}

static inline uint64_t insn_imm64(const struct insn *i)
{
	return (uint64_t)(uint32_t)i[1].imm << 32 | (uint32_t)i[0].imm;
}

#endif
