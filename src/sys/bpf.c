/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s front: the command table, and the copying of attributes.
 *
 * Attributes may be shorter or longer than ours: what is missing is zero, what is too much must be
 * zero (E2BIG), and so must what lies behind the last field that the command reads (EINVAL).
 *
 * Provides: bpf_command() and the small client_*() helpers. Requires: cmd.def and its handlers.
 */
#include "sys/bpf.h"

#include <errno.h>
#include <string.h>

struct command {
	const char *name;
	int (*handler)(struct call *);
	uint32_t size;
};

static const struct command commands[] = {
#define CMD(number, name, handler, size) [number] = {#name, handler, size},
#define CMD_ABSENT(number, name) [number] = {#name, NULL, 0},
#include "sys/cmd.def"
#undef CMD
#undef CMD_ABSENT
};

enum {
	NCOMMANDS = sizeof(commands) / sizeof(commands[0]),
	ATTR_MAX = 4096, /* one page, as the kernel has it */
	CHUNK = 256,
};
static_assert(NCOMMANDS == 39, "a row for every command of Linux 6.18 and the next release's");

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

int client_zero(struct client *c, uint64_t addr, size_t len)
{
	uint8_t chunk[CHUNK];

	while (len) {
		size_t n = len < sizeof(chunk) ? len : sizeof(chunk);
		int err = client_read(c, chunk, addr, n);

		if (err)
			return err;
		if (!all_zero(chunk, n))
			return -E2BIG;
		addr += n;
		len -= n;
	}
	return 0;
}

int client_string(struct client *c, char *to, uint64_t addr, size_t size)
{
	size_t len = 0;

	while (len < size) {
		/* Never read across a page before its end is known to be needed. */
		size_t n = 4096 - (addr + len) % 4096;
		const char *end;
		int err;

		n = n < size - len ? n : size - len;
		err = client_read(c, to + len, addr + len, n);
		if (err)
			return err;
		end = memchr(to + len, 0, n);
		if (end)
			return (int)(end - to);
		len += n;
	}
	to[size - 1] = '\0';
	return -E2BIG;
}

int client_copy(struct skep *k, struct client *c, uint64_t addr, size_t len, void **out)
{
	void *block = NULL;
	int err;

	if (len) {
		block = k->mem.alloc(k->mem.arg, len);
		if (!block)
			return -ENOMEM;
		err = client_read(c, block, addr, len);
		if (err) {
			mem_free(&k->mem, block);
			return err;
		}
	}
	*out = block;
	return 0;
}

/* The kernel's idea of a letter is that of Latin-1. */
static bool name_char(uint8_t ch)
{
	uint8_t lower = ch | 0x20;

	return (lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.' ||
	       (ch >= 0xc0 && ch != 0xd7 && ch != 0xf7);
}

int name_check(const char name[BPF_OBJ_NAME_LEN])
{
	for (int i = 0; i < BPF_OBJ_NAME_LEN; i++) {
		if (!name[i])
			return 0;
		if (!name_char((uint8_t)name[i]))
			return -EINVAL;
	}
	return -EINVAL;
}

int call_answer(struct call *call, size_t offset, uint32_t value)
{
	return client_write(call->c, call->uattr + offset, &value, sizeof(value));
}

int bpf_command(struct skep *k, struct client *c, int cmd, uint64_t uattr, uint32_t size)
{
	struct call call = {.k = k, .c = c, .uattr = uattr, .usize = size};
	uint32_t known = size < ATTR_SIZE ? size : ATTR_SIZE;
	const struct command *command;
	int err;

	if (size > ATTR_MAX)
		return -E2BIG;
	err = client_zero(c, uattr + known, size - known);
	if (!err)
		err = client_read(c, &call.a, uattr, known);
	if (err)
		return err;
	if (cmd < 0 || cmd >= NCOMMANDS || !commands[cmd].handler)
		return -EINVAL;
	command = &commands[cmd];
	if (!all_zero(call.a.bytes + command->size, ATTR_SIZE - command->size))
		return -EINVAL;
	return command->handler(&call);
}
