/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may call which helper, where the program type alone does not say. */
#include "core/helper.h"

#include "core/caps.h"
#include "core/uapi.h"

enum { GET_STACKID = 27, SETSOCKOPT = 49, GETSOCKOPT = 57, BIND = 64, GET_RETVAL = 186, SET_RETVAL = 187 };

/* Nothing that a cgroup's program answers can undo what has already happened. */
static bool has_happened(uint32_t attach_type)
{
	switch (attach_type) {
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case BPF_CGROUP_UNIX_RECVMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case BPF_CGROUP_UNIX_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case BPF_CGROUP_UNIX_GETSOCKNAME:
		return true;
	default:
		return false;
	}
}

bool helper_allowed(const struct helper *h, unsigned id, uint64_t type_bit, uint32_t type,
                    uint32_t attach_type)
{
	if (!(h->types & type_bit))
		return false;
	switch (id) {
	case BIND:
		return attach_type == BPF_CGROUP_INET4_CONNECT ||
		       attach_type == BPF_CGROUP_INET6_CONNECT;
	case SETSOCKOPT:
	case GETSOCKOPT:
		return type != BPF_PROG_TYPE_CGROUP_SOCKOPT || attach_type == BPF_CGROUP_SETSOCKOPT;
	case GET_RETVAL:
	case SET_RETVAL:
		return type != BPF_PROG_TYPE_CGROUP_SOCK_ADDR || !has_happened(attach_type);
	default:
		return true;
	}
}

/* perf_event programs have a get_stackid() of their own, which the kernel does not restrict. */
/* A socket as one of a protocol: helpers that syscall programs have by another way. */
static bool casts_socket(unsigned id)
{
	return (id >= 136 && id <= 140) || id == 178 || id == 196;
}

bool helper_capable(const struct helper *h, unsigned id, uint32_t type, uint64_t caps)
{
	if (type == BPF_PROG_TYPE_SYSCALL && casts_socket(id))
		return true;
	return (!(h->flags & HELPER_PERFMON) || capable(caps, CAPABLE_PERFMON)) &&
	       (!(h->flags & (HELPER_BPF | HELPER_PERFMON)) || capable(caps, CAPABLE_BPF));
}

bool helper_gpl_only(const struct helper *h, unsigned id, uint32_t type)
{
	return h->flags & HELPER_GPL && !(id == GET_STACKID && type == BPF_PROG_TYPE_PERF_EVENT);
}
