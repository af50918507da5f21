/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic control as far as BPF needs it: the qdisc clsact, and below it filters of kind bpf, by device.
 *
 * Filters are one list, sorted by device, parent, priority; the newest of a priority comes first, as in
 * the kernel. A filter holds its program. Texts and errnos: what Linux 6.18 answers to tc(8).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prog.h"
#include "sandbox/rtnl.h"
#include "sys/fd.h"
#include "sys/target.h"

enum { PRIO_FIRST = 0xc000, FILTERS_MAX = 256 };

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

/* --- The qdisc; the lock is held ---------------------------------------------------------- */

static struct tc_device *find_device(struct tc *tc, uint32_t ifindex)
{
	for (unsigned i = 0; i < TC_DEVICES; i++)
		if (tc->devices[i].ifindex == ifindex)
			return &tc->devices[i];
	return NULL;
}

static bool has_clsact(struct tc *tc, uint32_t ifindex)
{
	const struct tc_device *d = find_device(tc, ifindex);

	return d && d->clsact;
}

static void drop_filter(struct tc_filter **at)
{
	struct tc_filter *f = *at;

	*at = f->next;
	obj_put(&f->prog->obj);
	free(f);
}

/* Is this about clsact? */
static bool read_qdisc(const struct nlmsghdr *h, struct tcmsg *t)
{
	struct nl_attrs all = nl_attrs_of(h, sizeof(*t));
	char kind[16] = "";

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*t)))
		return false;
	memcpy(t, NLMSG_DATA(h), sizeof(*t));
	nl_text(all, TCA_KIND, kind, sizeof(kind));
	return t->tcm_parent == TC_H_CLSACT && strcmp(kind, "clsact") == 0;
}

int tc_qdisc_new(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct tc_device *d;
	struct tcmsg t;
	int err = 0;

	(void)out;
	if (!read_qdisc(h, &t))
		return RTNL_PASS;
	if (t.tcm_ifindex <= 0 || !device_exists(q->k, (uint32_t)t.tcm_ifindex))
		return rtnl_fail(q, -ENODEV, "Cannot find device");
	pthread_mutex_lock(&q->tc->lock);
	d = find_device(q->tc, (uint32_t)t.tcm_ifindex);
	if (d && d->clsact)
		err = h->nlmsg_flags & NLM_F_EXCL ? -EEXIST : 0;
	else if (!(h->nlmsg_flags & NLM_F_CREATE))
		err = -ENOENT;
	else if (d || (d = find_device(q->tc, 0)))
		*d = (struct tc_device){(uint32_t)t.tcm_ifindex, true};
	else
		err = -ENOSPC;
	pthread_mutex_unlock(&q->tc->lock);
	return err == -EEXIST ? rtnl_fail(q, err, "Exclusivity flag on, cannot modify") : err;
}

int tc_qdisc_del(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct tc_filter **at = &q->tc->filters;
	struct tc_device *d;
	struct tcmsg t;
	int err = 0;

	(void)out;
	if (!read_qdisc(h, &t))
		return RTNL_PASS;
	pthread_mutex_lock(&q->tc->lock);
	d = t.tcm_ifindex > 0 ? find_device(q->tc, (uint32_t)t.tcm_ifindex) : NULL;
	if (!d)
		err = rtnl_fail(q, -ENOENT, "Cannot find specified qdisc on specified device");
	else if (!d->clsact)
		err = rtnl_fail(q, -EINVAL, "Invalid handle");
	while (!err && *at)
		if ((*at)->ifindex == d->ifindex)
			drop_filter(at);
		else
			at = &(*at)->next;
	if (!err)
		d->clsact = false;
	pthread_mutex_unlock(&q->tc->lock);
	return err;
}

void tc_qdisc_rows(struct rtnl *q, const struct nlmsghdr *like, struct nl_out *out)
{
	static const uint8_t zeros[64];

	pthread_mutex_lock(&q->tc->lock);
	for (unsigned i = 0; i < TC_DEVICES; i++) {
		struct tcmsg t = {.tcm_ifindex = (int)q->tc->devices[i].ifindex, .tcm_handle = TC_H_CLSACT & 0xffff0000,
		                  .tcm_parent = TC_H_CLSACT, .tcm_info = 1};
		size_t message, nest;

		if (!q->tc->devices[i].clsact)
			continue;
		message = nl_begin(out, like, RTM_NEWQDISC, NLM_F_MULTI, &t, sizeof(t));
		nl_put_text(out, TCA_KIND, "clsact");
		nl_put(out, TCA_OPTIONS, NULL, 0);
		nl_put(out, TCA_HW_OFFLOAD, zeros, 1);
		nest = nl_open(out, TCA_STATS2);
		nl_put(out, 1 /* TCA_STATS_BASIC */, zeros, 16);
		nl_put(out, 3 /* TCA_STATS_QUEUE */, zeros, 20);
		nl_close(out, nest);
		nl_put(out, TCA_STATS, zeros, 40);
		nl_end(out, message);
	}
	pthread_mutex_unlock(&q->tc->lock);
}

