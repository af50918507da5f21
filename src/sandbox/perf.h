/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events in a sandbox: see perf.c. */
#ifndef SKEP_SANDBOX_PERF_H
#define SKEP_SANDBOX_PERF_H

struct sandbox;

int perf_init(struct sandbox *s);
/* The number of the tracepoint whose `id` file this is, or -ENOENT. */
int perf_tracepoint_id(struct sandbox *s, const char *path);

#endif
