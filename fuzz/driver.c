/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without a fuzzer.
 *
 *   fuzz-NAME [FILE|DIRECTORY]...             replays each file, or standard input if none is named
 *   fuzz-NAME --smoke N [FILE|DIRECTORY]...   N inputs: random ones and mutations of the files
 *
 * The smoke run is deterministic: the same files and the same N give the same inputs on every
 * machine. Input i depends on i alone, not on those before it. When the target dies, its input is
 * left in `fuzz-NAME.crash` of the working directory, ready to be replayed.
 *
 * Output is TAP, one test. With -Dfuzzers=true this file is left out: libFuzzer brings its own
 * main().
 *
 * Requires: LLVMFuzzerTestOneInput() of the target. A target reports a broken promise with abort().
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_LIMIT = 4096, FILE_LIMIT = 1 << 24 };

struct input {
	uint8_t *data;
	size_t len;
};

struct seeds {
	struct input *list;
	size_t n;
};

/* What the target is working on: for the signal handler. */
static struct input current;
static char crash_path[256];

static void on_crash(int sig)
{
	static const char note[] = "# died; the input is in ";
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0 && write(fd, current.data, current.len) == (ssize_t)current.len) {
		(void)!write(2, note, sizeof(note) - 1);
		(void)!write(2, crash_path, strlen(crash_path));
		(void)!write(2, "\n", 1);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run(const uint8_t *data, size_t len)
{
	/* An exact copy on the heap: the sanitizers and valgrind see a read behind its end. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy) {
		perror("fuzz driver");
		exit(1);
	}
	if (len)
		memcpy(copy, data, len);
	current = (struct input){copy, len};
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static size_t random_below(uint64_t *state, size_t n)
{
	return n ? random_next(state) % n : 0;
}

static void remove_range(struct input *in, size_t at, size_t len)
{
	memmove(in->data + at, in->data + at + len, in->len - at - len);
	in->len -= len;
}

static void insert_bytes(struct input *in, size_t at, const uint8_t *bytes, size_t len)
{
	if (len > INPUT_LIMIT - in->len)
		len = INPUT_LIMIT - in->len;
	memmove(in->data + at + len, in->data + at, in->len - at);
	memcpy(in->data + at, bytes, len);
	in->len += len;
}

/* One small change to the input; in place, it keeps offsets in binary formats right. */
static void mutate(struct input *in, const struct seeds *seeds, uint64_t *state, bool in_place)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', ' ', '\n', '(', '['};
	static const uint32_t numbers[] = {0,    1,     2,      7,          8,          16,
	                                   0xff, 0x100, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
	uint8_t bytes[64];
	size_t at = random_below(state, in->len), len = 1 + random_below(state, 16);

	if (len > in->len - at)
		len = in->len - at;
	switch (random_next(state) % (in_place ? 4 : 8)) {
	case 0:
		if (in->len)
			in->data[at] ^= (uint8_t)(1u << random_below(state, 8));
		break;
	case 1:
		if (in->len)
			in->data[at] = edges[random_below(state, sizeof(edges))];
		break;
	case 2:
		if (in->len)
			in->data[at] = (uint8_t)random_next(state);
		break;
	case 3: /* a number, aligned */
		at &= ~(size_t)3;
		if (in->len - at >= 4) {
			uint32_t word = numbers[random_below(state, 12)];

			memcpy(in->data + at, &word, sizeof(word));
		}
		break;
	case 4:
		remove_range(in, at, len);
		break;
	case 5: /* repeat a piece somewhere else */
		memcpy(bytes, in->data + at, len);
		insert_bytes(in, random_below(state, in->len + 1), bytes, len);
		break;
	case 6:
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)random_next(state);
		insert_bytes(in, at, bytes, len);
		break;
	case 7: /* a piece of another seed */
		if (seeds->n) {
			const struct input *other = &seeds->list[random_below(state, seeds->n)];
			size_t from = random_below(state, other->len);
			size_t n = 1 + random_below(state, sizeof(bytes));

			if (n > other->len - from)
				n = other->len - from;
			insert_bytes(in, at, other->data + from, n);
		}
		break;
	}
}

/* Makes the input of a number into in->data, which has room for INPUT_LIMIT bytes. */
static void make_input(struct input *in, const struct seeds *seeds, uint64_t number)
{
	uint64_t state = number * 0x2545f4914f6cdd1d;
	bool in_place;

	if (!seeds->n || number % 8 == 0) {
		/* Mostly short: short inputs reach the end of what a target does. */
		in->len = random_below(&state, number % 32 == 0 ? INPUT_LIMIT : 256);
		for (size_t i = 0; i < in->len; i++)
			in->data[i] = (uint8_t)random_next(&state);
	} else {
		const struct input *seed = &seeds->list[random_below(&state, seeds->n)];

		in->len = seed->len < INPUT_LIMIT ? seed->len : INPUT_LIMIT;
		if (in->len)
			memcpy(in->data, seed->data, in->len);
	}
	in_place = random_next(&state) & 1;
	for (size_t n = random_below(&state, 8); n; n--)
		mutate(in, seeds, &state, in_place);
}

static int add_stream(struct seeds *s, FILE *f)
{
	struct input in = {malloc(FILE_LIMIT), 0};
	struct input *list = realloc(s->list, (s->n + 1) * sizeof(*list));

	if (list)
		s->list = list;
	if (!in.data || !list) {
		free(in.data);
		return -ENOMEM;
	}
	in.len = fread(in.data, 1, FILE_LIMIT, f);
	if (in.len) {
		uint8_t *fit = realloc(in.data, in.len);

		in.data = fit ? fit : in.data;
	}
	s->list[s->n++] = in;
	return ferror(f) ? -EIO : 0;
}

static int add_path(struct seeds *s, const char *path);

static int add_directory(struct seeds *s, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), err = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		char *full = NULL;

		if (!err && names[i]->d_name[0] != '.') {
			if (asprintf(&full, "%s/%s", path, names[i]->d_name) < 0)
				err = -ENOMEM;
			else
				err = add_path(s, full);
			free(full);
		}
		free(names[i]);
	}
	free(names);
	return err;
}

static int add_path(struct seeds *s, const char *path)
{
	FILE *f;
	int err = add_directory(s, path);

	if (err != -ENOTDIR)
		return err;
	f = fopen(path, "rb");
	if (!f)
		return -errno;
	err = add_stream(s, f);
	fclose(f);
	return err;
}

static void smoke(const struct seeds *seeds, uint64_t n)
{
	uint8_t data[INPUT_LIMIT];

	for (uint64_t i = 0; i < n; i++) {
		struct input in = {data, 0};

		make_input(&in, seeds, i);
		run(in.data, in.len);
	}
}

static void catch_crashes(const char *program)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	const char *slash = strrchr(program, '/');

	snprintf(crash_path, sizeof(crash_path), "%s.crash", slash ? slash + 1 : program);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_crash);
}

int main(int argc, char **argv)
{
	struct seeds seeds = {0};
	uint64_t n = 0;
	int first = 1, err = 0;

	if (argc > 2 && !strcmp(argv[1], "--smoke")) {
		n = strtoull(argv[2], NULL, 0);
		first = 3;
	}
	for (int i = first; i < argc && !err; i++) {
		err = add_path(&seeds, argv[i]);
		if (err)
			fprintf(stderr, "%s: %s: %s\n", argv[0], argv[i], strerror(-err));
	}
	if (first == argc && !n)
		err = add_stream(&seeds, stdin);
	if (err)
		return 1;
	catch_crashes(argv[0]);
	for (size_t i = 0; i < seeds.n; i++)
		run(seeds.list[i].data, seeds.list[i].len);
	smoke(&seeds, n);
	printf("1..1\nok 1 - %zu files, %llu made inputs\n", seeds.n, (unsigned long long)n);
	for (size_t i = 0; i < seeds.n; i++)
		free(seeds.list[i].data);
	free(seeds.list);
	return 0;
}
