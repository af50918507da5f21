/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_TASK_FD_QUERY: what a descriptor of a process traces. Links to tracepoints are the only ones of
 * ours that do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/link.h"
#include "sys/tracepoint.h"

/* The object of a descriptor of any process that we may look at. */
static int find_object(struct call *call, struct obj **out)
{
	const struct attr_task_fd_query *a = &call->a.task_fd_query;
	char path[64];
	struct stat st;

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

static int answer(struct call *call, const struct link *l)
{
	enum { FD_TYPE_RAW_TRACEPOINT = 0 };
	const char *name = tracepoint_name(l);
	uint32_t size = sizeof(uint64_t);
	int err, full;

	full = answer_name(call, name);
	if (full && full != -ENOSPC)
		return full;
	err = call_answer(call, offsetof(struct attr_task_fd_query, buf_len),
	                  (uint32_t)strlen(name));
	if (!err)
		err = call_answer(call, offsetof(struct attr_task_fd_query, prog_id),
		                  l->prog->obj.id);
	if (!err)
		err = call_answer(call, offsetof(struct attr_task_fd_query, fd_type),
		                  FD_TYPE_RAW_TRACEPOINT);
	if (!err)
		err = client_write(call->c,
		                   call->uattr + offsetof(struct attr_task_fd_query, probe_offset),
		                   &(uint64_t){0}, size);
	if (!err)
		err = client_write(call->c,
		                   call->uattr + offsetof(struct attr_task_fd_query, probe_addr),
		                   &(uint64_t){0}, size);
	return err ? err : full;
}

int cmd_task_fd_query(struct call *call)
{
	struct obj *o;
	int err;

	if (!(call->c->flags & CLIENT_PRIVILEGED))
		return -EPERM;
	if (call->a.task_fd_query.flags)
		return -EINVAL;
	err = find_object(call, &o);
	if (err)
		return err;
	err = o->kind == OBJ_LINK && tracepoint_name((struct link *)o)
	              ? answer(call, (struct link *)o)
	              : -ENOTSUPP;
	obj_put(o);
	return err;
}
