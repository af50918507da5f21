/* SPDX-License-Identifier: BSD-2-Clause */
/* What descriptors of the host stand for: see host.h. */
#define _GNU_SOURCE
#include "core/host.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	CGROUP2_MAGIC = 0x63677270, /* <linux/magic.h> */
	DEPTH_MAX = 256,
};

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

int host_inode(int fd, struct host_id *id)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -EBADF;
	*id = (struct host_id){st.st_dev, st.st_ino};
	return 0;
}

/* --- Tasks ------------------------------------------------------------------------------- */

/* A number from one of the text files of /proc: what follows a label, or the nth word. */
static bool find_number(const char *path, const char *label, unsigned word, uint64_t *number)
{
	char text[1024], *at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	at = label ? strstr(text, label) : strrchr(text, ')');
	if (!at)
		return false;
	at += label ? strlen(label) : 1;
	for (; word && at; word--) {
		at = strchr(at, ' ');
		at += at ? 1 : 0;
	}
	if (!at)
		return false;
	*number = strtoull(at, NULL, 10);
	return true;
}

/* Numbers of processes are given out again, but not with the same time of birth. */
int host_task_of(int pid, struct host_id *id)
{
	char path[48];

	if (!pid)
		pid = (int)syscall(SYS_gettid);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	id->a = (uint64_t)pid;
	/* Field 22 of the line; the name, which may hold blanks, is field 2. */
	return find_number(path, NULL, 20, &id->b) ? 0 : -ESRCH;
}

int host_task(int fd, struct host_id *id)
{
	char path[48];
	uint64_t pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!find_number(path, "\nPid:", 0, &pid) || (int64_t)pid <= 0)
		return -EBADF;
	return host_task_of((int)pid, id) ? -EBADF : 0;
}

/* --- Control groups ---------------------------------------------------------------------- */

int host_cgroup(int fd, uint64_t *id)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) != 0 || fs.f_type != CGROUP2_MAGIC || fstat(fd, &st) != 0 ||
	    !S_ISDIR(st.st_mode))
		return -EBADF;
	*id = st.st_ino;
	return 0;
}

/* Where the cgroup2 file system is mounted: "... /mount/point options - cgroup2 ..." */
static bool find_mount(char *path, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	bool found = false;

	while (!found && f && fgets(line, sizeof(line), f)) {
		char format[32];

		snprintf(format, sizeof(format), "%%*s %%*s %%*s %%*s %%%zus", size - 1);
		found = strstr(line, " - cgroup2 ") && sscanf(line, format, path) == 1;
	}
	if (f)
		fclose(f);
	return found;
}

/* The calling process's group, below the mount: "0::/user.slice" */
static bool find_own(char *path, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4096];
	bool found = false;

	while (!found && f && fgets(line, sizeof(line), f)) {
		found = strncmp(line, "0::", 3) == 0;
		if (found)
			snprintf(path, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	}
	if (f)
		fclose(f);
	return found;
}

int host_cgroup_chain(uint64_t *ids, unsigned max)
{
	char mount[1024], own[1024], path[2048];
	int fd, n = 0, up;
	uint64_t id;

	if (!find_mount(mount, sizeof(mount)) || !find_own(own, sizeof(own)))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s%s", mount, own);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && n < DEPTH_MAX && host_cgroup(fd, &id) == 0) {
		if ((unsigned)n < max)
			ids[n] = id;
		n++;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return n ? n : -ENOENT;
}

/* --- Sockets ----------------------------------------------------------------------------- */

static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

/* Address and port, both in network order. */
static uint16_t view_address(const union address *a, uint32_t *ip4, uint32_t ip6[4])
{
	if (a->any.sa_family == AF_INET) {
		*ip4 = a->v4.sin_addr.s_addr;
		return a->v4.sin_port;
	}
	if (a->any.sa_family == AF_INET6) {
		memcpy(ip6, &a->v6.sin6_addr, 16);
		return a->v6.sin6_port;
	}
	return 0;
}

static uint32_t tcp_state(int fd)
{
	uint8_t info[104] = {0}; /* struct tcp_info begins with the state */
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) ? 0 : info[0];
}

static void host_sock_view(int fd, struct host_sock *s)
{
	struct bpf_sock *v = &s->view;
	union address mine = {.room = {0}}, peer = {.room = {0}};
	socklen_t mine_len = sizeof(mine), peer_len = sizeof(peer);
	bool named = getsockname(fd, &mine.any, &mine_len) == 0;
	bool has_peer = getpeername(fd, &peer.any, &peer_len) == 0;

	*v = (struct bpf_sock){.family = (uint32_t)s->family,
	                       .type = (uint32_t)s->type,
	                       .protocol = (uint32_t)s->protocol,
	                       .mark = (uint32_t)option(fd, SOL_SOCKET, SO_MARK),
	                       .priority = (uint32_t)option(fd, SOL_SOCKET, SO_PRIORITY),
	                       .rx_queue_mapping = -1};
	if (named)
		v->src_port = ntohs(view_address(&mine, &v->src_ip4, v->src_ip6));
	if (has_peer)
		v->dst_port = view_address(&peer, &v->dst_ip4, v->dst_ip6);
	v->state = s->protocol == IPPROTO_TCP  ? tcp_state(fd)
	           : has_peer || s->family == AF_INET ? TCP_ESTABLISHED
	                                              : TCP_CLOSE;
	if (s->protocol == IPPROTO_UDP && !has_peer)
		v->state = TCP_CLOSE;
	s->listening = option(fd, SOL_SOCKET, SO_ACCEPTCONN);
	s->connected = has_peer;
	s->bound = s->family == AF_UNIX ? has_peer : v->src_port != 0;
}

int host_sock(int fd, struct host_sock *s)
{
	socklen_t len = sizeof(s->cookie);
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -EBADF;
	*s = (struct host_sock){0};
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &s->cookie, &len) != 0)
		return -ENOTSOCK;
	s->family = option(fd, SOL_SOCKET, SO_DOMAIN);
	s->type = option(fd, SOL_SOCKET, SO_TYPE);
	s->protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
	s->reuseport = option(fd, SOL_SOCKET, SO_REUSEPORT);
	host_sock_view(fd, s);
	return 0;
}
