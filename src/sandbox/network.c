/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network of a sandbox: its namespace, the switch on the other side (net/switch.h), wires to those of
 * other sandboxes.
 *
 * The supervisor itself stays in the host's network. Sockets in the sandbox's network are made by a child
 * that has entered it, the maker: an ordinary user may enter only as a process of its own.
 */
#define _GNU_SOURCE
#include "sandbox/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/net.h"
#include "sandbox/control.h"
#include "sandbox/netlink.h"
#include "sandbox/place.h"
#include "sandbox/rtnl.h"
#include "sandbox/sandbox.h"
#include "sandbox/space_net.h"

struct network {
	struct switch_ *sw;
	int spaces[NETWORK_SPACES];
	struct stat ns; /* of the network namespace */
	pthread_mutex_t lock; /* of what is said to the maker */
	int maker;
	unsigned number, next_number; /* of stations: our own, the next wire's */
};

static const char *const space_paths[NETWORK_SPACES] = {
	"/proc/self/ns/user", "/proc/self/ns/mnt", "/proc/self/ns/net"};

/* --- The command's process ---------------------------------------------------------------- */

int network_make(unsigned devices, unsigned number, int peer)
{
	int fds[SPACE_PORTS + NETWORK_SPACES], err;
	struct space_net net;
	unsigned n = 0;

	err = space_net(devices, number, &net);
	if (err)
		return err;
	for (; n < net.n; n++)
		fds[n] = net.port[n].fd;
	for (unsigned i = 0; i < NETWORK_SPACES; i++) {
		fds[n] = open(space_paths[i], O_RDONLY | O_CLOEXEC);
		if (fds[n++] < 0)
			return -errno;
	}
	err = control_send(peer, &net, sizeof(net), fds, n);
	while (n)
		close(fds[--n]);
	return err;
}

int network_enter(const int fds[NETWORK_SPACES])
{
	int here = open(".", O_PATH | O_CLOEXEC), err = 0;
	char path[PATH_MAX];
	bool has_path = getcwd(path, sizeof(path)) != NULL;

	/* Root's sandbox has no user namespace of its own: there EINVAL says that we are in it. */
	for (unsigned i = 0; i < NETWORK_SPACES && !err; i++)
		if (setns(fds[i], 0) != 0 && !(i == 0 && errno == EINVAL))
			err = -errno;
	if (!err && has_path && chdir(path) != 0 && here >= 0 && fchdir(here) != 0)
		err = -errno;
	if (here >= 0)
		close(here);
	return err;
}

/* --- The maker of sockets ----------------------------------------------------------------- */

struct wanted {
	int family, type, protocol;
};

static void make_sockets(const struct network *n, int peer)
{
	struct wanted w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((setns(n->spaces[0], 0) != 0 && errno != EINVAL) || setns(n->spaces[2], 0) != 0)
		_exit(1);
	while (recv(peer, &w, sizeof(w), 0) == sizeof(w)) {
		int fd = socket(w.family, w.type | SOCK_CLOEXEC, w.protocol), err = fd < 0 ? -errno : 0;

		if (control_send(peer, &err, sizeof(err), &fd, fd >= 0) != 0)
			break;
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

static int start_maker(struct network *n)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		/* Of the supervisor's files it keeps none but those it needs. */
		int keep = dup2(pair[1], 3) == 3 ? 3 : pair[1];
		struct network copy = *n;

		copy.spaces[0] = fcntl(n->spaces[0], F_DUPFD_CLOEXEC, 100);
		copy.spaces[2] = fcntl(n->spaces[2], F_DUPFD_CLOEXEC, 100);
		close_range(4, 99, 0);
		make_sockets(&copy, keep);
	}
	close(pair[1]);
	n->maker = pair[0];
	return pid < 0 ? -errno : 0;
}

int space_socket(struct remote *r, int family, int type, int protocol)
{
	struct network *n = r->s->network;
	struct wanted w = {family, type, protocol};
	unsigned got = 1;
	int fd = -1, err = -EIO;
	struct stat theirs;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)r->tid);
	if (!n || stat(path, &theirs) != 0 || theirs.st_ino != n->ns.st_ino)
		return -ENOENT;
	pthread_mutex_lock(&n->lock);
	if (send(n->maker, &w, sizeof(w), MSG_NOSIGNAL) == sizeof(w) &&
	    control_recv(n->maker, &err, sizeof(err), &fd, &got) == sizeof(err) && !err && !got)
		err = -EIO;
	pthread_mutex_unlock(&n->lock);
	return err ? err : fd;
}

/* --- The supervisor ----------------------------------------------------------------------- */

