/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading text: what the readers of all forms share. A scan stands at a byte of a text, of which it knows
 * the line and column; blanks and comments are skipped before each token.
 */
#ifndef SKEP_CBPF_SCAN_H
#define SKEP_CBPF_SCAN_H

#include "cbpf/cbpf.h"

struct scan {
	const char *at, *end;
	const char *line_start;
	unsigned line;
	bool keep_lines; /* a line end is a token: scan_char(s, '\n') */
	bool asm_comments; /* `;` begins one */
	struct skep_cbpf_error *error;
};

struct word {
	const char *at;
	unsigned len;
};

/* A program that grows. */
struct program {
	struct skep_cbpf_insn *insns;
	size_t n, cap;
};

void scan_init(struct scan *s, const char *text, size_t len, struct skep_cbpf_error *error);
/* Goes to the next token; false at the end, and where a comment does not end. */
bool scan_more(struct scan *s);
/* -EINVAL, with the position of the next token. */
int scan_fail(struct scan *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same where a word, a line and column were noted. */
int scan_fail_at(struct scan *s, unsigned line, unsigned column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
unsigned scan_column(const struct scan *s);

/* Takes the next token when it is this character, this word (in any case), else leaves it. */
bool scan_char(struct scan *s, char c);
bool scan_is(struct scan *s, const char *word);
/* Takes a word: letters, digits, _ and a dot in front. */
bool scan_word(struct scan *s, struct word *w);
bool word_is(const struct word *w, const char *text);
/* The character that must come; what: where, for the message. */
int scan_want(struct scan *s, char c, const char *what);
/*
 * A number in decimal, 0x, 0b or octal, with an optional sign, from -2^31 to 2^32 - 1. 0 or -EINVAL with a
 * message.
 */
int scan_number(struct scan *s, uint32_t *to);
/* What the next token looks like, for messages; at most 20 bytes of it. */
const char *scan_near(struct scan *s, char room[32]);

/* 0, -ENOMEM, -EINVAL: too many. */
int program_add(struct program *p, struct scan *s, struct skep_cbpf_insn insn);

/* --- The readers: the rest of the text becomes a program. 0, -EINVAL, -ENOMEM ------------------ */

int asm_read(struct scan *s, struct program *p);
int list_read(struct scan *s, struct program *p);
int numbers_read(struct scan *s, struct program *p); /* -ddd and xt_bpf */
int c_read(struct scan *s, struct program *p);       /* -dd and macros */

/*
 * An operand of asm or tcpdump -d: `kind` is one of ABS IND MSH MEM LEN K X A, with k. in_list: tcpdump's
 * spelling of extensions.
 */
int operand_read(struct scan *s, bool in_list, enum cbpf_operand *kind, uint32_t *k);

#endif
