/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a line of a log back to the row of reject.def that says it: so that the command can explain what
 * Skep or a real kernel refused, without parsing words anywhere else.
 *
 * Several formats may match a line ("R%u %s" does nearly always); the one with the most letters of its own
 * is meant.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/uapi.h"
#include "verifier/verify.h"

static const struct {
	unsigned code;
	const char *format;
} words[] = {
#define REJECT(code, name, error, format) {code, format},
#include "verifier/reject.def"
#undef REJECT
};

/* Behind a conversion's flags and length: its letter. */
static const char *conversion(const char *format)
{
	return format + strcspn(format, "dusxc%");
}

/* How many letters of its own the format has if printf could have made the line of it, or -1. */
static int match(const char *format, const char *line)
{
	int own = 0, rest;

	for (; *format && *format != '%'; format++, line++, own++)
		if (*format != *line)
			return -1;
	if (!*format)
		return *line ? -1 : own;
	format = conversion(format + 1);
	if (*format == 's') {
		do {
			rest = match(format + 1, line);
			if (rest >= 0)
				return own + rest;
		} while (*line++);
		return -1;
	}
	line += *line == '-' || *line == '+';
	if (!isxdigit((unsigned char)*line))
		return -1;
	while (isxdigit((unsigned char)*line))
		line++;
	rest = match(format + 1, line);
	return rest < 0 ? -1 : own + rest;
}

unsigned reject_code(const char *line)
{
	unsigned code = 0;
	int best = 0;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int own = match(words[i].format, line);

		if (own > best) {
			best = own;
			code = words[i].code;
		}
	}
	return code;
}

const char *reject_format(unsigned code)
{
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].code == code)
			return words[i].format;
	return NULL;
}
