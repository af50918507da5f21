/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syntax column of insn.def as one tree, in which the assembler looks up a statement token by
 * token.
 *
 *   root -- rN -- += -- number      ADD64_K
 *        |     |     `- rN          ADD64_X
 *        |     `- = --- number      MOV64_K -- ll    LDDW
 *        |           `- * -- ( -- u64 ...            LDX_DW
 *        `- goto -- number|pc|word  JA
 *
 * Operands are edges that accept a kind of token; the tokens taken there are captured, and
 * operands[] says what they mean once the operation is known. A template that leaves a choice is
 * entered once for each (variant 0 and 1):
 *   $r $t  as rN, as wN       $m  map_fd[..], map[..]       $k  kfunc[id], kfunc[id][off]
 * Where two edges of a node would take the same token, literals come first, then the order of the
 * rows: `call name` arrives at CALL, and asm.c makes it CALL_LOCAL where the name is a label.
 *
 * The tree is built for each call of asm_program(): a few microseconds, and no state that could be
 * shared.
 *
 * Provides: syntax_init(), syntax_step(). Requires: insn.def, kernel.def, lex_next().
 */
#include "isa/asm.h"

#include <string.h>

static const struct {
	enum op op;
	const char *syntax;
} kernel_syntax[] = {
#define KERNEL(op, text) {OP_##op, text},
#include "isa/kernel.def"
#undef KERNEL
};

/* One path into the tree. */
struct path {
	struct syntax *s;
	unsigned node, variant, noperands;
	uint8_t *operands;
	bool varies; /* a choice was met */
};

static bool same_edge(const struct syntax_node *a, const struct syntax_node *b)
{
	return a->len == b->len && a->sign == b->sign && a->accepts == b->accepts &&
	       !memcmp(a->word ? a->word : "", b->word ? b->word : "", a->len);
}

/* Follows an edge, adding it where it is missing. */
static void extend(struct path *p, struct syntax_node edge)
{
	struct syntax *s = p->s;
	uint16_t *link = &s->nodes[p->node].child;

	for (unsigned n = *link; n; n = s->nodes[n].next) {
		if (same_edge(&s->nodes[n], &edge)) {
			p->node = n;
			return;
		}
	}
	assert(s->n < MAX_SYNTAX_NODES);
	while (*link && (edge.accepts || !s->nodes[*link].accepts))
		link = &s->nodes[*link].next;
	edge.op = OP_INVALID;
	edge.next = *link;
	s->nodes[s->n] = edge;
	*link = (uint16_t)s->n;
	p->node = s->n++;
}

static void operand(struct path *p, enum operand what, unsigned accepts)
{
	assert(p->noperands < MAX_OPERANDS);
	p->operands[p->noperands++] = (uint8_t)what;
	extend(p, (struct syntax_node){.accepts = (uint16_t)accepts});
}

static void sign(struct path *p, char c)
{
	extend(p, (struct syntax_node){.sign = (unsigned char)c});
}

static void word(struct path *p, const char *text, size_t len)
{
	extend(p, (struct syntax_node){.word = text, .len = (uint8_t)len});
}

/* A number in brackets. */
static void bracketed(struct path *p, const char *before, enum operand what, unsigned accepts)
{
	if (before)
		word(p, before, strlen(before));
	sign(p, '[');
	operand(p, what, accepts);
	sign(p, ']');
}

static void placeholder(struct path *p, char letter)
{
	unsigned either = p->variant ? TOKEN_WREG : TOKEN_REG;

	p->varies |= strchr("rtmk", letter) != NULL;
	switch (letter) {
	case 'd':
		return operand(p, OPERAND_DST, TOKEN_REG);
	case 'w':
		return operand(p, OPERAND_DST, TOKEN_WREG);
	case 'r':
		return operand(p, OPERAND_DST, either);
	case 's':
		return operand(p, OPERAND_SRC, TOKEN_REG);
	case 'v':
		return operand(p, OPERAND_SRC, TOKEN_WREG);
	case 't':
		return operand(p, OPERAND_SRC, either);
	case 'i':
	case '2':
	case 'L':
		return operand(p, (enum operand)letter, TOKEN_NUMBER);
	case 'o':
		return operand(p, OPERAND_OFF, TOKEN_NUMBER | TOKEN_NONE);
	case 'j':
	case 'J':
		return operand(p, (enum operand)letter, TOKEN_NUMBER | TOKEN_PC | TOKEN_WORD);
	case 'h':
		return operand(p, OPERAND_HELPER, TOKEN_NUMBER | TOKEN_WORD | TOKEN_HASH);
	case 'l':
		return operand(p, OPERAND_FUNC, TOKEN_PC | TOKEN_WORD);
	case 'm':
		return bracketed(p, p->variant ? "map" : "map_fd", OPERAND_MAP,
		                 TOKEN_NUMBER | TOKEN_WORD);
	case 'k':
		bracketed(p, "kfunc", OPERAND_IMM, TOKEN_NUMBER);
		if (p->variant)
			bracketed(p, NULL, OPERAND_OFF, TOKEN_NUMBER);
		return;
	case 'q':
		operand(p, OPERAND_SRC, TOKEN_REG);
		return operand(p, OPERAND_IMM, TOKEN_NUMBER | TOKEN_NONE);
	case 'a':
		operand(p, OPERAND_CAST_TO, TOKEN_NUMBER);
		sign(p, ',');
		return operand(p, OPERAND_CAST_FROM, TOKEN_NUMBER);
	default:
		assert(!"insn.def: unknown letter in the syntax column");
	}
}

static bool enter(struct syntax *s, enum op op, const char *text, unsigned variant)
{
	struct lexer l = {.at = text, .end = text + strlen(text)};
	struct path p = {.s = s, .variant = variant, .operands = s->operands[op]};
	struct token t;

	for (lex_next(&l, &t); t.kind != TOKEN_END; lex_next(&l, &t)) {
		if (t.kind == TOKEN_WORD)
			word(&p, t.text, t.len);
		else if (t.kind == TOKEN_SIGN && t.value == '$')
			placeholder(&p, *l.at++);
		else if (t.kind == TOKEN_SIGN)
			extend(&p, (struct syntax_node){.sign = (uint32_t)t.value});
		else /* r0, w0 */
			operand(&p, OPERAND_R0, t.kind);
	}
	if (s->nodes[p.node].op == OP_INVALID)
		s->nodes[p.node].op = (uint8_t)op;
	return p.varies && !variant;
}

void syntax_init(struct syntax *s)
{
	s->n = 1;
	s->nodes[0] = (struct syntax_node){.op = OP_INVALID};
	for (unsigned op = 0; op < OP_COUNT; op++) {
		if (enter(s, op, insn_info[op].syntax, 0))
			enter(s, op, insn_info[op].syntax, 1);
	}
	for (size_t i = 0; i < sizeof(kernel_syntax) / sizeof(kernel_syntax[0]); i++)
		enter(s, kernel_syntax[i].op, kernel_syntax[i].syntax, 0);
}

static bool takes(const struct syntax_node *e, const struct token *t)
{
	if (e->sign)
		return t->kind == TOKEN_SIGN && t->value == e->sign;
	if (e->word)
		return t->kind == TOKEN_WORD && t->len == e->len &&
		       !memcmp(t->text, e->word, e->len);
	return e->accepts & (t->kind | TOKEN_NONE);
}

unsigned syntax_step(const struct syntax *s, unsigned node, const struct token *t)
{
	unsigned n = s->nodes[node].child;

	while (n && !takes(&s->nodes[n], t))
		n = s->nodes[n].next;
	return n;
}
