/* SPDX-License-Identifier: BSD-2-Clause */
/* --log: a line for each served call, in the manner of strace. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "sandbox/sandbox.h"
#include "sys/attr.h"

static const char *const names[] = {
#define CALL(name, serve, ...) #name,
#include "sandbox/calls.def"
#undef CALL
};

static const char *const commands[] = {
#define CMD(number, name, handler, size) [number] = #name,
#define CMD_ABSENT(number, name) [number] = #name,
#include "sys/cmd.def"
#undef CMD
#undef CMD_ABSENT
};

static void print_result(FILE *f, int64_t result)
{
	if (result < 0)
		fprintf(f, ") = -1 %s (%s)\n", strerrorname_np((int)-result), strerror((int)-result));
	else
		fprintf(f, ") = %lld\n", (long long)result);
}

void trace_call(struct sandbox *s, const struct remote *r, int row, const struct seccomp_data *call,
                int64_t result)
{
	unsigned cmd = (unsigned)call->args[0];

	pthread_mutex_lock(&s->log_lock);
	fprintf(s->log, "[%d] %s(", (int)r->tid, names[row]);
	if (!strcmp(names[row], "bpf")) {
		if (cmd < sizeof(commands) / sizeof(commands[0]) && commands[cmd])
			fprintf(s->log, "BPF_%s", commands[cmd]);
		else
			fprintf(s->log, "%u", cmd);
		fprintf(s->log, ", %#llx, %u", (unsigned long long)call->args[1],
		        (unsigned)call->args[2]);
	} else {
		for (int i = 0; i < 4; i++)
			fprintf(s->log, "%s%#llx", i ? ", " : "", (unsigned long long)call->args[i]);
	}
	print_result(s->log, result);
	pthread_mutex_unlock(&s->log_lock);
}
