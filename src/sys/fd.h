/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and pins: how clients hold objects. See fd.c for the method.
 *
 * All of a kernel's holds are guarded by one lock, which is never held while an object is freed.
 */
#ifndef SKEP_SYS_FD_H
#define SKEP_SYS_FD_H

#include "core/obj.h"
#include "sys/client.h"

/* What a descriptor allows; maps only, everything else is ACCESS_RW. */
enum { ACCESS_R = 1, ACCESS_W = 2, ACCESS_RW = ACCESS_R | ACCESS_W };

/* BPF_F_RDONLY and BPF_F_WRONLY of some flags as an access. 0 when both are set. */
unsigned access_of_flags(uint32_t flags);

/* bpffs: the directory for pins, which must exist, or NULL. 0, -ENOMEM, -ENOENT, -ENOTDIR ... */
int fd_init(struct skep *k, const char *bpffs);
/* Its absolute path without symbolic links, or NULL. */
const char *fd_bpffs(const struct skep *k);
/* Lets go of every hold and removes the pins that are still linked. */
void fd_exit(struct skep *k);

/* Gives the client a new descriptor for o (o's reference stays the caller's). Number or -errno. */
int fd_install(struct client *c, struct obj *o, unsigned access);

/*
 * The object behind a client's descriptor, with a reference. -EBADF; -EINVAL: not ours, or another
 * kind.
 */
int fd_resolve(struct skep *k, struct client *c, int fd, enum obj_kind kind, struct obj **out,
               unsigned *access);
/* The same for any kind. */
int fd_resolve_any(struct skep *k, struct client *c, int fd, struct obj **out, unsigned *access);

/* The object of a file that is known by device and inode, with a reference, or NULL. */
struct obj *fd_by_identity(struct skep *k, dev_t dev, ino_t ino);

/* Ties o to a pin file, open as fd (O_PATH), which is taken over in any case. 0 or -ENOMEM. */
int fd_pin(struct obj *o, int fd);
/* The object pinned in the file open as fd, with a reference; -EACCES when it is no pin of ours. */
int fd_pinned(struct skep *k, int fd, struct obj **out);

/* Lets go of every object that nobody holds any more. */
void fd_sweep(struct skep *k);

#endif
