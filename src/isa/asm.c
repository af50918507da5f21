/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler: text to instructions, in one pass over the text and one over the references to
 * names.
 *
 * A statement is a label (`name:`), `.insn 0x<16 digits>`, or an instruction. An instruction's
 * tokens lead down the syntax tree (syntax.c); those taken by operand edges are captured, and when
 * the statement ends at a node that is an operation, they are stored in its fields. A name may
 * stand for something further down, so what refers to a name is noted and settled at the end.
 *
 * The dumps of bpftool and the kernel can be read as they are: `12: (b7)` may stand before an
 * instruction, and then (b7) must be its opcode; so may `<symbol>` behind it, as llvm-objdump
 * prints it.
 *
 * Provides: asm_program(). Requires: syntax.c, lex.c, insn.def.
 */
#include "isa/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/asm.h"

/* A label of the source, or a use of a name. */
struct name {
	const char *text;
	size_t len;
	size_t slot; /* label: the one it stands before; use: the one that refers to it */
	uint8_t operand;
};

struct assembler {
	const char *text, *end;
	const struct asm_names *names;
	struct asm_error *error;
	struct lexer lexer;
	struct token t; /* the current one */
	int opcode;     /* that a dump gives before the instruction; -1: none */

	struct insn *out;
	size_t n, cap;
	struct name *uses;
	size_t nuses, uses_cap;
	struct name *labels; /* open addressing, a power of two of places, text NULL where free */
	size_t nlabels, labels_cap;
	struct syntax syntax;
};

