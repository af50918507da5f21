/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes pcapng: a section, one Ethernet interface, enhanced packet blocks with comments, in the host's
 * byte order.
 */
#include <string.h>

#include "net/capture.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_ENHANCED = 6,
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_TSRESOL = 9,
	OPT_APPLICATION = 4,
};

static void put32(FILE *to, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, to);
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void put_bytes(FILE *to, const void *bytes, uint32_t len)
{
	static const uint8_t zero[4];

	fwrite(bytes, 1, len, to);
	fwrite(zero, 1, padded(len) - len, to);
}

static uint32_t option_size(uint32_t len)
{
	return 4 + padded(len);
}

static void put_option(FILE *to, uint16_t code, const void *value, uint16_t len)
{
	uint16_t head[2] = {code, len};

	fwrite(head, sizeof(head), 1, to);
	put_bytes(to, value, len);
}

void pcapng_write_head(FILE *to, const char *application)
{
	uint32_t name = (uint32_t)strlen(application);
	uint32_t len = 28 + option_size(name) + 4;
	uint16_t version[2] = {1, 0};
	uint8_t nanoseconds = 9;

	put32(to, BLOCK_SECTION);
	put32(to, len);
	put32(to, 0x1a2b3c4d);
	fwrite(version, sizeof(version), 1, to);
	put32(to, 0xffffffff); /* a section of unknown length */
	put32(to, 0xffffffff);
	put_option(to, OPT_APPLICATION, application, (uint16_t)name);
	put_option(to, OPT_END, "", 0);
	put32(to, len);

	len = 20 + option_size(1) + 4;
	put32(to, BLOCK_INTERFACE);
	put32(to, len);
	put32(to, 1); /* Ethernet */
	put32(to, CAPTURE_MAX_PACKET);
	put_option(to, OPT_TSRESOL, &nanoseconds, 1);
	put_option(to, OPT_END, "", 0);
	put32(to, len);
}

void pcapng_write_packet(FILE *to, uint64_t time_ns, const void *frame, uint32_t len,
                         uint32_t wire_len, const char *comment)
{
	uint32_t text = comment ? (uint32_t)strlen(comment) : 0;
	uint32_t block = 32 + padded(len) + (comment ? option_size(text) + 4 : 0);

	put32(to, BLOCK_ENHANCED);
	put32(to, block);
	put32(to, 0); /* interface */
	put32(to, (uint32_t)(time_ns >> 32));
	put32(to, (uint32_t)time_ns);
	put32(to, len);
	put32(to, wire_len);
	put_bytes(to, frame, len);
	if (comment) {
		put_option(to, OPT_COMMENT, comment, (uint16_t)text);
		put_option(to, OPT_END, "", 0);
	}
	put32(to, block);
}
