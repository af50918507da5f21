/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of rtnetlink: XDP and tc by netlink, as ip(8), tc(8), libbpf and all others do it.
 *
 * Only calls on netlink sockets shall be seen, and a filter cannot tell them from others. So socket() is
 * taken when it asks for one, and its socket, a real one of the caller's network, is put at a descriptor
 * that is so high that no other ever is: NETLINK_FD. The filter takes calls on those.
 *
 * A request of ours (rtnl.c) is served at once; all others go on to the host. How answers come back:
 * the host is asked to acknowledge a control message that does nothing (NLMSG_NOOP), whose sequence
 * number is that of the answer. So the socket becomes readable, by poll() and the like, at its time; when
 * the caller reads the acknowledgement, it gets the answer. Answers of the host that shall show what only
 * we know are read here and completed.
 *
 * Sockets are known by inode; nothing is kept open for them. One that has been forgotten reads plain
 * acknowledgements.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/netlink.h"
#include "sandbox/rtnl.h"
#include "sandbox/sandbox.h"
#include "sys/bpf.h"

enum {
	SOCKETS_MAX = 256,
	ANSWERS_MAX = 64, /* unread, of a socket */
	DATAGRAM_MAX = 256 * 1024,
	REQUEST_MAX = 64 * 1024,
	IOV_PARTS = 16,
	OPTION_CAP_ACK = 10, /* NETLINK_CAP_ACK, NETLINK_EXT_ACK */
	OPTION_EXT_ACK = 11,
	LEVEL_NETLINK = 270,
};

struct answer {
	struct answer *next;
	uint32_t serial; /* of the acknowledgement in whose place it stands */
	size_t len;
	uint8_t data[];
};

struct netlink_socket {
	ino_t ino;
	uint64_t used;     /* for finding the one that has not been for the longest time */
	uint16_t completes; /* the type of the last request whose answers we complete, or 0 */
	struct answer *answers;
	unsigned nanswers;
};

struct netlink {
	pthread_mutex_t lock;
	struct netlink_socket sockets[SOCKETS_MAX];
	uint64_t clock;
	uint32_t serial;
	struct tc tc;
};

int netlink_init(struct sandbox *s)
{
	struct netlink *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->tc.lock, NULL);
	s->netlink = n;
	return 0;
}

struct tc *netlink_tc(struct sandbox *s)
{
	return &s->netlink->tc;
}

/* --- Sockets; the lock is held ------------------------------------------------------------ */

static void forget(struct netlink_socket *n)
{
	while (n->answers) {
		struct answer *a = n->answers;

		n->answers = a->next;
		free(a);
	}
	*n = (struct netlink_socket){0};
}

static struct netlink_socket *find(struct netlink *n, ino_t ino)
{
	for (unsigned i = 0; i < SOCKETS_MAX; i++)
		if (n->sockets[i].ino == ino) {
			n->sockets[i].used = ++n->clock;
			return &n->sockets[i];
		}
	return NULL;
}

static void remember(struct netlink *n, ino_t ino)
{
	struct netlink_socket *oldest = &n->sockets[0];

	for (unsigned i = 1; i < SOCKETS_MAX; i++)
		if (n->sockets[i].used < oldest->used)
			oldest = &n->sockets[i];
	forget(oldest);
	oldest->ino = ino;
	oldest->used = ++n->clock;
}

/* --- socket() ----------------------------------------------------------------------------- */

static bool same_network(const struct remote *r)
{
	struct stat own, theirs;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)r->tid);
	return stat("/proc/self/ns/net", &own) == 0 && stat(path, &theirs) == 0 &&
	       own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino;
}

int64_t serve_socket(struct remote *r, const struct seccomp_data *call)
{
	int type = (int)call->args[1], fd, got;
	struct stat st;

	if ((int)call->args[2] != NETLINK_ROUTE)
		return SERVE_PASS;
	fd = same_network(r) ? socket(AF_NETLINK, type | SOCK_CLOEXEC, NETLINK_ROUTE)
	                     : space_socket(r, AF_NETLINK, type, NETLINK_ROUTE);
	if (fd < 0 || fstat(fd, &st) != 0)
		return SERVE_PASS;
	pthread_mutex_lock(&r->s->netlink->lock);
	remember(r->s->netlink, st.st_ino);
	pthread_mutex_unlock(&r->s->netlink->lock);
	got = notify_install_flags(r, fd, NETLINK_FD, type & SOCK_CLOEXEC);
	close(fd);
	return got < 0 ? SERVE_PASS : got;
}

