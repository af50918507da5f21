/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures record by record: see records.h.
 *
 * A buffer slides over the file. Whoever needs n bytes at the place where the next record begins asks
 * want(): what is left moves to the front, and the rest of the buffer is filled. Nothing is copied
 * besides, so that reading costs about one look at each header.
 */
#include "net/records.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "net/reader.h"

enum {
	BUFFER = 1 << 20,
	MAX_BLOCK = 1 << 24, /* of other kinds than packets: keys, names, comments */
	MAX_IFS = 1 << 16,
	LINK_MASK = 0x03ffffff,
	FILE_HEADER = 24, RECORD_HEADER = 16, BLOCK_FRAME = 12,
};
enum { BLOCK_INTERFACE = 1, BLOCK_OBSOLETE = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };
enum { OPT_TSRESOL = 9, OPT_TSOFFSET = 14, ORDER_MAGIC = 0x1a2b3c4d };

static int damaged(struct records *r, const char *format, ...)
{
	char what[120];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(r->error, sizeof(r->error), "behind packet %llu, at byte %llu: %s",
	         (unsigned long long)r->packets, (unsigned long long)(r->base + r->at),
	         r->from.why ? r->from.why : what);
	return r->from.why ? -EIO : -EBADMSG;
}

/* Makes n bytes stand at r->at, if the file has them: how many stand there. -1: no memory. */
static long want(struct records *r, size_t n)
{
	size_t size = r->size;
	uint8_t *grown;
	long got;

	if (r->len - r->at >= n)
		return (long)(r->len - r->at);
	memmove(r->buffer, r->buffer + r->at, r->len - r->at);
	r->base += r->at;
	r->len -= r->at;
	r->at = 0;
	while (size < n)
		size *= 2;
	if (size > r->size) {
		grown = realloc(r->buffer, size);
		if (!grown)
			return -1;
		r->buffer = grown;
		r->size = size;
	}
	while (r->len < n && !r->from.why) {
		got = r->from.read(r->from.arg, r->buffer + r->len, r->size - r->len, &r->from.why);
		if (got <= 0)
			break;
		r->len += (size_t)got;
	}
	return (long)r->len;
}

/* Sees to it that a record of n bytes is there. 0, -EBADMSG ... */
static int need(struct records *r, size_t n, const char *what)
{
	long have = want(r, n);

	if (have < 0) {
		snprintf(r->error, sizeof(r->error), "no memory for a record of %zu bytes", n);
		return -ENOMEM;
	}
	return (size_t)have >= n ? 0 : damaged(r, "the file ends within %s (%ld of %zu bytes)", what, have, n);
}

static uint32_t get32(const struct records *r, size_t at)
{
	uint32_t v;

	memcpy(&v, r->buffer + r->at + at, sizeof(v));
	return order32(v, r->swap);
}

static uint16_t get16(const struct records *r, size_t at)
{
	uint16_t v;

	memcpy(&v, r->buffer + r->at + at, sizeof(v));
	return order16(v, r->swap);
}

/* Hands out n bytes and goes behind them. */
static int take(struct records *r, struct record *rec, size_t n)
{
	rec->raw = r->buffer + r->at;
	rec->raw_len = n;
	r->at += n;
	return 1;
}

static int add_if(struct records *r, struct records_if new)
{
	uint32_t cap = r->ifs_cap ? 2 * r->ifs_cap : 4;
	struct records_if *grown;

	if (r->nifs == MAX_IFS)
		return damaged(r, "more than %u interfaces", MAX_IFS);
	if (r->nifs == r->ifs_cap) {
		grown = reallocarray(r->ifs, cap, sizeof(*grown));
		if (!grown) {
			snprintf(r->error, sizeof(r->error), "no memory for %u interfaces", cap);
			return -ENOMEM;
		}
		r->ifs = grown;
		r->ifs_cap = cap;
	}
	r->ifs[r->nifs++] = new;
	return 0;
}

/* --- pcap ------------------------------------------------------------------------------------ */

static int pcap_header(struct records *r, struct record *rec, uint32_t magic)
{
	int err;

	r->swap = magic != PCAP_MICRO && magic != PCAP_NANO;
	r->fraction_ns = order32(magic, r->swap) == PCAP_MICRO ? 1000 : 1;
	err = need(r, FILE_HEADER, "its header");
	if (!err && get16(r, 4) != 2)
		err = damaged(r, "pcap version %u.%u, known is 2.4", get16(r, 4), get16(r, 6));
	if (!err)
		err = add_if(r, (struct records_if){.link_type = get32(r, 20) & LINK_MASK});
	return err ? err : take(r, rec, FILE_HEADER);
}

