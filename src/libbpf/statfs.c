/* SPDX-License-Identifier: BSD-2-Clause */
/* statfs(): libbpf pins only below a directory that claims to be a BPF file system. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* statfs() and statfs64() are two symbols here */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "libbpf/door.h"
#include "libbpf/raw.h"
#include "skep.h"

enum { BPF_FS = 0xcafe4a11 }; /* BPF_FS_MAGIC of <linux/magic.h> */

/* The C library's struct statfs is the kernel's on every 64-bit CPU. */
static_assert(sizeof(long) == 8, "a 64-bit host");

static int is_bpffs(const char *path)
{
	struct skep *k = door_kernel();
	const char *root = k ? skep_bpffs(k) : NULL;
	char real[PATH_MAX];
	size_t len;

	if (!root || !realpath(path, real))
		return 0;
	len = strlen(root);
	return strncmp(real, root, len) == 0 && (real[len] == '/' || !real[len]);
}

__attribute__((visibility("default"))) int statfs(const char *path, struct statfs *buf)
{
	long ret = raw_syscall(SYS_statfs, (long)path, (long)buf, 0, 0, 0, 0);

	if (ret == 0 && is_bpffs(path))
		buf->f_type = BPF_FS;
	return (int)raw_result(ret);
}

int statfs64(const char *path, struct statfs64 *buf) __attribute__((visibility("default")));

int statfs64(const char *path, struct statfs64 *buf)
{
	return statfs(path, (struct statfs *)buf);
}
