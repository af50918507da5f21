/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading memory that may not be there. The system call that one process reads another with answers
 * an error where a load would crash; it works on one's own memory, too.
 *
 * User and kernel memory are one here: Skep's kernel is this process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "helpers/helpers.h"
#include "helpers/probe.h"

enum { PAGE = 4096 };

/* Bytes that could be read before the first that could not; -1: none. */
static ssize_t read_memory(void *to, uint64_t from, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)from, len};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static int64_t fault(void *to, size_t len)
{
	memset(to, 0, len);
	return -EFAULT;
}

int64_t probe_memory(void *to, uint32_t len, uint64_t from)
{
	if (!len || read_memory(to, from, len) == (ssize_t)len)
		return 0;
	return fault(to, len);
}

/* Page by page, so that memory behind the string is not asked for. */
int64_t probe_string(char *to, uint32_t len, uint64_t from)
{
	uint32_t done = 0;

	if (!len)
		return 0;
	while (done < len) {
		uint64_t at = from + done;
		uint32_t part = PAGE - (uint32_t)(at % PAGE);
		const char *nul;

		part = part < len - done ? part : len - done;
		if (read_memory(to + done, at, part) != (ssize_t)part)
			return fault(to, len);
		nul = memchr(to + done, '\0', part);
		if (nul)
			return nul - to + 1;
		done += part;
	}
	to[len - 1] = '\0';
	return len;
}

HELPER_FN(probe_read)
{
	return (uint64_t)probe_memory((void *)(uintptr_t)r1, (uint32_t)r2, r3);
}

HELPER_FN(probe_read_str)
{
	return (uint64_t)probe_string((char *)(uintptr_t)r1, (uint32_t)r2, r3);
}

HELPER_FN(probe_read_user)
{
	return (uint64_t)probe_memory((void *)(uintptr_t)r1, (uint32_t)r2, r3);
}

HELPER_FN(probe_read_kernel)
{
	return (uint64_t)probe_memory((void *)(uintptr_t)r1, (uint32_t)r2, r3);
}

HELPER_FN(probe_read_user_str)
{
	return (uint64_t)probe_string((char *)(uintptr_t)r1, (uint32_t)r2, r3);
}

HELPER_FN(probe_read_kernel_str)
{
	return (uint64_t)probe_string((char *)(uintptr_t)r1, (uint32_t)r2, r3);
}
