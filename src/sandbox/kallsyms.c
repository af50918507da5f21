/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms: the host's symbols, and behind them those of the sandbox's programs, as the kernel names
 * them: bpf_prog_TAG_NAME, a line for each function.
 */
#define _GNU_SOURCE
#include "sandbox/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/btf.h"
#include "core/prog.h"

static const char *func_name(const struct prog *p, uint32_t i)
{
	const struct btf_type *t = p->btf ? btf_type(&p->btf->data, p->funcs[i].btf_type_id) : NULL;
	const char *name = t ? btf_string(&p->btf->data, t->name) : NULL;

	return name && name[0] ? name : i ? "F" : p->name;
}

static void put_prog(FILE *f, const struct prog *p)
{
	uint8_t tag[BPF_TAG_SIZE];

	if (!p->code)
		return;
	prog_tag(p->orig, p->norig, tag);
	for (uint32_t i = 0; i < p->nfuncs; i++) {
		fprintf(f, "%016llx t bpf_prog_", (unsigned long long)(uintptr_t)p->code + p->funcs[i].code_at);
		for (unsigned b = 0; b < sizeof(tag); b++)
			fprintf(f, "%02x", tag[b]);
		fprintf(f, "_%s\t[bpf]\n", func_name(p, i));
	}
}

static void put_host(int to)
{
	int from = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t n;

	while (from >= 0 && (n = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)n) != n)
			break;
	if (from >= 0)
		close(from);
}

int kallsyms_write(struct skep *k, int fd)
{
	FILE *f;
	uint32_t id = 0;
	int copy;

	put_host(fd);
	copy = dup(fd);
	f = copy < 0 ? NULL : fdopen(copy, "a");
	if (!f) {
		if (copy >= 0)
			close(copy);
		return -errno;
	}
	while ((id = obj_next_id(k, OBJ_PROG, id))) {
		struct obj *o = obj_by_id(k, OBJ_PROG, id);

		if (!o)
			continue;
		put_prog(f, prog_of(o));
		obj_put(o);
	}
	return fclose(f) == 0 ? 0 : -EIO;
}
