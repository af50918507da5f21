/* SPDX-License-Identifier: BSD-2-Clause */
/* See say.h. */
#include "sys/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "skep_hook.h"

int say(struct skep *k, char *message, int err, const char *format, ...)
{
	char text[SKEP_MESSAGE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (message)
		memcpy(message, text, sizeof(text));
	if (k->diagnose)
		k->diagnose(k->diagnose_arg, text);
	return err;
}

bool is_fork(const struct skep *k)
{
	return k->pid != getpid();
}

int say_fork(struct skep *k, char *message)
{
	return say(k, message, -EPERM, "this is a fork of the process that made the kernel, and has but a copy "
	                               "of it: make one here (skep_new()), or talk to the parent");
}
