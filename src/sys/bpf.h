/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2): one call, dispatched by the table in cmd.def.
 *
 * A handler receives the attributes already copied, zero-extended and with everything behind its
 * last field known to be zero. It answers a non-negative number (0 or a descriptor) or a negative
 * errno.
 */
#ifndef SKEP_SYS_BPF_H
#define SKEP_SYS_BPF_H

#include "core/core.h"
#include "core/obj.h"
#include "sys/attr.h"
#include "sys/client.h"

struct map;
struct prog;
struct btf;
struct fault;

struct call {
	struct skep *k;
	struct client *c;
	uint64_t uattr; /* where the caller keeps its attributes, for answers written into them */
	uint32_t usize;
	union attr a;
};

/* One bpf(2): attributes of size bytes at uattr in the client's memory. */
int bpf_command(struct skep *k, struct client *c, int cmd, uint64_t uattr, uint32_t size);

/* Handlers: rows of cmd.def. */
#define CMD(number, name, handler, size) int handler(struct call *);
#define CMD_ABSENT(number, name)
#include "sys/cmd.def"
#undef CMD
#undef CMD_ABSENT

/* Writes a 32-bit answer into the caller's attributes at this offset. 0 or -EFAULT. */
int call_answer(struct call *call, size_t offset, uint32_t value);

static inline int client_read(struct client *c, void *to, uint64_t addr, size_t len)
{
	return len ? c->ops->read(c, to, addr, len) : 0;
}
static inline int client_write(struct client *c, uint64_t addr, const void *from, size_t len)
{
	return len ? c->ops->write(c, addr, from, len) : 0;
}
/* Are the caller's len bytes at addr all zero? 0, -E2BIG (no) or -EFAULT. */
int client_zero(struct client *c, uint64_t addr, size_t len);
/*
 * A string of less than size bytes. Its length, -E2BIG (longer: `to` holds what fits) or -EFAULT.
 */
int client_string(struct client *c, char *to, uint64_t addr, size_t size);
/*
 * Copies len bytes into a new block of the kernel's memory. 0, -ENOMEM, -EFAULT; *out NULL for 0
 * bytes.
 */
int client_copy(struct skep *k, struct client *c, uint64_t addr, size_t len, void **out);

/* Tells the embedder what the checked engine found. */
void fault_report(struct skep *k, struct fault *f);

/* An object name: letters, digits, _ and . with a NUL behind. Copies it; 0 or -EINVAL. */
int name_check(const char name[BPF_OBJ_NAME_LEN]);

#endif
