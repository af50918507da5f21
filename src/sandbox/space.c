/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces: the view of the file system that processes in the sandbox have.
 *
 * Where the host allows it, the command gets a mount namespace in which the sandbox's directories stand
 * in the places that BPF tools know. An ordinary user needs a user namespace for that, in which it is
 * root by name, as tools that ask for uid 0 want it; nothing outside of the sandbox believes that.
 * Where the host forbids namespaces, files.c translates paths instead.
 *
 * Runs in the command's process, before the filter. Failing here is no failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* A user namespace in which we are what `as` says. */
static bool enter_user(bool own_user)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[48];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", own_user ? uid : 0, uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "%u %u 1", own_user ? gid : 0, gid);
	return put("/proc/self/gid_map", map);
}

static bool bind_to(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

bool space_enter(const struct space *sp)
{
	if (geteuid() == 0 ? unshare(CLONE_NEWNS) != 0 && !enter_user(sp->own_user)
	                   : !enter_user(sp->own_user))
		return false;
	/* What is mounted from here on is seen here only. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return false;
	bind_to(sp->tracing, "/sys/kernel/tracing");
	return bind_to(sp->bpffs, "/sys/fs/bpf");
}
