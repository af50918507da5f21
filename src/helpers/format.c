/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printf for BPF programs: bpf_trace_printk(), bpf_trace_vprintk(), bpf_snprintf().
 *
 * A conversion is % flags width kind, with flags of "0+- " and a decimal width. Kinds are the
 * integers d i u x X, plain, with l or ll; c; s; and the kernel's pointers: p and pK (hashed, so
 * that addresses do not leak), px (bare), ps pS pB (symbols: Skep has none and prints the number),
 * pks pus (strings), pi4 pI4 pi6 pI6 (network addresses in memory). Anything else is refused, as
 * are control characters.
 *
 * Every argument is 64 bits wide; strings and addresses are read from memory that may not be there,
 * and then nothing is printed.
 */
#include "helpers/format.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/core.h"
#include "helpers/probe.h"

enum { MAX_STRING = 1024, POINTER_WIDTH = 16, MAX_WIDTH = 4096 };

struct writer {
	char *to;
	uint32_t room;
	int64_t len;
};

struct conversion {
	bool zero, plus, minus, space;
	int width; /* 0: none given */
};

struct scanner {
	const char *at, *end; /* end: the NUL */
	const uint64_t *args;
	uint32_t nargs, used;
	const struct cpu *cpu;
	struct writer w;
};

static void put(struct writer *w, const char *text, size_t n)
{
	if (w->len < w->room) {
		size_t left = w->room - (size_t)w->len;

		memcpy(w->to + w->len, text, n < left ? n : left);
	}
	w->len += (int64_t)n;
}

static void put_padding(struct writer *w, size_t n)
{
	while (n--)
		put(w, " ", 1);
}

static void put_text(struct writer *w, const struct conversion *c, const char *text, size_t n)
{
	size_t padding = (size_t)c->width > n ? (size_t)c->width - n : 0;

	if (!c->minus)
		put_padding(w, padding);
	put(w, text, n);
	if (c->minus)
		put_padding(w, padding);
}

/* The C library prints numbers: its rules for flags are the same. */
static void put_number(struct writer *w, const struct conversion *c, char kind, uint64_t number)
{
	char format[16], text[MAX_WIDTH + 32];
	int n;

	snprintf(format, sizeof(format), "%%%s%s%s%s*ll%c", c->zero ? "0" : "", c->plus ? "+" : "",
	         c->minus ? "-" : "", c->space ? " " : "", kind);
	n = snprintf(text, sizeof(text), format, c->width, number);
	if (n > 0)
		put(w, text, (size_t)n);
}

static void put_pointer(struct writer *w, struct conversion c, uint64_t number)
{
	if (!c.width) {
		c.width = POINTER_WIDTH;
		c.zero = true;
	}
	put_number(w, &c, 'x', number);
}

/* Never the address itself, always the same for the same one; 0 stays 0. */
static uint64_t hide(const struct cpu *cpu, uint64_t address)
{
	if (!address)
		return 0;
	address = (address ^ cpu->k->hash_seed[0]) * 0x9e3779b97f4a7c15u;
	address = (address ^ address >> 32 ^ cpu->k->hash_seed[1]) * 0xbf58476d1ce4e5b9u;
	return address >> 32;
}

static void put_symbol(struct writer *w, const struct conversion *c, uint64_t address)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);

	put_text(w, c, text, (size_t)n);
}

/*
 * Where the room has run out, the kernel leaves out what it prints by the letters behind "%p", and
 * does not count it.
 */
static bool left_out(const struct writer *w)
{
	return w->len >= w->room;
}

static void put_string(struct scanner *s, const struct conversion *c, uint64_t address)
{
	char text[MAX_STRING];
	int64_t n = probe_string(text, sizeof(text), address);

	put_text(&s->w, c, text, n > 0 ? (size_t)n - 1 : 0);
}

static void put_ip(struct scanner *s, const struct conversion *c, bool v6, bool colons,
                   uint64_t address)
{
	uint8_t ip[16];
	char text[64];
	size_t n = 0;

	probe_memory(ip, v6 ? 16 : 4, address);
	if (!v6) {
		n = (size_t)snprintf(text, sizeof(text), "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	} else {
		for (int i = 0; i < 16; i += 2)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%02x%02x",
			                      i && colons ? ":" : "", ip[i], ip[i + 1]);
	}
	put_text(&s->w, c, text, n);
}