/* --- Requests ----------------------------------------------------------------------------- */

static int has_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int on = 0;

	return getsockopt(fd, LEVEL_NETLINK, option, &on, &len) == 0 && on;
}

/* Acknowledgement or error, as the kernel makes them for this socket. */
static void put_result(struct nl_out *out, int fd, const struct nlmsghdr *h, int err, const char *text)
{
	bool cap = !err || has_option(fd, OPTION_CAP_ACK), tlv = text && has_option(fd, OPTION_EXT_ACK);
	uint16_t flags = (uint16_t)((cap ? NLM_F_CAPPED : 0) | (tlv ? NLM_F_ACK_TLVS : 0));
	size_t message = nl_begin(out, h, NLMSG_ERROR, flags, &err, sizeof(err));

	nl_raw(out, h, cap ? sizeof(*h) : h->nlmsg_len);
	if (tlv)
		nl_put_text(out, 1 /* NLMSGERR_ATTR_MSG */, text);
	nl_end(out, message);
}

/* The caller's socket becomes readable: see above. */
static int ring(int fd, uint32_t serial)
{
	struct nlmsghdr noop = {.nlmsg_len = sizeof(noop), .nlmsg_type = NLMSG_NOOP,
	                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = serial};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, &noop, sizeof(noop), MSG_DONTWAIT, (void *)&kernel, sizeof(kernel)) < 0
	               ? -errno
	               : 0;
}

static int queue(struct sandbox *s, ino_t ino, int fd, const struct nl_out *out)
{
	struct netlink *n = s->netlink;
	struct answer *a = malloc(sizeof(*a) + out->len), **at;
	struct netlink_socket *of;
	int err = 0;

	if (!a)
		return -ENOMEM;
	*a = (struct answer){.len = out->len};
	memcpy(a->data, out->data, out->len);
	pthread_mutex_lock(&n->lock);
	of = find(n, ino);
	if (!of || of->nanswers >= ANSWERS_MAX)
		err = -ENOBUFS;
	if (!err) {
		a->serial = ++n->serial;
		err = ring(fd, a->serial);
	}
	if (!err) {
		for (at = &of->answers; *at; at = &(*at)->next)
			;
		*at = a;
		of->nanswers++;
	}
	pthread_mutex_unlock(&n->lock);
	if (err)
		free(a);
	return err;
}

/* Messages of ours go out with the socket's own port as their receiver. */
static void set_port(int fd, struct nlmsghdr *h)
{
	struct sockaddr_nl own = {0};
	socklen_t len = sizeof(own);

	getsockname(fd, (void *)&own, &len);
	h->nlmsg_pid = own.nl_pid;
}

/* Serves one message. RTNL_PASS: it is the host's. */
static int serve_message(struct remote *r, ino_t ino, int fd, struct nlmsghdr *h)
{
	struct rtnl q = {.k = r->s->k, .tc = &r->s->netlink->tc, .client = &r->client};
	uint32_t port = h->nlmsg_pid;
	struct nl_out out = {0};
	int err;

	set_port(fd, h);
	err = rtnl_serve(&q, h, &out);
	h->nlmsg_pid = port;
	if (err != RTNL_PASS && (err || h->nlmsg_flags & NLM_F_ACK)) {
		struct nlmsghdr *like = h;
		size_t at = out.len;

		put_result(&out, fd, like, err, q.text);
		if (!out.failed)
			set_port(fd, (struct nlmsghdr *)(out.data + at));
	}
	if (err != RTNL_PASS)
		err = out.failed ? -ENOMEM : out.len ? queue(r->s, ino, fd, &out) : 0;
	free(out.data);
	return err;
}

/* A datagram of the caller's in `data`. Answers its length when it was served. */
static int64_t serve_request(struct remote *r, ino_t ino, int number, uint8_t *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)data;
	int fd, err;

	/* Whoever sends several in one datagram sends them to the host. */
	if (len < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
		return SERVE_PASS;
	pthread_mutex_lock(&r->s->netlink->lock);
	if (rtnl_completes(h) && find(r->s->netlink, ino))
		find(r->s->netlink, ino)->completes = h->nlmsg_type;
	pthread_mutex_unlock(&r->s->netlink->lock);
	fd = remote_fd(r, number);
	if (fd < 0)
		return SERVE_PASS;
	err = serve_message(r, ino, fd, h);
	close(fd);
	return err == RTNL_PASS ? SERVE_PASS : err ? err : (int64_t)len;
}