static int fail(struct assembler *a, const char *where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static int fail(struct assembler *a, const char *where, const char *format, ...)
{
	struct asm_error *e = a->error;
	va_list args;

	if (!e)
		return -EINVAL;
	e->line = e->column = 1;
	for (const char *p = a->text; p < where; p++) {
		e->column = *p == '\n' ? 1 : e->column + 1;
		e->line += *p == '\n';
	}
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* Source text in a message: short, whatever the source holds. */
#define QUOTED "'%.*s%s'"
#define QUOTE(text, len) (int)((len) < 40 ? (len) : 40), text, (len) < 40 ? "" : "..."

static void next(struct assembler *a)
{
	lex_next(&a->lexer, &a->t);
}

/* --- names ----------------------------------------------------------------------------------- */

static size_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	while (len--)
		h = (h ^ (unsigned char)*text++) * 0x100000001b3;
	return h ^ h >> 32;
}

/* The place of a label, or the free place where it belongs. There is always a free one. */
static struct name *label_place(struct name *labels, size_t cap, const char *text, size_t len)
{
	size_t at = hash(text, len) & (cap - 1);

	while (labels[at].text &&
	       (labels[at].len != len || memcmp(labels[at].text, text, len)))
		at = (at + 1) & (cap - 1);
	return &labels[at];
}

static int labels_grow(struct assembler *a)
{
	size_t cap = a->labels_cap ? a->labels_cap * 2 : 64;
	struct name *labels = calloc(cap, sizeof(*labels));

	if (!labels)
		return -ENOMEM;
	for (size_t i = 0; i < a->labels_cap; i++) {
		const struct name *l = &a->labels[i];

		if (l->text)
			*label_place(labels, cap, l->text, l->len) = *l;
	}
	free(a->labels);
	a->labels = labels;
	a->labels_cap = cap;
	return 0;
}

static const struct name *label_find(const struct assembler *a, const char *text, size_t len)
{
	const struct name *l =
		a->labels_cap ? label_place(a->labels, a->labels_cap, text, len) : NULL;

	return l && l->text ? l : NULL;
}

static int label_define(struct assembler *a, const struct token *t)
{
	struct name *l;
	int err = 0;

	if (t->kind != TOKEN_WORD)
		return fail(a, t->text, QUOTED " is a register, no name for a label",
		            QUOTE(t->text, t->len));
	if (2 * (a->nlabels + 1) > a->labels_cap)
		err = labels_grow(a);
	if (err)
		return err;
	l = label_place(a->labels, a->labels_cap, t->text, t->len);
	if (l->text)
		return fail(a, t->text, "label " QUOTED " stands for slot %zu already",
		            QUOTE(t->text, t->len), l->slot);
	*l = (struct name){.text = t->text, .len = t->len, .slot = a->n};
	a->nlabels++;
	return 0;
}

static int note_use(struct assembler *a, const struct token *t, enum operand operand)
{
	if (a->nuses == a->uses_cap) {
		size_t cap = a->uses_cap ? a->uses_cap * 2 : 64;
		struct name *uses = realloc(a->uses, cap * sizeof(*uses));

		if (!uses)
			return -ENOMEM;
		a->uses = uses;
		a->uses_cap = cap;
	}
	a->uses[a->nuses++] = (struct name){t->text, t->len, a->n, (uint8_t)operand};
	return 0;
}

/* --- operands -------------------------------------------------------------------------------- */

/*
 * The value of a number that must lie in -2^(bits-1) .. max. What lies above 2^(bits-1) is taken as
 * unsigned and stored as the same bits.
 */
static int number(struct assembler *a, const struct token *t, unsigned bits, uint64_t max,
                  int64_t *out)
{
	uint64_t least = UINT64_C(1) << (bits - 1);

	if (t->value > (t->negative ? least : max))
		return fail(a, t->text, QUOTED " does not fit in %u bits", QUOTE(t->text, t->len),
		            bits);
	*out = (int64_t)(t->negative ? -t->value : t->value);
	return 0;
}

static int set_register(struct assembler *a, const struct token *t, bool again, unsigned reg)
{
	if (again && reg != t->value)
		return fail(a, t->text, QUOTED " must be the same register as before, %c%u",
		            QUOTE(t->text, t->len), *t->text, reg);
	return 0;
}

/* The helper or map that a name stands for, as far as the caller's names know. */
static bool known(const struct assembler *a, const struct name *use, int32_t *value)
{
	const struct asm_names *names = a->names;

	if (!names)
		return false;
	if (use->operand == OPERAND_MAP)
		return names->map && names->map(names->arg, use->text, use->len, value);
	return names->helper && names->helper(names->arg, use->text, use->len, value);
}

/*
 * Stores one captured token. seen has a bit for dst and for src once they are set: where a template
 * names a register twice, both must be the same.
 */
static int store(struct assembler *a, struct insn *i, enum operand what, const struct token *t,
                 unsigned *seen)
{
	unsigned bit = what == OPERAND_DST ? 1 : 2;
	int64_t v = 0;
	int err;

	if (t->kind == TOKEN_WORD)
		return note_use(a, t, what);
	switch (what) {
	case OPERAND_R0:
		return set_register(a, t, true, R0);
	case OPERAND_DST:
	case OPERAND_SRC:
		err = set_register(a, t, *seen & bit, bit == 1 ? i->dst : i->src);
		*seen |= bit;
		if (bit == 1)
			i->dst = t->value & 15;
		else
			i->src = t->value & 15;
		return err;
	case OPERAND_OFF:
		err = number(a, t, 16, INT16_MAX, &v);
		i->off = (int16_t)v;
		return err;
	case OPERAND_JUMP16:
		err = number(a, t, 32, INT32_MAX, &v);
		if (!err && v != (int16_t)v)
			return fail(a, t->text,
			            "a jump of %lld slots: this one reaches 32767, gotol further",
			            (long long)v);
		i->off = (int16_t)v;
		return err;
	case OPERAND_JUMP32:
	case OPERAND_FUNC:
		err = number(a, t, 32, INT32_MAX, &v);
		i->imm = (int32_t)v;
		return err;
	case OPERAND_IMM:
	case OPERAND_HELPER:
	case OPERAND_MAP:
		err = number(a, t, 32, UINT32_MAX, &v);
		i->imm = (int32_t)v;
		return err;
	case OPERAND_IMM2:
		err = number(a, t, 32, UINT32_MAX, &v);
		i[1].imm = (int32_t)v;
		return err;
	case OPERAND_IMM64:
		err = number(a, t, 64, UINT64_MAX, &v);
		i->imm = (int32_t)v;
		i[1].imm = (int32_t)(v >> 32);
		return err;
	case OPERAND_CAST_TO:
	case OPERAND_CAST_FROM:
		err = number(a, t, 16, UINT16_MAX, &v);
		i->imm = (int32_t)((uint32_t)i->imm << 16 | (uint16_t)v);
		return err;
	}
	return 0;
}

static int append(struct assembler *a, const struct insn *i, unsigned slots)
{
	if (a->cap - a->n < slots) {
		size_t cap = a->cap ? a->cap * 2 : 64;
		struct insn *out = realloc(a->out, cap * sizeof(*out));

		if (!out)
			return -ENOMEM;
		a->out = out;
		a->cap = cap;
	}
	memcpy(a->out + a->n, i, slots * sizeof(*i));
	a->n += slots;
	return 0;
}

static int encode(struct assembler *a, enum op op, const struct token *captured, unsigned n)
{
	const struct insn_info *row = &insn_info[op];
	struct insn i[2] = {{.code = row->code}};
	unsigned seen = 0;
	int err = 0;

	if (row->key == KEY_OFF)
		i->off = (int16_t)row->value;
	else if (row->key == KEY_IMM)
		i->imm = (int32_t)row->value;
	else if (row->key == KEY_SRC)
		i->src = row->value & 15;
	for (unsigned k = 0; k < n && !err; k++)
		err = store(a, i, a->syntax.operands[op][k], &captured[k], &seen);
	return err ? err : append(a, i, insn_slots(op));
}

/* --- statements ------------------------------------------------------------------------------ */

/* One thing that may stand somewhere. */
static void describe(const struct syntax_node *e, char *text, size_t size)
{
	static const struct {
		unsigned kind;
		const char *text;
	} kinds[] = {
		{TOKEN_REG, "r0-r10"},
		{TOKEN_WREG, "w0-w10"},
		{TOKEN_NUMBER, "a number"},
		{TOKEN_PC, "pc+N"},
		{TOKEN_WORD, "a name"},
	};
	size_t used = 0;

	if (e->word)
		snprintf(text, size, "'%.*s'", e->len, e->word);
	for (int shift = 24; e->sign && shift >= 0; shift -= 8) {
		char c = (char)(e->sign >> shift);

		if (c)
			used += (size_t)snprintf(text + used, size - used, "%s%c%s",
			                         used ? "" : "'", c, shift ? "" : "'");
	}
	for (size_t k = 0; !e->word && !e->sign && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (e->accepts & kinds[k].kind)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
			                         used ? " or " : "", kinds[k].text);
	}
}

