/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs at a device say of a frame, which they may change. */
#ifndef SKEP_NET_VERDICT_H
#define SKEP_NET_VERDICT_H

#include "net/switch.h"

struct verdict {
	enum {
		VERDICT_PASS,
		VERDICT_DROP,
		VERDICT_BACK,        /* out where it came in: XDP_TX */
		VERDICT_REDIRECT,    /* out of a device */
		VERDICT_REDIRECT_IN, /* into one */
	} what;
	uint32_t ifindex; /* of a redirect */
};

/* The CPU slot is held by the caller. */
struct verdict verdict_xdp(struct skep *k, uint32_t ifindex, struct switch_frame *f, struct cpu *cpu);
/* tcx, then clsact's filters, at one side of the device. */
struct verdict verdict_tc(const struct switch_options *o, uint32_t ifindex, bool egress,
                          struct switch_frame *f, struct cpu *cpu);

#endif
