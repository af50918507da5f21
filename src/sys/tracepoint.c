/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_RAW_TRACEPOINT_OPEN: links of programs to the kernel's tracepoints, by name.
 *
 * Which there are, the kernel's BTF says: of each it has a type btf_trace_NAME. They are noted, not run:
 * nothing here passes a tracepoint.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/prog.h"
#include "core/vmlinux.h"
#include "sys/bpf.h"
#include "sys/link.h"
#include "sys/prog.h"
#include "sys/tracepoint.h"

enum { NAME_MAX_LEN = 128 };

struct tracepoint_link {
	struct link link;
	uint64_t cookie;
	char name[NAME_MAX_LEN];
};

const char *tracepoint_name(const struct link *l)
{
	return l->ops->type == BPF_LINK_TYPE_RAW_TRACEPOINT
	               ? ((const struct tracepoint_link *)l)->name
	               : NULL;
}

/* A name that does not fit is cut, and the caller told. */
static int tracepoint_info(struct call *call, const struct link *l, void *part, size_t size)
{
	const struct tracepoint_link *t = (const struct tracepoint_link *)l;
	uint32_t len = (uint32_t)strlen(t->name) + 1, room, fit;
	struct link_info info = {0};
	int err = 0;

	memcpy(info.part, part, size);
	room = info.raw_tracepoint.name_len;
	if (!info.raw_tracepoint.name != !room)
		return -EINVAL;
	fit = room < len ? room : len;
	if (room) {
		err = client_write(call->c, info.raw_tracepoint.name, t->name, fit - 1);
		if (!err)
			err = client_write(call->c, info.raw_tracepoint.name + fit - 1, "", 1);
	}
	if (err)
		return err;
	info.raw_tracepoint.name_len = len;
	info.raw_tracepoint.cookie = t->cookie;
	memcpy(part, info.part, size);
	return room && fit < len ? -ENOSPC : 0;
}

static void tracepoint_release(struct link *l)
{
	mem_free(&l->obj.k->mem, l);
}

static const struct link_ops tracepoint_link_ops = {
	.type = BPF_LINK_TYPE_RAW_TRACEPOINT,
	.name = "raw_tracepoint",
	.info = tracepoint_info,
	.release = tracepoint_release,
};

static bool exists(struct skep *k, const char *name)
{
	char type[NAME_MAX_LEN + 16];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return vmlinux_find(k, BTF_TYPEDEF, type) != 0;
}

static int open_tracepoint(struct call *call, struct prog *p)
{
	const struct attr_raw_tracepoint *a = &call->a.raw_tracepoint;
	char name[NAME_MAX_LEN] = "";
	struct tracepoint_link *l;
	int len;

	if (p->type != BPF_PROG_TYPE_RAW_TRACEPOINT &&
	    p->type != BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)
		return -EINVAL;
	len = client_string(call->c, name, a->name, sizeof(name));
	if (len < 0 && len != -E2BIG)
		return len;
	if (!exists(call->k, name))
		return -ENOENT;
	l = mem_zalloc(&call->k->mem, sizeof(*l));
	if (!l)
		return -ENOMEM;
	link_init(&l->link, call->k, &tracepoint_link_ops, p, p->expected_attach_type);
	memcpy(l->name, name, sizeof(name));
	l->cookie = a->cookie;
	return link_publish(call, &l->link);
}

int cmd_raw_tracepoint_open(struct call *call)
{
	struct prog *p;
	int ret = prog_of_fd(call, call->a.raw_tracepoint.prog_fd, &p);

	if (ret)
		return ret;
	ret = open_tracepoint(call, p);
	obj_put(&p->obj);
	return ret;
}
