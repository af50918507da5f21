/* SPDX-License-Identifier: BSD-2-Clause */
/* See pending.h. */
#include "pending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
	"# Cases in which Skep's verdict, errno or last log line is not yet the kernel's. Work off, then\n"
	"# write this anew: see tests/verifier/meson.build, run target pending.\n";

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void pending_add(struct pending *p, const char *name)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->names = realloc(p->names, p->cap * sizeof(*p->names));
	}
	p->names[p->n++] = strdup(name);
}

bool pending_read(struct pending *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];

	if (!f)
		return errno == ENOENT;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#')
			pending_add(p, line);
	}
	fclose(f);
	return true;
}

bool pending_write(struct pending *p, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return false;
	}
	qsort(p->names, p->n, sizeof(*p->names), by_name);
	fputs(head, f);
	for (size_t i = 0; i < p->n; i++)
		fprintf(f, "%s\n", p->names[i]);
	return fclose(f) == 0;
}

bool pending_has(const struct pending *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->names[i], name))
			return true;
	return false;
}

void pending_free(struct pending *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->names[i]);
	free(p->names);
}
