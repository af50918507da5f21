/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rtnetlink says of BPF: XDP programs on devices (IFLA_XDP), clsact and filters of kind bpf.
 *
 * A request is either served here, and its answer made, or not ours: then it is the host's. Of some
 * that are the host's the answers are completed with what only we know.
 */
#ifndef SKEP_SANDBOX_RTNL_H
#define SKEP_SANDBOX_RTNL_H

#include <pthread.h>

#include "core/attach.h"
#include "sandbox/nl.h"

struct client;

struct tc_filter {
	struct tc_filter *next;
	struct prog *prog; /* referenced */
	uint32_t ifindex, parent, prio, handle, protocol, chain, classid;
	bool direct; /* what the program answers is the verdict */
	uint32_t gen_flags;
	char name[64];
};

enum { TC_DEVICES = 64 };

/* The traffic control of a sandbox: devices with clsact, and filters, sorted as they run. */
struct tc {
	pthread_mutex_t lock;
	struct tc_device {
		uint32_t ifindex; /* 0: free */
		bool clsact;      /* false: it had one */
	} devices[TC_DEVICES];
	struct tc_filter *filters;
};

struct rtnl {
	struct skep *k;
	struct tc *tc;
	struct client *client; /* whose descriptors are meant */
	const char *text; /* of a failure, for people; or NULL */
};

enum { RTNL_PASS = 1 };

/* Serves one request. 0: done, answers (but for the acknowledgement) are in out; -errno; RTNL_PASS. */
int rtnl_serve(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
/* Shall the host's answers to this request go through rtnl_complete()? */
bool rtnl_completes(const struct nlmsghdr *h);
/* The host's answer to a request of this type, `len` bytes of messages, with our part, put into out. */
void rtnl_complete(struct rtnl *q, uint16_t request, const void *messages, size_t len,
                   struct nl_out *out);

/* --- tc.c ---------------------------------------------------------------------------------- */

int tc_qdisc_new(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
int tc_qdisc_del(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
int tc_filter_new(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
int tc_filter_del(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
int tc_filter_get(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out);
/* The rows of clsact that a dump of qdiscs shows. */
void tc_qdisc_rows(struct rtnl *q, const struct nlmsghdr *like, struct nl_out *out);
/* Up to max programs of a device's filters, in the order in which they run, referenced. */
unsigned tc_list(struct tc *tc, uint32_t ifindex, uint32_t parent, struct tc_filter *out, unsigned max);

static inline int rtnl_fail(struct rtnl *q, int err, const char *text)
{
	q->text = text;
	return err;
}

#endif
