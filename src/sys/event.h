/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf events as programs are attached to them: tracepoints, probes, counters. They are noted, not
 * counted: nothing here passes a tracepoint. Those that carry what programs put out are rings: core/perf.h.
 */
#ifndef SKEP_SYS_EVENT_H
#define SKEP_SYS_EVENT_H

#include "core/obj.h"

struct call;
struct client;
struct prog;

enum event_kind { /* enum bpf_perf_event_type of <linux/bpf.h> */
	EVENT_UPROBE = 1,
	EVENT_URETPROBE,
	EVENT_KPROBE,
	EVENT_KRETPROBE,
	EVENT_TRACEPOINT,
	EVENT_OTHER,
};

struct event_attr {
	enum event_kind kind;
	uint32_t type;
	uint64_t config, offset;
	char name[256]; /* a tracepoint, a function, a file */
};

/* A descriptor of a new event in the client's table, or -errno. */
int event_open(struct skep *k, struct client *c, const struct event_attr *a);
/* PERF_EVENT_IOC_SET_BPF. -EINVAL: the descriptors are none of ours, or do not fit; -EEXIST. */
int event_set_prog(struct skep *k, struct client *c, int event, int prog);
/* PERF_EVENT_IOC_QUERY_BPF on an event: the id of its program, or 0. */
uint32_t event_prog_id(struct obj *o);

/* BPF_LINK_CREATE of a program to a perf event. */
int event_link_create(struct call *call, struct prog *p);
/* BPF_TASK_FD_QUERY's answers of an event: kind, name and more. false: it has no program. */
bool event_traced(struct obj *o, struct event_attr *a, uint32_t *prog_id);

#endif
