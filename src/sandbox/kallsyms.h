/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/kallsyms in a sandbox: see kallsyms.c. */
#ifndef SKEP_SANDBOX_KALLSYMS_H
#define SKEP_SANDBOX_KALLSYMS_H

struct skep;

/* Writes it to an empty file. 0 or -errno. */
int kallsyms_write(struct skep *k, int fd);

#endif
