/* SPDX-License-Identifier: BSD-2-Clause */
/* Netlink messages: see nl.h. */
#include "sandbox/nl.h"

#include <stdlib.h>
#include <string.h>

bool nl_next(struct nl_attrs *from, struct nl_attr *a)
{
	struct nlattr h;

	if (from->len < sizeof(h))
		return false;
	memcpy(&h, from->at, sizeof(h));
	if (h.nla_len < sizeof(h) || h.nla_len > from->len)
		return false;
	a->type = h.nla_type & NLA_TYPE_MASK;
	a->data = from->at + sizeof(h);
	a->len = h.nla_len - sizeof(h);
	a->whole = (size_t)NLA_ALIGN(h.nla_len);
	if (a->whole > from->len)
		a->whole = from->len;
	from->at += a->whole;
	from->len -= a->whole;
	return true;
}

bool nl_find(struct nl_attrs from, unsigned type, struct nl_attr *a)
{
	struct nl_attr each;
	bool found = false;

	while (nl_next(&from, &each)) {
		if (each.type != type)
			continue;
		*a = each;
		found = true;
	}
	return found;
}

bool nl_u32(struct nl_attrs from, unsigned type, uint32_t *value)
{
	struct nl_attr a;

	if (!nl_find(from, type, &a) || a.len < sizeof(*value))
		return false;
	memcpy(value, a.data, sizeof(*value));
	return true;
}

bool nl_text(struct nl_attrs from, unsigned type, char *to, size_t size)
{
	struct nl_attr a;
	size_t len;

	if (!nl_find(from, type, &a))
		return false;
	len = strnlen((const char *)a.data, a.len < size - 1 ? a.len : size - 1);
	memcpy(to, a.data, len);
	to[len] = '\0';
	return true;
}

struct nl_attrs nl_attrs_of(const struct nlmsghdr *h, size_t fixed)
{
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

	if (h->nlmsg_len <= at)
		return (struct nl_attrs){NULL, 0};
	return (struct nl_attrs){(const uint8_t *)h + at, h->nlmsg_len - at};
}

/* --- Making ------------------------------------------------------------------------------- */

/* Room for len bytes and what aligns them, all zero; NULL: no memory. */
static uint8_t *grow(struct nl_out *o, size_t len)
{
	size_t want = o->len + NLMSG_ALIGN(len);
	uint8_t *at;

	if (want > o->room) {
		size_t room = o->room ? o->room * 2 : 512;
		uint8_t *bigger;

		while (room < want)
			room *= 2;
		bigger = o->failed ? NULL : realloc(o->data, room);
		if (!bigger) {
			o->failed = true;
			return NULL;
		}
		o->data = bigger;
		o->room = room;
	}
	at = o->data + o->len;
	memset(at, 0, NLMSG_ALIGN(len));
	o->len = want;
	return at;
}

void nl_raw(struct nl_out *o, const void *data, size_t len)
{
	uint8_t *at = grow(o, len);

	if (at && len)
		memcpy(at, data, len);
}

size_t nl_begin(struct nl_out *o, const struct nlmsghdr *like, uint16_t type, uint16_t flags,
                const void *fixed, size_t size)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = like->nlmsg_seq,
	                     .nlmsg_pid = like->nlmsg_pid};
	size_t at = o->len;

	nl_raw(o, &h, sizeof(h));
	nl_raw(o, fixed, size);
	return at;
}

void nl_end(struct nl_out *o, size_t message)
{
	uint32_t len = (uint32_t)(o->len - message);

	if (!o->failed)
		memcpy(o->data + message, &len, sizeof(len));
}

size_t nl_open(struct nl_out *o, unsigned type)
{
	struct nlattr h = {.nla_type = (uint16_t)type};
	size_t at = o->len;

	nl_raw(o, &h, sizeof(h));
	return at;
}

void nl_close(struct nl_out *o, size_t nest)
{
	uint16_t len = (uint16_t)(o->len - nest);

	if (!o->failed)
		memcpy(o->data + nest, &len, sizeof(len));
}

void nl_put(struct nl_out *o, unsigned type, const void *data, size_t len)
{
	struct nlattr h = {.nla_type = (uint16_t)type, .nla_len = (uint16_t)(sizeof(h) + len)};

	nl_raw(o, &h, sizeof(h));
	nl_raw(o, data, len);
}

void nl_put_u32(struct nl_out *o, unsigned type, uint32_t value)
{
	nl_put(o, type, &value, sizeof(value));
}

void nl_put_text(struct nl_out *o, unsigned type, const char *text)
{
	nl_put(o, type, text, strlen(text) + 1);
}