/*
 * What may follow a node: first the kinds of operands, then words and signs, as many as there is
 * room for.
 */
static void expected(const struct syntax *s, unsigned node, char *list, size_t size)
{
	size_t used = 0;
	char one[40];

	for (int literals = 0; literals < 2; literals++) {
		for (unsigned n = s->nodes[node].child; n; n = s->nodes[n].next) {
			if (literals != !s->nodes[n].accepts)
				continue;
			describe(&s->nodes[n], one, sizeof(one));
			if (used + strlen(one) + 8 > size) {
				snprintf(list + used, size - used, " ...");
				return;
			}
			used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
			                         one);
		}
	}
}

/* The statement went wrong at the current token, which cannot follow the node. */
static int unexpected(struct assembler *a, unsigned node)
{
	const struct token *t = &a->t;
	const struct syntax *s = &a->syntax;
	char list[120], found[60];

	if (t->kind == TOKEN_BAD)
		return fail(a, t->text, QUOTED ": %s", QUOTE(t->text, t->len), t->why);
	if (t->kind == TOKEN_END)
		snprintf(found, sizeof(found), "the statement ends");
	else
		snprintf(found, sizeof(found), QUOTED, QUOTE(t->text, t->len));
	if (t->kind == TOKEN_WORD && t->len > 1 && strchr("rwRW", *t->text) && t->text[1] >= '0' &&
	    t->text[1] <= '9')
		return fail(a, t->text, "%s: the registers are r0-r10 and w0-w10", found);
	if (!node)
		return fail(a, t->text, "%s begins no instruction", found);
	if (!s->nodes[node].child)
		return fail(a, t->text, "%s: the instruction should end here", found);
	expected(s, node, list, sizeof(list));
	return fail(a, t->text, "%s where one of these must stand: %s", found, list);
}

