/* SPDX-License-Identifier: BSD-2-Clause */
/* See states.h. */
#include "states.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/alu.h"
#include "random_prog.h"

enum { VALUE_SIZE = 64, FRAME_BYTES = 512, REGISTERS = 10 };

/* --- The machine: what a program of numbers does, by the definitions of alu.h ------------------- */

struct machine {
	uint64_t r[11];
	uint8_t value[VALUE_SIZE], stack[FRAME_BYTES];
	size_t pc;
	bool ended;
};

static bool alu64(enum op op, uint64_t *d, uint64_t s)
{
	switch (op) {
#define X(name, value)                                                                             \
	case OP_##name##64_K:                                                                      \
	case OP_##name##64_X:                                                                      \
		*d = alu64_##name(*d, s);                                                          \
		return true;
		ALU_OPS(X)
#undef X
#define X(name, value)                                                                             \
	case OP_##name##32_K:                                                                      \
	case OP_##name##32_X:                                                                      \
		*d = alu32_##name((uint32_t)*d, (uint32_t)s);                                      \
		return true;
		ALU_OPS(X)
#undef X
#define X(name, value)                                                                             \
	case OP_##name:                                                                            \
		*d = alu_##name(s);                                                                \
		return true;
		MOVSX_OPS(X)
#undef X
#define X(name, value)                                                                             \
	case OP_##name:                                                                            \
		*d = alu_##name(*d);                                                               \
		return true;
		UNARY_OPS(X)
#undef X
	case OP_MOV64_K:
	case OP_MOV64_X:
		*d = s;
		return true;
	case OP_MOV32_K:
	case OP_MOV32_X:
		*d = (uint32_t)s;
		return true;
	default:
		return false;
	}
}

/* 1: taken, 0: not, -1: no conditional jump */
static int condition(enum op op, uint64_t d, uint64_t s)
{
	switch (op) {
#define X(name, value)                                                                             \
	case OP_##name##64_K:                                                                      \
	case OP_##name##64_X:                                                                      \
		return cmp64_##name(d, s);                                                         \
	case OP_##name##32_K:                                                                      \
	case OP_##name##32_X:                                                                      \
		return cmp32_##name((uint32_t)d, (uint32_t)s);
		CMP_OPS(X)
#undef X
	default:
		return -1;
	}
}

static bool load_store(struct machine *m, enum op op, const struct insn *i)
{
	uint64_t *d = &m->r[i->dst];
	const uint8_t *from = (const uint8_t *)(uintptr_t)(m->r[i->src] + (uint64_t)(int64_t)i->off);

	switch (op) {
	case OP_LDX_B:
		*d = *from;
		return true;
	case OP_LDX_H:
		*d = *(const uint16_t *)from;
		return true;
	case OP_LDX_W:
		*d = *(const uint32_t *)from;
		return true;
	case OP_LDX_DW:
		*d = *(const uint64_t *)from;
		return true;
	case OP_LDSX_B:
		*d = (uint64_t)(int8_t)*from;
		return true;
	case OP_LDSX_H:
		*d = (uint64_t) * (const int16_t *)from;
		return true;
	case OP_LDSX_W:
		*d = (uint64_t) * (const int32_t *)from;
		return true;
	case OP_STX_DW:
		*(uint64_t *)(uintptr_t)(*d + (uint64_t)(int64_t)i->off) = m->r[i->src];
		return true;
	default:
		return false;
	}
}

