/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_LINK_H
#define SKEP_SYS_LINK_H

#include "core/link.h"

struct call;
struct attach_change;

/* The link of a caller's descriptor, with a reference. -EBADF, -EINVAL. */
int link_of_fd(struct call *call, uint32_t fd, struct link **out);
/*
 * Publishes a link that is attached and gives the caller its descriptor; the reference is taken over in
 * any case.
 */
int link_publish(struct call *call, struct link *l);

/*
 * A program or link, by descriptor or id, that a change is relative to, of a program type. Sets beside
 * and beside_link, which attach_relative_put() gives back.
 */
int attach_relative(struct call *call, struct attach_change *c, uint32_t which, uint32_t prog_type);
void attach_relative_put(struct attach_change *c);
/* BPF_LINK_CREATE at an attach point. */
int attach_link_create(struct call *call, struct prog *p);

#endif
