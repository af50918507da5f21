/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications: a pool of threads, each of which takes a call, serves it and answers.
 *
 * A thread that serves a long call (a test run, a large verification) holds up nobody: whenever the last
 * idle one takes a call, another is started. Those that find too many idle beside them end.
 *
 * A caller may die or be killed at any moment, and its number be taken by another process. So what was
 * read of it counts only once notify_waits() has said afterwards that it still waits (remote.c does), and
 * the operating system itself refuses answers and descriptors for calls that are gone.
 *
 * Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/core.h"
#include "sandbox/sandbox.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ul
#endif

enum { THREADS_MAX = 64, IDLE_MAX = 4, STACK_SIZE = 512 * 1024, FRESH_NS = 50000 };

static const serve_fn serve[] = {
#define CALL(name, handler, ...) handler,
#include "sandbox/calls.def"
#undef CALL
};

/* One thread's room for a notification and its answer: their sizes are the running kernel's. */
struct room {
	struct seccomp_notif *in;
	struct seccomp_notif_resp *out;
	size_t in_size, out_size;
};

static int room_make(struct room *room)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
		return -errno;
	room->in_size = sizes.seccomp_notif;
	room->out_size = sizes.seccomp_notif_resp;
	if (room->in_size < sizeof(*room->in))
		room->in_size = sizeof(*room->in);
	if (room->out_size < sizeof(*room->out))
		room->out_size = sizeof(*room->out);
	room->in = calloc(1, room->in_size);
	room->out = calloc(1, room->out_size);
	return room->in && room->out ? 0 : -ENOMEM;
}

bool notify_waits(struct remote *r)
{
	struct timespec t;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	if (r->seen_waiting && now - r->seen_waiting < FRESH_NS)
		return true;
	if (ioctl(r->listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &r->notice) != 0)
		return false;
	r->seen_waiting = now;
	return true;
}

int notify_install(struct remote *r, int fd, int least)
{
	return notify_install_flags(r, fd, least, O_CLOEXEC);
}

int notify_install_flags(struct remote *r, int fd, int least, int flags)
{
	struct seccomp_notif_addfd add = {
		.id = r->notice, .srcfd = (uint32_t)fd, .newfd_flags = (uint32_t)flags};
	int got;

	/* Numbers from `least`: the lowest that is free is asked for by name. */
	for (int at = least; at && at < least + 64; at++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)r->tid, at);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		add.flags = SECCOMP_ADDFD_FLAG_SETFD;
		add.newfd = (uint32_t)at;
		break;
	}
	got = ioctl(r->listener->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (got >= 0)
		return got;
	return errno == EINPROGRESS || errno == ENOENT ? -ESRCH : -errno;
}

static void answer(struct listener *l, struct room *room)
{
	struct remote r = {
		.client = {.ops = &remote_ops, .flags = CLIENT_NAMES, .caps = l->s->k->caps,
		           .pid = (int32_t)room->in->pid},
		.s = l->s,
		.listener = l,
		.notice = room->in->id,
		.tid = (pid_t)room->in->pid,
	};
	int row = filter_row(room->in->data.nr);
	int64_t result = row < 0 ? SERVE_PASS : serve[row](&r, &room->in->data);

	memset(room->out, 0, room->out_size);
	room->out->id = room->in->id;
	if (result == SERVE_PASS)
		room->out->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (result < 0)
		room->out->error = (int)result;
	else
		room->out->val = result;
	if (l->s->log && result != SERVE_PASS)
		trace_call(l->s, &r, row, &room->in->data, result);
	ioctl(l->fd, SECCOMP_IOCTL_NOTIF_SEND, room->out); /* whoever is gone needs no answer */
}

static int start_thread(struct listener *l);

static void *work(void *arg)
{
	struct listener *l = arg;
	struct room room = {0};
	int err = room_make(&room);

	while (!err) {
		atomic_fetch_add(&l->idle, 1);
		memset(room.in, 0, room.in_size);
		err = ioctl(l->fd, SECCOMP_IOCTL_NOTIF_RECV, room.in) != 0 ? errno : 0;
		if (atomic_fetch_sub(&l->idle, 1) == 1)
			start_thread(l);
		if (err == EINTR || err == ENOENT) { /* ENOENT: the caller died before we saw it */
			struct pollfd end = {.fd = l->fd, .events = POLLIN};

			poll(&end, 1, 0);
			err = end.revents & POLLHUP ? EBADF : 0;
			continue;
		}
		if (err)
			break;
		answer(l, &room);
		if (atomic_load(&l->idle) > IDLE_MAX)
			break;
	}
	free(room.in);
	free(room.out);
	atomic_fetch_sub(&l->threads, 1);
	return NULL;
}

static int start_thread(struct listener *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (atomic_fetch_add(&l->threads, 1) >= THREADS_MAX) {
		atomic_fetch_sub(&l->threads, 1);
		return -EAGAIN;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	err = pthread_create(&thread, &attr, work, l);
	pthread_attr_destroy(&attr);
	if (err)
		atomic_fetch_sub(&l->threads, 1);
	return -err;
}

int notify_start(struct listener *l)
{
	/* The answer's receiver runs on our CPU at once: a call costs two switches and no wake-up. */
	ioctl(l->fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return start_thread(l);
}
