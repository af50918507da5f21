/* SPDX-License-Identifier: BSD-2-Clause */
/* A network namespace for the command: see space_net.c. */
#ifndef SKEP_SANDBOX_SPACE_NET_H
#define SKEP_SANDBOX_SPACE_NET_H

#include "net/switch.h"

enum { SPACE_PORTS = 8 };

/* Addresses: byte 2 (IPv6: 7) is the number of the device, the last that of the station; 1: host end. */
#define SPACE_NET_IP4 {10, 77, 0, 1}
#define SPACE_NET_IP6 {0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

struct space_net {
	unsigned n;
	struct switch_port port[SPACE_PORTS]; /* their descriptors travel beside this */
};

/*
 * Puts the process into a network namespace of its own with eth0 ... eth(n - 1), which have addresses
 * with this number, and a default route to the host end. 0 or -errno.
 */
int space_net(unsigned n, unsigned number, struct space_net *out);

#endif
