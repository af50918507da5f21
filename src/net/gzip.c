/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor as a source, unpacked where it holds gzip data.
 *
 * zlib's own files would do, but they wait until a buffer is full and lose it when a signal comes: a
 * capture that somebody is still writing into a pipe could not be ended with Ctrl-C.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "net/capture.h"

enum { BUFFER = 1 << 16, GZIP_ONLY = 16 };

struct stream {
	int fd;
	bool gzip;   /* what comes is compressed */
	bool member; /* and within a gzip member */
	bool end;    /* of the file */
	size_t at, len; /* what is left of the buffer */
	z_stream z;
	uint8_t buffer[BUFFER];
};

/* Reads more behind what is left. False: an error. */
static bool fill(struct stream *s, const char **why)
{
	ssize_t got;

	memmove(s->buffer, s->buffer + s->at, s->len - s->at);
	s->len -= s->at;
	s->at = 0;
	got = read(s->fd, s->buffer + s->len, sizeof(s->buffer) - s->len);
	if (got < 0) {
		*why = errno == EINTR ? "interrupted" : strerror(errno);
		return false;
	}
	s->end = got == 0;
	s->len += (size_t)got;
	return true;
}

static bool at_gzip(const struct stream *s)
{
	return s->len - s->at >= 2 && s->buffer[s->at] == 0x1f && s->buffer[s->at + 1] == 0x8b;
}

/* Makes sure that there is something to unpack. 1, 0 at the end, -1. */
static int gzip_input(struct stream *s, const char **why)
{
	while (!s->end && s->len - s->at < 2)
		if (!fill(s, why))
			return -1;
	if (s->member && s->at == s->len) {
		*why = "the gzip data ends too early";
		return -1;
	}
	if (s->member)
		return 1;
	if (!at_gzip(s)) /* padding behind the last member is nobody's */
		return 0;
	s->member = true;
	return inflateReset(&s->z) == Z_OK ? 1 : -1;
}

static long gzip_read(struct stream *s, void *to, size_t len, const char **why)
{
	int state, err;

	s->z.next_out = to;
	s->z.avail_out = (uInt)len;
	while (s->z.avail_out == len) {
		state = gzip_input(s, why);
		if (state <= 0)
			return state;
		s->z.next_in = s->buffer + s->at;
		s->z.avail_in = (uInt)(s->len - s->at);
		err = inflate(&s->z, Z_NO_FLUSH);
		s->at = s->len - s->z.avail_in;
		s->member = err != Z_STREAM_END;
		if (err != Z_OK && err != Z_STREAM_END && err != Z_BUF_ERROR && s->z.avail_out == len) {
			*why = s->z.msg ? s->z.msg : "damaged gzip data";
			return -1;
		}
	}
	return (long)(len - s->z.avail_out);
}

static long stream_read(void *arg, void *to, size_t len, const char **why)
{
	struct stream *s = arg;
	size_t n;
	ssize_t got;

	if (!s->gzip && s->at == s->len && !s->end && len >= BUFFER) {
		got = read(s->fd, to, len);
		if (got < 0)
			*why = errno == EINTR ? "interrupted" : strerror(errno);
		s->end = got == 0;
		return got;
	}
	if (len > BUFFER)
		len = BUFFER;
	if (s->gzip)
		return gzip_read(s, to, len, why);
	if (s->at == s->len && !s->end && !fill(s, why))
		return -1;
	n = s->len - s->at < len ? s->len - s->at : len;
	memcpy(to, s->buffer + s->at, n);
	s->at += n;
	return (long)n;
}

int source_open(struct source *from, int fd)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s || inflateInit2(&s->z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
		free(s);
		return -ENOMEM;
	}
	*from = (struct source){.read = stream_read, .arg = s};
	s->fd = fd;
	while (!s->end && s->len < 2 && fill(s, &from->why))
		;
	s->gzip = at_gzip(s);
	return 0;
}

void source_close(struct source *from)
{
	struct stream *s = from->arg;

	inflateEnd(&s->z);
	free(s);
}

int capture_read_fd(struct capture *c, int fd)
{
	struct source from;
	int err = source_open(&from, fd);

	if (err) {
		snprintf(c->error, sizeof(c->error), "no memory to read it");
		return err;
	}
	err = capture_read(c, &from);
	source_close(&from);
	return err;
}
