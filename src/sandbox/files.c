/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file world: files by which BPF tools learn what only a kernel would tell.
 *
 * Opening one of the names below gives a memfd with text made for this reader; any other name is the
 * operating system's, which then opens it as if nobody had looked. statfs() says that the sandbox's
 * directory of pins is a BPF file system, and mounting one there has been done already.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sandbox/describe.h"
#include "sandbox/kallsyms.h"
#include "sandbox/perf.h"
#include "sandbox/sandbox.h"
#include "sys/bpf.h"
#include "sys/fd.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

/* --- Files with text of ours -------------------------------------------------------------- */

/* A memfd at whose beginning the caller will read `text`. */
static int text_file(struct remote *r, const char *name, const char *text, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC), got;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
		close(fd);
		return -EIO;
	}
	got = notify_install(r, fd, 0);
	close(fd);
	return got;
}

static const struct {
	const char *path, *text;
} constants[] = {
	{"/proc/sys/kernel/unprivileged_bpf_disabled", "0\n"},
	{"/proc/sys/net/core/bpf_jit_enable", "1\n"},
	{"/proc/sys/net/core/bpf_jit_harden", "0\n"},
	{"/proc/sys/net/core/bpf_jit_kallsyms", "1\n"},
	{"/proc/sys/net/core/bpf_jit_limit", "528482304\n"},
};

static int64_t open_constant(struct remote *r, const char *path, int flags)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (strcmp(path, constants[i].path) != 0)
			continue;
		if ((flags & O_ACCMODE) != O_RDONLY)
			return -EPERM;
		return text_file(r, "sysctl", constants[i].text, strlen(constants[i].text));
	}
	return SERVE_PASS;
}

static int64_t open_kallsyms(struct remote *r, const char *path)
{
	int fd, got;

	if (strcmp(path, "/proc/kallsyms") != 0)
		return SERVE_PASS;
	fd = memfd_create("kallsyms", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = kallsyms_write(r->s->k, fd);
	if (!got && lseek(fd, 0, SEEK_SET) != 0)
		got = -EIO;
	if (!got)
		got = notify_install(r, fd, 0);
	close(fd);
	return got;
}

static int64_t open_tracepoint(struct remote *r, const char *path)
{
	int id = perf_tracepoint_id(r->s, path);
	char text[16];

	if (id < 0)
		return SERVE_PASS;
	return text_file(r, "id", text, (size_t)snprintf(text, sizeof(text), "%d\n", id));
}

/* "/proc/self/fdinfo/7": the descriptor of the caller's, or of its own process by number; -1: no. */
static int fdinfo_of(const struct remote *r, const char *path)
{
	char number[16];
	const char *rest;

	if (strncmp(path, "/proc/", 6) != 0)
		return -1;
	path += 6;
	snprintf(number, sizeof(number), "%d", (int)r->tid);
	if (strncmp(path, "self/fdinfo/", 12) == 0)
		rest = path + 12;
	else if (strncmp(path, number, strlen(number)) == 0 &&
	         strncmp(path + strlen(number), "/fdinfo/", 8) == 0)
		rest = path + strlen(number) + 8;
	else
		return -1;
	return *rest >= '0' && *rest <= '9' ? atoi(rest) : -1;
}

/* What the operating system says of it, and behind that what the object is. */
static int64_t open_fdinfo(struct remote *r, int fd)
{
	char path[64], text[4096];
	struct obj *o;
	ssize_t n = 0;
	int file, len;

	if (fd_resolve_any(r->s->k, &r->client, fd, &o, NULL) != 0)
		return SERVE_PASS;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)r->tid, fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		n = read(file, text, sizeof(text) / 2);
		close(file);
	}
	len = n > 0 ? (int)n : 0;
	len += describe_fdinfo(o, text + len, sizeof(text) - (size_t)len);
	obj_put(o);
	return text_file(r, "fdinfo", text, (size_t)len);
}

