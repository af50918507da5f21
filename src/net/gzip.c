/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor as a source, through zlib, which passes on what is not compressed.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "net/capture.h"

enum { CHUNK = 1 << 18 };

static long gzip_read(void *arg, void *to, size_t len, const char **why)
{
	gzFile gz = arg;
	int got = gzread(gz, to, len < CHUNK ? (unsigned)len : CHUNK);
	int err;
	const char *text;

	if (got > 0)
		return got;
	text = gzerror(gz, &err);
	if (err == Z_BUF_ERROR) /* zlib's name for a stream that ends early */
		text = "the gzip data ends too early";
	if (err != Z_OK && err != Z_STREAM_END)
		*why = text;
	return *why ? -1 : 0;
}

int capture_read_fd(struct capture *c, int fd)
{
	int mine = dup(fd), err;
	gzFile gz = mine < 0 ? NULL : gzdopen(mine, "rb");
	struct source from = {.read = gzip_read, .arg = gz};

	if (!gz) {
		if (mine >= 0)
			close(mine);
		snprintf(c->error, sizeof(c->error), "cannot be opened");
		return -ENOMEM;
	}
	gzbuffer(gz, CHUNK);
	err = capture_read(c, &from);
	gzclose(gz);
	return err;
}
