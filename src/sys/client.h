/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct client: whoever called bpf(2) — this process, or one in a sandbox.
 *
 * Everything that belongs to the caller (memory, descriptors, privileges, paths) is reached through
 * this; nothing else in sys/ knows which kind it is. Attributes are copied in once, before they are
 * looked at.
 */
#ifndef SKEP_SYS_CLIENT_H
#define SKEP_SYS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

struct client_ops {
	/*
	 * Between the caller's memory at addr and ours. 0 or -EFAULT, nothing half done is
	 * promised.
	 */
	int (*read)(struct client *c, void *to, uint64_t addr, size_t len);
	int (*write)(struct client *c, uint64_t addr, const void *from, size_t len);
	/*
	 * Gives the caller a descriptor for the open file fd (close-on-exec), which is taken over
	 * in any case. The caller's number or -errno.
	 */
	int (*install)(struct client *c, int fd);
	/* Device and inode of the caller's descriptor. 0 or -EBADF. */
	int (*identify)(struct client *c, int fd, dev_t *dev, ino_t *ino);
	/* Its file status flags (O_ACCMODE ...). -EBADF. */
	int (*status)(struct client *c, int fd);
	/*
	 * Opens the caller's path as openat(dirfd, path, flags, mode) would for it. Our fd or
	 * -errno.
	 */
	int (*open)(struct client *c, int dirfd, const char *path, int flags, mode_t mode);
};

enum {
	CLIENT_NAMES = 1, /* it may look at the names of its descriptors in /proc (bpftool does) */
};

struct client {
	const struct client_ops *ops;
	uint32_t uid;
	uint32_t flags;
	uint64_t caps; /* core/caps.h */
	int32_t pid;   /* 0: this process */
};

extern const struct client_ops client_self_ops;

#endif
