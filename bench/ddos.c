/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "ddos": the example filter (examples/ddos), per packet, in Skep and in the kernel.
 *
 * Some packets, spread evenly over the example's capture, are each run many times in both places:
 * in the kernel by one BPF_PROG_TEST_RUN with repeat, in Skep by as many skep_prog_run(). So both
 * see the same packets in the same order, in a warm cache. The figure is the mean over the packets.
 * (Whether the verdicts agree is for `make run` to say: here the two see different numbers of
 * packets.) Beside it stands what Skep takes per packet of the whole capture.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/capture.h"
#include "place.h"
#include "replay.h"
#include "report.h"
#include "sections.h"

enum { CAPTURE_PACKETS = 20000, SAMPLES = 24, JIT = 0, KERNEL = 1, COLUMNS = 2 };

static const struct place *const place_of[COLUMNS] = {&place_jit, &place_kernel};

/* Reads what the example's generator writes. 0, or -1 with a line on stderr. */
static int read_capture(const struct bench *b, struct capture *c)
{
	char command[8192], file[] = "/tmp/skep-bench-XXXXXX";
	int fd = mkstemp(file), err = -1;

	if (fd < 0)
		return -1;
	snprintf(command, sizeof(command), "'%s/../examples/ddos/ddos-gen' %s %d >/dev/null",
	         b->dir, file, CAPTURE_PACKETS);
	if (!system(command)) {
		int in = open(file, O_RDONLY | O_CLOEXEC); /* the generator may have replaced it */

		err = in < 0 ? -1 : capture_read_fd(c, in);
		if (in >= 0)
			close(in);
	}
	close(fd);
	unlink(file);
	if (err)
		fprintf(stderr, "bench: the capture of the example cannot be made: %s\n", c->error);
	return err;
}

/* Puts the prefixes of a file ("192.0.2.0/24 1") into an LPM trie. 0, or -errno. */
static int fill_trie(const struct loaded *l, const char *map, const char *path, int family)
{
	int fd = bpf_object__find_map_fd_by_name(l->object, map), err = 0;
	FILE *in = fopen(path, "re");
	char line[256], address[128];
	struct {
		uint32_t len;
		uint8_t address[16];
	} key;
	uint32_t value;

	if (!in)
		return -errno;
	while (!err && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%127[0-9a-fA-F.:]/%u %u", address, &key.len, &value) != 3)
			continue; /* a comment */
		if (inet_pton(family, address, key.address) != 1 ||
		    bpf_map_update_elem(fd, &key, &value, BPF_ANY))
			err = -EINVAL;
	}
	fclose(in);
	return err;
}

static int load_example(const struct bench *b, int column, struct loaded *l, struct runner *r)
{
	const struct place *p = place_of[column];
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/ddos.bpf.o", b->dir);
	err = p->load(p, path, l);
	if (err)
		return err;
	skep_bpf_bind(l->skep);
	err = fill_trie(l, "deny4", DDOS_DIR "/deny4.txt", AF_INET);
	err = err ? err : fill_trie(l, "deny6", DDOS_DIR "/deny6.txt", AF_INET6);
	skep_bpf_bind(NULL);
	err = err ? err : p->find(l, "ddos", r);
	if (err) {
		fprintf(stderr, "bench: the ddos example cannot be set up: %s\n", p->name);
		p->unload(l);
	}
	return err;
}

/* Mean over the samples of the medians; the k-th sample stands at k/SAMPLES of the capture. */
static void measure_samples(struct bench *b, struct capture *c, struct runner runner[COLUMNS],
                            double mean[COLUMNS])
{
	struct plan plan = b->plan;

	if (plan.rounds > 5)
		plan.rounds = 5;
	mean[JIT] = mean[KERNEL] = 0;
	for (unsigned k = 0; k < SAMPLES; k++) {
		const struct packet *p = &c->packets[c->n * k / SAMPLES];
		struct subject subject[COLUMNS] = {0};

		for (int i = 0; i < COLUMNS; i++) {
			runner[i].data = c->arena + p->at;
			runner[i].len = p->len;
			subject[i].run = runner[i].run;
			subject[i].arg = &runner[i];
		}
		measure(subject, COLUMNS, &plan);
		for (int i = 0; i < COLUMNS; i++)
			mean[i] += subject[i].median / SAMPLES;
	}
}

static void measure_example(struct bench *b, struct capture *c, struct runner runner[COLUMNS])
{
	struct replay replay = {c, &runner[JIT]};
	struct subject whole = {.run = runner[JIT].run ? replay_run : NULL, .arg = &replay};
	json_t *json = report_row(b, "ddos");
	double mean[COLUMNS];

	measure_samples(b, c, runner, mean);
	measure(&whole, 1, &b->plan);
	printf("\nddos example, ns per packet: Skep %.1f, kernel %.1f, ratio %.2f; "
	       "Skep, whole capture: %.1f\n",
	       mean[JIT], mean[KERNEL], mean[JIT] / mean[KERNEL], whole.median);
	report_number(json, "jit_ns", mean[JIT]);
	report_number(json, "kernel_ns", mean[KERNEL]);
	report_number(json, "jit_whole_capture_ns", whole.median);
	target_most(b, "ddos example, per packet / kernel's TEST_RUN", mean[JIT] / mean[KERNEL],
	            0.8, "x");
}

void section_ddos(struct bench *b)
{
	struct capture capture = {0};
	struct loaded loaded[COLUMNS] = {{0}};
	struct runner runner[COLUMNS] = {{0}};

	if (!bench_wants(b, "ddos"))
		return;
	if (read_capture(b, &capture)) {
		b->errors++;
		return;
	}
	for (int i = 0; i < COLUMNS; i++)
		if ((i != KERNEL || !b->no_kernel) && load_example(b, i, &loaded[i], &runner[i]))
			b->errors++;
	measure_example(b, &capture, runner);
	for (int i = 0; i < COLUMNS; i++)
		if (runner[i].run) {
			place_of[i]->put(&runner[i]);
			place_of[i]->unload(&loaded[i]);
		}
	capture_free(&capture);
}
