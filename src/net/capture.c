/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture in memory: the arena, link types, and the choice of the format's reader.
 *
 * The arena is one mapping that grows by mremap(), on huge pages where the system gives them: a run over
 * a capture touches a new place with every packet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/reader.h"

enum {
	CACHE_LINE = 64,
	ARENA_MIN = 1 << 17,
	ARENA_HUGE = 1 << 23, /* from here on huge pages pay */
	ETHER_HEADER = 14,
};

static const struct link_name {
	uint32_t link_type;
	const char *name;
} link_names[] = {
	{0, "BSD loopback"},
	{LINK_ETHERNET, "Ethernet"},
	{LINK_RAW, "raw IP"},
	{LINK_RAW_BSD, "raw IP"},
	{LINK_RAW_OPENBSD, "raw IP"},
	{LINK_IPV4, "raw IPv4"},
	{LINK_IPV6, "raw IPv6"},
	{9, "PPP"},
	{105, "IEEE 802.11"},
	{108, "OpenBSD loopback"},
	{113, "Linux cooked"},
	{127, "802.11 with radiotap"},
	{189, "Linux USB"},
	{227, "CAN bus"},
	{253, "netlink"},
	{276, "Linux cooked v2"},
};

const char *link_type_name(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(link_names) / sizeof(link_names[0]); i++)
		if (link_names[i].link_type == link_type)
			return link_names[i].name;
	return "unknown";
}

static bool is_raw_ip(uint32_t link_type)
{
	return link_type == LINK_RAW || link_type == LINK_RAW_BSD ||
	       link_type == LINK_RAW_OPENBSD || link_type == LINK_IPV4 || link_type == LINK_IPV6;
}

bool link_type_supported(uint32_t link_type)
{
	return link_type == LINK_ETHERNET || is_raw_ip(link_type);
}

