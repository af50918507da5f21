/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures: what each seed file of the fuzz target holds, what every cut of one leaves, what other damage
 * says, and what the writer writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>

#include "net/capture.h"

enum { FILE_MAX = 4096 };

struct bytes {
	uint8_t data[FILE_MAX];
	size_t len, at;
};

static const char *seeds; /* the directory of the files */

static void load(const char *name, struct bytes *b)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", seeds, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	b->len = fread(b->data, 1, sizeof(b->data), f);
	b->at = 0;
	fclose(f);
}

static long take(void *arg, void *to, size_t len, const char **why)
{
	struct bytes *b = arg;
	size_t n = len < 7 ? len : 7; /* short reads, as from a pipe */

	(void)why;
	if (n > b->len - b->at)
		n = b->len - b->at;
	memcpy(to, b->data + b->at, n);
	b->at += n;
	return (long)n;
}

static int read_bytes(struct bytes *b, struct capture *c)
{
	struct source s = {.read = take, .arg = b};

	b->at = 0;
	memset(c, 0, sizeof(*c));
	return capture_read(c, &s);
}

struct expect {
	const char *file;
	struct {
		uint64_t time_ns;
		uint32_t len, wire_len;
		uint8_t byte12, byte14; /* of the frame */
	} packet[4];
	size_t skipped, cut;
};

#define DAY 1700000000000000000ull
static const struct expect expected[] = {
	{"micro.pcap", {{DAY, 60, 60, 12, 14}, {DAY + 1001000000, 39, 39, 8, 0x45},
	                {DAY + 2002000000, 14, 54, 'x', 0}}, 0, 1},
	{"nano-swapped.pcap", {{DAY, 60, 60, 12, 14}, {DAY + 1000001000, 39, 39, 8, 0x45},
	                       {DAY + 2000002000, 14, 54, 'x', 0}}, 0, 1},
	/* Raw IP gets an Ethernet header by its version. */
	{"raw.pcap", {{DAY, 42, 42, 8, 0x45}, {DAY + 1001000000, 58, 58, 0x86, 0x60}}, 0, 0},
	/* Nanoseconds and an hour's offset; a big-endian section; units of 2^-20 s; raw IP and Ethernet. */
	{"sections.pcapng", {{DAY + 3600000000000, 60, 60, 12, 14},
	                     {(1ull << 20) * 1000000000, 39, 39, 8, 0x45}, {DAY, 28, 28, 8, 'x'}}, 0, 0},
	{"simple.pcapng", {{0, 14, 14, 'x', 0}, {DAY, 39, 39, 8, 0x45}}, 1, 0},
};

static void check_file(const struct expect *e, const struct capture *c)
{
	size_t n = 0;

	for (; n < 4 && e->packet[n].len; n++) {
		const struct packet *p = &c->packets[n];

		assert_true(n < c->n);
		assert_int_equal(p->time_ns, e->packet[n].time_ns);
		assert_int_equal(p->len, e->packet[n].len);
		assert_int_equal(p->wire_len, e->packet[n].wire_len);
		assert_int_equal(c->arena[p->at + 12], e->packet[n].byte12);
		if (p->len > 14)
			assert_int_equal(c->arena[p->at + 14], e->packet[n].byte14);
	}
	assert_int_equal(c->n, n);
	assert_int_equal(c->skipped, e->skipped);
	assert_int_equal(c->cut, e->cut);
}

static void formats(void **state)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct capture c;
		struct bytes b;

		load(expected[i].file, &b);
		assert_int_equal(read_bytes(&b, &c), 0);
		check_file(&expected[i], &c);
		capture_free(&c);
	}
}

/* Cut anywhere, a file gives its first packets; it is damaged unless cut between records or blocks. */
static void every_cut(void **state)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct bytes b;
		size_t full, before = 0, clean = 0;

		load(expected[i].file, &b);
		full = b.len;
		for (b.len = 0; b.len < full; b.len++) {
			struct capture c;
			int err = read_bytes(&b, &c);

			if (b.len < 4)
				assert_int_equal(err, -EINVAL);
			else
				assert_true(!err || err == -EBADMSG || (err == -ENOTSUP && !c.n));
			assert_int_equal(!err, !c.error[0]);
			assert_true(c.n == before || c.n == before + 1);
			before = c.n;
			clean += !err;
			capture_free(&c);
		}
		assert_true(clean >= before && clean < 12);
	}
}

struct damage {
	const char *file;
	size_t at;
	uint8_t byte;
	int err;
	size_t packets;
	const char *text;
};

