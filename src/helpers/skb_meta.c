/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands beside a packet: its time, its socket, its control group. Packets of Skep's belong to the
 * root group, to no route, and to the initial network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "core/pkt.h"
#include "helpers/helpers.h"

enum { ROOT_CGROUP = 1, INITIAL_NETNS_COOKIE = 1, ETH_P_IP = 0x0800, ETH_P_IPV6 = 0x86dd };

static struct skb *skb_of(uint64_t r)
{
	return (struct skb *)(uintptr_t)r;
}

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

HELPER_FN(get_cgroup_classid)
{
	return 0;
}

HELPER_FN(skb_cgroup_classid)
{
	return 0;
}

HELPER_FN(get_route_realm)
{
	return 0;
}

HELPER_FN(skb_cgroup_id)
{
	return skb_of(r1)->sk ? ROOT_CGROUP : 0;
}

HELPER_FN(skb_ancestor_cgroup_id)
{
	return skb_of(r1)->sk && !(uint32_t)r2 ? ROOT_CGROUP : 0;
}

HELPER_FN(sk_cgroup_id)
{
	return ROOT_CGROUP;
}

HELPER_FN(sk_ancestor_cgroup_id)
{
	return (uint32_t)r2 ? 0 : ROOT_CGROUP;
}

HELPER_FN(get_netns_cookie)
{
	return INITIAL_NETNS_COOKIE;
}

/* Which clock the time is of: real time (which may be none), monotonic or TAI. */
HELPER_FN(skb_set_tstamp)
{
	enum { REALTIME, MONOTONIC, TAI };
	struct skb *skb = skb_of(r1);
	uint32_t type = (uint32_t)r3;

	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		return fail(EOPNOTSUPP);
	if (type > TAI || (type != REALTIME && !r2))
		return fail(EINVAL);
	skb->tstamp = r2;
	skb->tstamp_type = (uint8_t)type;
	return 0;
}
