/* SPDX-License-Identifier: BSD-2-Clause */
/* A network for a test's own use. Requires _GNU_SOURCE from the first line on. */
#ifndef SKEP_TESTS_SYS_NETWORK_H
#define SKEP_TESTS_SYS_NETWORK_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/*
 * Gives the process a network of its own, with nothing but lo in it, so that what tests attach there is
 * in nobody's way, and its own /sys to show it, with a cgroup2 file system. Where that is refused, so is
 * bpf(2).
 */
static inline void own_network(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) != 0 ||
	    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) != 0)
		printf("# no network of its own: %s\n", strerror(errno));
}

#endif