/* Without mounts of its own the caller's bpffs and trace pipe are reached by name only. */
static int64_t open_place(struct remote *r, const char *path, int flags, mode_t mode)
{
	char real[PATH_MAX];
	int fd, got;

	if (place_lock(&r->s->place, path, real))
		mode = 0600;
	else if (r->s->own_mounts)
		return SERVE_PASS;
	else if (!place_translate(&r->s->place, path, real)) {
		if (strcmp(path, "/sys/kernel/tracing/trace_pipe") != 0 &&
		    strcmp(path, "/sys/kernel/debug/tracing/trace_pipe") != 0)
			return SERVE_PASS;
		if (snprintf(real, sizeof(real), "%s/trace_pipe", r->s->place.tracing) >=
		    (int)sizeof(real))
			return -ENAMETOOLONG;
	}
	fd = open(real, flags | O_CLOEXEC | O_NONBLOCK, mode);
	if (fd < 0)
		return -errno;
	if (!(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	got = notify_install(r, fd, 0);
	close(fd);
	return got;
}

static int64_t open_at(struct remote *r, int dirfd, uint64_t addr, int flags, mode_t mode)
{
	char path[PATH_MAX];
	int64_t result;
	int fd;

	if (!remote_may_be_ours(r, addr) || remote_path(r, dirfd, addr, path) != 0)
		return SERVE_PASS;
	fd = fdinfo_of(r, path);
	if (fd >= 0)
		return open_fdinfo(r, fd);
	result = open_tracepoint(r, path);
	if (result == SERVE_PASS)
		result = open_kallsyms(r, path);
	if (result == SERVE_PASS)
		result = open_constant(r, path, flags);
	return result != SERVE_PASS ? result : open_place(r, path, flags, mode);
}

int64_t serve_openat(struct remote *r, const struct seccomp_data *call)
{
	return open_at(r, (int)call->args[0], call->args[1], (int)call->args[2],
	               (mode_t)call->args[3]);
}

#ifdef __NR_open
int64_t serve_open(struct remote *r, const struct seccomp_data *call)
{
	return open_at(r, AT_FDCWD, call->args[0], (int)call->args[1], (mode_t)call->args[2]);
}
#endif

/* --- The file system of pins -------------------------------------------------------------- */

static int64_t answer_statfs(struct remote *r, const char *real, unsigned magic, uint64_t addr)
{
	struct statfs st;

	if (statfs(real, &st) != 0)
		return -errno;
	st.f_type = (long)magic;
	return client_write(&r->client, addr, &st, sizeof(st));
}

int64_t serve_statfs(struct remote *r, const struct seccomp_data *call)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (remote_path(r, AT_FDCWD, call->args[0], path) != 0)
		return SERVE_PASS;
	if (strcmp(path, "/sys/kernel/tracing") == 0)
		return answer_statfs(r, r->s->place.tracing, TRACEFS_MAGIC, call->args[1]);
	place_follow(&r->s->place, path);
	if (!place_translate(&r->s->place, path, real))
		return SERVE_PASS;
	return answer_statfs(r, real, BPF_FS_MAGIC, call->args[1]);
}

int64_t serve_fstatfs(struct remote *r, const struct seccomp_data *call)
{
	char link[64], path[PATH_MAX], real[PATH_MAX];
	size_t bpffs = strlen(r->s->place.bpffs);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)r->tid, (int)call->args[0]);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return SERVE_PASS;
	path[n] = '\0';
	if (place_translate(&r->s->place, path, real))
		return answer_statfs(r, real, BPF_FS_MAGIC, call->args[1]);
	if (strncmp(path, r->s->place.bpffs, bpffs) == 0 && (!path[bpffs] || path[bpffs] == '/'))
		return answer_statfs(r, path, BPF_FS_MAGIC, call->args[1]);
	return SERVE_PASS;
}

int64_t serve_mount(struct remote *r, const struct seccomp_data *call)
{
	char type[4], path[PATH_MAX], real[PATH_MAX];

	if (!call->args[2] || client_read(&r->client, type, call->args[2], sizeof(type)) != 0 ||
	    memcmp(type, "bpf", 4) != 0)
		return SERVE_PASS;
	if (remote_path(r, AT_FDCWD, call->args[1], path) != 0)
		return -EFAULT;
	return place_translate(&r->s->place, path, real) ? 0 : -EPERM;
}

int64_t serve_bpf(struct remote *r, const struct seccomp_data *call)
{
	enum { PROG_GET_NEXT_ID = 11 };

	r->client.uid = r->s->k->uid;
	if ((int)call->args[0] == PROG_GET_NEXT_ID)
		socket_sweep(r->s);
	return bpf_command(r->s->k, &r->client, (int)call->args[0], call->args[1],
	                   (uint32_t)call->args[2]);
}
