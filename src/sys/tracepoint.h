/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SYS_TRACEPOINT_H
#define SKEP_SYS_TRACEPOINT_H

struct link;

/* The tracepoint of a link to one, or NULL: it is another kind of link. */
const char *tracepoint_name(const struct link *l);

#endif