static int pcap_next(struct records *r, struct record *rec)
{
	uint32_t len;
	int err = need(r, RECORD_HEADER, "a record header");

	if (err)
		return err;
	len = get32(r, 8);
	if (len > CAPTURE_MAX_PACKET)
		return damaged(r, "a record claims %u bytes, no packet has more than %u", len,
		               CAPTURE_MAX_PACKET);
	err = need(r, RECORD_HEADER + len, "a packet");
	if (err)
		return err;
	*rec = (struct record){
		.packet = true, .data = r->buffer + r->at + RECORD_HEADER, .len = len,
		.wire_len = get32(r, 12), .link_type = r->ifs[0].link_type,
		.time_ns = get32(r, 0) * 1000000000ull + (uint64_t)get32(r, 4) * r->fraction_ns,
	};
	return take(r, rec, RECORD_HEADER + len);
}

/* --- pcapng ---------------------------------------------------------------------------------- */

static void if_options(const struct records *r, struct records_if *i, size_t at, size_t end)
{
	while (at + 4 <= end) {
		uint16_t code = get16(r, at), size = get16(r, at + 2);
		size_t padded = (size + 3u) & ~3u;

		at += 4;
		if (!code || padded > end - at)
			return;
		if (code == OPT_TSRESOL && size == 1)
			i->resolution = r->buffer[r->at + at];
		if (code == OPT_TSOFFSET && size == 8)
			i->offset = (int64_t)(r->swap ? (uint64_t)get32(r, at) << 32 | get32(r, at + 4)
			                              : (uint64_t)get32(r, at + 4) << 32 | get32(r, at));
		at += padded;
	}
}

static uint64_t time_of(const struct records_if *i, uint64_t stamp)
{
	unsigned digits = i->resolution & 0x7f;
	unsigned __int128 ns = stamp;

	if (i->resolution & 0x80) {
		ns = digits < 64 ? ns * 1000000000u >> digits : 0;
	} else {
		for (unsigned d = digits; d < 9; d++)
			ns *= 10;
		for (unsigned d = digits; d > 9 && ns; d--)
			ns /= 10;
	}
	return (uint64_t)ns + (uint64_t)i->offset * 1000000000u;
}

/* A packet of interface `of` whose bytes begin at `at` of a block of `total`. */
static int ng_packet(struct records *r, struct record *rec, uint32_t of, uint64_t stamp, size_t at,
                     uint32_t len, uint32_t wire_len, size_t total)
{
	if (of >= r->nifs)
		return damaged(r, "a packet of interface %u, %u are described", of, r->nifs);
	if (len > CAPTURE_MAX_PACKET)
		return damaged(r, "a packet claims %u bytes, none has more than %u", len, CAPTURE_MAX_PACKET);
	if (len > total - 4 - at)
		return damaged(r, "a packet claims %u bytes, its block has %zu", len, total - 4 - at);
	*rec = (struct record){
		.packet = true, .data = r->buffer + r->at + at, .len = len, .wire_len = wire_len,
		.link_type = r->ifs[of].link_type, .time_ns = stamp ? time_of(&r->ifs[of], stamp) : 0,
	};
	return 0;
}

static int ng_interface(struct records *r, size_t total)
{
	struct records_if i = {.resolution = 6};

	if (total < BLOCK_FRAME + 8)
		return damaged(r, "an interface block of %zu bytes, it needs 20", total);
	i.link_type = get16(r, 8);
	i.longest = get32(r, 12);
	if_options(r, &i, 16, total - 4);
	return add_if(r, i);
}

static int ng_body(struct records *r, struct record *rec, uint32_t type, size_t total)
{
	bool obsolete = type == BLOCK_OBSOLETE;
	uint32_t len;

	*rec = (struct record){0};
	switch (type) {
	case BLOCK_INTERFACE:
		return ng_interface(r, total);
	case BLOCK_ENHANCED:
	case BLOCK_OBSOLETE:
		if (total < BLOCK_FRAME + 20)
			return damaged(r, "a packet block of %zu bytes, it needs 32", total);
		return ng_packet(r, rec, obsolete ? get16(r, 8) : get32(r, 8),
		                 (uint64_t)get32(r, 12) << 32 | get32(r, 16), 28, get32(r, 20), get32(r, 24),
		                 total);
	case BLOCK_SIMPLE:
		if (total < BLOCK_FRAME + 4)
			return damaged(r, "a packet block of %zu bytes, it needs 16", total);
		len = get32(r, 8);
		if (r->nifs && r->ifs[0].longest && len > r->ifs[0].longest)
			len = r->ifs[0].longest;
		return ng_packet(r, rec, 0, 0, 12, len, get32(r, 8), total);
	}
	return 0;
}