/* `.insn 0x<16 digits>`: one slot as its bytes. */
static int raw_slot(struct assembler *a)
{
	struct insn i;
	unsigned char bytes[sizeof(i)];

	next(a);
	if (a->t.kind != TOKEN_NUMBER || a->t.len != 18 || a->t.text[1] != 'x')
		return fail(a, a->t.text, ".insn takes the 8 bytes of a slot as 0x and 16 digits");
	for (unsigned k = 0; k < sizeof(bytes); k++)
		bytes[k] = (unsigned char)(a->t.value >> (56 - 8 * k));
	memcpy(&i, bytes, sizeof(i));
	next(a);
	return append(a, &i, 1);
}

/* Consumes tokens up to a closing one, exclusive; for what is only decoration. */
static void skip_to(struct assembler *a, char close)
{
	while (a->t.kind != TOKEN_END &&
	       !(a->t.kind == TOKEN_SIGN && a->t.value == (unsigned char)close))
		next(a);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *d = c ? strchr(digits, c) : NULL;

	return d ? (int)(d - digits) : -1;
}

/* `12: (b7)` before an instruction. */
static int dump_prefix(struct assembler *a)
{
	struct lexer *l = &a->lexer;
	const char *p;

	if (!lex_accept(l, ':'))
		return unexpected(a, 0);
	if (!lex_accept(l, '(')) {
		next(a);
		return 0;
	}
	p = l->at;
	if (l->end - p < 3 || hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0 || p[2] != ')')
		return fail(a, p, "an opcode, two digits like (b7), should stand here");
	a->opcode = hex_digit(p[0]) << 4 | hex_digit(p[1]);
	l->at += 3;
	next(a);
	return 0;
}

/* `#5` directly behind the name of a helper: its number, used where the name is not known. */
static int helper_number(struct assembler *a, struct token *helper)
{
	struct token name = *helper;
	struct lexer *l = &a->lexer;
	int32_t id;

	if (l->at == l->end || *l->at != '#' || !lex_at_number(l, l->at + 1))
		return 0;
	l->at++;
	lex_next(l, helper);
	if (helper->kind != TOKEN_NUMBER)
		return fail(a, helper->text, QUOTED ": %s", QUOTE(helper->text, helper->len),
		            helper->why);
	if (known(a, &(struct name){name.text, name.len, 0, OPERAND_HELPER}, &id))
		*helper = name;
	return 0;
}

static int instruction(struct assembler *a)
{
	struct token captured[MAX_OPERANDS];
	const struct syntax *s = &a->syntax;
	const char *start = a->t.text;
	unsigned node = 0, n = 0;
	enum op op;
	int err = 0;

	for (;;) {
		unsigned to = syntax_step(s, node, &a->t);
		unsigned accepts = s->nodes[to].accepts;

		if (!to)
			break;
		node = to;
		if (accepts && n < MAX_OPERANDS) {
			captured[n] = a->t;
			if (!(accepts & a->t.kind)) { /* absent */
				captured[n++] =
					(struct token){.kind = TOKEN_NUMBER, .text = a->t.text};
				continue;
			}
			if (accepts & TOKEN_HASH && a->t.kind == TOKEN_WORD)
				err = helper_number(a, &captured[n]);
			if (err)
				return err;
			n++;
		}
		next(a);
	}
	if (a->t.kind == TOKEN_SIGN && a->t.value == '<' && s->nodes[node].op != OP_INVALID) {
		skip_to(a, '>');
		next(a);
	}
	if (a->t.kind != TOKEN_END || s->nodes[node].op == OP_INVALID)
		return unexpected(a, node);
	op = s->nodes[node].op;
	/* The kernel prints no "ll". */
	if (op == OP_MOV64_K && a->opcode == insn_info[OP_LDDW].code)
		op = OP_LDDW;
	if (a->opcode >= 0 && a->opcode != insn_info[op].code)
		return fail(a, start, "the opcode of this is %02x, not %02x", insn_info[op].code,
		            (unsigned)a->opcode);
	return encode(a, op, captured, n);
}

