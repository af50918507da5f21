/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the readers of the two capture formats share.
 */
#ifndef SKEP_NET_READER_H
#define SKEP_NET_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/capture.h"

/* Link types, as in the registry of pcap formats. */
enum {
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
};

bool link_type_supported(uint32_t link_type);

/* Reads exactly len bytes; answers how many there were (fewer at the end or on an error). */
size_t source_take(struct source *s, void *to, size_t len);

/* Notes what is wrong, with position, and answers -EBADMSG, or -EIO where the source failed. */
int capture_damaged(struct capture *c, const struct source *s, uint64_t offset, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/* Appends a packet as it stands in a capture of this link type. 0 or -ENOMEM. */
int capture_add_link(struct capture *c, uint32_t link_type, uint64_t time_ns, const void *bytes,
                     uint32_t len, uint32_t wire_len);

static inline uint32_t order32(uint32_t value, bool swap)
{
	return swap ? __builtin_bswap32(value) : value;
}

static inline uint16_t order16(uint16_t value, bool swap)
{
	return swap ? __builtin_bswap16(value) : value;
}

enum {
	PCAP_MICRO = 0xa1b2c3d4u,
	PCAP_NANO = 0xa1b23c4du,
	PCAPNG_SECTION = 0x0a0d0d0au, /* the same in both orders */
};

/* Each continues behind the file's first four bytes. Errors as capture_read(). */
int pcap_read(struct capture *c, struct source *s, uint32_t magic);
int pcapng_read(struct capture *c, struct source *s);

#endif
