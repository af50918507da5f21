/* SPDX-License-Identifier: BSD-2-Clause */
/* rtnetlink: see rtnl.h. Attributes: <linux/if_link.h>; rules and texts: what Linux 6.18 answers. */
#define _GNU_SOURCE
#include "sandbox/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "core/net.h"
#include "core/prog.h"
#include "sys/fd.h"
#include "sys/target.h"

/* --- XDP ---------------------------------------------------------------------------------- */

struct xdp_request {
	uint32_t ifindex, flags;
	bool has_fd, has_expected;
	int32_t fd, expected;
};

/* Other things to do to the device in the same request. */
static bool does_more(struct nl_attrs all, const struct ifinfomsg *info)
{
	struct nl_attr a;

	if (info->ifi_change)
		return true;
	while (nl_next(&all, &a))
		if (a.type != IFLA_XDP && a.type != IFLA_IFNAME && a.type != IFLA_EXT_MASK)
			return true;
	return false;
}

static int read_request(struct rtnl *q, const struct nlmsghdr *h, struct xdp_request *x)
{
	struct nl_attrs all = nl_attrs_of(h, sizeof(struct ifinfomsg));
	struct ifinfomsg info;
	struct nl_attr nest;
	char name[IFNAMSIZ];

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(info)) || !nl_find(all, IFLA_XDP, &nest))
		return RTNL_PASS;
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	*x = (struct xdp_request){.ifindex = (uint32_t)info.ifi_index};
	if (info.ifi_index <= 0)
		x->ifindex = nl_text(all, IFLA_IFNAME, name, sizeof(name)) ? if_nametoindex(name) : 0;
	if (!device_exists(q->k, x->ifindex))
		return -ENODEV;
	if (does_more(all, &info))
		return rtnl_fail(q, -EOPNOTSUPP,
		                 "XDP together with other changes: make one after the other");
	nl_u32(nl_nest(&nest), IFLA_XDP_FLAGS, &x->flags);
	x->has_fd = nl_u32(nl_nest(&nest), IFLA_XDP_FD, (uint32_t *)&x->fd);
	x->has_expected = nl_u32(nl_nest(&nest), IFLA_XDP_EXPECTED_FD, (uint32_t *)&x->expected);
	return 0;
}

static int choose_mode(struct rtnl *q, struct xdp_request *x)
{
	const struct net_device *d = net_device(q->k, x->ifindex);
	bool native = d && d->native;
	uint32_t modes = x->flags & XDP_FLAGS_MODES;

	if (x->flags & ~(uint32_t)XDP_FLAGS_MASK || modes & (modes - 1))
		return -EINVAL;
	if (x->flags & XDP_FLAGS_REPLACE && !x->has_expected)
		return -EINVAL;
	if (x->has_expected && x->expected >= 0 && !(x->flags & XDP_FLAGS_REPLACE))
		return rtnl_fail(q, -EINVAL, "XDP_FLAGS_REPLACE is not specified");
	if (!modes)
		x->flags |= native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	if (x->fd >= 0 && modes & XDP_FLAGS_HW_MODE)
		return -EINVAL; /* no program of ours is a device's */
	if (x->fd >= 0 && modes & XDP_FLAGS_DRV_MODE && !native)
		return rtnl_fail(q, -EOPNOTSUPP,
		                 "Underlying driver does not support XDP in native mode");
	return 0;
}

static int get_prog(struct rtnl *q, int fd, struct prog **out)
{
	struct obj *o;
	int err = fd_resolve(q->k, q->client, fd, OBJ_PROG, &o, NULL);

	if (!err)
		*out = prog_of(o);
	return err;
}

static int check_prog(struct rtnl *q, const struct prog *p)
{
	if (p->type != BPF_PROG_TYPE_XDP)
		return -EINVAL;
	if (p->expected_attach_type == BPF_XDP_DEVMAP)
		return rtnl_fail(q, -EINVAL, "BPF_XDP_DEVMAP programs can not be attached to a device");
	if (p->expected_attach_type == BPF_XDP_CPUMAP)
		return rtnl_fail(q, -EINVAL, "BPF_XDP_CPUMAP programs can not be attached to a device");
	return 0;
}

static int set_xdp(struct rtnl *q, struct xdp_request *x, struct prog *p, struct prog *expected)
{
	int err = attach_xdp(q->k, x->ifindex, p, x->flags, expected);

	if (err == -EBUSY)
		q->text = x->flags & XDP_FLAGS_UPDATE_IF_NOEXIST && p
		                  ? "XDP program already attached"
		                  : "Can't replace active BPF XDP link";
	else if (err == -EEXIST)
		q->text = x->flags & XDP_FLAGS_REPLACE
		                  ? "Active program does not match expected"
		                  : "Native and generic XDP can't be active at the same time";
	return err;
}

