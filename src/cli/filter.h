/* SPDX-License-Identifier: BSD-2-Clause */
/* skep filter and skep seccomp: what their files share. */
#ifndef SKEP_CLI_FILTER_H
#define SKEP_CLI_FILTER_H

#include <skep.h>
#include <skep_cbpf.h>

#include "cli/cli.h"
#include "net/records.h"

struct filter {
	struct skep_cbpf_insn *insns;
	size_t n;
	enum skep_cbpf_kind kind;
	uint32_t link_type;
	const char *name; /* for messages: a path, or "the expression" */
};

struct filter_options {
	const char *expression, *file, *asm_file;
	const char *pcap, *out, *explain;
	const char *link_name; /* -y */
	const char *ebpf;      /* --ebpf's target, or NULL */
	int form;              /* enum skep_cbpf_form, or -1 */
	unsigned lists;        /* -d so many times */
	bool jited, debug, count, no_optimizer, json;
};

/* Each answers 0, or the exit code after a message. */

/* filter_load.c: from a file in any form; it need not pass filter_check(). */
int filter_read(const char *path, enum skep_cbpf_form form, enum skep_cbpf_kind kind, struct filter *f);
/* By libpcap, for a link type of captures. */
int filter_compile(const char *expression, bool optimize, struct filter *f);
/* -y NAME. */
int filter_link(const char *name, uint32_t *link_type);
int filter_check(struct filter *f);
void filter_free(struct filter *f);
/* libpcap's name of a link type ("EN10MB"), or NULL. */
const char *filter_link_name(uint32_t link_type);

/* filter_run.c: over the capture behind `r`, of which `first` was read. */
int filter_run(const struct filter_options *o, const struct filter *f, struct records *r,
               const struct record *first);

/* filter_show.c */
int filter_show(const struct filter_options *o, const struct filter *f);

/* filter_packets.c: a capture in memory, for those who walk about in it. */
struct filter_packets {
	struct filter_packet {
		uint8_t *data;
		uint32_t len, wire_len;
	} *of;
	size_t n, cap;
	uint32_t link_type;
};

/* The link type of the packets in a capture; stays as it is where the capture is standard input. */
int filter_peek_link(const char *path, uint32_t *link_type);
int filter_packets_read(const char *path, struct filter_packets *p);
void filter_packets_free(struct filter_packets *p);
/* The packet with the bytes [at, at + size) marked. */
void filter_dump(const uint8_t *data, uint32_t len, uint32_t at, uint32_t size);

/* filter_debug.c */
int filter_debug(struct filter *f, const struct filter_options *o);
int filter_explain(const struct filter *f, const struct filter_options *o);

#endif