/* --- Filters ------------------------------------------------------------------------------ */

struct filter_request {
	struct tcmsg t;
	uint32_t ifindex, prio, protocol, chain;
	char kind[16], name[64];
	bool has_fd, has_ops;
	uint32_t fd, classid, flags, gen_flags;
};

static void read_options(const struct nl_attr *a, struct filter_request *f)
{
	struct nl_attrs options = nl_nest(a);
	struct nl_attr ops;

	f->has_fd = nl_u32(options, TCA_BPF_FD, &f->fd);
	f->has_ops = nl_find(options, TCA_BPF_OPS, &ops);
	nl_u32(options, TCA_BPF_CLASSID, &f->classid);
	nl_u32(options, TCA_BPF_FLAGS, &f->flags);
	nl_u32(options, TCA_BPF_FLAGS_GEN, &f->gen_flags);
	nl_text(options, TCA_BPF_NAME, f->name, sizeof(f->name));
}

/* A request about filters; RTNL_PASS: not below clsact. */
static int read_filter(struct rtnl *q, const struct nlmsghdr *h, struct filter_request *f)
{
	struct nl_attrs all = nl_attrs_of(h, sizeof(f->t));
	struct nl_attr options;

	memset(f, 0, sizeof(*f));
	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(f->t)))
		return RTNL_PASS;
	memcpy(&f->t, NLMSG_DATA(h), sizeof(f->t));
	if (f->t.tcm_parent != INGRESS && f->t.tcm_parent != EGRESS &&
	    f->t.tcm_parent != TC_H_MAKE(TC_H_CLSACT, 0))
		return RTNL_PASS;
	f->ifindex = (uint32_t)f->t.tcm_ifindex;
	f->prio = TC_H_MAJ(f->t.tcm_info) >> 16;
	f->protocol = TC_H_MIN(f->t.tcm_info);
	nl_text(all, TCA_KIND, f->kind, sizeof(f->kind));
	nl_u32(all, TCA_CHAIN, &f->chain);
	if (nl_find(all, TCA_OPTIONS, &options))
		read_options(&options, f);
	if (!f->ifindex || !device_exists(q->k, f->ifindex))
		return -ENODEV;
	return 0;
}

static struct tc_filter **find_filter(struct tc *tc, const struct filter_request *f)
{
	struct tc_filter **at = &tc->filters;

	while (*at && ((*at)->ifindex != f->ifindex || (*at)->parent != f->t.tcm_parent ||
	               (*at)->prio != f->prio || (*at)->handle != f->t.tcm_handle))
		at = &(*at)->next;
	return at;
}

/* Where a filter of this priority begins. */
static struct tc_filter **place_of(struct tc *tc, const struct filter_request *f)
{
	struct tc_filter **at = &tc->filters;

	while (*at && ((*at)->ifindex < f->ifindex ||
	               ((*at)->ifindex == f->ifindex &&
	                ((*at)->parent < f->t.tcm_parent ||
	                 ((*at)->parent == f->t.tcm_parent && (*at)->prio < f->prio)))))
		at = &(*at)->next;
	return at;
}

static bool is_sibling(const struct tc_filter *f, const struct filter_request *r)
{
	return f->ifindex == r->ifindex && f->parent == r->t.tcm_parent;
}

/* A priority in front of all others. */
static uint32_t choose_prio(const struct tc *tc, const struct filter_request *r)
{
	for (const struct tc_filter *f = tc->filters; f; f = f->next)
		if (is_sibling(f, r))
			return f->prio > 1 ? f->prio - 1 : 1;
	return PRIO_FIRST;
}

static uint32_t choose_handle(const struct tc *tc, const struct filter_request *r)
{
	uint32_t most = 0;

	for (const struct tc_filter *f = tc->filters; f; f = f->next)
		if (is_sibling(f, r) && f->prio == r->prio && f->handle > most)
			most = f->handle;
	return most + 1;
}

