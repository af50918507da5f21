/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture in memory for the debugger and for explanations, and the dump of a packet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/filter.h"

enum { ROW = 16 };

static int open_capture(const char *path, int *fd, struct records *r)
{
	*fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (*fd < 0)
		return fail(EXIT_BAD_INPUT, "%s: %s", path, strerror(errno));
	if (!records_open(r, *fd))
		return 0;
	close(*fd);
	return fail(EXIT_FAILED, "out of memory");
}

int filter_peek_link(const char *path, uint32_t *link_type)
{
	struct record first;
	struct records r;
	int fd, err;

	if (!strcmp(path, "-"))
		return 0;
	err = open_capture(path, &fd, &r);
	if (err)
		return err;
	if (records_next(&r, &first) > 0)
		*link_type = records_link_type(&r, *link_type);
	else
		err = fail(EXIT_BAD_INPUT, "%s: %s", path, r.error);
	records_close(&r);
	close(fd);
	return err;
}

static int add(struct filter_packets *p, const struct record *rec)
{
	size_t cap = p->cap ? 2 * p->cap : 256;
	struct filter_packet *grown;

	if (p->n == p->cap) {
		grown = reallocarray(p->of, cap, sizeof(*grown));
		if (!grown)
			return fail(EXIT_FAILED, "out of memory for packet %zu", p->n + 1);
		p->of = grown;
		p->cap = cap;
	}
	p->of[p->n] = (struct filter_packet){malloc(rec->len + 1u), rec->len, rec->wire_len};
	if (!p->of[p->n].data)
		return fail(EXIT_FAILED, "out of memory for packet %zu", p->n + 1);
	memcpy(p->of[p->n++].data, rec->data, rec->len);
	return 0;
}

int filter_packets_read(const char *path, struct filter_packets *p)
{
	struct record rec;
	struct records r;
	int fd, more, err = open_capture(path, &fd, &r);

	if (err)
		return err;
	while (!err && (more = records_next(&r, &rec)) > 0)
		if (rec.packet)
			err = add(p, &rec);
	p->link_type = records_link_type(&r, 1);
	if (!err && more < 0 && !p->n)
		err = fail(EXIT_BAD_INPUT, "%s: %s", file_name(path), r.error);
	else if (!err && more < 0)
		warn("%s: damaged %s; the %zu packets before are there", file_name(path), r.error, p->n);
	records_close(&r);
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

void filter_packets_free(struct filter_packets *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->of[i].data);
	free(p->of);
	memset(p, 0, sizeof(*p));
}

void filter_dump(const uint8_t *data, uint32_t len, uint32_t at, uint32_t size)
{
	for (uint32_t row = 0; row < len; row += ROW) {
		printf("  %04x:", row);
		for (uint32_t i = row; i < row + ROW; i++) {
			bool in = size && i >= at && i < at + size, was = size && i > at && i <= at + size;

			/* A mark closes where the next byte's blank would be. */
			putchar(in && i == at ? '[' : was && i == at + size ? ']' : ' ');
			if (i < len)
				printf("%02x", data[i]);
			else
				printf("  ");
		}
		putchar(size && at + size == row + ROW ? ']' : ' ');
		putchar(' ');
		for (uint32_t i = row; i < row + ROW && i < len; i++)
			putchar(data[i] >= ' ' && data[i] < 0x7f ? data[i] : '.');
		putchar('\n');
	}
}