static int statement(struct assembler *a)
{
	int err = 0;

	a->opcode = -1;
	while (!err && (a->t.kind & (TOKEN_WORD | TOKEN_REG | TOKEN_WREG)) &&
	       lex_accept(&a->lexer, ':')) {
		err = label_define(a, &a->t);
		next(a);
	}
	if (!err && a->t.kind == TOKEN_NUMBER)
		err = dump_prefix(a);
	if (err || a->t.kind == TOKEN_END)
		return err;
	if (a->t.kind == TOKEN_WORD && a->t.len == 5 && !memcmp(a->t.text, ".insn", 5))
		err = raw_slot(a);
	else
		err = instruction(a);
	if (!err && a->t.kind != TOKEN_END)
		return fail(a, a->t.text, QUOTED ": the statement should end here",
		            QUOTE(a->t.text, a->t.len));
	return err;
}

/* --- references ------------------------------------------------------------------------------ */

static int refer(struct assembler *a, const struct name *use)
{
	struct insn *i = &a->out[use->slot];
	const struct name *label =
		use->operand == OPERAND_MAP ? NULL : label_find(a, use->text, use->len);
	int64_t distance = label ? (int64_t)label->slot - (int64_t)use->slot - 1 : 0;

	if (!label && (use->operand == OPERAND_HELPER || use->operand == OPERAND_MAP)) {
		if (known(a, use, &i->imm))
			return 0;
		return fail(a, use->text, QUOTED " is %s", QUOTE(use->text, use->len),
		            use->operand == OPERAND_MAP
		                    ? "the name of no map that is known here"
		                    : "neither a label nor a helper that is known here");
	}
	if (!label)
		return fail(a, use->text, "no label " QUOTED " in the program",
		            QUOTE(use->text, use->len));
	if (use->operand == OPERAND_JUMP16) {
		if (distance != (int16_t)distance)
			return fail(a, use->text,
			            "label " QUOTED
			            " is %lld slots away: this jump reaches 32767, gotol "
			            "further",
			            QUOTE(use->text, use->len), (long long)distance);
		i->off = (int16_t)distance;
		return 0;
	}
	if (use->operand == OPERAND_HELPER)
		i->src = insn_info[OP_CALL_LOCAL].value & 15;
	if (distance != (int32_t)distance)
		return fail(a, use->text,
		            "label " QUOTED " is %lld slots away, more than 32 bits hold",
		            QUOTE(use->text, use->len), (long long)distance);
	i->imm = (int32_t)distance;
	return 0;
}

static int assemble(struct assembler *a)
{
	int err = 0;

	do {
		next(a);
		err = statement(a);
	} while (!err && a->lexer.at < a->end);
	for (size_t k = 0; k < a->nuses && !err; k++)
		err = refer(a, &a->uses[k]);
	if (!err && !a->out)
		a->out = malloc(1);
	return !err && !a->out ? -ENOMEM : err;
}

int asm_program(const char *text, size_t len, const struct asm_names *names, struct insn **out,
                size_t *n, struct asm_error *error)
{
	struct assembler *a = malloc(sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	memset(a, 0, offsetof(struct assembler, syntax));
	a->text = text;
	a->end = text + len;
	a->names = names;
	a->error = error;
	a->lexer = (struct lexer){.at = text, .end = a->end, .line_start = true};
	syntax_init(&a->syntax);
	err = assemble(a);
	if (!err) {
		*out = a->out;
		*n = a->n;
	} else {
		free(a->out);
	}
	free(a->uses);
	free(a->labels);
	free(a);
	return err;
}
