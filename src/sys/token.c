/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_TOKEN_CREATE. A token hands on what a bpffs was given to delegate, to a user namespace that is not
 * the first one. In a Skep, whoever calls is privileged already, and no bpffs delegates: the answer is the
 * kernel's in its first user namespace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/bpf.h"
#include "sys/fd.h"

static bool is_bpffs_root(const struct skep *k, int dir)
{
	const char *root = fd_bpffs(k);
	struct stat a, b;

	return root && stat(root, &a) == 0 && fstat(dir, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int cmd_token_create(struct call *call)
{
	const struct attr_token_create *a = &call->a.token_create;
	dev_t dev;
	ino_t ino;
	int dir, err;

	if (a->flags)
		return -EINVAL;
	err = call->c->ops->identify(call->c, (int)a->bpffs_fd, &dev, &ino);
	if (err)
		return err;
	dir = call->c->ops->open(call->c, (int)a->bpffs_fd, ".", O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return -EINVAL;
	err = is_bpffs_root(call->k, dir) ? -EOPNOTSUPP : -EINVAL;
	close(dir);
	return err;
}
