/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll_ctl(): who waits for a map waits for its eventfd.
 *
 * The eventfd counts wake-ups and nobody reads it, so it is watched for edges: each wake-up is one
 * event. That is all a consumer needs who, like libbpf, reads until nothing is left.
 */
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "libbpf/door.h"
#include "libbpf/raw.h"
#include "skep.h"

__attribute__((visibility("default"))) int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct skep *k = door_kernel();
	struct epoll_event edge;
	struct skep_map *map;
	int event_fd;

	if (k && skep_map_from_fd(k, fd, &map) == 0) {
		event_fd = skep_map_event_fd(map);
		skep_map_put(map); /* the descriptor keeps it, and with it the eventfd */
		if (event_fd < 0)
			return (int)raw_result(event_fd);
		fd = event_fd;
		if (event) {
			edge = *event;
			edge.events |= EPOLLET;
			event = &edge;
		}
	}
	return (int)raw_result(raw_syscall(SYS_epoll_ctl, epfd, op, fd, (long)event, 0, 0));
}
