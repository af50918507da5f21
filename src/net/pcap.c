/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic capture format, in either byte order, with micro- or nanoseconds.
 *
 *   file    magic, version (2.4), zone, accuracy, longest packet, link type         24 bytes
 *   record  seconds, fraction, captured length, length on the wire; then the bytes  16 bytes + captured
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/reader.h"

enum {
	VERSION_MAJOR = 2,
	LINK_MASK = 0x03ffffff, /* above: whether frames end in a checksum */
};

struct file_rest { /* behind the magic */
	uint16_t major, minor;
	uint32_t zone, accuracy, longest, link_type;
};

struct record {
	uint32_t seconds, fraction, len, wire_len;
};

static int records_read(struct capture *c, struct source *s, uint32_t link_type, bool swap,
                        uint32_t fraction_ns, uint8_t *bytes)
{
	struct record r;
	uint64_t at;
	size_t n;
	int err;

	for (;;) {
		at = s->offset;
		n = source_take(s, &r, sizeof(r));
		if (!n && !s->why)
			return 0;
		if (n < sizeof(r))
			return capture_damaged(c, s, at, "the file ends within a record header (%zu of "
			                       "%zu bytes)", n, sizeof(r));
		r.len = order32(r.len, swap);
		if (r.len > CAPTURE_MAX_PACKET)
			return capture_damaged(c, s, at, "a record claims %u bytes, no packet has more "
			                       "than %u", r.len, CAPTURE_MAX_PACKET);
		n = source_take(s, bytes, r.len);
		if (n < r.len)
			return capture_damaged(c, s, at, "the file ends within a packet (%zu of %u "
			                       "bytes)", n, r.len);
		err = capture_add_link(c, link_type,
		                       order32(r.seconds, swap) * 1000000000ull +
		                               (uint64_t)order32(r.fraction, swap) * fraction_ns,
		                       bytes, r.len, order32(r.wire_len, swap));
		if (err)
			return err;
	}
}

int pcap_read(struct capture *c, struct source *s, uint32_t magic)
{
	bool swap = magic != PCAP_MICRO && magic != PCAP_NANO;
	uint32_t fraction_ns = order32(magic, swap) == PCAP_MICRO ? 1000 : 1;
	struct file_rest f;
	uint32_t link_type;
	uint8_t *bytes;
	int err;

	if (source_take(s, &f, sizeof(f)) < sizeof(f))
		return capture_damaged(c, s, 0, "the file ends within its header");
	if (order16(f.major, swap) != VERSION_MAJOR)
		return capture_damaged(c, s, 4, "pcap version %u.%u, known is 2.4", order16(f.major, swap),
		                       order16(f.minor, swap));
	link_type = order32(f.link_type, swap) & LINK_MASK;
	if (!link_type_supported(link_type)) {
		snprintf(c->error, sizeof(c->error), "link type %u (%s): Skep reads Ethernet and raw IP",
		         link_type, link_type_name(link_type));
		return -ENOTSUP;
	}
	bytes = malloc(CAPTURE_MAX_PACKET);
	if (!bytes)
		return -ENOMEM;
	err = records_read(c, s, link_type, swap, fraction_ns, bytes);
	free(bytes);
	return err;
}
