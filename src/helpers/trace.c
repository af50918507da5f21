/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted text: to the trace, to a stream of the program, or to its own memory. */
#include <errno.h>
#include <string.h>

#include "core/core.h"
#include "core/prog.h"
#include "helpers/format.h"
#include "helpers/helpers.h"
#include "helpers/kfuncs.h"

enum { MAX_LINE = 1024, MAX_DATA = FORMAT_MAX_ARGS * sizeof(uint64_t) };

static void *pointer(uint64_t r)
{
	return (void *)(uintptr_t)r;
}

/*
 * A line of the trace. Its text goes to the one who asked for it, without the line end it may have.
 */
static int64_t print(struct cpu *cpu, const char *format, uint32_t size, const uint64_t *args,
                     uint32_t nargs)
{
	char line[MAX_LINE];
	int64_t len = format_text(line, sizeof(line), format, size, args, nargs, cpu);
	size_t n;

	if (len < 0)
		return len;
	n = len < MAX_LINE ? (size_t)len : MAX_LINE - 1;
	if (cpu->k->trace)
		cpu->k->trace(cpu->k->trace_arg, line, n && line[n - 1] == '\n' ? n - 1 : n);
	return len;
}

HELPER_FN(trace_printk)
{
	const uint64_t args[] = {r3, r4, r5};

	return (uint64_t)print(cpu, pointer(r1), (uint32_t)r2, args, 3);
}

/* The array of arguments that a program made: whole words, not too many. */
static bool args_ok(uint64_t data, uint32_t size)
{
	return size % sizeof(uint64_t) == 0 && size <= MAX_DATA && (data || !size);
}

HELPER_FN(trace_vprintk)
{
	uint64_t args[FORMAT_MAX_ARGS];
	uint32_t size = (uint32_t)r4;

	if (!args_ok(r3, size))
		return (uint64_t)(int64_t)-EINVAL;
	if (size)
		memcpy(args, pointer(r3), size);
	return (uint64_t)print(cpu, pointer(r1), (uint32_t)r2, args, size / sizeof(uint64_t));
}

/* The verifier knows the format to be a constant string; how long it is, nobody says. */
HELPER_FN(snprintf)
{
	uint64_t args[FORMAT_MAX_ARGS];
	uint32_t size = (uint32_t)r5;
	const char *format = pointer(r3);
	int64_t len;

	if (!args_ok(r4, size))
		return (uint64_t)(int64_t)-EINVAL;
	if (size)
		memcpy(args, pointer(r4), size);
	len = format_text(pointer(r1), (uint32_t)r2, format, (uint32_t)strlen(format) + 1, args,
	                  size / sizeof(uint64_t), cpu);
	return (uint64_t)(len < 0 ? len : len + 1);
}

/* r1: the stream, r2: format, r3, r4: arguments. The stream is that of the program that was entered. */
KFUNC_FN(bpf_stream_vprintk_impl)
{
	struct prog *p = (struct prog *)cpu->prog;
	uint32_t id = (uint32_t)r1, size = (uint32_t)r4;
	uint64_t args[FORMAT_MAX_ARGS];
	const char *format = pointer(r2);
	char line[MAX_LINE];
	int64_t len;

	if (id != STREAM_STDOUT && id != STREAM_STDERR)
		return (uint64_t)(int64_t)-ENOENT;
	if (!args_ok(r3, size))
		return (uint64_t)(int64_t)-EINVAL;
	if (size)
		memcpy(args, pointer(r3), size);
	len = format_text(line, sizeof(line), format, (uint32_t)strlen(format) + 1, args,
	                  size / sizeof(uint64_t), cpu);
	if (len < 0)
		return (uint64_t)len;
	return (uint64_t)(int64_t)stream_write(&p->streams[id - STREAM_STDOUT], &cpu->k->mem, line,
	                                       len < MAX_LINE ? (uint32_t)len : MAX_LINE - 1);
}
