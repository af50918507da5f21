/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of rtnetlink in a sandbox: see netlink.c. */
#ifndef SKEP_SANDBOX_NETLINK_H
#define SKEP_SANDBOX_NETLINK_H

struct sandbox;
struct tc;

int netlink_init(struct sandbox *s);
/* Filters of the sandbox, for those who have the traffic. */
struct tc *netlink_tc(struct sandbox *s);

#endif
