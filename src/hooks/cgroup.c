/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks of cgroups that are about no packet: devices, sysctls, socket options, sockets that come and
 * go. They answer whether what is asked for may be done.
 */
#include "core/map.h"
#include "core/prog.h"
#include "core/sock.h"
#include "hooks/md.h"

struct cgroup_device_md {
	uint32_t access_type, major, minor;
};

struct sysctl_md {
	uint32_t write, file_pos;
};

struct sockopt_md {
	uint64_t sk, optval, optval_end;
	int32_t level, optname, optlen, retval;
};

static const struct ctx_field device_fields[] = {
	MD(cgroup_device_md, access_type, MD_P, SCALAR),
	MD(cgroup_device_md, major, MD_R, SCALAR),
	MD(cgroup_device_md, minor, MD_R, SCALAR),
	{NULL},
};

static const struct ctx_field sysctl_fields[] = {
	MD(sysctl_md, write, MD_P, SCALAR),
	MD(sysctl_md, file_pos, MD_W, SCALAR),
	{NULL},
};

static const struct ctx_field sockopt_fields[] = {
	MD(sockopt_md, sk, MD_R, SOCKET),
	MD(sockopt_md, optval, MD_R, PACKET),
	MD(sockopt_md, optval_end, MD_R, PACKET_END),
	MD(sockopt_md, level, MD_F, SCALAR),
	MD(sockopt_md, optname, MD_F, SCALAR),
	MD(sockopt_md, optlen, MD_F, SCALAR),
	MD(sockopt_md, retval, MD_F, SCALAR),
	{NULL},
};

/* The socket itself is the context. */
static const struct ctx_field sock_md_fields[] = {
	MD(bpf_sock, bound_dev_if, MD_F, SCALAR),
	MD(bpf_sock, family, MD_S, SCALAR),
	MD(bpf_sock, type, MD_S, SCALAR),
	MD(bpf_sock, protocol, MD_S, SCALAR),
	MD(bpf_sock, mark, MD_F, SCALAR),
	MD(bpf_sock, priority, MD_F, SCALAR),
	MD(bpf_sock, src_ip4, MD_P, SCALAR),
	MD(bpf_sock, src_ip6[0], MD_P, SCALAR),
	MD(bpf_sock, src_ip6[1], MD_P, SCALAR),
	MD(bpf_sock, src_ip6[2], MD_P, SCALAR),
	MD(bpf_sock, src_ip6[3], MD_P, SCALAR),
	MD(bpf_sock, src_port, MD_S, SCALAR),
	MD(bpf_sock, dst_port, MD_P | FIELD_PADDED, SCALAR),
	MD(bpf_sock, dst_ip4, MD_P, SCALAR),
	MD(bpf_sock, dst_ip6[0], MD_P, SCALAR),
	MD(bpf_sock, dst_ip6[1], MD_P, SCALAR),
	MD(bpf_sock, dst_ip6[2], MD_P, SCALAR),
	MD(bpf_sock, dst_ip6[3], MD_P, SCALAR),
	MD(bpf_sock, state, MD_S, SCALAR),
	MD(bpf_sock, rx_queue_mapping, MD_S, SCALAR),
	{NULL},
};

/* A setter's programs change what is set, a getter's what the kernel answered. */
static bool sockopt_field_ok(const struct prog *p, const struct ctx_field *f, bool write)
{
	bool sets = p->expected_attach_type == BPF_CGROUP_SETSOCKOPT;

	switch (f->offset) {
	case offsetof(struct sockopt_md, level):
	case offsetof(struct sockopt_md, optname):
		return sets || !write;
	case offsetof(struct sockopt_md, retval):
		return !sets;
	default:
		return true;
	}
}

/* Where it is bound is known once it is; how it sends can be set before. */
static bool sock_field_ok(const struct prog *p, const struct ctx_field *f, bool write)
{
	uint32_t type = p->expected_attach_type;
	bool bound4 = type == BPF_CGROUP_INET4_POST_BIND, bound6 = type == BPF_CGROUP_INET6_POST_BIND;

	switch (f->offset) {
	case offsetof(struct bpf_sock, bound_dev_if):
	case offsetof(struct bpf_sock, mark):
	case offsetof(struct bpf_sock, priority):
		return !bound4 && !bound6;
	case offsetof(struct bpf_sock, src_ip4):
		return bound4;
	case offsetof(struct bpf_sock, src_ip6[0]):
	case offsetof(struct bpf_sock, src_ip6[1]):
	case offsetof(struct bpf_sock, src_ip6[2]):
	case offsetof(struct bpf_sock, src_ip6[3]):
		return bound6;
	case offsetof(struct bpf_sock, src_port):
		return bound4 || bound6;
	default:
		return true;
	}
}

static bool sock_attach_type_ok(uint32_t type)
{
	return type == BPF_CGROUP_INET_SOCK_CREATE || type == BPF_CGROUP_INET_SOCK_RELEASE ||
	       type == BPF_CGROUP_INET4_POST_BIND || type == BPF_CGROUP_INET6_POST_BIND;
}

static bool sockopt_attach_type_ok(uint32_t type)
{
	return type == BPF_CGROUP_SETSOCKOPT || type == BPF_CGROUP_GETSOCKOPT;
}

static unsigned device_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct cgroup_device_md), r, max);
}

static unsigned sysctl_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct sysctl_md), r, max);
}

static unsigned sock_regions(const void *ctx, struct region *r, unsigned max)
{
	return md_region(ctx, sizeof(struct bpf_sock), r, max);
}

static unsigned sockopt_regions(const void *ctx, struct region *r, unsigned max)
{
	const struct sockopt_md *md = ctx;

	if (max < 2)
		return md_region(ctx, sizeof(*md), r, max);
	md_region(ctx, sizeof(*md), r, max);
	r[1] = (struct region){md->optval, md->optval_end - md->optval, true, "option"};
	return 2;
}

RET_RANGE(allow, 0, 1);

#define CGROUP(text, type)                                                                         \
	.name = text, .prog_type = BPF_PROG_TYPE_##type,                                           \
	.type_bit = PROG_TYPE_BIT(BPF_PROG_TYPE_##type), .ret_ranges = allow

const struct hook hook_cgroup_device = {
	CGROUP("cgroup_device", CGROUP_DEVICE),
	.ctx_size = sizeof(struct cgroup_device_md),
	.fields = device_fields,
	.regions = device_regions,
};

const struct hook hook_cgroup_sysctl = {
	CGROUP("cgroup_sysctl", CGROUP_SYSCTL),
	.ctx_size = sizeof(struct sysctl_md),
	.fields = sysctl_fields,
	.regions = sysctl_regions,
};

const struct hook hook_cgroup_sockopt = {
	CGROUP("cgroup_sockopt", CGROUP_SOCKOPT),
	.ctx_size = sizeof(struct sockopt_md),
	.fields = sockopt_fields,
	.field_ok = sockopt_field_ok,
	.attach_type_ok = sockopt_attach_type_ok,
	.pkt_write = true,
	.regions = sockopt_regions,
};

const struct hook hook_cgroup_sock = {
	CGROUP("cgroup_sock", CGROUP_SOCK),
	.ctx_size = sizeof(struct bpf_sock),
	.fields = sock_md_fields,
	.field_ok = sock_field_ok,
	.attach_type_ok = sock_attach_type_ok,
	.default_attach_type = BPF_CGROUP_INET_SOCK_CREATE,
	.regions = sock_regions,
};
