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
	struct skep_map *map;

	if (k && skep_map_from_fd(k, fd, &map) == 0) {
		fd = skep_map_event_fd(map);
		skep_map_put(map); /* the descriptor keeps it, and with it the eventfd */
		if (fd < 0)
			return (int)raw_result(fd);
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
