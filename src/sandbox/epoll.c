/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll on a descriptor of a ring buffer or a perf ring, which is a file of pages and cannot be waited for: the caller's
 * epoll gets the map's eventfd in its stead, with the caller's own data.
 *
 * It is added edge-triggered, since nobody in the caller would read the eventfd: each wake-up by a
 * program is one event, and one that came before is seen at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/map.h"
#include "core/perf.h"
#include "sandbox/sandbox.h"
#include "sys/bpf.h"
#include "sys/fd.h"

/* The eventfd of what can be waited for. */
static int event_fd(struct obj *o)
{
	if (o->kind == OBJ_PERF)
		return perf_ring_event_fd(perf_of(o));
	return o->kind == OBJ_MAP && ((struct map *)o)->ops->readable ? map_event_fd((struct map *)o)
	                                                              : -EPERM;
}

static int control(struct remote *r, const struct seccomp_data *call, struct obj *o)
{
	struct epoll_event event = {0};
	int op = (int)call->args[1], fd = event_fd(o), err = 0, epoll;

	if (fd < 0)
		return fd;
	if (op != EPOLL_CTL_DEL)
		err = client_read(&r->client, &event, call->args[3], sizeof(event));
	if (err)
		return err;
	event.events |= EPOLLET;
	epoll = remote_fd(r, (int)call->args[0]);
	if (epoll < 0)
		return epoll;
	if (epoll_ctl(epoll, op, fd, &event) != 0)
		err = -errno;
	close(epoll);
	return err;
}

int64_t serve_epoll_ctl(struct remote *r, const struct seccomp_data *call)
{
	struct obj *o;
	int64_t result;

	if (fd_resolve_any(r->s->k, &r->client, (int)call->args[2], &o, NULL) != 0)
		return SERVE_PASS;
	result = control(r, call, o);
	obj_put(o);
	return result;
}
