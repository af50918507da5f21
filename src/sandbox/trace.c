/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --log: a line for each served call, in the manner of strace: what was asked, decoded, and the result.
 *
 * Attributes are read again when the call has been served, so that what was written into them shows, too.
 * What a client changes meanwhile, it changes for its own log only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "sandbox/sandbox.h"
#include "sys/attr.h"
#include "sys/bpf.h"

static const char *const names[] = {
#define CALL(name, serve, ...) #name,
#include "sandbox/calls.def"
#undef CALL
};

static const char *const commands[] = {
#define CMD(number, name, handler, size) [number] = #name,
#define CMD_ABSENT(number, name) [number] = #name,
#include "sys/cmd.def"
#undef CMD
#undef CMD_ABSENT
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* A field of a command's attributes: a number, an address, a name in place, the address of a text. */
enum field_kind { FIELD_NUMBER, FIELD_ADDRESS, FIELD_NAME, FIELD_TEXT };

static const struct field {
	uint8_t first, last; /* commands that have it */
	uint8_t kind, offset;
	const char *name;
} fields[] = {
#define F(first, last, type, member, kind) \
	{first, last, FIELD_##kind, offsetof(struct attr_##type, member), #member}
	F(0, 0, map_create, map_type, NUMBER),       F(0, 0, map_create, key_size, NUMBER),
	F(0, 0, map_create, value_size, NUMBER),     F(0, 0, map_create, max_entries, NUMBER),
	F(0, 0, map_create, map_flags, NUMBER),      F(0, 0, map_create, map_name, NAME),
	F(1, 4, map_elem, map_fd, NUMBER),           F(1, 4, map_elem, key, ADDRESS),
	F(1, 2, map_elem, value, ADDRESS),           F(1, 2, map_elem, flags, NUMBER),
	F(5, 5, prog_load, prog_type, NUMBER),       F(5, 5, prog_load, insn_cnt, NUMBER),
	F(5, 5, prog_load, license, TEXT),           F(5, 5, prog_load, prog_flags, NUMBER),
	F(5, 5, prog_load, prog_name, NAME),         F(5, 5, prog_load, expected_attach_type, NUMBER),
	F(5, 5, prog_load, prog_btf_fd, NUMBER),     F(5, 5, prog_load, attach_btf_id, NUMBER),
	F(6, 7, obj, pathname, TEXT),                F(6, 7, obj, bpf_fd, NUMBER),
	F(6, 7, obj, file_flags, NUMBER),            F(8, 9, attach, target, NUMBER),
	F(8, 9, attach, attach_bpf_fd, NUMBER),      F(8, 9, attach, attach_type, NUMBER),
	F(8, 9, attach, attach_flags, NUMBER),       F(10, 10, test_run, prog_fd, NUMBER),
	F(10, 10, test_run, retval, NUMBER),         F(10, 10, test_run, data_size_in, NUMBER),
	F(10, 10, test_run, data_size_out, NUMBER),  F(10, 10, test_run, repeat, NUMBER),
	F(11, 12, id, id, NUMBER),                   F(11, 12, id, next_id, NUMBER),
	F(13, 14, id, id, NUMBER),                   F(15, 15, info, bpf_fd, NUMBER),
	F(15, 15, info, info_len, NUMBER),           F(15, 15, info, info, ADDRESS),
	F(16, 16, query, target, NUMBER),            F(16, 16, query, attach_type, NUMBER),
	F(16, 16, query, query_flags, NUMBER),       F(16, 16, query, count, NUMBER),
	F(17, 17, raw_tracepoint, name, TEXT),       F(17, 17, raw_tracepoint, prog_fd, NUMBER),
	F(18, 18, btf_load, btf, ADDRESS),           F(18, 18, btf_load, btf_size, NUMBER),
	F(19, 19, id, id, NUMBER),                   F(20, 20, task_fd_query, pid, NUMBER),
	F(20, 20, task_fd_query, fd, NUMBER),        F(20, 20, task_fd_query, prog_id, NUMBER),
	F(21, 21, map_elem, map_fd, NUMBER),         F(21, 21, map_elem, key, ADDRESS),
	F(21, 21, map_elem, value, ADDRESS),         F(22, 22, map_elem, map_fd, NUMBER),
	F(23, 23, id, id, NUMBER),                   F(23, 23, id, next_id, NUMBER),
	F(24, 27, map_batch, map_fd, NUMBER),        F(24, 27, map_batch, count, NUMBER),
	F(24, 27, map_batch, keys, ADDRESS),         F(24, 27, map_batch, values, ADDRESS),
	F(28, 28, link_create, prog_fd, NUMBER),     F(28, 28, link_create, target, NUMBER),
	F(28, 28, link_create, attach_type, NUMBER), F(28, 28, link_create, flags, NUMBER),
	F(29, 29, link_update, link_fd, NUMBER),     F(29, 29, link_update, new_fd, NUMBER),
	F(29, 29, link_update, flags, NUMBER),       F(30, 30, id, id, NUMBER),
	F(31, 31, id, id, NUMBER),                   F(31, 31, id, next_id, NUMBER),
	F(32, 32, enable_stats, type, NUMBER),       F(33, 34, link_fd, link_fd, NUMBER),
	F(35, 35, bind_map, prog_fd, NUMBER),        F(35, 35, bind_map, map_fd, NUMBER),
#undef F
};

/* What a client wrote goes into the log as letters only. */
static void print_text(FILE *f, const char *text, size_t size)
{
	fputc('"', f);
	for (size_t i = 0; i < size && text[i]; i++)
		if (text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\')
			fputc(text[i], f);
		else
			fprintf(f, "\\x%02x", (unsigned char)text[i]);
	fputc('"', f);
}

static void print_remote_text(FILE *f, struct remote *r, uint64_t addr)
{
	char text[128];
	int len = client_string(&r->client, text, addr, sizeof(text));

	if (len < 0 && len != -E2BIG)
		fprintf(f, "%#llx", (unsigned long long)addr);
	else
		print_text(f, text, sizeof(text));
}

static void print_field(FILE *f, struct remote *r, const struct field *d, const uint8_t *attr)
{
	uint64_t wide;
	uint32_t word;

	memcpy(&wide, attr + d->offset, sizeof(wide));
	memcpy(&word, attr + d->offset, sizeof(word));
	switch ((enum field_kind)d->kind) {
	case FIELD_NUMBER:
		fprintf(f, "%s=%u", d->name, word);
		break;
	case FIELD_ADDRESS:
		fprintf(f, "%s=%#llx", d->name, (unsigned long long)wide);
		break;
	case FIELD_NAME:
		fprintf(f, "%s=", d->name);
		print_text(f, (const char *)attr + d->offset, BPF_OBJ_NAME_LEN);
		break;
	case FIELD_TEXT:
		fprintf(f, "%s=", d->name);
		print_remote_text(f, r, wide);
	}
}

static void print_bpf(FILE *f, struct remote *r, const struct seccomp_data *call)
{
	unsigned cmd = (unsigned)call->args[0];
	uint32_t size = (uint32_t)call->args[2];
	uint8_t attr[ATTR_SIZE + 8] = {0};
	bool first = true;

	if (cmd < NCOMMANDS && commands[cmd])
		fprintf(f, "BPF_%s, ", commands[cmd]);
	else
		fprintf(f, "%u, ", cmd);
	if (client_read(&r->client, attr, call->args[1], size < ATTR_SIZE ? size : ATTR_SIZE) != 0) {
		fprintf(f, "%#llx, %u", (unsigned long long)call->args[1], size);
		return;
	}
	fputc('{', f);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (cmd < fields[i].first || cmd > fields[i].last)
			continue;
		if (!first)
			fputs(", ", f);
		first = false;
		print_field(f, r, &fields[i], attr);
	}
	fprintf(f, "}, %u", size);
}

/* Which argument is a name, if any. */
static int name_argument(int nr)
{
	switch (nr) {
	case __NR_openat:
	case __NR_unlinkat:
	case __NR_mkdirat:
	case __NR_mount:
		return 1;
#ifdef __NR_open
	case __NR_open:
	case __NR_unlink:
#endif
	case __NR_statfs:
		return 0;
	}
	return -1;
}

static void print_result(FILE *f, int64_t result)
{
	if (result < 0) {
		const char *name = strerrorname_np((int)-result);

		fprintf(f, ") = -1 %s (%s)\n", name ? name : "ENOTSUPP", strerror((int)-result));
	} else {
		fprintf(f, ") = %lld\n", (long long)result);
	}
}

void trace_call(struct sandbox *s, struct remote *r, int row, const struct seccomp_data *call,
                int64_t result)
{
	int text = name_argument(call->nr);

	pthread_mutex_lock(&s->log_lock);
	fprintf(s->log, "[%d] %s(", (int)r->tid, names[row]);
	if (call->nr == __NR_bpf) {
		print_bpf(s->log, r, call);
	} else {
		for (int i = 0; i < 4; i++) {
			fputs(i ? ", " : "", s->log);
			if (i == text)
				print_remote_text(s->log, r, call->args[i]);
			else
				fprintf(s->log, "%#llx", (unsigned long long)call->args[i]);
		}
	}
	print_result(s->log, result);
	pthread_mutex_unlock(&s->log_lock);
}
