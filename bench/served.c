/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call costs whoever makes it: prints a line `NAME NANOSECONDS` for each, by the clock on the wall.
 * It is run on the kernel and in a sandbox, and knows of neither. Two processes take part in a served call,
 * and others on a busy machine take their time from both: so rounds are short and many, and the fastest
 * tenth counts. Argument: how many hundred rounds.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 40, ROUNDS_MAX = 10000, KEYS = 1024 };

static int map;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int lookup(uint32_t i)
{
	uint64_t value;
	uint32_t key = i % KEYS;

	return bpf_map_lookup_elem(map, &key, &value);
}

static int update(uint32_t i)
{
	uint64_t value = i;
	uint32_t key = i % KEYS;

	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

static int info(uint32_t i)
{
	struct bpf_map_info in = {0};
	uint32_t size = sizeof(in);

	return bpf_obj_get_info_by_fd(map, &in, &size);
}

static int create(uint32_t i)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 8, 1, NULL);

	return fd < 0 ? fd : close(fd);
}

static int pass_on(uint32_t i)
{
	return getppid() < 0; /* a call that nobody serves */
}

static const struct {
	const char *name;
	int (*call)(uint32_t i);
} calls[] = {
	{"lookup", lookup}, {"update", update}, {"info", info}, {"create", create}, {"other", pass_on},
};

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 15;
	static double time[ROUNDS_MAX];

	rounds = rounds < 1 || rounds > ROUNDS_MAX / 100 ? ROUNDS_MAX : rounds * 100;
	map = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 8, KEYS, NULL);
	for (uint32_t i = 0; i < KEYS; i++)
		if (map < 0 || update(i))
			return 1;
	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
		for (unsigned r = 0; r < rounds; r++) {
			double start = now();

			for (uint32_t i = 0; i < CALLS; i++)
				if (calls[c].call(i))
					return 1;
			time[r] = (now() - start) / CALLS;
		}
		qsort(time, rounds, sizeof(time[0]), by_size);
		printf("%s %.1f\n", calls[c].name, time[rounds / 10]);
	}
	return 0;
}