static unsigned filters(void *arg, uint32_t ifindex, bool egress, struct switch_filter *out, unsigned max)
{
	struct tc_filter found[SWITCH_FILTERS];
	uint32_t side = egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS;
	unsigned n = tc_list(netlink_tc(arg), ifindex, TC_H_MAKE(TC_H_CLSACT, side), found,
	                     max < SWITCH_FILTERS ? max : SWITCH_FILTERS);

	for (unsigned i = 0; i < n; i++)
		out[i] = (struct switch_filter){found[i].prog, found[i].direct};
	return n;
}

/* What programs find out by bpf_fib_lookup(): the devices, and the host end's side of each. */
static void describe_network(struct skep *k, const struct switch_port *p, unsigned i)
{
	struct net_device d = {.ifindex = p->ifindex, .mtu = 1500, .native = true};
	struct net_route r = {.family = NET_FAMILY_IP4, .prefix = 24, .ifindex = p->ifindex,
	                      .dst = {SPACE_NET_IP4}};

	memcpy(d.mac, p->mac, sizeof(d.mac));
	r.dst.bytes[2] = (uint8_t)i;
	r.dst.bytes[3] = 0;
	net_add_device(k, &d);
	net_add_route(k, &r);
}

static int start_switch(struct sandbox *s, struct network *n, const struct skep_sandbox_options *o,
                        const struct space_net *net, char what[256])
{
	struct switch_options so = {.k = s->k, .filters = filters, .arg = s, .ip4 = SPACE_NET_IP4,
	                            .ip6 = SPACE_NET_IP6};
	int err;

	if (o->capture && !(so.capture = fopen(o->capture, "we"))) {
		snprintf(what, 256, "cannot write the capture %.150s: %s", o->capture, strerror(errno));
		return -errno;
	}
	err = switch_new(&so, &n->sw);
	for (unsigned i = 0; !err && i < net->n; i++) {
		describe_network(s->k, &net->port[i], i);
		err = switch_add(n->sw, &net->port[i]);
	}
	return err;
}

int network_start(struct sandbox *s, int peer, const struct skep_sandbox_options *o, char what[256])
{
	struct network *n = calloc(1, sizeof(*n));
	int fds[SPACE_PORTS + NETWORK_SPACES], err = 0;
	unsigned nfds = SPACE_PORTS + NETWORK_SPACES;
	struct space_net net;
	ssize_t len = control_recv(peer, &net, sizeof(net), fds, &nfds);

	if (!n)
		return -ENOMEM;
	if (len == sizeof(err)) /* what failed */
		memcpy(&err, &net, sizeof(err));
	else if (len != sizeof(net) || net.n > SPACE_PORTS || nfds != net.n + NETWORK_SPACES)
		err = -ECONNRESET;
	for (unsigned i = 0; !err && i < nfds; i++)
		*(i < net.n ? &net.port[i].fd : &n->spaces[i - net.n]) = fds[i];
	pthread_mutex_init(&n->lock, NULL);
	n->number = s->number;
	n->next_number = s->number + 1;
	if (!err && fstat(n->spaces[2], &n->ns) != 0)
		err = -errno;
	if (!err)
		err = start_maker(n);
	if (!err)
		err = start_switch(s, n, o, &net, what);
	if (!err && s->wire >= 0)
		err = switch_add(n->sw, &(struct switch_port){.fd = s->wire, .name = "wire"});
	if (!err) {
		s->k->net.ns_dev = n->ns.st_dev;
		s->k->net.ns_ino = n->ns.st_ino;
		s->network = n;
		return 0;
	}
	if (!what[0])
		snprintf(what, 256, "cannot make a network: %s%s", strerror(-err),
		         err == -EPERM ? " (user namespaces are forbidden here)" : "");
	return err;
}

bool network_spaces(const struct sandbox *s, int fds[NETWORK_SPACES])
{
	if (s->network)
		memcpy(fds, s->network->spaces, sizeof(s->network->spaces));
	return s->network != NULL;
}

/* --- Wires -------------------------------------------------------------------------------- */

int network_wire(struct sandbox *s, unsigned *number)
{
	int pair[2], err;

	if (!s->network)
		return -ENONET;
	if (s->network->next_number > 250)
		return -ENOSPC;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	err = switch_add(s->network->sw, &(struct switch_port){.fd = pair[0], .name = "wire"});
	if (err) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	*number = s->network->next_number++;
	return pair[1];
}

int network_ask_wire(const char *name, unsigned *number)
{
	int peer = place_connect(name), fd = -1, answer = -ECONNRESET;
	unsigned got = 1;

	if (peer < 0)
		return peer;
	if (send(peer, "w", 1, MSG_NOSIGNAL) != 1 ||
	    control_recv(peer, &answer, sizeof(answer), &fd, &got) != sizeof(answer))
		answer = -ECONNRESET;
	close(peer);
	if (answer > 0 && !got)
		answer = -ECONNRESET;
	*number = (unsigned)answer;
	return answer < 0 ? answer : fd;
}
