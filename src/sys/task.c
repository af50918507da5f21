/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_TASK_FD_QUERY: what a descriptor of a process traces: links to raw tracepoints, and perf events.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/caps.h"
#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/event.h"
#include "sys/fd.h"
#include "sys/link.h"
#include "sys/tracepoint.h"

/* The object of a descriptor of any process that we may look at. */
static int find_object(struct call *call, struct obj **out)
{
	const struct attr_task_fd_query *a = &call->a.task_fd_query;
	char path[64];
	struct stat st;

	/* Who serves others has descriptors of what they hold: those are nobody's. */
	if (call->c->ops != &client_self_ops && (pid_t)a->pid == getpid())
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d", (int)a->pid);
	if ((int)a->pid <= 0 || stat(path, &st) != 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)a->pid, a->fd);
	if (stat(path, &st) != 0)
		return errno == EACCES ? -EPERM : -EBADF;
	*out = fd_by_identity(call->k, st.st_dev, st.st_ino);
	return *out ? 0 : -ENOTSUPP;
}

/* The name, as far as there is room; how long it is in any case. */
static int answer_name(struct call *call, const char *name)
{
	const struct attr_task_fd_query *a = &call->a.task_fd_query;
	uint32_t len = (uint32_t)strlen(name), fit = a->buf_len > len ? len : a->buf_len - 1;
	int err;

	if (!a->buf_len)
		return 0;
	err = client_write(call->c, a->buf, name, fit);
	if (!err)
		err = client_write(call->c, a->buf + fit, "", 1);
	return err ? err : fit < len ? -ENOSPC : 0;
}

struct traced {
	const char *name;
	uint32_t fd_type; /* enum bpf_task_fd_type */
	uint32_t prog_id;
	uint64_t offset;
};

static int answer(struct call *call, const struct traced *t)
{
	const char *name = t->name;
	uint32_t size = sizeof(uint64_t);
	int err, full;

	full = answer_name(call, name);
	if (full && full != -ENOSPC)
		return full;
	err = call_answer(call, offsetof(struct attr_task_fd_query, buf_len),
	                  (uint32_t)strlen(name));
	if (!err)
		err = call_answer(call, offsetof(struct attr_task_fd_query, prog_id),
		                  t->prog_id);
	if (!err)
		err = call_answer(call, offsetof(struct attr_task_fd_query, fd_type),
		                  t->fd_type);
	if (!err)
		err = client_write(call->c,
		                   call->uattr + offsetof(struct attr_task_fd_query, probe_offset),
		                   &t->offset, size);
	if (!err)
		err = client_write(call->c,
		                   call->uattr + offsetof(struct attr_task_fd_query, probe_addr),
		                   &(uint64_t){0}, size);
	return err ? err : full;
}

static int answer_event(struct call *call, struct obj *o)
{
	static const uint8_t types[] = {
		[EVENT_UPROBE] = 4, [EVENT_URETPROBE] = 5, [EVENT_KPROBE] = 2, [EVENT_KRETPROBE] = 3,
		[EVENT_TRACEPOINT] = 1,
	};
	struct event_attr a;
	struct traced t;

	if (!event_traced(o, &a, &t.prog_id))
		return -ENOENT;
	if (a.kind == EVENT_OTHER)
		return -EOPNOTSUPP;
	t.name = a.name;
	t.fd_type = types[a.kind];
	t.offset = a.offset;
	return answer(call, &t);
}

static int answer_link(struct call *call, const struct link *l)
{
	struct traced t = {.name = tracepoint_name(l)};

	if (!t.name)
		return -ENOTSUPP;
	t.prog_id = l->prog->obj.id;
	return answer(call, &t);
}

int cmd_task_fd_query(struct call *call)
{
	struct obj *o;
	int err;

	if (!capable(call->c->caps, CAPABLE_SYS_ADMIN))
		return -EPERM;
	if (call->a.task_fd_query.flags)
		return -EINVAL;
	err = find_object(call, &o);
	if (err)
		return err;
	err = o->kind == OBJ_LINK    ? answer_link(call, (struct link *)o)
	      : o->kind == OBJ_EVENT ? answer_event(call, o)
	                             : -ENOTSUPP;
	obj_put(o);
	return err;
}
