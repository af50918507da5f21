/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers in text, and comparing it. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "helpers/helpers.h"

enum { BASE_BITS = 0x1f, MAX_DIGITS = 63 };

struct parsed {
	uint64_t number;
	bool negative;
	int64_t used; /* bytes */
};

static int digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* The base that the text asks for where the program leaves it open, and its prefix skipped. */
static int find_base(const char **at, const char *end, int base)
{
	const char *s = *at;
	bool hex = end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16;

	if (!base)
		base = hex ? 16 : s < end && *s == '0' ? 8 : 10;
	if (base == 16 && end - s > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		*at += 2;
	return base;
}

/* 0, -EINVAL: no number, -ERANGE: more than 64 bits. */
static int parse(const char *text, uint32_t size, uint64_t flags, struct parsed *p)
{
	const char *at = text, *end = text + size, *digits;
	int base = (int)(flags & BASE_BITS);

	if (!size || flags & ~(uint64_t)BASE_BITS ||
	    (base != 0 && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (at < end && isspace((unsigned char)*at))
		at++;
	p->negative = at < end && *at == '-';
	at += p->negative;
	if (end - at > MAX_DIGITS)
		end = at + MAX_DIGITS;
	base = find_base(&at, end, base);
	p->number = 0;
	for (digits = at; at < end && digit(*at) < base; at++)
		if (__builtin_mul_overflow(p->number, (uint64_t)base, &p->number) ||
		    __builtin_add_overflow(p->number, (uint64_t)digit(*at), &p->number))
			return -ERANGE;
	p->used = at - text;
	return at == digits ? -EINVAL : 0;
}

HELPER_FN(strtol)
{
	const uint64_t most = INT64_MAX;
	struct parsed p;
	int err = parse((const char *)(uintptr_t)r1, (uint32_t)r2, r3, &p);
	int64_t *result = (int64_t *)(uintptr_t)r4;

	if (!err && p.number > most + p.negative)
		err = -ERANGE;
	*result = 0;
	if (err)
		return (uint64_t)(int64_t)err;
	*result = (int64_t)(p.negative ? 0 - p.number : p.number);
	return (uint64_t)p.used;
}

HELPER_FN(strtoul)
{
	struct parsed p;
	int err = parse((const char *)(uintptr_t)r1, (uint32_t)r2, r3, &p);
	uint64_t *result = (uint64_t *)(uintptr_t)r4;

	if (!err && p.negative)
		err = -EINVAL;
	*result = err ? 0 : p.number;
	return err ? (uint64_t)(int64_t)err : (uint64_t)p.used;
}

HELPER_FN(strncmp)
{
	int order = strncmp((const char *)(uintptr_t)r1, (const char *)(uintptr_t)r3, (uint32_t)r2);

	return (uint64_t)(int64_t)(order < 0 ? -1 : order > 0);
}
