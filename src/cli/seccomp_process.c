/* SPDX-License-Identifier: BSD-2-Clause */
/* The filters of a running process: ptrace(2) gives them out to those who may administrate the system. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/seccomp_process.h"

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

static int say(long pid, unsigned index)
{
	if (errno == ENOENT)
		return fail(EXIT_BAD_INPUT, index ? "process %ld has no filter %u: 0 is its newest"
		                                  : "process %ld has no seccomp filter", pid, index);
	if (errno == EACCES || errno == EPERM)
		return fail(EXIT_FAILED, "process %ld: to read filters, CAP_SYS_ADMIN is needed, and no seccomp "
		            "filter of one's own", pid);
	return fail(EXIT_FAILED, "process %ld: %s", pid, strerror(errno));
}

static int get_filter(long pid, unsigned index, struct filter *f)
{
	long n = ptrace(PTRACE_SECCOMP_GET_FILTER, (pid_t)pid, (void *)(uintptr_t)index, NULL);

	if (n < 0)
		return say(pid, index);
	f->insns = calloc((size_t)n + 1, sizeof(*f->insns));
	if (!f->insns)
		return fail(EXIT_FAILED, "out of memory");
	f->n = (size_t)n;
	f->name = "the process's filter";
	f->kind = SKEP_CBPF_SECCOMP;
	if (ptrace(PTRACE_SECCOMP_GET_FILTER, (pid_t)pid, (void *)(uintptr_t)index, f->insns) != n)
		return say(pid, index);
	return 0;
}

int filter_of_process(long pid, unsigned index, struct filter *f)
{
	int status, err;

	if (ptrace(PTRACE_SEIZE, (pid_t)pid, NULL, NULL))
		return fail(EXIT_FAILED, "process %ld: %s", pid, strerror(errno));
	/* It goes on as it was as soon as it is let go. */
	if (ptrace(PTRACE_INTERRUPT, (pid_t)pid, NULL, NULL) || waitpid((pid_t)pid, &status, __WALL) != pid)
		err = fail(EXIT_FAILED, "process %ld does not stop: %s", pid, strerror(errno));
	else
		err = get_filter(pid, index, f);
	ptrace(PTRACE_DETACH, (pid_t)pid, NULL, NULL);
	return err;
}
