/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --net: the command's own network namespace, made by its process before it executes the command.
 *
 * Each device ethN has its other end with the supervisor: a TAP device's descriptor where /dev/net/tun may
 * be opened, else a packet socket on the peer of a veth pair. That peer lives in a namespace of its own,
 * which nothing but that socket keeps: an ordinary user may have all that, as root of a user namespace.
 *
 * Checksums and segments are made by the sender's stack: offloads are switched off, since programs shall
 * see frames as they are on a wire.
 *
 * Messages: rtnetlink(7), veth(4), packet(7); Linux, Documentation/networking/tuntap.rst.
 */
#define _GNU_SOURCE
#include "sandbox/space_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/nl.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* --- Requests to the kernel --------------------------------------------------------------- */

struct request {
	struct nl_out out;
	size_t message;
};

static void begin(struct request *r, uint16_t type, uint16_t flags, const void *fixed, size_t size)
{
	static const struct nlmsghdr like = {.nlmsg_seq = 1};

	*r = (struct request){0};
	r->message = nl_begin(&r->out, &like, type, NLM_F_REQUEST | NLM_F_ACK | flags, fixed, size);
}

/* Ends, sends and frees it. 0 or -errno. */
static int ask(struct request *r)
{
	struct {
		struct nlmsghdr h;
		int error;
		char rest[4096];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err;

	nl_end(&r->out, r->message);
	if (fd < 0 || r->out.failed)
		err = fd < 0 ? -errno : -ENOMEM;
	else if (send(fd, r->out.data, r->out.len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 20)
		err = -errno;
	else
		err = answer.h.nlmsg_type == NLMSG_ERROR ? answer.error : -EPROTO;
	if (fd >= 0)
		close(fd);
	free(r->out.data);
	return err;
}

static int link_up(const char *name)
{
	struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP,
	                         .ifi_change = IFF_UP};
	struct request r;

	begin(&r, RTM_NEWLINK, 0, &info, sizeof(info));
	return ask(&r);
}

/* No address of its own: the peer is a wire's end, no station. */
static int link_silent(const char *name)
{
	struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(name)};
	uint8_t none = 1; /* IN6_ADDR_GEN_MODE_NONE */
	struct request r;
	size_t spec, inet6;

	begin(&r, RTM_NEWLINK, 0, &info, sizeof(info));
	spec = nl_open(&r.out, IFLA_AF_SPEC | NLA_F_NESTED);
	inet6 = nl_open(&r.out, AF_INET6 | NLA_F_NESTED);
	nl_put(&r.out, IFLA_INET6_ADDR_GEN_MODE, &none, 1);
	nl_close(&r.out, inet6);
	nl_close(&r.out, spec);
	return ask(&r);
}

static int veth_new(const char *name, const char *peer, int peer_ns)
{
	struct ifinfomsg info = {0};
	struct request r;
	size_t link, data, other;

	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	nl_put_text(&r.out, IFLA_IFNAME, name);
	link = nl_open(&r.out, IFLA_LINKINFO | NLA_F_NESTED);
	nl_put_text(&r.out, IFLA_INFO_KIND, "veth");
	data = nl_open(&r.out, IFLA_INFO_DATA | NLA_F_NESTED);
	other = nl_open(&r.out, VETH_INFO_PEER | NLA_F_NESTED);
	nl_raw(&r.out, &info, sizeof(info));
	nl_put_text(&r.out, IFLA_IFNAME, peer);
	nl_put_u32(&r.out, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	nl_close(&r.out, other);
	nl_close(&r.out, data);
	nl_close(&r.out, link);
	return ask(&r);
}

static int address_add(const char *name, int family, const void *addr, size_t len, uint8_t prefix)
{
	struct ifaddrmsg a = {.ifa_family = (uint8_t)family, .ifa_prefixlen = prefix,
	                      .ifa_index = if_nametoindex(name)};
	struct request r;

	begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	nl_put(&r.out, IFA_LOCAL, addr, len);
	nl_put(&r.out, IFA_ADDRESS, addr, len);
	nl_put_u32(&r.out, IFA_FLAGS, IFA_F_NODAD);
	return ask(&r);
}

static int route_add(int family, const void *gateway, size_t len)
{
	struct rtmsg m = {.rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN,
	                  .rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_UNIVERSE,
	                  .rtm_type = RTN_UNICAST};
	struct request r;

	begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	nl_put(&r.out, RTA_GATEWAY, gateway, len);
	return ask(&r);
}

/* --- Devices ------------------------------------------------------------------------------ */

static void offload_off(const char *name)
{
	static const uint32_t which[] = {ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO,
	                                 ETHTOOL_SGRO};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < sizeof(which) / sizeof(which[0]); i++) {
		struct ethtool_value value = {.cmd = which[i]};
		struct ifreq r = {.ifr_data = (char *)&value};

		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
		ioctl(fd, SIOCETHTOOL, &r); /* not every device has each of them */
	}
	if (fd >= 0)
		close(fd);
}

