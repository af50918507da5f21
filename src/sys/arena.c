/* SPDX-License-Identifier: BSD-2-Clause */
/* See arena.h: /proc/PID/maps shows where a file is mapped. */
#include "sys/arena.h"

#include <stdio.h>
#include <sys/stat.h>

#include "core/arena.h"

/* The first address at which the start of this file is mapped, but for ours, or 0. */
static uint64_t mapped_at(FILE *maps, ino_t inode, uint64_t ours)
{
	unsigned long start, offset, number;
	char line[512];

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %*s %lx %*s %lu", &start, &offset, &number) == 3 &&
		    number == inode && !offset && start != ours)
			return start;
	return 0;
}

void arena_find_user(const struct client *c, struct map *m)
{
	char path[32] = "/proc/self/maps";
	uint64_t start = 0;
	struct stat st;
	FILE *maps;

	if (!m->ops->arena || arena_of(m)->user_start)
		return;
	if (c->pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", c->pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	if (fstat(m->pages.fd, &st) == 0)
		start = mapped_at(maps, st.st_ino, c->pid ? 0 : (uintptr_t)m->pages.base);
	fclose(maps);
	/* Where it cannot be, the verifier says what is missing. */
	if (start)
		(void)m->ops->arena->place(arena_of(m), start);
}
