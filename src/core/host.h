/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's things that maps are keyed by, or hold: what a descriptor of this process stands for.
 *
 * Nothing here keeps a thing alive: a map must not be the reason why a connection stays open. So a
 * thing is known by a number that the host does not give out again.
 */
#ifndef SKEP_CORE_HOST_H
#define SKEP_CORE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/sock.h"

/* Two words that no other thing of the same kind has, ever. */
struct host_id {
	uint64_t a, b;
};

/* Any open file: device and inode. -EBADF */
int host_inode(int fd, struct host_id *id);
/* A process or thread behind a pidfd. -EBADF */
int host_task(int fd, struct host_id *id);
/* The thread or process of this number, or 0: the calling thread. -ESRCH */
int host_task_of(int pid, struct host_id *id);
/* A directory of a cgroup2 file system: the group's id. -EBADF */
int host_cgroup(int fd, uint64_t *id);
/*
 * The ids of the calling process's control group and of those it is in, the innermost first. How many
 * there are, of which at most max are filled in; -ENOENT where there is no cgroup2.
 */
int host_cgroup_chain(uint64_t *ids, unsigned max);

struct host_sock {
	uint64_t cookie;
	int family, type, protocol;
	bool listening, connected; /* of stream sockets: the latter also when it was accepted */
	bool bound; /* has a port or, among unix sockets, a peer */
	bool reuseport;
	struct bpf_sock view; /* as programs see it */
};

/* -EBADF, -ENOTSOCK */
int host_sock(int fd, struct host_sock *s);

#endif
