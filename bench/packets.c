/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section "packets": the smallest XDP program, for each packet of a capture in memory, against what
 * one run of it takes in the kernel's BPF_PROG_TEST_RUN.
 */
#include <math.h>
#include <stdio.h>

#include "net/capture.h"
#include "place.h"
#include "replay.h"
#include "report.h"
#include "sections.h"

enum { PACKETS = 4096, LONGEST = 1514, SHORTEST = 60 };

/* Half of the packets as short as can be, the others of any length. */
static int make_capture(struct capture *c)
{
	static const uint8_t frame[LONGEST] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	uint32_t x = 1;
	int err = 0;

	for (unsigned i = 0; i < PACKETS && !err; i++) {
		uint32_t len = SHORTEST;

		x = x * 1103515245 + 12345;
		if (x >> 16 & 1)
			len += (x >> 17) % (LONGEST - SHORTEST);
		err = capture_add(c, i, frame, len, len);
	}
	return err;
}

static void measure_smallest(struct bench *b, struct runner *jit, struct runner *kernel)
{
	struct capture capture = {0};
	struct replay replay = {&capture, jit};
	struct subject subject[2] = {
		{.run = jit->run ? replay_run : NULL, .arg = &replay},
		{.run = kernel->run, .arg = kernel},
	};
	json_t *json = report_row(b, "packets");

	if (make_capture(&capture)) {
		b->errors++;
		return;
	}
	kernel->len = SHORTEST;
	measure(subject, 2, &b->plan);
	printf("\nsmallest XDP program, ns per packet: Skep %.2f, kernel %.2f, ratio %.2f\n",
	       subject[0].median, subject[1].median, subject[0].median / subject[1].median);
	report_number(json, "jit_ns", subject[0].median);
	report_number(json, "kernel_ns", subject[1].median);
	target_most(b, "smallest XDP program, per packet / kernel's TEST_RUN",
	            subject[0].median / subject[1].median, 0.5, "x");
	capture_free(&capture);
}

void section_packets(struct bench *b)
{
	const struct place *place[2] = {&place_jit, &place_kernel};
	struct loaded loaded[2] = {{0}};
	struct runner runner[2] = {{0}};
	char path[4096];

	if (!bench_wants(b, "packets"))
		return;
	snprintf(path, sizeof(path), "%s/micro_calls.bpf.o", b->dir);
	for (int i = 0; i < 2; i++) {
		if (place[i] == &place_kernel && b->no_kernel)
			continue;
		if (place[i]->load(place[i], path, &loaded[i])) {
			loaded[i].place = NULL;
			b->errors++;
		} else if (place[i]->find(&loaded[i], "empty", &runner[i])) {
			b->errors++;
		}
	}
	measure_smallest(b, &runner[0], &runner[1]);
	for (int i = 0; i < 2; i++) {
		if (runner[i].run)
			place[i]->put(&runner[i]);
		if (loaded[i].place)
			place[i]->unload(&loaded[i]);
	}
}
