/* SPDX-License-Identifier: BSD-2-Clause */
/* See replay.h. */
#include "replay.h"

#include <skep.h>

#include "measure.h"
#include "net/capture.h"
#include "place.h"

double replay_run(void *replay, uint64_t repeat)
{
	const struct replay *r = replay;
	const struct capture *c = r->capture;
	struct skep_cpu *cpu = skep_cpu_enter(r->runner->skep);
	double start = cpu_ns();

	for (size_t i = 0; repeat--; i = i + 1 == c->n ? 0 : i + 1) {
		const struct packet *p = &c->packets[i];
		uint8_t *data = c->arena + p->at;
		struct skep_xdp ctx = {
			.data = data, .end = data + p->len, .meta = data,
			.head = data - SKEP_HEADROOM, .limit = data + p->len + SKEP_TAILROOM,
			.ingress_ifindex = 1,
		};

		skep_prog_run(r->runner->prog, &ctx, cpu);
	}
	start = cpu_ns() - start;
	skep_cpu_leave(cpu);
	return start;
}
