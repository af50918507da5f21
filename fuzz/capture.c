/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture: packets lie in their slots, an error has a text, and what was read survives
 * being written as pcapng and read again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "net/capture.h"

enum { LIMIT = 1 << 24 };

struct bytes {
	const uint8_t *at;
	size_t left;
};

static long take(void *arg, void *to, size_t len, const char **why)
{
	struct bytes *b = arg;
	size_t n = len < b->left ? len : b->left;

	(void)why;
	if (n)
		memcpy(to, b->at, n);
	b->at += n;
	b->left -= n;
	return (long)n;
}

static int read_from(struct capture *c, const void *data, size_t size)
{
	struct bytes b = {data, size};
	struct source s = {.read = take, .arg = &b};

	memset(c, 0, sizeof(*c));
	c->limit = LIMIT;
	return capture_read(c, &s);
}

/* The same bytes from a file, where they are unpacked. */
static int read_packed(struct capture *c, const void *data, size_t size)
{
	int fd = memfd_create("capture", 0), err;

	memset(c, 0, sizeof(*c));
	c->limit = LIMIT;
	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	err = capture_read_fd(c, fd);
	close(fd);
	return err;
}

static void check_slots(const struct capture *c)
{
	size_t end = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct packet *p = &c->packets[i];

		if (p->at < end + CAPTURE_HEADROOM || p->wire_len < p->len)
			abort();
		end = p->at + p->len + CAPTURE_TAILROOM;
		if (end > c->used || c->used > c->size)
			abort();
	}
}

static void check_round_trip(const struct capture *c)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	struct capture again;

	if (!to)
		abort();
	pcapng_write_head(to, "fuzz");
	for (size_t i = 0; i < c->n; i++)
		pcapng_write_packet(to, c->packets[i].time_ns, c->arena + c->packets[i].at,
		                    c->packets[i].len, c->packets[i].wire_len, i % 2 ? NULL : "XDP_PASS");
	fclose(to);
	if (read_from(&again, text, size) || again.n != c->n || again.cut != c->cut)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		const struct packet *a = &c->packets[i], *b = &again.packets[i];

		if (a->time_ns != b->time_ns || a->len != b->len || a->wire_len != b->wire_len ||
		    memcmp(c->arena + a->at, again.arena + b->at, a->len))
			abort();
	}
	capture_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool packed = size > 1 && data[0] == 0x1f && data[1] == 0x8b;
	struct capture c;
	int err = packed ? read_packed(&c, data, size) : read_from(&c, data, size);

	if (err && !c.error[0])
		abort();
	check_slots(&c);
	check_round_trip(&c);
	capture_free(&c);
	return 0;
}