static bool known(struct remote *r, int fd, ino_t *ino)
{
	bool is;
	dev_t dev;

	if (r->client.ops->identify(&r->client, fd, &dev, ino) != 0)
		return false;
	pthread_mutex_lock(&r->s->netlink->lock);
	is = find(r->s->netlink, *ino) != NULL;
	pthread_mutex_unlock(&r->s->netlink->lock);
	return is;
}

int64_t serve_sendto(struct remote *r, const struct seccomp_data *call)
{
	size_t len = (size_t)call->args[2];
	int64_t result = SERVE_PASS;
	uint8_t *data;
	ino_t ino;

	if (len > REQUEST_MAX || !known(r, (int)call->args[0], &ino))
		return SERVE_PASS;
	data = malloc(len + sizeof(struct nlmsghdr));
	if (data && client_read(&r->client, data, call->args[1], len) == 0)
		result = serve_request(r, ino, (int)call->args[0], data, len);
	free(data);
	return result;
}

/* The caller's struct msghdr and its parts; how many bytes they are together, or -errno. */
static int64_t read_header(struct remote *r, uint64_t addr, struct msghdr *m,
                           struct iovec parts[IOV_PARTS])
{
	int err = client_read(&r->client, m, addr, sizeof(*m));
	size_t len = 0;

	if (err || m->msg_iovlen > IOV_PARTS)
		return err ? err : -EMSGSIZE;
	err = client_read(&r->client, parts, (uintptr_t)m->msg_iov,
	                  m->msg_iovlen * sizeof(parts[0]));
	for (size_t i = 0; !err && i < m->msg_iovlen; i++) {
		if (parts[i].iov_len > (size_t)DATAGRAM_MAX * 16)
			return -EMSGSIZE;
		len += parts[i].iov_len;
	}
	return err ? err : (int64_t)len;
}

int64_t serve_sendmsg(struct remote *r, const struct seccomp_data *call)
{
	struct iovec parts[IOV_PARTS];
	int64_t result = SERVE_PASS, len;
	struct msghdr m;
	uint8_t *data;
	size_t at = 0;
	ino_t ino;

	if (!known(r, (int)call->args[0], &ino))
		return SERVE_PASS;
	len = read_header(r, call->args[1], &m, parts);
	if (len < 0 || len > REQUEST_MAX)
		return SERVE_PASS;
	data = malloc((size_t)len + sizeof(struct nlmsghdr));
	for (size_t i = 0; data && i < m.msg_iovlen; at += parts[i++].iov_len)
		if (client_read(&r->client, data + at, (uintptr_t)parts[i].iov_base, parts[i].iov_len))
			break;
	if (data && at == (size_t)len)
		result = serve_request(r, ino, (int)call->args[0], data, (size_t)len);
	free(data);
	return result;
}

/* --- Answers ------------------------------------------------------------------------------ */

/* What the caller shall read instead of the acknowledgement in `data`; taken unless it only looks. */
static bool take_answer(struct remote *r, ino_t ino, const uint8_t *data, size_t len, bool peek,
                        struct nl_out *out)
{
	struct netlink *n = r->s->netlink;
	struct netlink_socket *of;
	struct {
		struct nlmsghdr h;
		int error;
		struct nlmsghdr of;
	} ack;
	bool found = false;

	if (len < sizeof(ack))
		return false;
	memcpy(&ack, data, sizeof(ack));
	if (ack.h.nlmsg_type != NLMSG_ERROR || ack.error || ack.of.nlmsg_type != NLMSG_NOOP)
		return false;
	pthread_mutex_lock(&n->lock);
	of = find(n, ino);
	for (struct answer **at = of ? &of->answers : NULL; at && *at; at = &(*at)->next) {
		struct answer *a = *at;

		if (a->serial != ack.of.nlmsg_seq)
			continue;
		nl_raw(out, a->data, a->len);
		found = true;
		if (!peek) {
			*at = a->next;
			of->nanswers--;
			free(a);
		}
		break;
	}
	pthread_mutex_unlock(&n->lock);
	return found;
}

/* Reads a datagram of the caller's socket, which becomes what it shall see in out. Or -errno. */
static int read_datagram(struct remote *r, ino_t ino, int number, bool peek, uint16_t completes,
                         struct nl_out *out)
{
	struct rtnl q = {.k = r->s->k, .tc = &r->s->netlink->tc, .client = &r->client};
	uint8_t *data = malloc(DATAGRAM_MAX);
	int fd = remote_fd(r, number), err = 0;
	ssize_t n = -1;

