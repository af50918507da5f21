/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs the program: the thread of this process that does. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/core.h"
#include "core/host.h"
#include "helpers/helpers.h"
#include "helpers/probe.h"

enum { COMM_LEN = 16 };

HELPER_FN(get_current_pid_tgid)
{
	return (uint64_t)(uint32_t)getpid() << 32 | (uint32_t)gettid();
}

HELPER_FN(get_current_uid_gid)
{
	return (uint64_t)(uint32_t)getgid() << 32 | (uint32_t)getuid();
}

HELPER_FN(get_current_comm)
{
	char *to = (char *)(uintptr_t)r1, comm[COMM_LEN] = {0};
	uint32_t size = (uint32_t)r2, len;

	if (prctl(PR_GET_NAME, comm)) {
		memset(to, 0, size);
		return (uint64_t)(int64_t)-EINVAL;
	}
	len = (uint32_t)strnlen(comm, sizeof(comm) - 1);
	len = len < size ? len : size - 1;
	memcpy(to, comm, len);
	memset(to + len, 0, size - len);
	return 0;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

enum { MAX_LEVELS = 64 };

HELPER_FN(get_current_cgroup_id)
{
	uint64_t id = 0;

	return host_cgroup_chain(&id, 1) > 0 ? id : 0;
}

/* Level 0 is the root; the chain begins at the other end. */
HELPER_FN(get_current_ancestor_cgroup_id)
{
	uint64_t chain[MAX_LEVELS];
	int n = host_cgroup_chain(chain, MAX_LEVELS), level = (int)r1;

	return level >= 0 && level < n && n <= MAX_LEVELS ? chain[n - 1 - level] : 0;
}

/* The process as its own namespace numbers it, if that is the one meant. */
HELPER_FN(get_ns_current_pid_tgid)
{
	enum { INFO_SIZE = 8 };
	uint32_t *info = (uint32_t *)(uintptr_t)r3;
	struct stat ns;
	int err = EINVAL;

	if ((uint32_t)r4 == INFO_SIZE && !stat("/proc/self/ns/pid", &ns) && ns.st_ino == r2 &&
	    ns.st_dev == r1)
		err = 0;
	memset(info, 0, (uint32_t)r4);
	if (err)
		return fail(err);
	info[0] = (uint32_t)gettid();
	info[1] = (uint32_t)getpid();
	return 0;
}

static uint64_t signal_result(long ret)
{
	return ret ? fail(errno) : 0;
}

/* To the process, and to the thread, that runs the program. */
HELPER_FN(send_signal)
{
	return signal_result(kill(getpid(), (int)(uint32_t)r1));
}

HELPER_FN(send_signal_thread)
{
	return signal_result(syscall(SYS_tgkill, getpid(), gettid(), (int)(uint32_t)r1));
}

HELPER_FN(copy_from_user)
{
	return (uint64_t)probe_memory((void *)(uintptr_t)r1, (uint32_t)r2, r3);
}

/* What the attachment says; a test run has none. */
HELPER_FN(get_attach_cookie)
{
	return cpu->attach_cookie;
}

/* No event of Skep's comes with a record of branches. */
HELPER_FN(read_branch_records)
{
	enum { SIZE_ONLY = 1 };

	return r4 & ~(uint64_t)SIZE_ONLY ? fail(EINVAL) : fail(ENOENT);
}