/* One instruction; false: one that it does not know. */
static bool machine_step(struct machine *m, const struct insn *insns)
{
	const struct insn *i = &insns[m->pc];
	enum op op = insn_op(i);
	bool from_register = (i->code & 7) == 4 || (i->code & 7) == 5 || (i->code & 7) == 6 || (i->code & 7) == 7
	                             ? i->code & 8 : false;
	uint64_t s = from_register ? m->r[i->src] : (uint64_t)(int64_t)i->imm;
	int taken = condition(op, m->r[i->dst], s);

	m->pc++;
	if (op == OP_EXIT)
		return m->ended = true;
	if (op == OP_LDDW_MAP_VALUE) {
		m->r[i->dst] = (uintptr_t)m->value;
		m->pc++;
		return true;
	}
	if (op == OP_LDDW) {
		m->r[i->dst] = (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
		m->pc++;
		return true;
	}
	if (taken >= 0) {
		m->pc += taken ? (size_t)i->off : 0;
		return true;
	}
	return alu64(op, &m->r[i->dst], s) || load_store(m, op, i);
}

/* --- States ----------------------------------------------------------------------------------- */

struct known {
	bool number; /* the rest is of it; false: a pointer, or nothing is known */
	int64_t smin, smax;
	uint64_t umin, umax;
	int32_t smin32, smax32;
	uint32_t umin32, umax32;
	uint64_t value, mask; /* tristate: bits outside of mask are value's */
};

static const struct known anything = {
	true, INT64_MIN, INT64_MAX, 0, UINT64_MAX, INT32_MIN, INT32_MAX, 0, UINT32_MAX, 0, UINT64_MAX,
};

static void set_limit(struct known *k, const char *name, size_t len, uint64_t v)
{
#define LIMIT(field)                                                                               \
	if (len == sizeof(#field) - 1 && !memcmp(name, #field, len))                               \
		k->field = (typeof(k->field))v;
	LIMIT(smin)
	LIMIT(smax)
	LIMIT(umin)
	LIMIT(umax)
	LIMIT(smin32)
	LIMIT(smax32)
	LIMIT(umin32)
	LIMIT(umax32)
#undef LIMIT
}

static uint64_t parse_number(const char *at, char **end)
{
	return *at == '-' ? (uint64_t)strtoll(at, end, 0) : strtoull(at, end, 0);
}

/* "smin=smin32=0,umax=255,var_off=(0x0; 0xff))" up to the bracket that ends it. */
static const char *parse_limits(const char *at, struct known *k)
{
	while (*at && *at != ')') {
		const char *names = at, *number = at;
		char *end;
		uint64_t v;

		if (!strncmp(at, "var_off=(", 9)) {
			k->value = strtoull(at + 9, &end, 0);
			k->mask = strtoull(end + 1 + (*end == ';'), &end, 0);
			at = end + 1;
			at += *at == ',';
			continue;
		}
		/* a=b=...=number: the number stands behind the last sign */
		while (isalpha((unsigned char)*number))
			number += strcspn(number, "=,)") + 1;
		v = parse_number(number, &end);
		while (names < number) {
			size_t len = strcspn(names, "=");

			set_limit(k, names, len, v);
			names += len + 1;
		}
		at = end + strcspn(end, ",)");
		at += *at == ',';
	}
	return at;
}

/* "R3=scalar(...)", "R3=P-5", "R3=map_value(...)": updates one register. */
static void parse_register(const char *at, struct known *k)
{
	char *end;

	*k = (struct known){0};
	at += *at == 'P';
	if (!strncmp(at, "scalar(", 7)) {
		*k = anything;
		parse_limits(at + 7, k);
	} else if (*at == '-' || isdigit((unsigned char)*at)) {
		uint64_t v = parse_number(at, &end);

		*k = (struct known){true, (int64_t)v, (int64_t)v, v, v, (int32_t)v, (int32_t)v, (uint32_t)v,
		                    (uint32_t)v, v, 0};
	}
}

static void parse_state(const char *line, size_t len, struct known *known)
{
	const char *end = line + len;

	for (const char *at = line; at + 3 < end; at++) {
		unsigned r;

		if (*at != 'R' || !isdigit((unsigned char)at[1]) || (at > line && at[-1] != ' '))
			continue;
		r = (unsigned)atoi(at + 1);
		at += 1 + strspn(at + 1, "0123456789");
		if (!strncmp(at, "_w", 2))
			at += 2;
		if (*at == '=' && r < REGISTERS)
			parse_register(at + 1, &known[r]);
	}
}

static bool inside(const struct known *k, uint64_t v)
{
	return (int64_t)v >= k->smin && (int64_t)v <= k->smax && v >= k->umin && v <= k->umax &&
	       (int32_t)v >= k->smin32 && (int32_t)v <= k->smax32 && (uint32_t)v >= k->umin32 &&
	       (uint32_t)v <= k->umax32 && ((v ^ k->value) & ~k->mask) == 0;
}

/* Did the verifier follow the jump at pc, too? */
static bool follows_jump(const char *log, size_t from, size_t to)
{
	char text[60];

	snprintf(text, sizeof(text), "from %zu to %zu: ", from, to);
	return strstr(log, text) != NULL;
}

/* The instruction that a line of the log is about, or -1. */
static long insn_of(const char *line)
{
	char *end;
	unsigned long pc = strtoul(line, &end, 10);

	return end == line || *line == ' ' || strncmp(end, ": (", 3) ? -1 : (long)pc;
}

/* The one that is followed next on the same way, or -1. */
static long next_insn(const char *at)
{
	for (; *at && strncmp(at, "from ", 5); at += strcspn(at, "\n") + 1)
		if (insn_of(at) >= 0 || !strchr(at, '\n'))
			return insn_of(at);
	return -1;
}

bool states_hold(const struct insn *insns, size_t n, const char *log, uint64_t *random, uint64_t *checked,
                 char *why, size_t size)
{
	struct known known[REGISTERS] = {0};
	struct machine m = {0};
	const char *at = log, *next;

	for (int i = 0; i < VALUE_SIZE; i += 4) {
		uint32_t w = random_below(random, 3) ? random_below(random, 0x40000000) * 7u
		                                     : random_below(random, 70);

		memcpy(m.value + i, &w, 4);
	}
	m.r[10] = (uintptr_t)(m.stack + FRAME_BYTES);
	for (; *at && !m.ended; at = next) {
		size_t len = strcspn(at, "\n"), before = m.pc;

		next = at + len + (at[len] == '\n');
		if (insn_of(at) < 0)
			continue;
		if (insn_of(at) != (long)m.pc || m.pc >= n)
			return true; /* another way begins */
		if (!machine_step(&m, insns)) {
			snprintf(why, size, "insn %zu is not known to the test", before);
			return false;
		}
		parse_state(at, len, known);
		if (!m.ended && next_insn(next) != (long)m.pc) {
			/* The run leaves the way of this log: that way must be followed, too. */
			if (follows_jump(log, before, m.pc))
				return true;
			snprintf(why, size, "insn %zu goes to %zu, where the verifier thinks that nothing goes",
			         before, m.pc);
			return false;
		}
		for (unsigned r = 0; r < REGISTERS; r++) {
			if (!known[r].number)
				continue;
			++*checked;
			if (inside(&known[r], m.r[r]))
				continue;
			/* The verifier may follow -1 and 0 each for itself, in front of a mask. */
			if (follows_jump(log, before, before))
				return true;
			snprintf(why, size, "after insn %zu r%u is %#" PRIx64 ", which is outside of: %.*s",
			         before, r, m.r[r], (int)len, at);
			return false;
		}
	}
	return true;
}
