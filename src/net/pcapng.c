/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block format of captures, pcapng (draft-ietf-opsawg-pcapng).
 *
 *   block     type, length, body (a multiple of 4 bytes), length again
 *   section   byte order of what follows; forgets the interfaces before
 *   interface link type, longest packet, options: unit and offset of its timestamps
 *   packet    three kinds: enhanced (interface, time, lengths, bytes), obsolete, simple (bytes only)
 *
 * Every other block is skipped unread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/reader.h"

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OBSOLETE = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	FRAME = 12,                            /* type, length, length again */
	MAX_BLOCK = CAPTURE_MAX_PACKET + 65536, /* of those we look into: a packet and its options */
	MAX_INTERFACES = 1 << 16,
	OPT_END = 0,
	OPT_TSRESOL = 9,
	OPT_TSOFFSET = 14,
};

struct interface {
	uint32_t link_type, longest;
	uint8_t resolution; /* decimal digits, or binary ones with the top bit set */
	int64_t offset;     /* seconds to add */
};

struct ng {
	struct capture *c;
	struct source *s;
	bool swap;
	struct interface *interfaces;
	uint32_t n, cap;
	uint8_t *body; /* MAX_BLOCK bytes */
	uint64_t at;   /* of the current block */
};

static uint32_t get32(const struct ng *g, const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return order32(v, g->swap);
}

static uint16_t get16(const struct ng *g, const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return order16(v, g->swap);
}

static void interface_options(const struct ng *g, struct interface *i, const uint8_t *at, size_t len)
{
	while (len >= 4) {
		uint16_t code = get16(g, at);
		size_t size = get16(g, at + 2), padded = (size + 3) & ~(size_t)3;

		at += 4;
		len -= 4;
		if (code == OPT_END || padded > len)
			return;
		if (code == OPT_TSRESOL && size == 1)
			i->resolution = *at;
		if (code == OPT_TSOFFSET && size == 8)
			i->offset = (int64_t)(g->swap ? (uint64_t)get32(g, at) << 32 | get32(g, at + 4)
			                              : (uint64_t)get32(g, at + 4) << 32 | get32(g, at));
		at += padded;
		len -= padded;
	}
}

static int block_interface(struct ng *g, size_t len)
{
	struct interface *i;
	uint32_t cap;

	if (len < 8)
		return capture_damaged(g->c, g->s, g->at, "an interface block of %zu bytes, it needs 8",
		                       len);
	if (g->n == MAX_INTERFACES)
		return capture_damaged(g->c, g->s, g->at, "more than %u interfaces", MAX_INTERFACES);
	if (g->n == g->cap) {
		cap = g->cap ? 2 * g->cap : 8;
		i = reallocarray(g->interfaces, cap, sizeof(*i));
		if (!i)
			return -ENOMEM;
		g->interfaces = i;
		g->cap = cap;
	}
	i = &g->interfaces[g->n++];
	*i = (struct interface){
		.link_type = get16(g, g->body),
		.longest = get32(g, g->body + 4),
		.resolution = 6,
	};
	interface_options(g, i, g->body + 8, len - 8);
	return 0;
}

static uint64_t time_ns(const struct interface *i, uint64_t stamp)
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

/* Appends len bytes at `at` of the body, which must lie within it. */
static int add(struct ng *g, uint32_t interface, uint64_t stamp, size_t at, uint32_t len,
               uint32_t wire_len, size_t body)
{
	const struct interface *i;

	if (interface >= g->n)
		return capture_damaged(g->c, g->s, g->at, "a packet of interface %u, %u are described",
		                       interface, g->n);
	if (len > CAPTURE_MAX_PACKET)
		return capture_damaged(g->c, g->s, g->at, "a packet claims %u bytes, none has more than %u",
		                       len, CAPTURE_MAX_PACKET);
	if (len > body - at)
		return capture_damaged(g->c, g->s, g->at, "a packet claims %u bytes, its block has %zu",
		                       len, body - at);
	i = &g->interfaces[interface];
	return capture_add_link(g->c, i->link_type, stamp ? time_ns(i, stamp) : 0, g->body + at, len,
	                        wire_len);
}

static int block_enhanced(struct ng *g, size_t len, bool obsolete)
{
	const uint8_t *b = g->body;

	if (len < 20)
		return capture_damaged(g->c, g->s, g->at, "a packet block of %zu bytes, it needs 20", len);
	return add(g, obsolete ? get16(g, b) : get32(g, b),
	           (uint64_t)get32(g, b + 4) << 32 | get32(g, b + 8), 20, get32(g, b + 12),
	           get32(g, b + 16), len);
}

