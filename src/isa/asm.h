/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the assembler: tokens (lex.c) and the tree of all instruction syntaxes (syntax.c), which
 * asm.c puts together. Nobody else includes this; the door is isa/text.h.
 */
#ifndef SKEP_ISA_ASM_H
#define SKEP_ISA_ASM_H

#include "isa/insn.h"

#include <stddef.h>

/* One bit each: an edge of the syntax tree accepts a set of kinds. */
enum token_kind {
	TOKEN_END = 0,          /* of a statement: line end, ';', end of text */
	TOKEN_WORD = 1 << 0,    /* keyword, label, name */
	TOKEN_REG = 1 << 1,     /* r0 .. r10 */
	TOKEN_WREG = 1 << 2,    /* w0 .. w10 */
	TOKEN_NUMBER = 1 << 3,  /* 5, 0x5, -5, - 5, +5 */
	TOKEN_PC = 1 << 4,      /* pc+5, pc-5 */
	TOKEN_SIGN = 1 << 5,    /* operators and brackets */
	TOKEN_BAD = 1 << 6,     /* no token; `why` says so */
	/* In the tree only: */
	TOKEN_NONE = 1 << 7, /* what is accepted here may be absent, and is 0 then */
	TOKEN_HASH = 1 << 8, /* a word may be followed by #number */
};

struct token {
	enum token_kind kind;
	bool negative;    /* NUMBER, PC: value is the magnitude */
	const char *text; /* where it stands in the source */
	size_t len;
	uint64_t value;   /* REG, WREG: which; NUMBER, PC: magnitude; SIGN: its characters, packed */
	const char *why;
};

struct lexer {
	const char *at, *end;
	bool line_start; /* nothing but blanks since the line began */
};

/* The next token; at the end of the text END again and again. */
void lex_next(struct lexer *l, struct token *t);
/* True when the very next character but for blanks is c; consumes it then. */
bool lex_accept(struct lexer *l, char c);
/* True where a number begins at p: a digit, or a sign (one, or "+ -") before a digit. */
bool lex_at_number(const struct lexer *l, const char *p);

/*
 * Where an operand goes. The letters of insn.def's syntax column, with those that say two things
 * taken apart: $q gives SRC and IMM, $a the two casts, $w, $r and $d the same DST.
 */
enum operand {
	OPERAND_DST = 'd',
	OPERAND_SRC = 's',
	OPERAND_R0 = '0', /* a register that the instruction fixes */
	OPERAND_OFF = 'o',
	OPERAND_IMM = 'i',
	OPERAND_IMM2 = '2',
	OPERAND_IMM64 = 'L',
	OPERAND_JUMP16 = 'j',
	OPERAND_JUMP32 = 'J',
	OPERAND_HELPER = 'h',
	OPERAND_FUNC = 'l',
	OPERAND_MAP = 'm',
	OPERAND_CAST_TO = 'A',
	OPERAND_CAST_FROM = 'B',
};

enum { MAX_OPERANDS = 6, MAX_SYNTAX_NODES = 1024 };

/* A node stands for the tokens that led to it; 0 is the root, and "none" as next and child. */
struct syntax_node {
	const char *word;  /* literal word of len characters, or NULL */
	uint32_t sign;     /* literal sign, or 0 */
	uint8_t len;
	uint16_t accepts;  /* token kinds, where neither word nor sign stands */
	uint8_t op;        /* what a statement that ends here is, or OP_INVALID */
	uint16_t next, child;
};

struct syntax {
	unsigned n;
	struct syntax_node nodes[MAX_SYNTAX_NODES];
	/* What the captured tokens of an operation are, in the order of its syntax. */
	uint8_t operands[OP_COUNT][MAX_OPERANDS];
};

/* Merges the syntax column of insn.def into a tree. */
void syntax_init(struct syntax *s);
/* The child of a node that the token leads to, or 0. */
unsigned syntax_step(const struct syntax *s, unsigned node, const struct token *t);

#endif
