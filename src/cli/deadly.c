/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpf trusts an object's tables in places where it should not: a damaged one can make it read wild
 * memory. That ends the process either way; like this with a message, and as bad input.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/exec.h"

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};

static_assert(sizeof(deadly) / sizeof(deadly[0]) == NDEADLY, "one disposition each");

static const char *deadly_path;

static void on_deadly(int sig)
{
	static const char before[] = "skep: ";
	static const char after[] = ": damaged: libbpf cannot make sense of it; build or copy it again\n";

	(void)sig;
	(void)!write(STDERR_FILENO, before, sizeof(before) - 1);
	(void)!write(STDERR_FILENO, deadly_path, strlen(deadly_path));
	(void)!write(STDERR_FILENO, after, sizeof(after) - 1);
	_exit(EXIT_BAD_INPUT);
}

void deadly_catch(const char *path, struct sigaction *before)
{
	struct sigaction action = {.sa_handler = on_deadly, .sa_flags = SA_RESETHAND};

	deadly_path = path;
	for (int i = 0; i < NDEADLY; i++)
		sigaction(deadly[i], &action, &before[i]);
}

void deadly_restore(const struct sigaction *before)
{
	for (int i = 0; i < NDEADLY; i++)
		sigaction(deadly[i], &before[i], NULL);
}
