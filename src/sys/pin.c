/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_OBJ_PIN and BPF_OBJ_GET: names for objects in the kernel's bpffs directory.
 *
 * A pin is an empty regular file; which object it stands for is known by its inode (fd.c). So
 * directories, renaming, permissions and rm are the file system's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/bpf.h"
#include "sys/fd.h"

/* The path of a command: absolute, or relative to path_fd. */
static int read_path(struct call *call, char path[PATH_MAX], int *dirfd)
{
	const struct attr_obj *a = &call->a.obj;
	int len = client_string(call->c, path, a->pathname, PATH_MAX);

	if (len == -E2BIG)
		return -ENAMETOOLONG;
	if (len <= 0)
		return len ? len : -ENOENT;
	*dirfd = a->file_flags & BPF_F_PATH_FD ? a->path_fd : AT_FDCWD;
	return 0;
}

static bool is_inside(const struct skep *k, int dir)
{
	const char *root = fd_bpffs(k);
	char link[32], path[PATH_MAX];
	size_t root_len;
	ssize_t len;

	if (!root)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	len = readlink(link, path, sizeof(path) - 1);
	root_len = strlen(root);
	if (len < (ssize_t)root_len)
		return false;
	path[len] = '\0';
	return memcmp(path, root, root_len) == 0 && (!path[root_len] || path[root_len] == '/');
}

/* Splits "dir/name" in place; answers the name. "name" alone is in ".". */
static char *split(char *path, const char **dir)
{
	size_t len = strlen(path);
	char *slash;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	*dir = slash == path ? "/" : slash ? path : ".";
	if (!slash)
		return path;
	*slash = '\0';
	return slash + 1;
}

/* A new pin file, open for its inode. */
static int create_in(const struct skep *k, int dir, const char *name)
{
	struct stat st;
	int fd, pin;

	if (!name[0] || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (!is_inside(k, dir) || strchr(name, '.'))
		return -EPERM;
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	pin = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	close(fd);
	return pin < 0 ? -errno : pin;
}

static int pin(struct call *call, struct obj *o)
{
	char path[PATH_MAX];
	const char *dir_path;
	char *name;
	int at, dir, fd, err = read_path(call, path, &at);

	if (err)
		return err;
	name = split(path, &dir_path);
	dir = call->c->ops->open(call->c, at, dir_path, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	fd = create_in(call->k, dir, name);
	err = fd < 0 ? fd : fd_pin(o, fd);
	if (fd >= 0 && err)
		unlinkat(dir, name, 0);
	close(dir);
	return err;
}

int cmd_obj_pin(struct call *call)
{
	const struct attr_obj *a = &call->a.obj;
	struct obj *o;
	int err;

	if (a->file_flags & ~(uint32_t)BPF_F_PATH_FD)
		return -EINVAL;
	if (a->path_fd && !(a->file_flags & BPF_F_PATH_FD))
		return -EINVAL;
	if (fd_resolve_any(call->k, call->c, (int)a->bpf_fd, &o, NULL) != 0)
		return -EINVAL;
	err = o->kind == OBJ_BTF || o->kind >= OBJ_STATS ? -EINVAL : pin(call, o);
	obj_put(o);
	return err;
}

int cmd_obj_get(struct call *call)
{
	const struct attr_obj *a = &call->a.obj;
	unsigned access = access_of_flags(a->file_flags);
	char path[PATH_MAX];
	struct obj *o;
	int at, fd, err;

	if (a->bpf_fd || !access ||
	    a->file_flags & ~(uint32_t)(BPF_F_PATH_FD | BPF_F_RDONLY | BPF_F_WRONLY))
		return -EINVAL;
	if (a->path_fd && !(a->file_flags & BPF_F_PATH_FD))
		return -EINVAL;
	err = read_path(call, path, &at);
	if (err)
		return err;
	fd = call->c->ops->open(call->c, at, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	err = fd_pinned(call->k, fd, &o);
	close(fd);
	if (err)
		return err;
	fd = fd_install(call->c, o, o->kind == OBJ_MAP ? access : ACCESS_RW);
	obj_put(o);
	return fd;
}
