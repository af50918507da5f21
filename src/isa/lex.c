/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens of BPF assembler text, which the templates of insn.def are cut into as well.
 *
 * Statements end at a line end or ';'. Comments: '#' and '//' to the end of the line, slash-star
 * across lines, and a line that begins with ';', which is how the kernel and bpftool print source
 * lines.
 *
 * A sign belongs to the number behind it, whatever stands between: "(r10 - 8)" and "r1 = -8" end in
 * the same token. No BPF statement has a number on the left of a + or -, so nothing is lost.
 * Likewise "pc+3" is one token, and so are "s>" and "s >>=" and the like.
 *
 * Provides: lex_next(), lex_accept(), lex_at_number().
 */
#include "isa/asm.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c);
}

static char peek(const struct lexer *l, size_t ahead)
{
	return (size_t)(l->end - l->at) > ahead ? l->at[ahead] : '\0';
}

static void skip_line(struct lexer *l)
{
	while (l->at < l->end && *l->at != '\n')
		l->at++;
}

/* At "/" "*": false where the comment never ends; then nothing is consumed. */
static bool skip_comment(struct lexer *l)
{
	for (const char *p = l->at + 2; l->end - p >= 2; p++) {
		if (p[0] == '*' && p[1] == '/') {
			l->at = p + 2;
			return true;
		}
	}
	return false;
}

/* Blanks and comments, up to a token or a line end. False: a comment that never ends. */
static bool skip_blanks(struct lexer *l)
{
	for (;;) {
		char c = peek(l, 0);

		if (l->at == l->end || c == '\n')
			return true;
		if (c == ' ' || c == '\t' || c == '\r')
			l->at++;
		else if (c == '#' || (c == '/' && peek(l, 1) == '/') || (c == ';' && l->line_start))
			skip_line(l);
		else if (c != '/' || peek(l, 1) != '*')
			return true;
		else if (!skip_comment(l))
			return false;
	}
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static void bad(struct token *t, const char *why)
{
	t->kind = TOKEN_BAD;
	t->why = why;
}

/* At an optional sign and a digit. */
static void lex_number(struct lexer *l, struct token *t)
{
	unsigned base = 10;
	const char *digits;

	while (!is_digit(*l->at)) {
		t->negative |= *l->at == '-';
		l->at++;
	}
	if (peek(l, 0) == '0' && (peek(l, 1) | 0x20) == 'x') {
		base = 16;
		l->at += 2;
	}
	digits = l->at;
	for (; l->at < l->end && is_word(*l->at); l->at++) {
		unsigned digit = (unsigned)digit_value(*l->at);

		if (digit >= base)
			return bad(t, base == 16 ? "not a hexadecimal number" : "not a number");
		if (t->value > (UINT64_MAX - digit) / base)
			return bad(t, "the number does not fit in 64 bits");
		t->value = t->value * base + digit;
	}
	if (l->at == digits)
		return bad(t, "no digits behind 0x");
	if (base == 10 && *digits == '0' && l->at - digits > 1)
		bad(t, "a leading zero: write the number without it, or in hexadecimal");
}

bool lex_at_number(const struct lexer *l, const char *p)
{
	const char *start = p;

	if (p < l->end && *p == '+')
		p++;
	while (p > start && p < l->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < l->end && *p == '-')
		p++;
	while (p > start && p < l->end && (*p == ' ' || *p == '\t'))
		p++;
	return p < l->end && is_digit(*p);
}

/* The number of "r7" or "W10", or -1. */
static int register_number(const char *text, size_t len)
{
	if (len == 2 && is_digit(text[1]))
		return text[1] - '0';
	if (len == 3 && text[1] == '1' && text[2] == '0')
		return R10;
	return -1;
}

static void pack(struct lexer *l, struct token *t)
{
	t->value = t->value << 8 | (unsigned char)*l->at++;
}

/* At an operator: its first character, doubled for shifts, and a '=' that follows. */
static void lex_operator(struct lexer *l, struct token *t)
{
	char c = peek(l, 0);

	t->kind = TOKEN_SIGN;
	pack(l, t);
	if ((c == '<' || c == '>') && peek(l, 0) == c)
		pack(l, t);
	if (peek(l, 0) == '=')
		pack(l, t);
}

static void lex_word(struct lexer *l, struct token *t)
{
	char c = *l->at | 0x20;
	int reg = -1;

	while (l->at < l->end && is_word(*l->at))
		l->at++;
	t->kind = TOKEN_WORD;
	t->len = (size_t)(l->at - t->text);
	if (c == 'r' || c == 'w')
		reg = register_number(t->text, t->len);
	if (reg >= 0) {
		t->kind = c == 'r' ? TOKEN_REG : TOKEN_WREG;
		t->value = (uint64_t)reg;
	} else if (t->len == 1 && c == 's') {
		const char *p = l->at;

		while (p < l->end && (*p == ' ' || *p == '\t'))
			p++;
		if (p < l->end && (*p == '<' || *p == '>' || *p == '/' || *p == '%')) {
			l->at = p;
			t->value = 's';
			lex_operator(l, t);
		}
	} else if (t->len == 2 && t->text[0] == 'p' && t->text[1] == 'c' &&
	           lex_at_number(l, l->at)) {
		t->kind = TOKEN_PC;
		lex_number(l, t);
	}
}

void lex_next(struct lexer *l, struct token *t)
{
	bool ends = skip_blanks(l);
	char c = peek(l, 0);

	*t = (struct token){.kind = TOKEN_END, .text = l->at};
	if (l->at == l->end)
		return;
	l->line_start = c == '\n';
	if (!ends) {
		l->at += 2;
		bad(t, "the comment has no end");
	} else if (c == '\n' || c == ';') {
		l->at++;
	} else if (is_word_start(c)) {
		lex_word(l, t);
	} else if (lex_at_number(l, l->at)) {
		t->kind = TOKEN_NUMBER;
		lex_number(l, t);
	} else if (c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || c == '$') {
		t->kind = TOKEN_SIGN;
		pack(l, t);
	} else if (c == '+' || c == '-' || c == '*' || c == '/' || c == '%' || c == '|' ||
	           c == '&' || c == '^' || c == '<' || c == '>' || c == '=' || c == '!') {
		lex_operator(l, t);
	} else {
		l->at++;
		bad(t, "no such character in BPF assembler");
	}
	t->len = (size_t)(l->at - t->text);
}

bool lex_accept(struct lexer *l, char c)
{
	if (!skip_blanks(l) || peek(l, 0) != c)
		return false;
	l->at++;
	return true;
}
