/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens and their places: see scan.h. */
#include "cbpf/scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_READ = 65535 };

void scan_init(struct scan *s, const char *text, size_t len, struct skep_cbpf_error *error)
{
	*s = (struct scan){.at = text, .end = text + len, .line_start = text, .line = 1, .error = error};
}

unsigned scan_column(const struct scan *s)
{
	return (unsigned)(s->at - s->line_start) + 1;
}

static void next_line(struct scan *s)
{
	s->line++;
	s->line_start = s->at;
}

/* Behind the end of a comment that begins here. */
static void skip_comment(struct scan *s)
{
	for (s->at += 2; s->at < s->end; s->at++) {
		if (*s->at == '\n') {
			s->line++;
			s->line_start = s->at + 1;
		}
		if (s->at + 1 < s->end && s->at[0] == '*' && s->at[1] == '/') {
			s->at += 2;
			return;
		}
	}
}

static void skip_line(struct scan *s)
{
	while (s->at < s->end && *s->at != '\n')
		s->at++;
}

bool scan_more(struct scan *s)
{
	while (s->at < s->end) {
		char c = *s->at, next = s->at + 1 < s->end ? s->at[1] : 0;

		if (c == '\n') {
			if (s->keep_lines)
				return true;
			s->at++;
			next_line(s);
		} else if (c == ' ' || (c >= '\t' && c <= '\r')) {
			s->at++;
		} else if (c == '/' && next == '*') {
			skip_comment(s);
		} else if ((c == '/' && next == '/') || (c == ';' && s->asm_comments)) {
			skip_line(s);
		} else {
			return true;
		}
	}
	return false;
}

int scan_fail_at(struct scan *s, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	if (!s->error)
		return -EINVAL;
	s->error->insn = -1;
	s->error->line = line;
	s->error->column = column;
	va_start(args, format);
	vsnprintf(s->error->text, sizeof(s->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

int scan_fail(struct scan *s, const char *format, ...)
{
	va_list args;
	char text[sizeof(s->error->text)];

	scan_more(s);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return scan_fail_at(s, s->line, scan_column(s), "%s", text);
}

const char *scan_near(struct scan *s, char room[32])
{
	unsigned n = 0;

	if (!scan_more(s))
		return "the end";
	if (*s->at == '\n')
		return "the end of the line";
	room[n++] = '\'';
	for (const char *p = s->at; p < s->end && n < 21; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			break;
		room[n++] = *p;
	}
	room[n++] = '\'';
	room[n] = 0;
	return room;
}

bool scan_char(struct scan *s, char c)
{
	if (!scan_more(s) || *s->at != c)
		return false;
	s->at++;
	if (c == '\n')
		next_line(s);
	return true;
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool scan_word(struct scan *s, struct word *w)
{
	const char *p = s->at;

	if (!scan_more(s))
		return false;
	p = s->at + (*s->at == '.');
	if (p < s->end && *p >= '0' && *p <= '9')
		return false;
	while (p < s->end && in_word(*p))
		p++;
	if (p == s->at)
		return false;
	*w = (struct word){s->at, (unsigned)(p - s->at)};
	s->at = p;
	return true;
}

bool word_is(const struct word *w, const char *text)
{
	return strlen(text) == w->len && !strncasecmp(w->at, text, w->len);
}

bool scan_is(struct scan *s, const char *text)
{
	struct scan before = *s;
	struct word w;

	if (scan_word(s, &w) && word_is(&w, text))
		return true;
	*s = before;
	return false;
}

int scan_want(struct scan *s, char c, const char *what)
{
	char room[32];

	if (scan_char(s, c))
		return 0;
	return scan_fail(s, "%s: '%c' is wanted, here is %s", what, c, scan_near(s, room));
}

/* The value of a digit, or 99. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
}

static unsigned take_base(const char **at, const char *end)
{
	char next = *at + 1 < end ? (*at)[1] : 0;

	if (**at != '0')
		return 10;
	if (next == 'x' || next == 'X' || next == 'b' || next == 'B') {
		*at += 2;
		return next == 'x' || next == 'X' ? 16 : 2;
	}
	return 8;
}

int scan_number(struct scan *s, uint32_t *to)
{
	bool minus = scan_char(s, '-');
	const char *p, *first;
	uint64_t value = 0;
	unsigned base;
	char room[32];

	if (!minus)
		scan_char(s, '+');
	if (!scan_more(s) || digit(*s->at) > 9)
		return scan_fail(s, "a number is wanted, here is %s", scan_near(s, room));
	p = s->at;
	base = take_base(&p, s->end);
	for (first = p; p < s->end && digit(*p) < base; p++) {
		value = value * base + digit(*p);
		if (value > (minus ? 1ull << 31 : UINT32_MAX))
			return scan_fail(s, "%s does not fit into 32 bits", scan_near(s, room));
	}
	if (p == first || (p < s->end && in_word(*p)))
		return scan_fail(s, "%s is no number", scan_near(s, room));
	while (p < s->end && (*p == 'u' || *p == 'U'))
		p++;
	s->at = p;
	*to = minus ? -(uint32_t)value : (uint32_t)value;
	return 0;
}

int program_add(struct program *p, struct scan *s, struct skep_cbpf_insn insn)
{
	struct skep_cbpf_insn *grown;
	size_t cap = p->cap ? 2 * p->cap : 64;

	if (p->n == MAX_READ)
		return scan_fail(s, "more than %u instructions", MAX_READ);
	if (p->n == p->cap) {
		grown = reallocarray(p->insns, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->insns = grown;
		p->cap = cap;
	}
	p->insns[p->n++] = insn;
	return 0;
}
