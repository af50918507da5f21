/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client that is a process in the sandbox: it waits in a system call while we look at it.
 *
 * Memory is reached with process_vm_readv() and, where a policy forbids that, through /proc/PID/mem;
 * both stop at the first page that is not there: EFAULT. Descriptors are looked up in /proc/TID/fd, as
 * a thread may have a table of its own. Paths are resolved as the caller would, in its root directory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sys/bpf.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* --- Memory ------------------------------------------------------------------------------- */

static int mem_open(const struct remote *r, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)r->tid);
	return open(path, flags | O_CLOEXEC);
}

static int through_file(const struct remote *r, void *buf, uint64_t addr, size_t len, bool write)
{
	int fd = mem_open(r, write ? O_WRONLY : O_RDONLY);
	size_t done = 0;

	while (fd >= 0 && done < len) {
		ssize_t n = write ? pwrite(fd, (char *)buf + done, len - done, (off_t)(addr + done))
		                  : pread(fd, (char *)buf + done, len - done, (off_t)(addr + done));

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return done == len ? 0 : -EFAULT;
}

static int read_whole(struct remote *r, void *to, uint64_t addr, size_t len)
{
	struct iovec local = {to, len}, theirs = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_readv(r->tid, &local, 1, &theirs, 1, 0);
	int err = n == (ssize_t)len ? 0 : -EFAULT;

	if (n < 0 && (errno == EPERM || errno == ENOSYS))
		err = through_file(r, to, addr, len, false);
	return !err && !notify_waits(r) ? -EFAULT : err;
}

/*
 * Attributes, keys and values of a call usually stand within a few hundred bytes of one stack. So with the
 * first small read comes what is around it in the same page, and later ones cost no system call; all see
 * the memory as it was at one moment.
 */
static bool read_near(struct remote *r, uint64_t addr, size_t len)
{
	uint64_t page = addr & ~(uint64_t)4095;
	uint64_t from = addr - page > REMOTE_NEAR / 2 ? addr - REMOTE_NEAR / 2 : page;
	uint64_t end = page + 4096 < from + REMOTE_NEAR ? page + 4096 : from + REMOTE_NEAR;

	r->near_len = 0;
	if (len > REMOTE_NEAR / 4 || end - from > REMOTE_NEAR || addr + len > end || read_whole(r, r->near, from, end - from) != 0)
		return false;
	r->near_at = from;
	r->near_len = end - from;
	return true;
}

static int remote_read(struct client *c, void *to, uint64_t addr, size_t len)
{
	struct remote *r = remote_of(c);
	uint64_t at = addr - r->near_at;

	if (at > r->near_len || len > r->near_len - at) {
		if (!read_near(r, addr, len))
			return read_whole(r, to, addr, len);
		at = addr - r->near_at;
	}
	memcpy(to, r->near + at, len);
	return 0;
}

static int remote_write(struct client *c, uint64_t addr, const void *from, size_t len)
{
	struct remote *r = remote_of(c);
	struct iovec local = {(void *)(uintptr_t)from, len}, theirs = {(void *)(uintptr_t)addr, len};
	ssize_t n;

	r->near_len = 0; /* it changes */
	if (!notify_waits(r))
		return -EFAULT;
	n = process_vm_writev(r->tid, &local, 1, &theirs, 1, 0);
	if (n < 0 && (errno == EPERM || errno == ENOSYS))
		return through_file(r, (void *)(uintptr_t)from, addr, len, true);
	return n == (ssize_t)len ? 0 : -EFAULT;
}

/* --- Descriptors -------------------------------------------------------------------------- */

static int remote_install(struct client *c, int fd)
{
	int got = notify_install(remote_of(c), fd, 0);

	close(fd);
	return got;
}

static int remote_identify(struct client *c, int fd, dev_t *dev, ino_t *ino)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)remote_of(c)->tid, fd);
	if (fd < 0 || stat(path, &st) != 0)
		return -EBADF;
	*dev = st.st_dev;
	*ino = st.st_ino;
	return 0;
}

/* How a descriptor is open is said by the mode of its link: one look instead of reading fdinfo. */
static int remote_status(struct client *c, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)remote_of(c)->tid, fd);
	if (lstat(path, &st) != 0)
		return -EBADF;
	if (st.st_mode & S_IRUSR)
		return st.st_mode & S_IWUSR ? O_RDWR : O_RDONLY;
	return O_WRONLY;
}

