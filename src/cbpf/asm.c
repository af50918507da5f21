/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler: the syntax of the kernel's bpf_asm and netsniff-ng's bpfc.
 *
 *   label:  name operand    ; comment          / * and these * /
 *
 * Line ends mean nothing. A conditional jump takes one label (when true) or two; jne, jlt and jle, which the
 * machine has not got, one. Ours are `+n` for a target (n instructions are skipped) and
 * `.insn code jt jf k` for what no name stands for: with them every array of instructions can be written.
 *
 * One pass makes the instructions and notes who jumps to which name; the second fills in the distances.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cbpf/scan.h"

enum { JUMP_MAX = 255 };
enum field { FIELD_JT, FIELD_JF, FIELD_K };

struct label {
	struct word name;
	unsigned line, column;
	uint32_t insn;
	uint8_t field; /* of a use */
};

struct labels {
	struct label *of;
	size_t n, cap;
};

struct assembler {
	struct scan *s;
	struct program *p;
	struct labels defined, used;
};

/* Names that stand for others. swap: true and false are exchanged. bare: # may be left out. */
static const struct alias {
	const char *name, *real;
	bool swap, bare;
} aliases[] = {
	{"jmp", "ja", false, false}, {"jne", "jeq", true, false}, {"jneq", "jeq", true, false},
	{"jlt", "jge", true, false}, {"jle", "jgt", true, false}, {"ldi", "ld", false, true},
	{"ldxi", "ldx", false, true},
};

