/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on names, where names lead elsewhere in the sandbox.
 *
 * Where the host allows no mounts (space.c), all calls on names below /sys/fs/bpf are made here, on the
 * sandbox's directory. Lock files of xdp-tools, /run/xdp-*, are the sandbox's own in any case: an ordinary
 * user may not make them, and sandboxes have nothing to keep from one another. All other names are passed
 * on to the host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sys/bpf.h"

enum kind { MAKE_DIR, REMOVE, REMOVE_DIR, RENAME, STAT, LSTAT, STAT_AT, STATX, ACCESS, XATTR };

static const struct name_call {
	int nr;
	enum kind kind;
	int8_t dir, path; /* arguments; dir -1: none */
	int8_t dir2, path2;
	int8_t value;     /* mode, flags ... */
	int8_t out;       /* where the answer goes */
} calls[] = {
#ifdef __NR_mkdir
	{__NR_mkdir, MAKE_DIR, -1, 0, .value = 1},
	{__NR_rmdir, REMOVE_DIR, -1, 0},
	{__NR_unlink, REMOVE, -1, 0},
	{__NR_rename, RENAME, -1, 0, -1, 1},
	{__NR_stat, STAT, -1, 0, .out = 1},
	{__NR_lstat, LSTAT, -1, 0, .out = 1},
	{__NR_access, ACCESS, -1, 0, .value = 1},
#endif
	{__NR_getxattr, XATTR, -1, 0},
	{__NR_lgetxattr, XATTR, -1, 0},
	{__NR_listxattr, XATTR, -1, 0},
	{__NR_llistxattr, XATTR, -1, 0},
	{__NR_mkdirat, MAKE_DIR, 0, 1, .value = 2},
	{__NR_unlinkat, REMOVE, 0, 1, .value = 2},
#ifdef __NR_renameat
	{__NR_renameat, RENAME, 0, 1, 2, 3},
#endif
	{__NR_renameat2, RENAME, 0, 1, 2, 3, .value = 4},
	{__NR_newfstatat, STAT_AT, 0, 1, .value = 3, .out = 2},
	{__NR_statx, STATX, 0, 1, .value = 2, .out = 4},
	{__NR_faccessat, ACCESS, 0, 1, .value = 2},
	{__NR_faccessat2, ACCESS, 0, 1, .value = 2},
};

static const struct name_call *find(int nr)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* Where a name leads that is not the host's. */
static bool lead(struct remote *r, int dirfd, uint64_t addr, char to[PATH_MAX])
{
	char path[PATH_MAX];

	if (!remote_may_be_ours(r, addr) || remote_path(r, dirfd, addr, path) != 0)
		return false;
	return place_lock(&r->s->place, path, to) ||
	       (!r->s->own_mounts && place_translate(&r->s->place, path, to));
}

static int64_t made(int result)
{
	return result != 0 ? -errno : 0;
}

static int64_t answer_stat(struct remote *r, const char *path, int flags, uint64_t addr)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, flags & AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return client_write(&r->client, addr, &st, sizeof(st));
}

static int64_t answer_statx(struct remote *r, const char *path, const struct seccomp_data *call)
{
	struct statx st;

	if (statx(AT_FDCWD, path, (int)call->args[2] & ~AT_EMPTY_PATH, (unsigned)call->args[3], &st) != 0)
		return -errno;
	return client_write(&r->client, call->args[4], &st, sizeof(st));
}

/*
 * An ordinary user is the only one in its user namespace, and may not give up groups there: whoever asks
 * for that, as tools do that leave root behind, has none of them to begin with.
 */
int64_t serve_setgroups(struct remote *r, const struct seccomp_data *call)
{
	(void)call;
	return geteuid() != 0 && r->s->own_mounts ? 0 : SERVE_PASS;
}

int64_t serve_name(struct remote *r, const struct seccomp_data *call)
{
	const struct name_call *c = find(call->nr);
	char path[PATH_MAX], second[PATH_MAX];
	uint64_t value;

	if (!c || !lead(r, c->dir < 0 ? AT_FDCWD : (int)call->args[c->dir], call->args[c->path], path))
		return SERVE_PASS;
	value = c->value ? call->args[c->value] : 0;
	switch (c->kind) {
	case MAKE_DIR:
		return made(mkdir(path, (mode_t)value | 0700));
	case REMOVE:
		return made(value & AT_REMOVEDIR ? rmdir(path) : unlink(path));
	case REMOVE_DIR:
		return made(rmdir(path));
	case RENAME:
		if (!lead(r, c->dir2 < 0 ? AT_FDCWD : (int)call->args[c->dir2],
		          call->args[c->path2], second))
			return -EXDEV;
		return made(renameat2(AT_FDCWD, path, AT_FDCWD, second, (unsigned)value));
	case STAT:
	case LSTAT:
		return answer_stat(r, path, c->kind == LSTAT ? AT_SYMLINK_NOFOLLOW : 0,
		                   call->args[c->out]);
	case STAT_AT:
		return answer_stat(r, path, (int)value, call->args[c->out]);
	case STATX:
		return answer_statx(r, path, call);
	case ACCESS:
		return made(access(path, (int)value));
	case XATTR:
		return -EOPNOTSUPP;
	}
	return SERVE_PASS;
}
