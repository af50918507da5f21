/* SPDX-License-Identifier: BSD-2-Clause */
/* Section "start": how long the command takes to start, how large the library is, what it links. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "sections.h"

extern char **environ;

/* Runs a command with its output thrown away. 0, or -errno, or its exit code. */
static int run_command(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status, err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static double run_commands(void *arg, uint64_t repeat)
{
	double start = clock_ns();

	while (repeat--)
		if (run_command(arg))
			return -1;
	return clock_ns() - start;
}

static void time_starts(struct bench *b)
{
	char skep[4096];
	char *skep_argv[] = {skep, "--version", NULL}, *true_argv[] = {"/bin/true", NULL};
	struct subject subject[] = {
		{.run = run_commands, .arg = skep_argv}, {.run = run_commands, .arg = true_argv},
	};
	const struct plan plan = {.rounds = b->plan.rounds * 3, .slice = b->plan.slice};
	json_t *json = report_row(b, "start");

	snprintf(skep, sizeof(skep), "%s/../skep", b->dir);
	measure(subject, 2, &plan);
	printf("\nskep --version %.0f us, /bin/true %.0f us\n", subject[0].median / 1000,
	       subject[1].median / 1000);
	report_number(json, "skep_ns", subject[0].median);
	report_number(json, "true_ns", subject[1].median);
	target_most(b, "skep --version / /bin/true", subject[0].median / subject[1].median, 3, "x");
}

/* The shared library with symbols and debug information removed: its size in bytes, NAN: failed. */
static double stripped_size(const char *path)
{
	char copy[] = "/tmp/skep-bench-XXXXXX";
	char *argv[] = {"strip", "-o", copy, (char *)path, NULL};
	int fd = mkstemp(copy);
	struct stat st;
	double size = NAN;

	if (fd < 0)
		return NAN;
	close(fd);
	if (!run_command(argv) && !stat(copy, &st))
		size = (double)st.st_size;
	unlink(copy);
	return size;
}

/*
 * Prints the DT_NEEDED entries of a 64-bit shared object; answers how many are not the C library.
 */
static double list_needed(json_t *json, const char *base, size_t size)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)base;
	const Elf64_Shdr *section = (const Elf64_Shdr *)(base + elf->e_shoff);
	json_t *list = json_array();
	double others = 0;

	for (unsigned i = 0; i < elf->e_shnum; i++) {
		const Elf64_Dyn *dyn = (const Elf64_Dyn *)(base + section[i].sh_offset);
		const char *names;

		if (section[i].sh_type != SHT_DYNAMIC)
			continue;
		names = base + section[section[i].sh_link].sh_offset;
		for (; dyn->d_tag != DT_NULL; dyn++) {
			if (dyn->d_tag != DT_NEEDED)
				continue;
			printf(" %s", names + dyn->d_un.d_val);
			json_array_append_new(list, json_string(names + dyn->d_un.d_val));
			others += strcmp(names + dyn->d_un.d_val, "libc.so.6") != 0;
		}
	}
	json_object_set_new(json, "needs", list);
	return others;
}

static void look_at_library(struct bench *b)
{
	char path[4096];
	json_t *json = report_row(b, "library");
	struct stat st;
	double size, others = NAN;
	int fd;
	char *base;

	snprintf(path, sizeof(path), "%s/../libskep.so", b->dir);
	size = stripped_size(path);
	report_number(json, "stripped_bytes", size);
	printf("libskep.so: %.0f bytes stripped, needs", size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st)) {
		base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (base != MAP_FAILED) {
			others = list_needed(json, base, (size_t)st.st_size);
			munmap(base, (size_t)st.st_size);
		}
	}
	if (fd >= 0)
		close(fd);
	printf("\n");
	target_most(b, "libskep.so, stripped", size / 1000, 1000, "kB");
	target_most(b, "libraries that libskep.so needs beside libc", others, 0, "");
}

void section_start(struct bench *b)
{
	if (!bench_wants(b, "start"))
		return;
	time_starts(b);
	look_at_library(b);
}