static bool next_arg(struct scanner *s, uint64_t *arg)
{
	if (s->used == s->nargs)
		return false;
	*arg = s->args[s->used++];
	return true;
}

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

/* Behind "%p". Letters and digits that follow a kind belong to it, whatever they say. */
static int convert_pointer(struct scanner *s, const struct conversion *c)
{
	char kind = *s->at, next = kind ? s->at[1] : '\0';
	uint64_t arg;

	if (!next_arg(s, &arg))
		return -EINVAL;
	if ((kind == 'k' || kind == 'u') && next == 's') {
		s->at += 2;
		if (!left_out(&s->w))
			put_string(s, c, arg);
		return ends_word(*s->at) ? 0 : -EINVAL;
	}
	if (ends_word(kind) || kind == 'K')
		put_pointer(&s->w, *c, hide(s->cpu, arg));
	else if (kind == 'x')
		put_pointer(&s->w, *c, arg);
	else if (kind == 's' || kind == 'S' || kind == 'B')
		put_symbol(&s->w, c, arg);
	else if ((kind != 'i' && kind != 'I') || (next != '4' && next != '6'))
		return -EINVAL;
	else if (!left_out(&s->w))
		put_ip(s, c, next == '6', kind == 'I', arg);
	while (isalnum((unsigned char)*s->at))
		s->at++;
	return 0;
}

static int convert_number(struct scanner *s, const struct conversion *c, int longs)
{
	char kind = *s->at++;
	bool is_signed = kind == 'd' || kind == 'i';
	uint64_t arg;

	if (!kind || !strchr("diuxX", kind) || !next_arg(s, &arg))
		return -EINVAL;
	if (!longs)
		arg = is_signed ? (uint64_t)(int32_t)arg : (uint32_t)arg;
	put_number(&s->w, c, kind, arg);
	return 0;
}

static int convert(struct scanner *s, const struct conversion *c)
{
	uint64_t arg;
	int longs = 0;
	char byte;

	switch (*s->at) {
	case 'p':
		s->at++;
		return convert_pointer(s, c);
	case 's':
		s->at++;
		if (!next_arg(s, &arg))
			return -EINVAL;
		put_string(s, c, arg);
		return 0;
	case 'c':
		s->at++;
		if (!next_arg(s, &arg))
			return -EINVAL;
		byte = (char)arg;
		put_text(&s->w, c, &byte, 1);
		return 0;
	}
	while (*s->at == 'l' && longs < 2) {
		longs++;
		s->at++;
	}
	return convert_number(s, c, longs);
}

/* Flags and width; at stands behind the %. */
static struct conversion scan_flags(struct scanner *s)
{
	struct conversion c = {0};

	for (;; s->at++) {
		if (*s->at == '0')
			c.zero = true;
		else if (*s->at == '+')
			c.plus = true;
		else if (*s->at == '-')
			c.minus = true;
		else if (*s->at == ' ')
			c.space = true;
		else
			break;
	}
	for (; isdigit((unsigned char)*s->at); s->at++)
		c.width = c.width < MAX_WIDTH / 10 ? c.width * 10 + (*s->at - '0') : MAX_WIDTH;
	return c;
}

static int scan(struct scanner *s)
{
	while (s->at < s->end) {
		unsigned char byte = (unsigned char)*s->at;
		int err = 0;

		if (byte < 0x80 && !isprint(byte) && !isspace(byte))
			return -EINVAL;
		s->at++;
		if (byte != '%') {
			put(&s->w, (const char *)&byte, 1);
		} else if (*s->at == '%') {
			put(&s->w, s->at++, 1);
		} else {
			struct conversion c = scan_flags(s);

			err = convert(s, &c);
		}
		if (err)
			return err;
	}
	return 0;
}

int64_t format_text(char *to, uint32_t room, const char *format, uint32_t format_size,
                    const uint64_t *args, uint32_t nargs, const struct cpu *cpu)
{
	struct scanner s = {
		.at = format,
		.end = memchr(format, '\0', format_size),
		.args = args,
		.nargs = nargs,
		.cpu = cpu,
		.w = {.to = to, .room = room},
	};
	int err;

	if (!s.end)
		return -EINVAL;
	err = scan(&s);
	if (err)
		return err;
	if (room)
		to[s.w.len < room ? s.w.len : room - 1] = '\0';
	return s.w.len;
}
