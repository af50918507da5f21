/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netlink messages: reading attributes, and making messages. Layout: <linux/netlink.h>, netlink(7).
 *
 * What is read came from a client: every length is checked before it is used.
 */
#ifndef SKEP_SANDBOX_NL_H
#define SKEP_SANDBOX_NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attributes of a message or of a nest: bytes that are known to be there. */
struct nl_attrs {
	const uint8_t *at;
	size_t len;
};

struct nl_attr {
	unsigned type; /* without NLA_F_NESTED and the like */
	const uint8_t *data;
	size_t len;
	size_t whole; /* header and padding included */
};

/* The next attribute; false: no more, or what is there makes no sense. */
bool nl_next(struct nl_attrs *from, struct nl_attr *a);
/* The last one of this type; false: there is none. */
bool nl_find(struct nl_attrs from, unsigned type, struct nl_attr *a);
bool nl_u32(struct nl_attrs from, unsigned type, uint32_t *value);
/* A string, cut to fit. */
bool nl_text(struct nl_attrs from, unsigned type, char *to, size_t size);
static inline struct nl_attrs nl_nest(const struct nl_attr *a)
{
	return (struct nl_attrs){a->data, a->len};
}
/* What stands behind a message's own header of `fixed` bytes. */
struct nl_attrs nl_attrs_of(const struct nlmsghdr *h, size_t fixed);

/* Messages that are being made, one behind the other. */
struct nl_out {
	uint8_t *data; /* malloc()ed */
	size_t len, room;
	bool failed; /* no memory: what is there is of no use */
};

/* Each answers the place of its header, for the call that ends it. */
size_t nl_begin(struct nl_out *o, const struct nlmsghdr *like, uint16_t type, uint16_t flags,
                const void *fixed, size_t size);
void nl_end(struct nl_out *o, size_t message);
size_t nl_open(struct nl_out *o, unsigned type);
void nl_close(struct nl_out *o, size_t nest);
void nl_put(struct nl_out *o, unsigned type, const void *data, size_t len);
void nl_put_u32(struct nl_out *o, unsigned type, uint32_t value);
void nl_put_text(struct nl_out *o, unsigned type, const char *text);
/* Bytes as they are. */
void nl_raw(struct nl_out *o, const void *data, size_t len);

#endif
