/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs the program: the thread of this process that does. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "helpers/helpers.h"

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
