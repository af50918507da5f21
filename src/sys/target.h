/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs are attached to: devices, cgroups, network namespaces. */
#ifndef SKEP_SYS_TARGET_H
#define SKEP_SYS_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct call;
struct skep;

/* Is there a device of this index? The kernel's own (core/net.h), 1 is lo on every one, and the host's. */
bool device_exists(struct skep *k, uint32_t ifindex);
/* The number of the cgroup that is open as the caller's descriptor. -EBADF: that is none. */
int cgroup_of_fd(struct call *call, uint32_t fd, uint64_t *id);
/* The inode of the network namespace of the caller's descriptor: our own. -EBADF, -EINVAL. */
int netns_of_fd(struct call *call, uint32_t fd, uint64_t *ino);
int netns_own(struct skep *k, uint64_t *ino);

#endif