static int check_filter(struct rtnl *q, const struct filter_request *f, struct prog **out)
{
	struct obj *o;
	int err;

	if (!f->kind[0] || f->t.tcm_parent == TC_H_MAKE(TC_H_CLSACT, 0))
		return -EINVAL;
	if (strcmp(f->kind, "bpf") != 0)
		return rtnl_fail(q, -ENOENT, "TC classifier not found");
	if (f->has_ops || !f->has_fd || f->flags & ~(uint32_t)TCA_BPF_FLAG_ACT_DIRECT)
		return rtnl_fail(q, -EINVAL, f->has_ops ? "Filters of classic BPF are not in Skep" : NULL);
	err = fd_resolve(q->k, q->client, (int)f->fd, OBJ_PROG, &o, NULL);
	if (err)
		return err;
	if (prog_of(o)->type != BPF_PROG_TYPE_SCHED_CLS) {
		obj_put(o);
		return -EINVAL;
	}
	*out = prog_of(o);
	return 0;
}

static void fill_filter(struct tc_filter *f, const struct filter_request *r, struct prog *p)
{
	f->classid = r->classid;
	f->direct = r->flags & TCA_BPF_FLAG_ACT_DIRECT;
	f->gen_flags = r->gen_flags | TCA_CLS_FLAGS_NOT_IN_HW;
	memcpy(f->name, r->name, sizeof(f->name));
	f->prog = p;
}

/* Puts a filter into the list; the lock is held. */
static int add_filter(struct rtnl *q, struct filter_request *r, uint16_t flags, struct prog *p)
{
	struct tc_filter **at, *f;
	unsigned n = 0;

	if (!has_clsact(q->tc, r->ifindex))
		return rtnl_fail(q, -EINVAL, "Parent Qdisc doesn't exists");
	for (f = q->tc->filters; f; f = f->next)
		n++;
	if (n >= FILTERS_MAX)
		return -ENOSPC;
	if (!r->prio)
		r->prio = choose_prio(q->tc, r);
	at = place_of(q->tc, r);
	if (*at && is_sibling(*at, r) && (*at)->prio == r->prio && r->protocol &&
	    (*at)->protocol != r->protocol)
		return rtnl_fail(q, -EINVAL, "Protocol mismatch for filter with specified priority");
	if (r->t.tcm_handle && *find_filter(q->tc, r)) {
		f = *find_filter(q->tc, r);
		if (flags & NLM_F_EXCL)
			return rtnl_fail(q, -EEXIST, "Filter already exists");
		obj_put(&f->prog->obj);
		fill_filter(f, r, p);
		return 0;
	}
	if (!(flags & NLM_F_CREATE))
		return rtnl_fail(q, -ENOENT, "Need both RTM_NEWTFILTER and NLM_F_CREATE to create a new filter");
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	if (!r->t.tcm_handle)
		r->t.tcm_handle = choose_handle(q->tc, r);
	f->ifindex = r->ifindex;
	f->parent = r->t.tcm_parent;
	f->prio = r->prio;
	f->protocol = r->protocol;
	f->chain = r->chain;
	f->handle = r->t.tcm_handle;
	fill_filter(f, r, p);
	f->next = *at;
	*at = f;
	return 0;
}

