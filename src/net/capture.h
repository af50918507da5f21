/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures: pcap and pcapng, read into memory in a form that programs can run on in place, and written.
 *
 *   arena   | headroom | packet 0 | tailroom | headroom | packet 1 | tailroom | ...
 *                      ^ at                             ^ at          slots begin on cache lines
 *
 * Every packet is an Ethernet frame. Those of raw-IP captures get an Ethernet header in front (addresses
 * zero, the ethertype of their IP version), because that is what programs parse.
 *
 * Reading needs no libpcap: that library brings D-Bus and systemd into start-up, says little about where a
 * file is damaged, and refuses pcapng files whose interfaces differ.
 */
#ifndef SKEP_NET_CAPTURE_H
#define SKEP_NET_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	CAPTURE_HEADROOM = 256,
	CAPTURE_TAILROOM = 320,
	CAPTURE_MAX_PACKET = 262144, /* of every capture tool: more is damage */
};

struct packet {
	uint64_t time_ns;  /* since 1970 */
	size_t at;         /* of its first byte in the arena */
	uint32_t len;      /* bytes there are */
	uint32_t wire_len; /* bytes there were */
};

struct capture {
	uint8_t *arena;
	size_t used, size;
	size_t limit; /* of used; 0 becomes half of the machine's memory */
	struct packet *packets;
	size_t n, cap;
	size_t cut;         /* packets of which the capture holds only the beginning */
	size_t skipped;     /* packets of other link types than Ethernet and raw IP */
	uint32_t skipped_link; /* the first such link type */
	char error[200];    /* of capture_read(): one line, no line end */
};

/* Where bytes of a capture come from. */
struct source {
	/* Up to len bytes: how many, 0 at the end; -1 with *why a text that lives as long as the source. */
	long (*read)(void *arg, void *to, size_t len, const char **why);
	void *arg;
	uint64_t offset; /* bytes taken so far, unpacked ones */
	const char *why; /* set once read has failed */
};

/* A descriptor, which stays open, as a source; gzip'd data is unpacked. 0 or -ENOMEM. */
int source_open(struct source *s, int fd);
void source_close(struct source *s);

/*
 * Appends every packet of a source (pcap or pcapng, either byte order) to c, which is all zero at first.
 * 0, or with c->error filled in:
 *   -EINVAL    no capture at all
 *   -EBADMSG   damaged; the packets before the damage are there
 *   -EIO       the source cannot be read further; the packets before are there
 *   -ENOTSUP   a link type other than Ethernet and raw IP
 *   -ENOMEM    or more than half of the machine's memory would be needed
 */
int capture_read(struct capture *c, struct source *from);
/* The same from a descriptor, which stays open; gzip'd data is unpacked. */
int capture_read_fd(struct capture *c, int fd);
/* Appends one frame. 0 or -ENOMEM. */
int capture_add(struct capture *c, uint64_t time_ns, const void *frame, uint32_t len,
                uint32_t wire_len);
/* Makes `to` (all zero) a copy of packets in the same places. 0 or -ENOMEM. */
int capture_copy(struct capture *to, const struct capture *from);
void capture_free(struct capture *c);

/* A name for a pcap link type ("Linux cooked"), or "unknown". */
const char *link_type_name(uint32_t link_type);

/*
 * Writes pcapng: one section, one Ethernet interface with nanoseconds, packets with a comment each
 * (NULL: none). Errors show in ferror() of the stream.
 */
void pcapng_write_head(FILE *to, const char *application);
void pcapng_write_packet(FILE *to, uint64_t time_ns, const void *frame, uint32_t len,
                         uint32_t wire_len, const char *comment);

#endif
