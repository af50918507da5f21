/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the command says when something goes wrong: one line on stderr, and an exit code.
 */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

static void say(const char *format, va_list args)
{
	fflush(stdout);
	fputs("skep: ", stderr);
	vfprintf(stderr, format, args);
}

int fail(enum exit_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

int fail_usage(const struct command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "; `skep help %s` shows what there is\n", c->name);
	return EXIT_USAGE;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fputc('\n', stderr);
}