static const struct damage damages[] = {
	{"micro.pcap", 0, 0x7f, -EINVAL, 0, "neither pcap nor pcapng (it begins 7f c3 b2 a1)"},
	{"micro.pcap", 4, 9, -EBADMSG, 0, "at byte 4: pcap version 9.4, known is 2.4"},
	{"micro.pcap", 20, 113, -ENOTSUP, 0,
	 "link type 113 (Linux cooked): Skep reads Ethernet and raw IP"},
	{"micro.pcap", 24 + 16 + 60 + 11, 0x80, -EBADMSG, 1,
	 "behind packet 1, at byte 100: a record claims 2147483687 bytes, no packet has more than 262144"},
	{"micro.pcap", 24 + 16 + 60 + 9, 1, -EBADMSG, 1,
	 "behind packet 1, at byte 100: the file ends within a packet (69 of 295 bytes)"},
	{"simple.pcapng", 8, 0, -EBADMSG, 0, "at byte 0: a section without a byte order (0x1a2b3c00)"},
	{"simple.pcapng", 12, 2, -EBADMSG, 0, "at byte 0: pcapng version 2.0, known is 1.0"},
	{"simple.pcapng", 4, 3, -EBADMSG, 0, "at byte 0: a section header of 3 bytes"},
};

static void damaged(void **state)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *d = &damages[i];
		struct capture c;
		struct bytes b;

		load(d->file, &b);
		b.data[d->at] = d->byte;
		assert_int_equal(read_bytes(&b, &c), d->err);
		assert_string_equal(c.error, d->text);
		assert_int_equal(c.n, d->packets);
		capture_free(&c);
	}
}

static void limit(void **state)
{
	struct source s = {.read = take};
	struct capture c = {.limit = 1000};
	struct bytes b;

	load("micro.pcap", &b);
	s.arg = &b;
	assert_int_equal(capture_read(&c, &s), -ENOMEM);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.error, "no memory for packet 2");
	capture_free(&c);
}

/* Through a descriptor: gzip'd, whole and cut, and what has only gzip's first bytes. */
static void gzipped(void **state)
{
	char path[] = "/tmp/skep-capture-XXXXXX";
	int fd = mkstemp(path), err;
	struct capture c = {0};
	struct bytes b;
	gzFile gz;
	off_t size;

	assert_true(fd >= 0);
	unlink(path);
	load("micro.pcap", &b);
	gz = gzdopen(dup(fd), "wb");
	assert_int_equal(gzwrite(gz, b.data, (unsigned)b.len), b.len);
	gzclose(gz);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(capture_read_fd(&c, fd), 0);
	check_file(&expected[0], &c);
	capture_free(&c);

	size = lseek(fd, 0, SEEK_END);
	assert_int_equal(ftruncate(fd, size - 20), 0);
	lseek(fd, 0, SEEK_SET);
	err = capture_read_fd(&c, fd);
	assert_true(err == -EIO);
	assert_non_null(strstr(c.error, "the gzip data ends too early"));
	assert_true(c.n >= 1);
	capture_free(&c);

	assert_int_equal(pwrite(fd, "\x1f\x8b\x07nothing", 10, 0), 10);
	lseek(fd, 0, SEEK_SET);
	err = capture_read_fd(&c, fd);
	assert_int_equal(err, -EIO);
	assert_non_null(strstr(c.error, "compression method"));
	capture_free(&c);
	close(fd);
}

static void writer(void **state)
{
	struct capture c;
	struct bytes b;
	uint8_t frame[61];
	FILE *to = fmemopen(b.data, sizeof(b.data), "wb");

	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	pcapng_write_head(to, "skep test");
	pcapng_write_packet(to, DAY + 7, frame, 61, 61, "XDP_TX");
	pcapng_write_packet(to, DAY + 8, frame, 14, 1500, NULL);
	pcapng_write_packet(to, 0, frame, 0, 0, "");
	b.len = (size_t)ftell(to);
	fclose(to);
	assert_int_equal(read_bytes(&b, &c), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.cut, 1);
	assert_int_equal(c.packets[0].time_ns, DAY + 7);
	assert_memory_equal(c.arena + c.packets[0].at, frame, 61);
	assert_int_equal(c.packets[1].wire_len, 1500);
	assert_int_equal(c.packets[2].len, 0);
	assert_non_null(memmem(b.data, b.len, "XDP_TX", 6));
	capture_free(&c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats), cmocka_unit_test(every_cut), cmocka_unit_test(damaged),
		cmocka_unit_test(limit),   cmocka_unit_test(gzipped),   cmocka_unit_test(writer),
	};

	if (argc != 2)
		return 2;
	seeds = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
