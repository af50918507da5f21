/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places: each sandbox's directory, by whose name others find it.
 *
 *   $XDG_RUNTIME_DIR/skep/NAME/ or /tmp/skep-UID/NAME/
 *     bpf/            what processes see as /sys/fs/bpf
 *     tracing/        what they see as /sys/kernel/tracing
 *     control         socket of the supervisor: see control.c
 *     lock            locked, and holding the supervisor's pid, as long as it lives
 *
 * Only its user may enter. What a supervisor that was killed left behind is removed when its name is
 * used again, or listed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/place.h"
#include "sandbox/sandbox.h"

static const char bpffs_seen[] = "/sys/fs/bpf";

static int fail(char what[256], int err, const char *action, const char *path)
{
	snprintf(what, 256, "cannot %s %.150s: %s", action, path, strerror(-err));
	return err;
}

/* A directory of this user's alone. */
static int make_private(const char *path, char what[256])
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(what, -errno, "make the directory", path);
	if (lstat(path, &st) != 0)
		return fail(what, -errno, "look at", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077) {
		snprintf(what, 256, "%.150s is not a directory of this user alone: remove it, or set "
		                    "XDG_RUNTIME_DIR", path);
		return -EPERM;
	}
	return 0;
}

int place_base(char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (runtime && runtime[0] == '/' && stat(runtime, &st) == 0 && st.st_uid == geteuid())
		return snprintf(path, size, "%s/skep", runtime) < (int)size ? 0 : -ENAMETOOLONG;
	return snprintf(path, size, "/tmp/skep-%u", (unsigned)geteuid()) < (int)size
	               ? 0
	               : -ENAMETOOLONG;
}

bool place_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len < 64 && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* Its supervisor's pid when one lives, else 0. */
int place_owner(const char *dir)
{
	char path[PATH_MAX], text[16] = "";
	int fd, pid = 0;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && read(fd, text, sizeof(text) - 1) > 0)
		pid = atoi(text);
	close(fd);
	return pid;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

void place_clear(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int take_lock(struct place *p, char what[256])
{
	char path[PATH_MAX], text[16];
	int n;

	snprintf(path, sizeof(path), "%s/lock", p->dir);
	p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock < 0)
		return fail(what, -errno, "make", path);
	if (flock(p->lock, LOCK_EX | LOCK_NB) != 0)
		return -EEXIST;
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	return write(p->lock, text, (size_t)n) == n ? 0 : fail(what, -EIO, "write", path);
}

static int address(const char *dir, struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	return snprintf(to->sun_path, sizeof(to->sun_path), "%s/control", dir) <
	                       (int)sizeof(to->sun_path)
	               ? 0
	               : -ENAMETOOLONG;
}

static int listen_at(struct place *p, char what[256])
{
	struct sockaddr_un at;
	int err = address(p->dir, &at);

	p->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (!err && (p->control < 0 || bind(p->control, (void *)&at, sizeof(at)) != 0 ||
	             listen(p->control, 16) != 0))
		err = -errno;
	return err ? fail(what, err, "listen at", p->dir) : 0;
}

int place_make(struct place *p, const char *name, char what[256])
{
	char base[PATH_MAX / 4], number[16];
	int err = place_base(base, sizeof(base));

	p->control = p->lock = -1;
	snprintf(number, sizeof(number), "%d", (int)getpid());
	if (!name)
		name = number;
	if (!place_name_ok(name)) {
		snprintf(what, 256, "'%.60s' is no name for a sandbox: letters, digits, . _ - , at most 63",
		         name);
		return -EINVAL;
	}
	if (!err)
		err = make_private(base, what);
	if (err)
		return err;
	snprintf(p->dir, sizeof(p->dir), "%s/%s", base, name);
	if (access(p->dir, F_OK) == 0) {
		if (place_owner(p->dir)) {
			snprintf(what, 256, "there is a sandbox '%s' already: `skep run --join %s` enters "
			                    "it", name, name);
			p->dir[0] = '\0';
			return -EEXIST;
		}
		place_clear(p->dir);
	}
	snprintf(p->bpffs, sizeof(p->bpffs), "%s/bpf", p->dir);
	snprintf(p->tracing, sizeof(p->tracing), "%s/tracing", p->dir);
	err = make_private(p->dir, what);
	if (!err)
		err = take_lock(p, what);
	if (!err)
		err = make_private(p->bpffs, what);
	if (!err)
		err = make_private(p->tracing, what);
	return err ? err : listen_at(p, what);
}

void place_remove(struct place *p)
{
	if (p->control >= 0)
		close(p->control);
	if (p->dir[0])
		place_clear(p->dir);
	if (p->lock >= 0)
		close(p->lock);
}

int place_connect(const char *name)
{
	char base[PATH_MAX / 4], dir[PATH_MAX / 2];
	struct sockaddr_un at;
	int fd, err = place_base(base, sizeof(base));

	if (err || !place_name_ok(name))
		return -ENOENT;
	snprintf(dir, sizeof(dir), "%s/%s", base, name);
	err = address(dir, &at);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (void *)&at, sizeof(at)) != 0) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

bool place_translate(const struct place *p, const char *path, char to[PATH_MAX])
{
	size_t len = sizeof(bpffs_seen) - 1;

	if (strncmp(path, bpffs_seen, len) != 0 || (path[len] && path[len] != '/'))
		return false;
	return snprintf(to, PATH_MAX, "%s%s", p->bpffs, path + len) < PATH_MAX;
}

bool place_lock(const struct place *p, const char *path, char to[PATH_MAX])
{
	static const char start[] = "/run/xdp-";

	if (strncmp(path, start, sizeof(start) - 1) != 0 || strchr(path + sizeof(start) - 1, '/'))
		return false;
	return snprintf(to, PATH_MAX, "%s/xdp-%s", p->dir, path + sizeof(start) - 1) < PATH_MAX;
}

/* The first symbolic link on the way: `end` is where its name ends in path. Its length or -1. */
static ssize_t first_link(const struct place *p, char *path, size_t *end, char link[PATH_MAX])
{
	char real[PATH_MAX];

	for (char *at = path + sizeof(bpffs_seen) - 1; *at; ) {
		char *next = strchrnul(at + 1, '/'), kept = *next;
		ssize_t n = -1;

		*next = '\0';
		if (place_translate(p, path, real))
			n = readlink(real, link, PATH_MAX - 1);
		*next = kept;
		if (n > 0) {
			*end = (size_t)(next - path);
			return n;
		}
		at = next;
	}
	return -1;
}

void place_follow(const struct place *p, char path[PATH_MAX])
{
	char link[PATH_MAX], joined[2 * PATH_MAX + 2], real[PATH_MAX];

	for (int hops = 0; hops < 40 && place_translate(p, path, real); hops++) {
		size_t end, head = 0;
		ssize_t n = first_link(p, path, &end, link);

		if (n < 0)
			return;
		link[n] = '\0';
		if (link[0] != '/') /* relative to where it stands */
			for (head = end; head && path[head - 1] != '/'; head--)
				;
		n = snprintf(joined, sizeof(joined), "%.*s%s%s", (int)head, path, link, path + end);
		if (n >= PATH_MAX)
			return;
		memcpy(path, joined, (size_t)n + 1);
	}
}
