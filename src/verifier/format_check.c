/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats that are known when a program is loaded: would bpf_snprintf() take this one?
 *
 * The grammar is that of helpers/format.c, which still checks formats that come at run time:
 *
 *   %% | % [0+- ]* width? ( c | s | [diuxX] | l[diuxX] | ll[diuxX] | p ( K | x | s | S | B |
 *                           [ku]s | [iI][46] )? )
 *
 * Each conversion but %% takes one argument. Control characters are refused.
 */
#include <ctype.h>
#include <string.h>

#include "verifier/call.h"

/* Behind the letters of a pointer conversion; NULL: there is no such. */
static const char *skip_pointer(const char *at)
{
	if ((*at == 'k' || *at == 'u') && at[1] == 's')
		return at + 2;
	if (*at == 'i' || *at == 'I')
		return at[1] == '4' || at[1] == '6' ? at + 2 : NULL;
	if (*at && strchr("KxsSB", *at))
		return at + 1;
	return !*at || isspace((unsigned char)*at) || ispunct((unsigned char)*at) ? at : NULL;
}

static const char *skip_conversion(const char *at)
{
	at += strspn(at, "0+- ");
	if (*at >= '1' && *at <= '9')
		at += strspn(at, "0123456789");
	if (*at == 'p')
		return skip_pointer(at + 1);
	if (*at == 'c' || *at == 's')
		return at + 1;
	for (int l = 0; l < 2 && *at == 'l'; l++)
		at++;
	return *at && strchr("diuxX", *at) ? at + 1 : NULL;
}

bool format_fits(const char *format, unsigned nargs)
{
	unsigned used = 0;

	for (const char *at = format; *at;) {
		if ((!isprint((unsigned char)*at) && !isspace((unsigned char)*at)) || *at & 0x80)
			return false;
		if (*at++ != '%')
			continue;
		if (*at == '%') {
			at++;
			continue;
		}
		if (used++ == nargs)
			return false;
		at = skip_conversion(at);
		if (!at)
			return false;
	}
	return true;
}
