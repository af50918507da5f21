/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_ENABLE_STATS: a descriptor that keeps the statistics of runs on as long as it is open.
 */
#include <errno.h>

#include "core/caps.h"
#include "sys/bpf.h"
#include "sys/fd.h"

enum { STATS_RUN_TIME = 0 };

static void stats_free(struct obj *o)
{
	struct skep *k = o->k;

	atomic_fetch_sub(&k->stats, 1);
	mem_free(&k->mem, o);
}

int cmd_enable_stats(struct call *call)
{
	struct skep *k = call->k;
	struct obj *o;
	int fd;

	if (!capable(call->c->caps, CAPABLE_SYS_ADMIN))
		return -EPERM;
	if (call->a.enable_stats.type != STATS_RUN_TIME)
		return -EINVAL;
	o = mem_zalloc(&k->mem, sizeof(*o));
	if (!o)
		return -ENOMEM;
	obj_init(o, k, OBJ_STATS, stats_free);
	atomic_fetch_add(&k->stats, 1);
	fd = fd_install(call->c, o, ACCESS_RW);
	obj_put(o);
	return fd;
}
