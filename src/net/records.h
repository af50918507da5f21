/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures record by record, in constant memory: of any link type, and as they stand in the file, so that
 * those which are wanted can be copied out byte for byte. (capture.h reads whole captures for programs.)
 *
 *   struct records r;
 *   records_open(&r, fd);  while (records_next(&r, &rec) > 0) ...;  records_close(&r);
 */
#ifndef SKEP_NET_RECORDS_H
#define SKEP_NET_RECORDS_H

#include <stdbool.h>

#include "net/capture.h"

struct record {
	const uint8_t *raw; /* the record as it stands in the file; valid until the next call */
	size_t raw_len;
	bool packet; /* the following hold; else it is a header, or a block of another kind */
	const uint8_t *data;
	uint32_t len, wire_len;
	uint32_t link_type; /* as in the registry of pcap formats */
	uint64_t time_ns;
};

struct records {
	struct source from;
	uint8_t *buffer;
	size_t at, len, size; /* of the buffer: read up to, filled up to */
	uint64_t base;        /* where buffer[0] is in the file */
	bool ng, swap, started;
	uint32_t fraction_ns; /* of a classic capture */
	struct records_if {
		uint32_t link_type, longest;
		uint8_t resolution;
		int64_t offset;
	} *ifs;
	uint32_t nifs, ifs_cap;
	uint64_t packets;
	char error[200]; /* one line */
};

/* 0 or -ENOMEM. The descriptor stays open. */
int records_open(struct records *r, int fd);
/*
 * 1, 0 at the end, or with r->error filled in -EINVAL (no capture), -EBADMSG (damaged), -EIO, -ENOMEM. The
 * first record is the file's header.
 */
int records_next(struct records *r, struct record *rec);
/*
 * The link type of the first interface, once a record has been read, which may stand in the records to come:
 * `otherwise` where none is within reach.
 */
uint32_t records_link_type(struct records *r, uint32_t otherwise);
void records_close(struct records *r);

#endif
