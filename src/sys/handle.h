/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles of skep.h: what skep.c and skep_map.c share. A public handle is the internal struct under
 * another name.
 */
#ifndef SKEP_SYS_HANDLE_H
#define SKEP_SYS_HANDLE_H

#include "core/obj.h"
#include "sys/client.h"

/* This process as a client. */
static inline struct client client_self(const struct skep *k)
{
	return (struct client){.ops = &client_self_ops, .uid = k->uid, .caps = k->caps};
}

int handle_from_fd(struct skep *k, int fd, enum obj_kind kind, struct obj **out);
/* The first by id that has this name, with a reference, or NULL. */
struct obj *handle_from_name(struct skep *k, enum obj_kind kind, const char *name,
                             const char *(*name_of)(const struct obj *));
int handle_fd(struct obj *o); /* a new descriptor, or -errno */

#endif