static int labels_add(struct labels *l, const struct label *add)
{
	size_t cap = l->cap ? 2 * l->cap : 64;
	struct label *grown;

	if (l->n == l->cap) {
		grown = reallocarray(l->of, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->of = grown;
		l->cap = cap;
	}
	l->of[l->n++] = *add;
	return 0;
}

/* A target: a label, or +n. */
static int read_target(struct assembler *a, enum field field, uint32_t *skip)
{
	struct label use = {.insn = (uint32_t)a->p->n, .field = (uint8_t)field};
	char room[32];
	int err;

	if (scan_char(a->s, '+')) {
		err = scan_number(a->s, skip);
		if (!err && field != FIELD_K && *skip > JUMP_MAX)
			err = scan_fail(a->s, "conditional jumps skip at most %u instructions", JUMP_MAX);
		return err;
	}
	scan_more(a->s);
	use.line = a->s->line;
	use.column = scan_column(a->s);
	if (!scan_word(a->s, &use.name))
		return scan_fail(a->s, "a label is wanted, here is %s", scan_near(a->s, room));
	*skip = 0;
	return labels_add(&a->used, &use);
}

static int read_condition(struct assembler *a, bool swap, struct skep_cbpf_insn *i)
{
	uint32_t first, second = 0;
	bool two;
	int err = scan_want(a->s, ',', "behind what is compared");

	if (!err)
		err = read_target(a, swap ? FIELD_JF : FIELD_JT, &first);
	if (err)
		return err;
	two = scan_char(a->s, ',');
	if (two && swap)
		return scan_fail(a->s, "this jump takes one label: it is the opposite of another with two");
	if (two)
		err = read_target(a, FIELD_JF, &second);
	i->jt = (uint8_t)(swap ? 0 : first);
	i->jf = (uint8_t)(swap ? first : second);
	return err;
}

/* The operation with this name and operand. */
static enum cbpf_op find(const char *name, unsigned len, enum cbpf_operand operand)
{
	struct word w = {name, len};

	for (unsigned op = 0; op < CBPF_OPS; op++)
		if (word_is(&w, cbpf_info[op].name) && cbpf_info[op].operand == operand)
			return (enum cbpf_op)op;
	return CBPF_INVALID;
}

/* Which operand decides how a line goes on: that of the first operation with this name. */
static enum cbpf_op find_name(const char *name, unsigned len)
{
	struct word w = {name, len};

	for (unsigned op = 0; op < CBPF_OPS; op++)
		if (word_is(&w, cbpf_info[op].name))
			return (enum cbpf_op)op;
	return CBPF_INVALID;
}

static int read_raw(struct scan *s, struct skep_cbpf_insn *i)
{
	uint32_t v[4] = {0};
	int err = 0;

	for (unsigned f = 0; f < 4 && !err; f++) {
		err = scan_number(s, &v[f]);
		if (!err && f < 3 && v[f] > (f ? 0xffu : 0xffffu))
			err = scan_fail(s, "number %u behind .insn does not fit", f + 1);
	}
	*i = (struct skep_cbpf_insn){(uint16_t)v[0], (uint8_t)v[1], (uint8_t)v[2], v[3]};
	return err;
}

/* An operand, and of conditional jumps the labels. */
static int read_rest(struct assembler *a, const char *name, unsigned len, const struct alias *alias,
                     struct skep_cbpf_insn *i)
{
	bool compares = cbpf_jumps_if(find_name(name, len));
	unsigned line = a->s->line, column;
	enum cbpf_operand operand = OPERAND_K;
	enum cbpf_op op;
	int err;

	scan_more(a->s);
	line = a->s->line;
	column = scan_column(a->s);
	if (alias && alias->bare && *a->s->at != '#')
		err = scan_number(a->s, &i->k);
	else
		err = operand_read(a->s, false, &operand, &i->k);
	if (err)
		return err;
	if (compares)
		operand = operand == OPERAND_K ? OPERAND_IF_K : operand == OPERAND_X ? OPERAND_IF_X : operand;
	op = find(name, len, operand);
	if (op == CBPF_INVALID && operand == OPERAND_MSH && len == 3)
		op = find("ldxb", 4, operand); /* `ldx 4*([k]&0xf)` will do */
	if (op == CBPF_INVALID)
		return scan_fail_at(a->s, line, column, "`%.*s` takes no such operand", (int)len, name);
	i->code = cbpf_info[op].code;
	return compares ? read_condition(a, alias && alias->swap, i) : 0;
}

static int read_insn(struct assembler *a, const struct word *w, unsigned line, unsigned column)
{
	struct skep_cbpf_insn i = {0};
	const struct alias *alias = NULL;
	const char *name = w->at;
	unsigned len = w->len;
	enum cbpf_op op;
	int err = 0;

	for (size_t n = 0; n < sizeof(aliases) / sizeof(aliases[0]); n++)
		if (word_is(w, aliases[n].name))
			alias = &aliases[n];
	if (alias) {
		name = alias->real;
		len = (unsigned)strlen(name);
	}
	op = find_name(name, len);
	if (word_is(w, ".insn")) {
		err = read_raw(a->s, &i);
	} else if (op == CBPF_INVALID) {
		return scan_fail_at(a->s, line, column, "there is no instruction '%.*s'",
		                    w->len > 24 ? 24 : (int)w->len, w->at);
	} else if (cbpf_info[op].operand == OPERAND_NONE) {
		i.code = cbpf_info[op].code;
	} else if (cbpf_info[op].operand == OPERAND_TO) {
		i.code = cbpf_info[op].code;
		err = read_target(a, FIELD_K, &i.k);
	} else {
		err = read_rest(a, name, len, alias, &i);
	}
	return err ? err : program_add(a->p, a->s, i);
}

static int read_all(struct assembler *a)
{
	struct scan *s = a->s;
	char room[32];
	int err = 0;

	while (!err && scan_more(s)) {
		struct label l = {.line = s->line, .column = scan_column(s), .insn = (uint32_t)a->p->n};

		if (!scan_word(s, &l.name))
			return scan_fail(s, "an instruction or label is wanted, here is %s", scan_near(s, room));
		err = scan_char(s, ':') ? labels_add(&a->defined, &l)
		                        : read_insn(a, &l.name, l.line, l.column);
	}
	return err;
}

/* --- Distances ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct word *x = &((const struct label *)a)->name, *y = &((const struct label *)b)->name;
	unsigned common = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->at, y->at, common);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

#define NAME(w) (int)((w)->name.len > 40 ? 40 : (w)->name.len), (w)->name.at

static int resolve_one(struct assembler *a, const struct label *use)
{
	struct skep_cbpf_insn *i = &a->p->insns[use->insn];
	const struct label *to = a->defined.n ? bsearch(use, a->defined.of, a->defined.n, sizeof(*use), by_name)
	                                      : NULL;
	uint32_t skip;

	if (!to)
		return scan_fail_at(a->s, use->line, use->column, "there is no label '%.*s'", NAME(use));
	if (to->insn <= use->insn)
		return scan_fail_at(a->s, use->line, use->column, "'%.*s' stands above: filters jump forward "
		                    "only", NAME(use));
	skip = to->insn - use->insn - 1;
	if (use->field != FIELD_K && skip > JUMP_MAX)
		return scan_fail_at(a->s, use->line, use->column, "'%.*s' is %u instructions away: "
		                    "conditional jumps skip at most %u, `ja` any number", NAME(use), skip,
		                    JUMP_MAX);
	if (use->field == FIELD_K)
		i->k = skip;
	else if (use->field == FIELD_JT)
		i->jt = (uint8_t)skip;
	else
		i->jf = (uint8_t)skip;
	return 0;
}

static int resolve(struct assembler *a)
{
	struct labels *d = &a->defined;
	int err = 0;

	if (d->n)
		qsort(d->of, d->n, sizeof(*d->of), by_name);
	for (size_t i = 1; i < d->n; i++)
		if (!by_name(&d->of[i - 1], &d->of[i])) {
			const struct label *l = &d->of[i - 1], *m = &d->of[i];

			if (l->insn > m->insn)
				m = l;
			return scan_fail_at(a->s, m->line, m->column, "the label '%.*s' stands twice", NAME(m));
		}
	for (size_t i = 0; i < a->used.n && !err; i++)
		err = resolve_one(a, &a->used.of[i]);
	return err;
}

int asm_read(struct scan *s, struct program *p)
{
	struct assembler a = {.s = s, .p = p};
	int err;

	s->asm_comments = true;
	err = read_all(&a);
	if (!err)
		err = resolve(&a);
	free(a.defined.of);
	free(a.used.of);
	return err;
}
