/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs are attached to: see target.h. The host's devices, cgroups and namespaces serve as ours;
 * they are only named here, nothing on the host changes.
 */
#define _GNU_SOURCE
#include "sys/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/net.h"
#include "sys/bpf.h"

enum { CGROUP2_MAGIC = 0x63677270, LO = 1 };

static uint32_t index_of_device(const char *name)
{
	char path[300], text[16];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return (uint32_t)strtoul(text, NULL, 10);
}

bool device_exists(struct skep *k, uint32_t ifindex)
{
	bool found = net_device(k, ifindex) != NULL;
	DIR *dir = !found && ifindex > LO ? opendir("/sys/class/net") : NULL;
	const struct dirent *d;

	if (!dir)
		return found;
	while (!found && (d = readdir(dir)))
		found = d->d_name[0] != '.' && index_of_device(d->d_name) == ifindex;
	closedir(dir);
	return found;
}

int cgroup_of_fd(struct call *call, uint32_t fd, uint64_t *id)
{
	int dir = call->c->ops->open(call->c, (int)fd, ".", O_PATH | O_DIRECTORY, 0);
	struct statfs fs;
	struct stat st;
	int err;

	if (dir < 0)
		return -EBADF;
	err = fstatfs(dir, &fs) != 0 || fs.f_type != CGROUP2_MAGIC || fstat(dir, &st) != 0 ? -EBADF
	                                                                                   : 0;
	close(dir);
	if (!err)
		*id = st.st_ino;
	return err;
}

int netns_own(struct skep *k, uint64_t *ino)
{
	struct stat st;

	*ino = k->net.ns_ino;
	if (*ino)
		return 0;
	if (stat("/proc/self/ns/net", &st) != 0)
		return -EINVAL;
	*ino = st.st_ino;
	return 0;
}

int netns_of_fd(struct call *call, uint32_t fd, uint64_t *ino)
{
	struct stat own;
	dev_t dev;
	ino_t at;
	int err = call->c->ops->identify(call->c, (int)fd, &dev, &at);

	if (err)
		return err;
	if (call->k->net.ns_ino)
		return call->k->net.ns_dev == dev && call->k->net.ns_ino == at ? (*ino = at, 0) : -EINVAL;
	if (stat("/proc/self/ns/net", &own) != 0 || own.st_dev != dev || own.st_ino != at)
		return -EINVAL;
	*ino = at;
	return 0;
}