static int block_simple(struct ng *g, size_t len)
{
	uint32_t wire, n;

	if (len < 4)
		return capture_damaged(g->c, g->s, g->at, "a packet block of %zu bytes, it needs 4", len);
	wire = n = get32(g, g->body);
	if (g->n && g->interfaces[0].longest && n > g->interfaces[0].longest)
		n = g->interfaces[0].longest;
	return add(g, 0, 0, 4, n, wire, len);
}

/* A section's header behind its type: sets the byte order; *len is the body's that is left to skip. */
static int section_begin(struct ng *g, uint64_t *left)
{
	uint8_t head[12]; /* length, byte order, version */
	uint32_t order, len;
	size_t n = source_take(g->s, head, sizeof(head));

	if (n < sizeof(head))
		return capture_damaged(g->c, g->s, g->at, "the file ends within a section header");
	memcpy(&order, head + 4, sizeof(order));
	g->swap = order == __builtin_bswap32(BYTE_ORDER_MAGIC);
	if (order32(order, g->swap) != BYTE_ORDER_MAGIC)
		return capture_damaged(g->c, g->s, g->at, "a section without a byte order (0x%08x)", order);
	len = get32(g, head);
	if (get16(g, head + 8) != 1)
		return capture_damaged(g->c, g->s, g->at, "pcapng version %u.%u, known is 1.0",
		                       get16(g, head + 8), get16(g, head + 10));
	if (len < FRAME + 16 || len % 4)
		return capture_damaged(g->c, g->s, g->at, "a section header of %u bytes", len);
	g->n = 0;
	*left = len - 16; /* with the length that ends it */
	return 0;
}

static int skip(struct ng *g, uint64_t len)
{
	while (len) {
		size_t n = len < MAX_BLOCK ? (size_t)len : MAX_BLOCK;

		if (source_take(g->s, g->body, n) < n)
			return capture_damaged(g->c, g->s, g->at, "the file ends within a block");
		len -= n;
	}
	return 0;
}

static int block_body(struct ng *g, uint32_t type, size_t len)
{
	size_t n;

	if (type != BLOCK_INTERFACE && type != BLOCK_PACKET_OBSOLETE && type != BLOCK_SIMPLE &&
	    type != BLOCK_ENHANCED)
		return skip(g, len);
	if (len > MAX_BLOCK)
		return capture_damaged(g->c, g->s, g->at, "a block of %zu bytes", len);
	n = source_take(g->s, g->body, len);
	if (n < len)
		return capture_damaged(g->c, g->s, g->at, "the file ends within a block (%zu of %zu bytes)",
		                       n, len);
	if (type == BLOCK_INTERFACE)
		return block_interface(g, len);
	if (type == BLOCK_SIMPLE)
		return block_simple(g, len);
	return block_enhanced(g, len, type == BLOCK_PACKET_OBSOLETE);
}

/* One block behind its type. */
static int block_read(struct ng *g, uint32_t type)
{
	uint8_t word[4];
	uint32_t len;
	uint64_t left;
	int err;

	if (type == PCAPNG_SECTION) {
		err = section_begin(g, &left);
		return err ? err : skip(g, left);
	}
	if (source_take(g->s, word, 4) < 4)
		return capture_damaged(g->c, g->s, g->at, "the file ends within a block");
	len = get32(g, word);
	if (len < FRAME || len % 4)
		return capture_damaged(g->c, g->s, g->at, "a block of %u bytes: no multiple of 4 from "
		                       "12 on", len);
	err = block_body(g, type, len - FRAME);
	if (err)
		return err;
	if (source_take(g->s, word, 4) < 4)
		return capture_damaged(g->c, g->s, g->at, "the file ends within a block");
	if (get32(g, word) != len)
		return capture_damaged(g->c, g->s, g->at, "a block of %u bytes that ends with %u", len,
		                       get32(g, word));
	return 0;
}

int pcapng_read(struct capture *c, struct source *s)
{
	struct ng g = {.c = c, .s = s, .body = malloc(MAX_BLOCK), .at = s->offset - 4};
	int err = g.body ? block_read(&g, PCAPNG_SECTION) : -ENOMEM;
	uint8_t word[4];
	size_t n;

	while (!err) {
		g.at = s->offset;
		n = source_take(s, word, sizeof(word));
		if (!n && !s->why)
			break;
		err = n < sizeof(word) ? capture_damaged(c, s, g.at, "the file ends within a block")
		                       : block_read(&g, get32(&g, word));
	}
	free(g.interfaces);
	free(g.body);
	return err;
}
