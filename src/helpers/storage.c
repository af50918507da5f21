/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of a program's own beside sockets and control groups, and who is in which group.
 *
 * A socket that a program has a pointer to is a row of a table (core/sock.h), known by its address.
 */
#include <errno.h>

#include "core/host.h"
#include "core/map.h"
#include "core/pkt.h"
#include "helpers/helpers.h"

enum { MAX_LEVELS = 256 };

static struct map *map_of(uint64_t r)
{
	return (struct map *)(uintptr_t)r;
}

static struct host_id id_of_row(uint64_t pointer)
{
	return (struct host_id){pointer, 1};
}

HELPER_FN(sk_storage_get)
{
	const struct map *m = map_of(r1);
	struct host_id id = id_of_row(r2);

	if (!r2 || !m->ops->storage_get)
		return 0;
	return (uintptr_t)m->ops->storage_get(map_of(r1), &id, (const void *)(uintptr_t)r3, r4);
}

HELPER_FN(sk_storage_delete)
{
	const struct map *m = map_of(r1);
	struct host_id id = id_of_row(r2);

	if (!r2)
		return (uint64_t)-EINVAL;
	return (uint64_t)(m->ops->storage_delete ? m->ops->storage_delete(map_of(r1), &id)
	                                         : -ENOTSUPP);
}

HELPER_FN(get_local_storage)
{
	const struct map *m = map_of(r1);

	return m->ops->local_storage ? (uintptr_t)m->ops->local_storage(map_of(r1), cpu->id) : 0;
}

/* Is this process in the group at this place of the array, or in one below it? 1, 0, -errno */
static int64_t under_cgroup(struct map *m, uint32_t index)
{
	uint64_t chain[MAX_LEVELS], id;
	int n, err = m->ops->cgroup_id ? m->ops->cgroup_id(m, index, &id) : -ENOTSUPP;

	if (err)
		return err;
	n = host_cgroup_chain(chain, MAX_LEVELS);
	for (int i = 0; i < n && i < MAX_LEVELS; i++)
		if (chain[i] == id)
			return 1;
	return 0;
}

HELPER_FN(current_task_under_cgroup)
{
	return (uint64_t)under_cgroup(map_of(r1), (uint32_t)r2);
}

/* The socket of a packet is one of this process's. */
HELPER_FN(skb_under_cgroup)
{
	const struct skb *skb = (const struct skb *)(uintptr_t)r1;

	return (uint64_t)(skb->sk ? under_cgroup(map_of(r2), (uint32_t)r3) : -ENOENT);
}
