/* SPDX-License-Identifier: BSD-2-Clause */
/* The network of a sandbox with --net: see network.c. */
#ifndef SKEP_SANDBOX_NETWORK_H
#define SKEP_SANDBOX_NETWORK_H

#include <stdbool.h>

struct sandbox;
struct skep_sandbox_options;

enum { NETWORK_SPACES = 3 }; /* namespaces of user, mounts, network */

/* The command's process: makes the network and says so over `peer`. 0 or -errno. */
int network_make(unsigned devices, unsigned number, int peer);
/* The supervisor: takes what network_make() sends, and starts the switch. 0, or -errno with `what`. */
int network_start(struct sandbox *s, int peer, const struct skep_sandbox_options *o, char what[256]);
/* Descriptors of the namespaces that those who join enter; false: the sandbox has no network. */
bool network_spaces(const struct sandbox *s, int fds[NETWORK_SPACES]);
/* A process that joins: enters them, keeping its working directory. 0 or -errno. */
int network_enter(const int fds[NETWORK_SPACES]);

/* Another sandbox's wire to our switch: the end for the other, and the number its stations have. */
int network_wire(struct sandbox *s, unsigned *number);
/* Asks the sandbox of this name for a wire. A descriptor or -errno. */
int network_ask_wire(const char *name, unsigned *number);

#endif