static pid_t group_of(pid_t tid)
{
	char path[32], line[64];
	pid_t group = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && group < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "Tgid:", 5) == 0)
			group = (pid_t)atoi(line + 5);
	if (f)
		fclose(f);
	return group;
}

int remote_fd(struct remote *r, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->tid, PIDFD_THREAD), got;

	if (pidfd < 0)
		pidfd = (int)syscall(SYS_pidfd_open, group_of(r->tid), 0);
	if (pidfd < 0)
		return -errno;
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (got < 0)
		got = -errno;
	close(pidfd);
	if (got >= 0 && !notify_waits(r)) {
		close(got);
		return -ESRCH;
	}
	return got;
}

/* --- Paths -------------------------------------------------------------------------------- */

/* Removes empty parts, "." and ".." from an absolute path, in place. */
static void path_clean(char *path)
{
	char *to = path, *from = path;

	while (*from) {
		char *end;
		size_t len;

		while (*from == '/')
			from++;
		end = strchrnul(from, '/');
		len = (size_t)(end - from);
		if (len == 2 && !memcmp(from, "..", 2)) {
			while (to > path && *--to != '/')
				;
		} else if (len && !(len == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, len);
			to += len;
		}
		from = end;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

/* Makes a path that the caller wrote absolute, in its view. */
static int path_absolute(const struct remote *r, int dirfd, const char *path, char out[PATH_MAX])
{
	char link[64];
	ssize_t n = 0;

	if (path[0] != '/') {
		if (dirfd == AT_FDCWD)
			snprintf(link, sizeof(link), "/proc/%d/cwd", (int)r->tid);
		else
			snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)r->tid, dirfd);
		n = readlink(link, out, PATH_MAX - 1);
		if (n < 0)
			return -EBADF;
		if (out[0] != '/') /* "pipe:[4711]" */
			return -ENOTDIR;
		out[n++] = '/';
	}
	if ((size_t)n + strlen(path) + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(out + n, path);
	path_clean(out);
	return 0;
}

int remote_path(struct remote *r, int dirfd, uint64_t addr, char path[PATH_MAX])
{
	char raw[PATH_MAX];
	size_t len = 0;

	for (;;) {
		size_t n = 256 - (addr + len) % 256; /* never across a page before it is needed */
		int err;

		if (n > sizeof(raw) - len)
			n = sizeof(raw) - len;
		if (!n)
			return -ENAMETOOLONG;
		err = client_read(&r->client, raw + len, addr + len, n);
		if (err)
			return err;
		if (memchr(raw + len, 0, n))
			break;
		len += n;
	}
	return raw[0] ? path_absolute(r, dirfd, raw, path) : -ENOENT;
}

bool remote_may_be_ours(struct remote *r, uint64_t addr)
{
	char start[6];

	/* A name shorter than this at the end of a page is none of ours, either. */
	if (client_read(&r->client, start, addr, sizeof(start)) != 0)
		return false;
	return memcmp(start, "/proc/", 6) == 0 || memcmp(start, "/sys/", 5) == 0 ||
	       memcmp(start, "/run/x", 6) == 0 || start[0] != '/';
}

static int open_in_root(const struct remote *r, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	char root_path[32];
	int root, fd;

	snprintf(root_path, sizeof(root_path), "/proc/%d/root", (int)r->tid);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(root);
	return fd;
}

/*
 * What processes see below /sys/fs/bpf is a directory of ours: it is opened there, so that its path is the
 * one that sys/pin.c knows. A symbolic link may lead there, too.
 */
static int remote_open(struct client *c, int dirfd, const char *path, int flags, mode_t mode)
{
	struct remote *r = remote_of(c);
	char absolute[PATH_MAX], real[PATH_MAX], link[32];
	int fd, err = path_absolute(r, dirfd, path, absolute);
	ssize_t n;

	if (err)
		return err;
	place_follow(&r->s->place, absolute);
	path_clean(absolute);
	if (!place_translate(&r->s->place, absolute, real)) {
		fd = open_in_root(r, absolute, flags, mode);
		if (fd < 0)
			return fd;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, absolute, sizeof(absolute) - 1);
		if (n < 0)
			return fd;
		absolute[n] = '\0';
		if (!place_translate(&r->s->place, absolute, real))
			return fd;
		close(fd);
	}
	fd = open(real, flags | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

const struct client_ops remote_ops = {
	.read = remote_read,
	.write = remote_write,
	.install = remote_install,
	.identify = remote_identify,
	.status = remote_status,
	.open = remote_open,
};
