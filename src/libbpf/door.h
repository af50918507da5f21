/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_LIBBPF_DOOR_H
#define SKEP_LIBBPF_DOOR_H

struct skep;

/* The kernel that this process is bound to, or NULL. */
struct skep *door_kernel(void);

#endif