/* One row of a dump; of a priority's head, handle 0, the options are left out. */
static void put_filter(struct nl_out *out, const struct nlmsghdr *like, uint16_t flags,
                       const struct tc_filter *f, bool head)
{
	struct tcmsg t = {.tcm_ifindex = (int)f->ifindex, .tcm_handle = head ? 0 : f->handle,
	                  .tcm_parent = f->parent, .tcm_info = TC_H_MAKE(f->prio << 16, f->protocol)};
	size_t message = nl_begin(out, like, RTM_NEWTFILTER, flags, &t, sizeof(t)), nest;
	uint8_t tag[BPF_TAG_SIZE];

	nl_put_text(out, TCA_KIND, "bpf");
	nl_put_u32(out, TCA_CHAIN, f->chain);
	if (!head) {
		prog_tag(f->prog->orig, f->prog->norig, tag);
		nest = nl_open(out, TCA_OPTIONS);
		if (f->classid)
			nl_put_u32(out, TCA_BPF_CLASSID, f->classid);
		if (f->name[0])
			nl_put_text(out, TCA_BPF_NAME, f->name);
		nl_put_u32(out, TCA_BPF_ID, f->prog->obj.id);
		nl_put(out, TCA_BPF_TAG, tag, sizeof(tag));
		if (f->direct)
			nl_put_u32(out, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
		nl_put_u32(out, TCA_BPF_FLAGS_GEN, f->gen_flags);
		nl_close(out, nest);
	}
	nl_end(out, message);
}

int tc_filter_new(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct prog *p = NULL;
	struct filter_request r;
	int err = read_filter(q, h, &r);

	if (!err)
		err = check_filter(q, &r, &p);
	if (err)
		return err;
	pthread_mutex_lock(&q->tc->lock);
	err = add_filter(q, &r, h->nlmsg_flags, p);
	if (!err && h->nlmsg_flags & NLM_F_ECHO)
		put_filter(out, h, NLM_F_ECHO, *find_filter(q->tc, &r), false);
	pthread_mutex_unlock(&q->tc->lock);
	if (err)
		obj_put(&p->obj);
	return err;
}

int tc_filter_del(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	struct filter_request r;
	struct tc_filter **at = &q->tc->filters;
	int err = read_filter(q, h, &r);
	bool any = false;

	(void)out;
	if (err)
		return err;
	if (!r.prio && (r.protocol || r.t.tcm_handle || r.kind[0]))
		return rtnl_fail(q, -ENOENT, "Cannot flush filters with protocol, handle or kind set");
	pthread_mutex_lock(&q->tc->lock);
	if (!has_clsact(q->tc, r.ifindex))
		err = rtnl_fail(q, -EINVAL, "Parent Qdisc doesn't exists");
	while (!err && *at) {
		struct tc_filter *f = *at;
		bool of_prio = is_sibling(f, &r) && (!r.prio || f->prio == r.prio);

		any |= of_prio;
		if (of_prio && (!r.t.tcm_handle || f->handle == r.t.tcm_handle)) {
			drop_filter(at);
			err = r.t.tcm_handle ? 1 : 0; /* that one */
		} else {
			at = &f->next;
		}
	}
	pthread_mutex_unlock(&q->tc->lock);
	if (err < 0 || err == 1)
		return err < 0 ? err : 0;
	if (r.prio && !any)
		return rtnl_fail(q, -ENOENT, "Filter with specified priority/protocol not found");
	return r.t.tcm_handle ? rtnl_fail(q, -ENOENT, "Specified filter handle not found") : 0;
}

static void dump(struct rtnl *q, const struct filter_request *r, const struct nlmsghdr *h,
                 struct nl_out *out)
{
	uint32_t prio = 0;

	for (const struct tc_filter *f = q->tc->filters; f; f = f->next) {
		if (!is_sibling(f, r) || (r->prio && f->prio != r->prio))
			continue;
		if (f->prio != prio)
			put_filter(out, h, NLM_F_MULTI, f, true);
		prio = f->prio;
		put_filter(out, h, NLM_F_MULTI, f, false);
	}
	nl_end(out, nl_begin(out, h, NLMSG_DONE, NLM_F_MULTI, &(int){0}, sizeof(int)));
}

int tc_filter_get(struct rtnl *q, const struct nlmsghdr *h, struct nl_out *out)
{
	bool all = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct filter_request r;
	struct tc_filter *f = NULL;
	int err = read_filter(q, h, &r);

	if (err)
		return err;
	pthread_mutex_lock(&q->tc->lock);
	if (all)
		dump(q, &r, h, out);
	else if (!has_clsact(q->tc, r.ifindex))
		err = rtnl_fail(q, -EINVAL, "Parent Qdisc doesn't exists");
	else if (!(f = *find_filter(q->tc, &r)))
		err = rtnl_fail(q, -ENOENT, "Specified filter handle not found");
	if (f)
		put_filter(out, h, 0, f, false);
	pthread_mutex_unlock(&q->tc->lock);
	return err;
}

unsigned tc_list(struct tc *tc, uint32_t ifindex, uint32_t parent, struct tc_filter *out, unsigned max)
{
	unsigned n = 0;

	pthread_mutex_lock(&tc->lock);
	for (const struct tc_filter *f = tc->filters; f && n < max; f = f->next) {
		if (f->ifindex != ifindex || f->parent != parent)
			continue;
		obj_get(&f->prog->obj);
		out[n++] = *f;
	}
	pthread_mutex_unlock(&tc->lock);
	return n;
}