static int link_set(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct prog *p = NULL, *expected = NULL;
	struct xdp_request x;
	int err = read_request(q, h, &x);

	(void)out;
	if (err || !x.has_fd)
		return err;
	fd_sweep(q->k); /* links that nobody holds any more */
	err = choose_mode(q, &x);
	if (!err && x.fd >= 0)
		err = get_prog(q, x.fd, &p);
	if (!err && x.has_expected && x.expected >= 0)
		err = get_prog(q, x.expected, &expected);
	if (!err && p)
		err = check_prog(q, p);
	if (!err)
		err = set_xdp(q, &x, p, expected);
	if (p)
		obj_put(&p->obj);
	if (expected)
		obj_put(&expected->obj);
	return err;
}

/* --- Requests ----------------------------------------------------------------------------- */

static const struct {
	uint16_t type;
	int (*serve)(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
} requests[] = {
	{RTM_SETLINK, link_set},       {RTM_NEWLINK, link_set},       {RTM_NEWQDISC, tc_qdisc_new},
	{RTM_DELQDISC, tc_qdisc_del},  {RTM_NEWTFILTER, tc_filter_new}, {RTM_DELTFILTER, tc_filter_del},
	{RTM_GETTFILTER, tc_filter_get},
};

int rtnl_serve(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	if (!(h->nlmsg_flags & NLM_F_REQUEST))
		return RTNL_PASS;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == h->nlmsg_type)
			return requests[i].serve(q, h, out);
	return RTNL_PASS;
}

/* --- Answers of the host's ---------------------------------------------------------------- */

bool rtnl_completes(const struct nlmsghdr *h)
{
	return h->nlmsg_type == RTM_GETLINK || h->nlmsg_type == RTM_GETQDISC;
}

/* IFLA_XDP as a device of the host with this program would show it. */
static void put_xdp(struct nl_out *out, const struct attach_list *l)
{
	size_t nest = nl_open(out, IFLA_XDP | NLA_F_NESTED);
	uint32_t id = l->n ? l->entry[0].prog->obj.id : 0;
	bool native = l->n && l->entry[0].flags & ATTACH_XDP_DRV;
	uint8_t mode = !l->n ? XDP_ATTACHED_NONE : native ? XDP_ATTACHED_DRV : XDP_ATTACHED_SKB;

	if (id)
		nl_put_u32(out, native ? IFLA_XDP_DRV_PROG_ID : IFLA_XDP_SKB_PROG_ID, id);
	nl_put(out, IFLA_XDP_ATTACHED, &mode, sizeof(mode));
	if (id)
		nl_put_u32(out, IFLA_XDP_PROG_ID, id);
	nl_close(out, nest);
}

static void complete_link(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct nl_attrs all = nl_attrs_of(h, sizeof(struct ifinfomsg));
	struct attach_list *list = malloc(sizeof(*list));
	struct ifinfomsg info;
	struct nl_attr a;
	size_t message;

	if (!list || h->nlmsg_len < NLMSG_LENGTH(sizeof(info))) {
		nl_raw(out, h, h->nlmsg_len);
		free(list);
		return;
	}
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	attach_list(q->k, BPF_XDP, (uint32_t)info.ifi_index, list);
	message = nl_begin(out, h, h->nlmsg_type, h->nlmsg_flags, &info, sizeof(info));
	while (nl_next(&all, &a))
		if (a.type == IFLA_XDP)
			put_xdp(out, list);
		else
			nl_raw(out, a.data - NLA_HDRLEN, a.whole);
	nl_end(out, message);
	attach_list_put(list);
	free(list);
}

void rtnl_complete(struct rtnl *q, uint16_t request, const void *messages, size_t len,
                   struct nl_out *out)
{
	const uint8_t *at = messages;

	fd_sweep(q->k);
	while (len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)at;
		size_t whole = NLMSG_ALIGN(h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
			break;
		if (h->nlmsg_type == NLMSG_DONE && request == RTM_GETQDISC)
			tc_qdisc_rows(q, h, out);
		if (h->nlmsg_type == RTM_NEWLINK)
			complete_link(q, h, out);
		else
			nl_raw(out, h, h->nlmsg_len);
		at += whole;
		len -= whole < len ? whole : len;
	}
}
