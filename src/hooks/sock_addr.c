/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup hooks of addresses: programs that see, and may change, where a socket binds, connects, sends. */
#include "core/map.h"
#include "core/prog.h"
#include "hooks/md.h"

struct sock_addr_md {
	uint32_t user_family, user_ip4, user_ip6[4], user_port;
	uint32_t family, type, protocol, msg_src_ip4, msg_src_ip6[4];
	uint64_t sk __attribute__((aligned(8)));
};

enum { IP6 = FIELD_NARROW | FIELD_WORDS_W };

static const struct ctx_field fields[] = {
	MD(sock_addr_md, user_family, MD_R, SCALAR),
	MD(sock_addr_md, user_ip4, MD_W, SCALAR),
	MD(sock_addr_md, user_ip6, IP6, SCALAR),
	MD(sock_addr_md, user_port, MD_W, SCALAR),
	MD(sock_addr_md, family, MD_R, SCALAR),
	MD(sock_addr_md, type, MD_R, SCALAR),
	MD(sock_addr_md, protocol, MD_R, SCALAR),
	MD(sock_addr_md, msg_src_ip4, MD_W, SCALAR),
	MD(sock_addr_md, msg_src_ip6, IP6, SCALAR),
	MD(sock_addr_md, sk, MD_R, SOCKET),
	{NULL},
};

/* What each attach type is about: addresses of which family, and whether programs may refuse. */
static const struct attach {
	uint32_t type;
	int family; /* 4, 6, 0: of another kind */
} attaches[] = {
	{BPF_CGROUP_INET4_BIND, 4},        {BPF_CGROUP_INET6_BIND, 6},
	{BPF_CGROUP_INET4_CONNECT, 4},     {BPF_CGROUP_INET6_CONNECT, 6},
	{BPF_CGROUP_UNIX_CONNECT, 0},      {BPF_CGROUP_UDP4_SENDMSG, 4},
	{BPF_CGROUP_UDP6_SENDMSG, 6},      {BPF_CGROUP_UNIX_SENDMSG, 0},
	{BPF_CGROUP_UDP4_RECVMSG, 4},      {BPF_CGROUP_UDP6_RECVMSG, 6},
	{BPF_CGROUP_UNIX_RECVMSG, 0},      {BPF_CGROUP_INET4_GETPEERNAME, 4},
	{BPF_CGROUP_INET6_GETPEERNAME, 6}, {BPF_CGROUP_UNIX_GETPEERNAME, 0},
	{BPF_CGROUP_INET4_GETSOCKNAME, 4}, {BPF_CGROUP_INET6_GETSOCKNAME, 6},
	{BPF_CGROUP_UNIX_GETSOCKNAME, 0},
};

static const struct attach *find(uint32_t type)
{
	for (unsigned i = 0; i < sizeof(attaches) / sizeof(attaches[0]); i++)
		if (attaches[i].type == type)
			return &attaches[i];
	return NULL;
}

static bool attach_type_ok(uint32_t type)
{
	return find(type);
}

static bool field_ok(const struct prog *p, const struct ctx_field *f, bool write)
{
	const struct attach *a = find(p->expected_attach_type);

	switch (f->offset) {
	case offsetof(struct sock_addr_md, user_ip4):
		return a && a->family == 4;
	case offsetof(struct sock_addr_md, user_ip6):
		return a && a->family == 6;
	case offsetof(struct sock_addr_md, msg_src_ip4):
		return a && a->type == BPF_CGROUP_UDP4_SENDMSG;
	case offsetof(struct sock_addr_md, msg_src_ip6):
		return a && a->type == BPF_CGROUP_UDP6_SENDMSG;
	default:
		return true;
	}
}

/* Binding may also say that no privilege is needed; what has happened cannot be refused. */
static const struct ret_range rets[] = {
	{BPF_CGROUP_INET4_BIND, 0, 3, false},
	{BPF_CGROUP_INET6_BIND, 0, 3, false},
	{BPF_CGROUP_UDP4_RECVMSG, 1, 1, false},
	{BPF_CGROUP_UDP6_RECVMSG, 1, 1, false},
	{BPF_CGROUP_UNIX_RECVMSG, 1, 1, false},
	{BPF_CGROUP_INET4_GETPEERNAME, 1, 1, false},
	{BPF_CGROUP_INET6_GETPEERNAME, 1, 1, false},
	{BPF_CGROUP_UNIX_GETPEERNAME, 1, 1, false},
	{BPF_CGROUP_INET4_GETSOCKNAME, 1, 1, false},
	{BPF_CGROUP_INET6_GETSOCKNAME, 1, 1, false},
	{BPF_CGROUP_UNIX_GETSOCKNAME, 1, 1, false},
	{RET_ANY_ATTACH, 0, 1, false},
};

static unsigned regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct sock_addr_md), r, max);
}

const struct hook hook_cgroup_sock_addr = {
	.name = "cgroup_sock_addr",
	.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_CGROUP_SOCK_ADDR),
	.ctx_size = sizeof(struct sock_addr_md),
	.fields = fields,
	.field_ok = field_ok,
	.ret_ranges = rets,
	.attach_type_ok = attach_type_ok,
	.regions = regions,
};
