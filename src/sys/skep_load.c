/* SPDX-License-Identifier: BSD-2-Clause */
/* skep_load(): BPF_PROG_LOAD for who has instructions and maps, and no descriptors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/hook.h"
#include "core/prog.h"
#include "skep.h"
#include "skep_hook.h"
#include "sys/attr.h"
#include "sys/handle.h"
#include "sys/say.h"

enum { PROG_LOAD = 5, MAPS_MAX = 64, LOG = 65536 };

/* The last line but statistics: why the verifier refused. */
static void last_line(char *log, char *to, size_t size)
{
	char *line, *best = NULL, *rest = NULL;

	for (line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "processed ", 10) != 0)
			best = line;
	snprintf(to, size, "%s", best ? best : "");
}

static int fds_of(const struct skep_load *l, int32_t *fds)
{
	for (uint32_t i = 0; i < l->nmaps; i++) {
		fds[i] = skep_map_fd(l->maps[i]);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

static int load(struct skep *k, const struct skep_load *l, const int32_t *fds, char *log, size_t size,
                uint32_t level)
{
	union attr a = {.prog_load = {
		.prog_type = l->type,
		.expected_attach_type = l->attach_type,
		.insns = (uintptr_t)l->insns,
		.insn_cnt = l->ninsns,
		.license = (uintptr_t)(l->license ? l->license : ""),
		.prog_flags = l->flags,
		.fd_array = l->nmaps ? (uintptr_t)fds : 0,
		.log_buf = log ? (uintptr_t)log : 0,
		.log_size = log ? (uint32_t)size : 0,
		.log_level = log ? level : 0,
	}};

	if (l->name)
		memcpy(a.prog_load.prog_name, l->name, strlen(l->name));
	return skep_bpf(k, PROG_LOAD, &a, sizeof(a));
}

static int explain(struct skep *k, const struct skep_load *l, const int32_t *fds, int err, char *message)
{
	char *log = mem_zalloc(&k->mem, LOG), line[128] = "";

	/* Once more, for the reason. */
	if (log && load(k, l, fds, log, LOG, 1) < 0)
		last_line(log, line, sizeof(line));
	mem_free(&k->mem, log);
	if (line[0])
		return say(k, message, err, "program %s is refused: %s", l->name ? l->name : "without name", line);
	if (!hook_find(k, l->type))
		return say(k, message, err, "there is no program type 0x%x: add it first (skep_type_add())",
		           l->type);
	if (!hook_attach_type_ok(hook_find(k, l->type), l->attach_type))
		return say(k, message, err, "%s: attach type 0x%x is unknown: name it in the type's "
		                            "attach_types", hook_find(k, l->type)->name, l->attach_type);
	return say(k, message, err, "program %s is refused: %s", l->name ? l->name : "without name",
	           err == -E2BIG    ? "it has no instructions, or too many"
	           : err == -ENOMEM ? "no memory"
	                            : "its name, flags or maps are not in order");
}

int skep_load(struct skep *k, const struct skep_load *l, struct skep_prog **out, char message[256])
{
	int32_t fds[MAPS_MAX];
	int fd, err;

	if (is_fork(k))
		return say_fork(k, message);
	if (l->size != sizeof(*l))
		return say(k, message, -EINVAL, "struct skep_load of %zu bytes is not this library's (%zu): "
		                                "set size, and compile against the skep.h of libskep %s",
		           l->size, sizeof(*l), SKEP_VERSION);
	if (l->nmaps > MAPS_MAX || (l->name && strlen(l->name) >= BPF_OBJ_NAME_LEN))
		return say(k, message, -EINVAL, "a program has up to %d maps, and a name of up to %d "
		                                "characters: shorten it", MAPS_MAX, BPF_OBJ_NAME_LEN - 1);
	memset(fds, -1, sizeof(fds));
	fd = fds_of(l, fds);
	if (!fd)
		fd = load(k, l, fds, l->log, l->log_size, l->log_level ? l->log_level : 1);
	err = fd < 0 ? explain(k, l, fds, fd, message) : skep_prog_from_fd(k, fd, out);
	for (uint32_t i = 0; i < l->nmaps; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (fd >= 0)
		close(fd);
	return err;
}
