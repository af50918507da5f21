/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor's control socket: see control.h. Only its own user may reach it, and it asks again. */
#define _GNU_SOURCE
#include "sandbox/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sandbox/network.h"
#include "sandbox/sandbox.h"

int control_send(int to, const void *data, size_t len, const int *fds, unsigned n)
{
	union {
		char room[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)data, len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -errno;
}

ssize_t control_recv(int from, void *data, size_t len, int *fds, unsigned *n)
{
	union {
		char room[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {data, len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
	                   .msg_controllen = sizeof(control.room)};
	ssize_t got = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m);
	unsigned room = *n, came = 0;
	int all[CONTROL_FDS];

	if (c && c->cmsg_type == SCM_RIGHTS)
		came = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	if (came)
		memcpy(all, CMSG_DATA(c), came * sizeof(int));
	for (unsigned i = room; i < came; i++)
		close(all[i]);
	*n = came < room ? came : room;
	memcpy(fds, all, *n * sizeof(int));
	return got < 0 ? -errno : got;
}

int control_send_fd(int to, int fd, bool mounted)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec part = {&mounted, 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
	                   .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(to, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int control_take_fd(int from, bool *mounted)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
	                   .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c;
	int fd, err = 0;

	/* An errno in place of a descriptor is four bytes. */
	if (recv(from, &err, sizeof(err), MSG_PEEK) == sizeof(err)) {
		return err < 0 ? err : -ECONNRESET;
	}
	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != 1)
		return -ECONNRESET;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -ECONNRESET;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	*mounted = byte;
	return fd;
}

int control_join(int peer, struct place_names *names, int *spaces)
{
	unsigned n = NETWORK_SPACES;

	return send(peer, "j", 1, MSG_NOSIGNAL) == 1 &&
	                       control_recv(peer, names, sizeof(*names), spaces, &n) ==
	                               sizeof(*names) &&
	                       n == names->spaces
	               ? 0
	               : -ECONNRESET;
}

/* --- Listeners ---------------------------------------------------------------------------- */

int listener_add(struct sandbox *s, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l) {
		close(fd);
		return -ENOMEM;
	}
	l->s = s;
	l->fd = fd;
	err = notify_start(l);
	if (err) {
		close(fd);
		free(l);
		return err;
	}
	l->next = s->listeners;
	s->listeners = l;
	return 0;
}

static bool in_use(const struct listener *l)
{
	struct pollfd on = {.fd = l->fd, .events = POLLIN};

	return poll(&on, 1, 0) <= 0 || !(on.revents & POLLHUP);
}

bool listeners_in_use(struct sandbox *s)
{
	for (struct listener *l = s->listeners; l; l = l->next)
		if (in_use(l))
			return true;
	return false;
}

/* --- Connections -------------------------------------------------------------------------- */

static bool same_user(int peer)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

static void serve_join(struct sandbox *s, int peer)
{
	struct place_names names = {0};
	int spaces[NETWORK_SPACES];
	bool mounted = false;
	int fd;

	strcpy(names.bpffs, s->place.bpffs);
	strcpy(names.tracing, s->place.tracing);
	names.spaces = network_spaces(s, spaces) ? NETWORK_SPACES : 0;
	if (control_send(peer, &names, sizeof(names), spaces, names.spaces) != 0)
		return;
	fd = control_take_fd(peer, &mounted);
	if (fd >= 0 && listener_add(s, fd) == 0)
		send(peer, "", 1, MSG_NOSIGNAL);
}

static void serve_wire(struct sandbox *s, int peer)
{
	unsigned number = 0;
	int fd = network_wire(s, &number), answer = fd < 0 ? fd : (int)number;

	control_send(peer, &answer, sizeof(answer), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
}

bool control_serve(struct sandbox *s)
{
	struct timeval patience = {.tv_sec = 2}; /* a peer that says nothing must not hold us up */
	int peer = accept4(s->place.control, NULL, NULL, SOCK_CLOEXEC);
	bool go_on = true;
	char word;

	if (peer < 0)
		return true;
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (same_user(peer) && recv(peer, &word, 1, 0) == 1) {
		if (word == 'j')
			serve_join(s, peer);
		else if (word == 'i')
			send(peer, s->command, strlen(s->command), MSG_NOSIGNAL);
		else if (word == 'w')
			serve_wire(s, peer);
		else if (word == 'e')
			go_on = false;
	}
	close(peer);
	return go_on;
}
