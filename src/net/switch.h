/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network of a sandbox, from outside: ports, the programs at them, and a switch.
 *
 *      device in the sandbox (eth0)              the other end, here
 *      its kernel's stack  -> leaves ->  port -> tc egress -> switch -> other ports, host end, wires
 *      its kernel's stack <- enters <-   port <- tc ingress <- XDP <- switch
 *
 * A port's descriptor carries whole Ethernet frames: a TAP device's, or a packet socket's that is bound to
 * the peer of a veth pair. A wire carries them, too, to another sandbox's switch, and has no programs.
 * The host end (host.c) is one station that answers ARP, echo requests and the like.
 *
 * One thread does it all. Programs are asked for at every frame, so that attaching takes effect at once.
 */
#ifndef SKEP_NET_SWITCH_H
#define SKEP_NET_SWITCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/core.h"

enum {
	SWITCH_PORTS = 16,
	SWITCH_FILTERS = 64,
	SWITCH_FRAME = 9216, /* the longest frame */
};

/* A tc filter's program, referenced. */
struct switch_filter {
	struct prog *prog;
	bool direct; /* its answer is the verdict */
};

struct switch_port {
	int fd; /* taken over */
	uint32_t ifindex; /* of the device in the sandbox; 0: a wire */
	uint8_t mac[6];
	char name[16];
};

struct switch_options {
	struct skep *k;
	/* Filters of kind bpf at a device, in the order in which they run. */
	unsigned (*filters)(void *arg, uint32_t ifindex, bool egress, struct switch_filter *out,
	                    unsigned max);
	void *arg;
	FILE *capture; /* every frame that a sandbox sends or gets is written to it; or NULL */
	uint8_t ip4[4], ip6[16]; /* of the host end */
};

struct switch_;

/* A switch without ports, and its thread. 0 or -errno. */
int switch_new(const struct switch_options *o, struct switch_ **out);
/* -ENOSPC: no more than SWITCH_PORTS. */
int switch_add(struct switch_ *s, const struct switch_port *port);

/* What XDP or tc at a device do with a frame: for those who have no thread of ours. */
struct switch_frame {
	uint8_t *head, *data, *end, *limit; /* limit - head: SWITCH_FRAME and what is around it */
};

/* --- host.c -------------------------------------------------------------------------------- */

/*
 * The host end's answer to a frame, made in `to` (SWITCH_FRAME bytes): its length, 0: none. It answers
 * ARP and neighbour solicitations, ICMP and ICMPv6 echo requests, and UDP to port 7 (echo).
 */
uint32_t host_answer(const uint8_t mac[6], const uint8_t ip4[4], const uint8_t ip6[16],
                     const uint8_t *frame, uint32_t len, uint8_t *to);

#endif
