/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll on maps: who waits for a map's descriptor waits for its eventfd.
 *
 * The kernel looks at the map itself at each wait. Here eventfds are settled before each wait, so
 * that one is readable exactly if its map has something to read; what comes later wakes as usual.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "libbpf/door.h"
#include "libbpf/raw.h"
#include "skep.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct skep *k = door_kernel();
	int eventfd = k ? skep_fd_event_fd(k, fd) : -1;
	struct epoll_event readable;

	if (eventfd >= 0) {
		fd = eventfd; /* what it belongs to is kept by the descriptor */
		/* Who waits to write, to a user ring buffer, is woken by the same. */
		if (event && (event->events & EPOLLOUT)) {
			readable = *event;
			readable.events = (readable.events & ~(uint32_t)EPOLLOUT) | EPOLLIN;
			event = &readable;
		}
	}
	return (int)raw_result(raw_syscall(SYS_epoll_ctl, epfd, op, fd, (long)event, 0, 0));
}

EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int n, int timeout,
                       const sigset_t *mask)
{
	struct skep *k = door_kernel();

	if (k)
		skep_events_settle(k);
	return (int)raw_result(
		raw_syscall(SYS_epoll_pwait, epfd, (long)events, n, timeout, (long)mask,
		            _NSIG / 8));
}

EXPORT int epoll_wait(int epfd, struct epoll_event *events, int n, int timeout)
{
	return epoll_pwait(epfd, events, n, timeout, NULL);
}
