/* SPDX-License-Identifier: BSD-2-Clause */
/* See tap.h. */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned number, failed;

bool tap(bool ok, const char *format, ...)
{
	va_list args;

	printf("%s %u - ", ok ? "ok" : "not ok", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failed += !ok;
	return ok;
}

void tap_skip(const char *why, const char *format, ...)
{
	va_list args;

	printf("ok %u - ", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" # SKIP %s\n", why);
}

int tap_end(void)
{
	printf("1..%u\n", number);
	return failed != 0;
}