	if (data && fd >= 0) {
		n = recv(fd, data, DATAGRAM_MAX, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
		err = n < 0 ? -errno : 0;
	} else {
		err = data ? fd : -ENOMEM;
	}
	if (!err && !take_answer(r, ino, data, (size_t)n, peek, out)) {
		if (completes)
			rtnl_complete(&q, completes, data, (size_t)n, out);
		else
			nl_raw(out, data, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	free(data);
	return out->failed ? -ENOMEM : err;
}

/* Is there anything for us in what this socket reads? */
static bool watches(struct remote *r, int fd, ino_t *ino, uint16_t *completes)
{
	const struct netlink_socket *n;
	bool does;
	dev_t dev;

	if (r->client.ops->identify(&r->client, fd, &dev, ino) != 0)
		return false;
	pthread_mutex_lock(&r->s->netlink->lock);
	n = find(r->s->netlink, *ino);
	does = n && (n->answers || n->completes);
	*completes = n ? n->completes : 0;
	pthread_mutex_unlock(&r->s->netlink->lock);
	return does;
}

static int write_parts(struct remote *r, const struct nl_out *out, const struct iovec *parts, size_t n,
                       size_t *written)
{
	*written = 0;
	for (size_t i = 0; i < n && *written < out->len; i++) {
		size_t len = out->len - *written;
		int err;

		if (len > parts[i].iov_len)
			len = parts[i].iov_len;
		err = client_write(&r->client, (uintptr_t)parts[i].iov_base, out->data + *written, len);
		if (err)
			return err;
		*written += len;
	}
	return 0;
}

int64_t serve_recvfrom(struct remote *r, const struct seccomp_data *call)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec part = {(void *)(uintptr_t)call->args[1], (size_t)call->args[2]};
	int flags = (int)call->args[3], err;
	socklen_t room = sizeof(kernel);
	struct nl_out out = {0};
	uint16_t completes;
	size_t written = 0;
	ino_t ino;

	if (!watches(r, (int)call->args[0], &ino, &completes))
		return SERVE_PASS;
	err = read_datagram(r, ino, (int)call->args[0], flags & MSG_PEEK, completes, &out);
	if (!err)
		err = write_parts(r, &out, &part, 1, &written);
	if (!err && call->args[4] && call->args[5]) {
		err = client_read(&r->client, &room, call->args[5], sizeof(room));
		if (!err)
			err = client_write(&r->client, call->args[4], &kernel,
			                   room < sizeof(kernel) ? room : sizeof(kernel));
		room = sizeof(kernel);
		if (!err)
			err = client_write(&r->client, call->args[5], &room, sizeof(room));
	}
	free(out.data);
	/* Nothing there yet: the host waits for it, if the caller wants to. */
	if (err)
		return err == -EAGAIN ? SERVE_PASS : err;
	return (int64_t)(flags & MSG_TRUNC ? out.len : written);
}

int64_t serve_recvmsg(struct remote *r, const struct seccomp_data *call)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec parts[IOV_PARTS];
	int flags = (int)call->args[2], err;
	struct nl_out out = {0};
	uint16_t completes;
	struct msghdr m;
	size_t written = 0;
	ino_t ino;

	if (!watches(r, (int)call->args[0], &ino, &completes) ||
	    read_header(r, call->args[1], &m, parts) < 0)
		return SERVE_PASS;
	err = read_datagram(r, ino, (int)call->args[0], flags & MSG_PEEK, completes, &out);
	if (!err)
		err = write_parts(r, &out, parts, m.msg_iovlen, &written);
	if (!err && m.msg_name) {
		err = client_write(&r->client, (uintptr_t)m.msg_name, &kernel,
		                   m.msg_namelen < sizeof(kernel) ? m.msg_namelen : sizeof(kernel));
		m.msg_namelen = sizeof(kernel);
	}
	m.msg_controllen = 0;
	m.msg_flags = written < out.len ? MSG_TRUNC : 0;
	if (!err)
		err = client_write(&r->client, call->args[1], &m, sizeof(m));
	free(out.data);
	if (err)
		return err == -EAGAIN ? SERVE_PASS : err;
	return (int64_t)(flags & MSG_TRUNC ? out.len : written);
}