static void read_mac(const char *name, uint8_t mac[6])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
}

static int tap_open(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) != 0) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -errno : fd;
}

/* A socket that sends and gets the frames of a device of this namespace. */
static int packet_open(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	                         .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, size = 4 << 20;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    bind(fd, (void *)&at, sizeof(at)) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* The end of a veth pair whose other end is in `outer`; we stay in `inner`. A packet socket or -errno. */
static int veth_open(const char *name, int outer, int inner)
{
	char peer[16];
	int fd, err;

	snprintf(peer, sizeof(peer), "skep-%.10s", name);
	err = veth_new(name, peer, outer);
	if (err)
		return err;
	if (setns(outer, CLONE_NEWNET) != 0)
		return -errno;
	link_silent(peer);
	offload_off(peer);
	err = link_up(peer);
	fd = err ? err : packet_open(peer);
	if (setns(inner, CLONE_NEWNET) != 0)
		return -errno;
	return fd;
}

static int configure(const char *name, unsigned i, unsigned number)
{
	uint8_t ip4[4] = SPACE_NET_IP4, ip6[16] = SPACE_NET_IP6;
	int err;

	offload_off(name);
	err = link_up(name);
	ip4[2] = ip6[7] = (uint8_t)i;
	ip4[3] = ip6[15] = (uint8_t)number;
	if (!err)
		err = address_add(name, AF_INET, ip4, sizeof(ip4), 24);
	address_add(name, AF_INET6, ip6, sizeof(ip6), 64); /* a host may have no IPv6 */
	ip4[3] = ip6[15] = 1;
	if (!err && !i)
		err = route_add(AF_INET, ip4, sizeof(ip4));
	if (!i)
		route_add(AF_INET6, ip6, sizeof(ip6));
	return err;
}

static int own_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Ordinary users may ping without the right to raw sockets. */
static void allow_ping(void)
{
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof(text), "%u %u", (unsigned)getegid(), (unsigned)getegid());

	if (fd >= 0 && write(fd, text, (size_t)n) < 0)
		n = 0;
	if (fd >= 0)
		close(fd);
}

int space_net(unsigned n, unsigned number, struct space_net *out)
{
	int outer, inner, err = 0;

	*out = (struct space_net){0};
	if (unshare(CLONE_NEWNET) != 0)
		return -errno;
	outer = own_namespace();
	if (outer < 0 || unshare(CLONE_NEWNET) != 0)
		return -errno;
	inner = own_namespace();
	if (inner < 0)
		return -errno;
	link_up("lo");
	allow_ping();
	for (unsigned i = 0; !err && i < n && i < SPACE_PORTS; i++) {
		struct switch_port *p = &out->port[i];

		snprintf(p->name, sizeof(p->name), "eth%u", i);
		p->fd = tap_open(p->name);
		if (p->fd < 0)
			p->fd = veth_open(p->name, outer, inner);
		if (p->fd < 0)
			err = p->fd;
		else
			out->n++;
		if (!err)
			err = configure(p->name, i, number);
		p->ifindex = if_nametoindex(p->name);
		read_mac(p->name, p->mac);
	}
	close(outer);
	close(inner);
	return err;
}
