/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program says: two streams of text, as of a process, which bpf_stream_vprintk() writes and
 * BPF_PROG_STREAM_READ_BY_FD reads, each byte once. A stream that nobody reads fills up.
 */
#ifndef SKEP_CORE_STREAM_H
#define SKEP_CORE_STREAM_H

#include <stdint.h>

#include "base/lock.h"

struct mem;

enum { STREAM_STDOUT = 1, STREAM_STDERR = 2, STREAMS = 2 };
enum { STREAM_ROOM = 100000 }; /* the kernel's; it never fills the last byte */

struct stream {
	struct lock lock;
	char *ring; /* STREAM_ROOM bytes; NULL: nothing was ever written */
	uint32_t first, len;
};

/* All of the text or none. 0, -ENOSPC: it is too full for that, -ENOMEM. */
int stream_write(struct stream *s, const struct mem *mem, const char *text, uint32_t len);
/* Takes at most `room` bytes out; answers how many. */
uint32_t stream_read(struct stream *s, char *to, uint32_t room);
void stream_fini(struct stream *s, const struct mem *mem);

#endif
