/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of programs: see stream.h. A ring that is made when something is written first. */
#include "core/stream.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static uint32_t until_end(uint32_t at, uint32_t len)
{
	return len < STREAM_ROOM - at ? len : STREAM_ROOM - at;
}

static int write_locked(struct stream *s, const struct mem *mem, const char *text, uint32_t len)
{
	uint32_t at = (s->first + s->len) % STREAM_ROOM, part;

	if (len >= STREAM_ROOM - s->len)
		return -ENOSPC;
	if (!s->ring)
		s->ring = mem->alloc(mem->arg, STREAM_ROOM);
	if (!s->ring)
		return -ENOMEM;
	part = until_end(at, len);
	memcpy(s->ring + at, text, part);
	memcpy(s->ring, text + part, len - part);
	s->len += len;
	return 0;
}

int stream_write(struct stream *s, const struct mem *mem, const char *text, uint32_t len)
{
	int err;

	lock_take(&s->lock);
	err = write_locked(s, mem, text, len);
	lock_release(&s->lock);
	return err;
}

uint32_t stream_read(struct stream *s, char *to, uint32_t room)
{
	uint32_t n, part;

	lock_take(&s->lock);
	n = room < s->len ? room : s->len;
	if (n) {
		part = until_end(s->first, n);
		memcpy(to, s->ring + s->first, part);
		memcpy(to + part, s->ring, n - part);
		s->first = (s->first + n) % STREAM_ROOM;
		s->len -= n;
	}
	lock_release(&s->lock);
	return n;
}

void stream_fini(struct stream *s, const struct mem *mem)
{
	mem_free(mem, s->ring);
}
