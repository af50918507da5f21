/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that all kinds of objects share: walking ids, opening by id, and asking what a
 * descriptor is. What an answer holds is the business of map.c, prog.c and btf.c.
 */
#include <errno.h>
#include <string.h>

#include "core/caps.h"
#include "core/vmlinux.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/info.h"

static int next_id(struct call *call, enum obj_kind kind)
{
	uint32_t id = call->a.id.id;

	if (id >= INT32_MAX)
		return -EINVAL;
	if (!capable(call->c->caps, CAPABLE_SYS_ADMIN))
		return -EPERM;
	fd_sweep(call->k);
	id = obj_next_id(call->k, kind, id);
	return id ? call_answer(call, offsetof(struct attr_id, next_id), id) : -ENOENT;
}

int cmd_prog_next_id(struct call *call)
{
	return next_id(call, OBJ_PROG);
}

int cmd_map_next_id(struct call *call)
{
	return next_id(call, OBJ_MAP);
}

int cmd_link_next_id(struct call *call)
{
	return next_id(call, OBJ_LINK);
}

int cmd_btf_next_id(struct call *call)
{
	if (!call->a.id.id)
		vmlinux(call->k); /* the first of all, once it has been read */
	return next_id(call, OBJ_BTF);
}

static int fd_by_id(struct call *call, enum obj_kind kind, unsigned access)
{
	struct obj *o;
	int fd;

	if (!capable(call->c->caps, CAPABLE_SYS_ADMIN))
		return -EPERM;
	fd_sweep(call->k);
	o = obj_by_id(call->k, kind, call->a.id.id);
	if (!o)
		return -ENOENT;
	fd = fd_install(call->c, o, access);
	obj_put(o);
	return fd;
}

int cmd_prog_fd_by_id(struct call *call)
{
	return fd_by_id(call, OBJ_PROG, ACCESS_RW);
}

int cmd_link_fd_by_id(struct call *call)
{
	return fd_by_id(call, OBJ_LINK, ACCESS_RW);
}

int cmd_map_fd_by_id(struct call *call)
{
	uint32_t flags = call->a.id.open_flags;
	unsigned access = access_of_flags(flags);

	if (flags & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY) || !access)
		return -EINVAL;
	return fd_by_id(call, OBJ_MAP, access);
}

int cmd_btf_fd_by_id(struct call *call)
{
	if (call->a.id.open_flags)
		return -EINVAL;
	if (call->a.id.id == VMLINUX_ID)
		vmlinux(call->k);
	return fd_by_id(call, OBJ_BTF, ACCESS_RW);
}

int cmd_obj_info(struct call *call)
{
	static int (*const info[OBJ_KINDS])(struct call *, struct obj *) = {
		[OBJ_PROG] = prog_info_answer,
		[OBJ_MAP] = map_info_answer,
		[OBJ_BTF] = btf_info_answer,
		[OBJ_LINK] = link_info_answer,
	};
	struct obj *o;
	int err = fd_resolve_any(call->k, call->c, (int)call->a.info.bpf_fd, &o, NULL);

	if (err)
		return err == -EBADF ? -EBADFD : err; /* this command alone */
	if (atomic_load(&call->k->stats))
		fd_sweep(call->k); /* statistics end with the descriptor that asked for them */
	err = info[o->kind] ? info[o->kind](call, o) : -EINVAL;
	obj_put(o);
	return err;
}

int info_begin(struct call *call, void *info, uint32_t size)
{
	uint32_t given = call->a.info.info_len, known = given < size ? given : size;
	int err;

	if (given > 4096)
		return -E2BIG;
	err = client_zero(call->c, call->a.info.info + known, given - known);
	if (!err)
		err = client_read(call->c, info, call->a.info.info, known);
	return err;
}

int info_end(struct call *call, const void *info, uint32_t size)
{
	uint32_t given = call->a.info.info_len, known = given < size ? given : size;
	int err = client_write(call->c, call->a.info.info, info, known);

	return err ? err : call_answer(call, offsetof(struct attr_info, info_len), known);
}
