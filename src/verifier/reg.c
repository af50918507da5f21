/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers: making them hold something, and what their kinds are called. */
#include "verifier/reg.h"

#include <stdio.h>
#include <string.h>

#include "verifier/step.h"

void reg_set_none(struct reg *r)
{
	memset(r, 0, sizeof(*r));
	scalar_set_unknown(&r->s);
}

void reg_set_unknown(struct reg *r)
{
	memset(r, 0, sizeof(*r));
	r->kind = REG_SCALAR;
	scalar_set_unknown(&r->s);
}

void reg_set_const(struct reg *r, uint64_t value)
{
	memset(r, 0, sizeof(*r));
	r->kind = REG_SCALAR;
	scalar_set_const(&r->s, value);
}

void reg_set_pointer(struct reg *r, enum reg_kind kind, uint32_t flags)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->flags = flags;
}

void reg_known_zero(struct reg *r)
{
	scalar_set_const(&r->s, 0);
}

static const char *const kind_names[REG_KINDS] = {
	[REG_NONE] = "?",
	[REG_SCALAR] = "scalar",
	[REG_CTX] = "ctx",
	[REG_MAP] = "map_ptr",
	[REG_MAP_VALUE] = "map_value",
	[REG_MAP_KEY] = "map_key",
	[REG_STACK] = "fp",
	[REG_PACKET_META] = "pkt_meta",
	[REG_PACKET] = "pkt",
	[REG_PACKET_END] = "pkt_end",
	[REG_FLOW_KEYS] = "flow_keys",
	[REG_SOCKET] = "sock",
	[REG_SOCK_COMMON] = "sock_common",
	[REG_TCP_SOCK] = "tcp_sock",
	[REG_TP_BUFFER] = "tp_buffer",
	[REG_XDP_SOCK] = "xdp_sock",
	[REG_BTF_ID] = "ptr_",
	[REG_MEM] = "mem",
	[REG_ARENA] = "arena",
	[REG_BUF] = "buf",
	[REG_FUNC] = "func",
	[REG_DYNPTR] = "dynptr_ptr",
};

const char *reg_kind_name(enum reg_kind kind, uint32_t flags, char *text, size_t size)
{
	const char *null = !(flags & REG_NULLABLE) ? ""
	                   : kind == REG_BTF_ID    ? "or_null_"
	                                           : "_or_null";

	snprintf(text, size, "%s%s%s%s%s%s%s%s%s", flags & REG_RDONLY ? "rdonly_" : "",
	         flags & REG_RINGBUF ? "ringbuf_" : "", flags & REG_USER ? "user_" : "",
	         flags & REG_PERCPU ? "percpu_" : "", flags & REG_UNTRUSTED ? "untrusted_" : "",
	         flags & REG_TRUSTED ? "trusted_" : "", flags & REG_RCU ? "rcu_" : "",
	         kind_names[kind], null);
	return text;
}

/* Lives as long as v: a message names two at most. */
const char *reg_kind_text(struct verifier *v, const struct reg *r)
{
	char *text = v->kind_text[v->kind_text_at++ % 2];

	return reg_kind_name(r->kind, r->flags, text, sizeof(v->kind_text[0]));
}