size_t source_take(struct source *s, void *to, size_t len)
{
	size_t n = 0;
	long got;

	while (n < len && !s->why) {
		got = s->read(s->arg, (uint8_t *)to + n, len - n, &s->why);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	s->offset += n;
	return n;
}

int capture_damaged(struct capture *c, const struct source *s, uint64_t offset, const char *format,
                    ...)
{
	char what[120], place[48] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (c->n)
		snprintf(place, sizeof(place), "behind packet %zu, ", c->n);
	/* Where the source itself failed, that is the reason for whatever is missing. */
	snprintf(c->error, sizeof(c->error), "%sat byte %llu: %s", place, (unsigned long long)offset,
	         s->why ? s->why : what);
	return s->why ? -EIO : -EBADMSG;
}

static int arena_grow(struct capture *c, size_t need)
{
	size_t size = c->size ? c->size : ARENA_MIN;
	void *arena;

	if (!c->limit)
		c->limit = (size_t)sysconf(_SC_PHYS_PAGES) / 2 * (size_t)sysconf(_SC_PAGESIZE);
	if (c->used + need > c->limit)
		return -ENOMEM;
	while (size - c->used < need)
		size *= 2;
	if (size == c->size)
		return 0;
	arena = c->arena ? mremap(c->arena, c->size, size, MREMAP_MAYMOVE)
	                 : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return -ENOMEM;
	if (size >= ARENA_HUGE)
		madvise(arena, size, MADV_HUGEPAGE); /* a wish: nothing depends on it */
	c->arena = arena;
	c->size = size;
	return 0;
}

/* Room for a packet of len bytes: its entry, or NULL. The caller fills the bytes at once. */
static struct packet *packet_new(struct capture *c, uint32_t len)
{
	size_t slot = CAPTURE_HEADROOM + (size_t)len + CAPTURE_TAILROOM;
	struct packet *packets = c->packets;
	size_t cap = c->cap;

	slot = (slot + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	if (c->n == cap) {
		cap = cap ? 2 * cap : 1024;
		packets = reallocarray(packets, cap, sizeof(*packets));
		if (!packets)
			return NULL;
		c->packets = packets;
		c->cap = cap;
	}
	if (arena_grow(c, slot))
		return NULL;
	packets[c->n].at = c->used + CAPTURE_HEADROOM;
	packets[c->n].len = len;
	c->used += slot;
	return &packets[c->n++];
}

int capture_add(struct capture *c, uint64_t time_ns, const void *frame, uint32_t len,
                uint32_t wire_len)
{
	struct packet *p = packet_new(c, len);

	if (!p)
		return -ENOMEM;
	memcpy(c->arena + p->at, frame, len);
	p->time_ns = time_ns;
	p->wire_len = wire_len < len ? len : wire_len;
	c->cut += p->wire_len > len;
	return 0;
}

int capture_add_link(struct capture *c, uint32_t link_type, uint64_t time_ns, const void *bytes,
                     uint32_t len, uint32_t wire_len)
{
	struct packet *p;
	uint8_t *frame;
	bool v6;

	if (!is_raw_ip(link_type)) {
		if (link_type == LINK_ETHERNET)
			return capture_add(c, time_ns, bytes, len, wire_len);
		if (!c->skipped++)
			c->skipped_link = link_type;
		return 0;
	}
	if (wire_len < len)
		wire_len = len;
	if (wire_len > UINT32_MAX - ETHER_HEADER)
		wire_len = UINT32_MAX - ETHER_HEADER;
	if (len > CAPTURE_MAX_PACKET - ETHER_HEADER)
		len = CAPTURE_MAX_PACKET - ETHER_HEADER;
	p = packet_new(c, len + ETHER_HEADER);
	if (!p)
		return -ENOMEM;
	frame = c->arena + p->at;
	v6 = link_type == LINK_IPV6 ||
	     (link_type != LINK_IPV4 && len && *(const uint8_t *)bytes >> 4 == 6);
	memset(frame, 0, ETHER_HEADER);
	frame[12] = v6 ? 0x86 : 0x08;
	frame[13] = v6 ? 0xdd : 0x00;
	memcpy(frame + ETHER_HEADER, bytes, len);
	p->time_ns = time_ns;
	p->wire_len = wire_len + ETHER_HEADER;
	c->cut += p->wire_len > p->len;
	return 0;
}

int capture_read(struct capture *c, struct source *s)
{
	uint8_t first[4];
	uint32_t magic;
	size_t n = source_take(s, first, sizeof(first));
	int err;

	if (n < sizeof(first)) {
		snprintf(c->error, sizeof(c->error), "%s", s->why ? s->why :
		         n ? "too short for a capture" : "empty");
		return s->why ? -EIO : -EINVAL;
	}
	memcpy(&magic, first, sizeof(magic));
	switch (magic) {
	case PCAPNG_SECTION:
		err = pcapng_read(c, s);
		break;
	case PCAP_MICRO:
	case PCAP_NANO:
	case __builtin_bswap32(PCAP_MICRO):
	case __builtin_bswap32(PCAP_NANO):
		err = pcap_read(c, s, magic);
		break;
	default:
		snprintf(c->error, sizeof(c->error),
		         "neither pcap nor pcapng (it begins %02x %02x %02x %02x)", first[0], first[1],
		         first[2], first[3]);
		return -EINVAL;
	}
	if (err == -ENOMEM)
		snprintf(c->error, sizeof(c->error), "no memory for packet %zu", c->n + 1);
	if (!err && c->skipped && !c->n) {
		snprintf(c->error, sizeof(c->error), "link type %u (%s): Skep reads Ethernet and raw IP",
		         c->skipped_link, link_type_name(c->skipped_link));
		err = -ENOTSUP;
	}
	return err;
}

int capture_copy(struct capture *to, const struct capture *from)
{
	struct capture c = *from;

	c.arena = NULL;
	c.size = c.used = 0;
	c.packets = reallocarray(NULL, from->n + 1, sizeof(*c.packets));
	c.cap = from->n + 1;
	if (!c.packets || arena_grow(&c, from->used)) {
		free(c.packets);
		return -ENOMEM;
	}
	if (from->n) {
		memcpy(c.packets, from->packets, from->n * sizeof(*c.packets));
		memcpy(c.arena, from->arena, from->used);
	}
	c.used = from->used;
	*to = c;
	return 0;
}

void capture_free(struct capture *c)
{
	if (c->arena)
		munmap(c->arena, c->size);
	free(c->packets);
	memset(c, 0, sizeof(*c));
}