static int ng_section(struct records *r)
{
	uint32_t order;
	int err = need(r, 28, "a section header");

	if (err)
		return err;
	memcpy(&order, r->buffer + r->at + 8, sizeof(order));
	r->swap = order == __builtin_bswap32(ORDER_MAGIC);
	if (order32(order, r->swap) != ORDER_MAGIC)
		return damaged(r, "a section without a byte order (0x%08x)", order);
	if (get16(r, 12) != 1)
		return damaged(r, "pcapng version %u.%u, known is 1.0", get16(r, 12), get16(r, 14));
	r->nifs = 0;
	return 0;
}

static int ng_next(struct records *r, struct record *rec)
{
	uint32_t type, total;
	int err = need(r, BLOCK_FRAME, "a block");

	if (err)
		return err;
	memcpy(&type, r->buffer + r->at, sizeof(type)); /* a section's is the same in both orders */
	if (type == PCAPNG_SECTION)
		err = ng_section(r);
	if (err)
		return err;
	type = get32(r, 0);
	total = get32(r, 4);
	if (total < BLOCK_FRAME || total % 4 || total > MAX_BLOCK)
		return damaged(r, "a block of %u bytes: no multiple of 4 from 12 to %u", total, MAX_BLOCK);
	err = need(r, total, "a block");
	if (!err && get32(r, total - 4) != total)
		err = damaged(r, "a block of %u bytes that ends with %u", total, get32(r, total - 4));
	if (!err)
		err = ng_body(r, rec, type, total);
	return err ? err : take(r, rec, total);
}

/* --- Both ------------------------------------------------------------------------------------ */

static int start(struct records *r, struct record *rec)
{
	long have = want(r, 4);
	uint32_t magic;

	*rec = (struct record){0};
	if (have < 4) {
		snprintf(r->error, sizeof(r->error), "%s", r->from.why ? r->from.why :
		         have > 0 ? "too short for a capture" : "empty");
		return r->from.why ? -EIO : -EINVAL;
	}
	memcpy(&magic, r->buffer + r->at, sizeof(magic));
	r->started = true;
	r->ng = magic == PCAPNG_SECTION;
	if (r->ng)
		return ng_next(r, rec);
	if (magic == PCAP_MICRO || magic == PCAP_NANO || magic == __builtin_bswap32(PCAP_MICRO) ||
	    magic == __builtin_bswap32(PCAP_NANO))
		return pcap_header(r, rec, magic);
	snprintf(r->error, sizeof(r->error), "neither pcap nor pcapng (it begins %02x %02x %02x %02x)",
	         r->buffer[0], r->buffer[1], r->buffer[2], r->buffer[3]);
	return -EINVAL;
}

int records_open(struct records *r, int fd)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->buffer = malloc(BUFFER);
	r->size = BUFFER;
	if (!r->buffer)
		return -ENOMEM;
	err = source_open(&r->from, fd);
	if (err)
		free(r->buffer);
	return err;
}

int records_next(struct records *r, struct record *rec)
{
	long have;
	int err;

	if (!r->started)
		return start(r, rec);
	have = want(r, 1);
	if (!have && !r->from.why)
		return 0;
	err = r->ng ? ng_next(r, rec) : pcap_next(r, rec);
	r->packets += err > 0 && rec->packet;
	return err;
}

uint32_t records_link_type(struct records *r, uint32_t otherwise)
{
	size_t at = 0, have;
	uint32_t total;

	if (r->nifs)
		return r->ifs[0].link_type;
	/* Blocks are looked at where they stand; reading goes on where it was. */
	for (;;) {
		long n = want(r, at + 16);

		have = n < 0 ? 0 : (size_t)n;
		if (!r->ng || have < at + 16 || at > BUFFER / 2)
			return otherwise;
		if (get32(r, at) == BLOCK_INTERFACE)
			return get16(r, at + 8);
		total = get32(r, at + 4);
		if (total < BLOCK_FRAME || total % 4 || total > BUFFER / 2)
			return otherwise;
		at += total;
	}
}

void records_close(struct records *r)
{
	source_close(&r->from);
	free(r->buffer);
	free(r->ifs);
}
