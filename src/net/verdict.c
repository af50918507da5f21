/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP and tc at a device: which programs run on a frame, and what comes of it. See verdict.h. */
#include "net/verdict.h"

#include <string.h>

#include "core/attach.h"
#include "core/hook.h"
#include "core/pkt.h"
#include "core/prog.h"

enum xdp_answer { XDP_ANSWER_DROP = 1, XDP_ANSWER_PASS, XDP_ANSWER_TX, XDP_ANSWER_REDIRECT };

/* TC_ACT_..., of <linux/pkt_cls.h>; tcx has a subset. */
enum {
	ACT_UNSPEC = -1,
	ACT_OK = 0,
	ACT_SHOT = 2,
	ACT_STOLEN = 4,
	ACT_QUEUED = 5,
	ACT_REDIRECT = 7,
	ACT_TRAP = 8,
};

enum { REDIRECT_INGRESS = 1 }; /* BPF_F_INGRESS */

static struct verdict redirected(const struct cpu *cpu)
{
	const struct redirect *r = &cpu->redirect;

	return (struct verdict){r->flags & REDIRECT_INGRESS && !r->map ? VERDICT_REDIRECT_IN
	                                                               : VERDICT_REDIRECT,
	                        r->ifindex};
}

struct verdict verdict_xdp(struct skep *k, uint32_t ifindex, struct switch_frame *f, struct cpu *cpu)
{
	struct verdict v = {VERDICT_PASS, 0};
	struct xdp x = {.pkt = {.data = f->data, .end = f->end, .meta = f->data, .head = f->head,
	                        .limit = f->limit},
	                .ingress_ifindex = ifindex};
	struct attach_list list;
	uint64_t answer;

	if (!attach_any(k, BPF_XDP, ifindex))
		return v;
	attach_list(k, BPF_XDP, ifindex, &list);
	if (list.n) {
		cpu->redirect = (struct redirect){0};
		answer = prog_run(list.entry[0].prog, &x, cpu);
		if (cpu->fault)
			answer = 0;
		v.what = answer == XDP_ANSWER_PASS ? VERDICT_PASS
		         : answer == XDP_ANSWER_TX ? VERDICT_BACK
		                                   : VERDICT_DROP;
		if (answer == XDP_ANSWER_REDIRECT)
			v = redirected(cpu);
		f->data = x.pkt.data;
		f->end = x.pkt.end;
	}
	attach_list_put(&list);
	return v;
}

/* One program of tc's; answers what it did. */
static int run_skb(const struct prog *p, uint32_t ifindex, struct switch_frame *f, struct cpu *cpu)
{
	struct pkt pkt = {.data = f->data, .end = f->end, .meta = f->data, .head = f->head,
	                  .limit = f->limit};
	struct skb_in in = {.ifindex = ifindex};
	int answer;

	cpu->redirect = (struct redirect){0};
	answer = (int)p->hook->run_frame(p, &pkt, &in, cpu);
	if (cpu->fault)
		return ACT_SHOT;
	f->data = pkt.data;
	f->end = pkt.end;
	return answer;
}

static struct verdict of_action(int action, const struct cpu *cpu)
{
	switch (action) {
	case ACT_SHOT:
	case ACT_STOLEN:
	case ACT_QUEUED:
	case ACT_TRAP:
		return (struct verdict){VERDICT_DROP, 0};
	case ACT_REDIRECT:
		return redirected(cpu);
	default:
		return (struct verdict){VERDICT_PASS, 0};
	}
}

/* tcx: each says its verdict, or that the next shall. ACT_UNSPEC: none has said any. */
static int run_tcx(struct skep *k, uint32_t ifindex, bool egress, struct switch_frame *f, struct cpu *cpu)
{
	uint32_t type = egress ? BPF_TCX_EGRESS : BPF_TCX_INGRESS;
	struct attach_list list;
	int action = ACT_UNSPEC;

	if (!attach_any(k, type, ifindex))
		return action;
	attach_list(k, type, ifindex, &list);
	for (uint32_t i = 0; i < list.n && action == ACT_UNSPEC; i++) {
		action = run_skb(list.entry[i].prog, ifindex, f, cpu);
		if (action != ACT_OK && action != ACT_SHOT && action != ACT_REDIRECT)
			action = ACT_UNSPEC;
	}
	attach_list_put(&list);
	return action;
}

/* Filters of kind bpf. With direct-action a program's answer is the verdict, else it says: 0, not mine. */
static int run_filters(const struct switch_options *o, uint32_t ifindex, bool egress,
                       struct switch_frame *f, struct cpu *cpu)
{
	struct switch_filter filters[SWITCH_FILTERS];
	unsigned n = o->filters ? o->filters(o->arg, ifindex, egress, filters, SWITCH_FILTERS) : 0;
	int action = ACT_UNSPEC;

	for (unsigned i = 0; i < n && action == ACT_UNSPEC; i++) {
		action = run_skb(filters[i].prog, ifindex, f, cpu);
		if (!filters[i].direct)
			action = action ? ACT_OK : ACT_UNSPEC;
		else if (action != ACT_OK && action != ACT_SHOT && action != ACT_STOLEN &&
		         action != ACT_TRAP && action != ACT_REDIRECT)
			action = ACT_UNSPEC;
	}
	for (unsigned i = 0; i < n; i++)
		obj_put(&filters[i].prog->obj);
	return action;
}

struct verdict verdict_tc(const struct switch_options *o, uint32_t ifindex, bool egress,
                          struct switch_frame *f, struct cpu *cpu)
{
	int action = run_tcx(o->k, ifindex, egress, f, cpu);

	if (action == ACT_UNSPEC)
		action = run_filters(o, ifindex, egress, f, cpu);
	return of_action(action, cpu);
}
