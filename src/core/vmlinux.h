/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own types: the BTF that `extern __ksym`, kptrs, kfunc prototypes and BTF pointers of
 * programs refer to. It is read when first asked for, from where the embedder said
 * (skep_options.vmlinux; by default /sys/kernel/btf/vmlinux when it can be read), and stays.
 */
#ifndef SKEP_CORE_VMLINUX_H
#define SKEP_CORE_VMLINUX_H

#include "core/btf.h"

enum { VMLINUX_ID = 1 }; /* of its BTF object */

/* path: NULL is the usual one, "" none. 0 or -ENOMEM. */
int vmlinux_init(struct skep *k, const char *path);
void vmlinux_exit(struct skep *k);

/* NULL: there is none; a program that needs it is refused with a message that says how to give one. */
struct btf *vmlinux(struct skep *k);
/* A type of it by kind and name in constant time, 0: none. */
uint32_t vmlinux_find(struct skep *k, enum btf_kind kind, const char *name);

#endif
