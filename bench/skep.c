/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The places in Skep: one kernel (struct skep) for each engine, objects loaded by the same libbpf
 * through libskep-bpf, programs run by skep_prog_run() on a packet in our own memory.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <skep.h>
#include <skep_bpf.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "place.h"

static struct skep *kernels[SKEP_ENGINE_CHECKED + 1];

struct skep *skep_of_engine(int engine)
{
	const struct skep_options options = {
		.size = sizeof(options),
		.engine = (enum skep_engine)engine,
		.trust_programs = engine != SKEP_ENGINE_CHECKED,
	};
	int err;

	if (kernels[engine])
		return kernels[engine];
	err = skep_new(&options, &kernels[engine]);
	if (err)
		fprintf(stderr, "bench: skep_new: %s\n", strerror(-err));
	return kernels[engine];
}

void skep_places_exit(void)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		if (kernels[i])
			skep_free(kernels[i]);
}

static double run_skep(void *arg, uint64_t repeat)
{
	struct runner *r = arg;
	uint8_t *data = (uint8_t *)(uintptr_t)r->data;
	struct skep_xdp ctx = {
		.data = data, .end = data + r->len, .meta = data,
		.head = data - SKEP_HEADROOM, .limit = data + r->len + SKEP_TAILROOM,
		.ingress_ifindex = 1,
	};
	struct skep_cpu *cpu = skep_cpu_enter(r->skep);
	const char *fault;
	double start = cpu_ns();

	while (repeat--)
		r->result = (uint32_t)skep_prog_run(r->prog, &ctx, cpu);
	start = cpu_ns() - start;
	fault = skep_cpu_fault(cpu);
	if (fault) {
		fprintf(stderr, "bench: %s: %s\n", skep_prog_name(r->prog), fault);
		start = -1;
	}
	skep_cpu_leave(cpu);
	return start;
}

static int load_skep(const struct place *p, const char *path, struct loaded *out)
{
	int err;

	*out = (struct loaded){.place = p, .path = path, .skep = skep_of_engine(p->engine)};
	if (!out->skep)
		return -ENOTSUP;
	skep_bpf_bind(out->skep);
	err = object_load(path, "Skep does not load it", &out->object);
	skep_bpf_bind(NULL);
	return err;
}

static void unload_skep(struct loaded *l)
{
	skep_bpf_bind(l->skep);
	bpf_object__close(l->object);
	skep_bpf_bind(NULL);
}

static int find_skep(const struct loaded *l, const char *prog_name, struct runner *out)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->object, prog_name);
	struct skep_prog *held;
	size_t size = 0;
	int err = prog ? skep_prog_from_fd(l->skep, bpf_program__fd(prog), &held) : -ENOENT;

	if (err) {
		fprintf(stderr, "bench: %s: program %s: %s\n", l->path, prog_name, strerror(-err));
		return err;
	}
	*out = (struct runner){.data = bench_frame, .len = FRAME_LEN, .run = run_skep};
	out->fd = bpf_program__fd(prog);
	out->skep = l->skep;
	out->prog = held;
	if (skep_prog_code(held, &size))
		out->code_size = (uint32_t)size;
	skep_prog_xlated(held, &size);
	out->insns = (uint32_t)(size / 8);
	return 0;
}

static int code_skep(const struct runner *r, void *to)
{
	size_t size = 0;
	const void *code = skep_prog_code(r->prog, &size);

	if (!code || size != r->code_size)
		return -ENOENT;
	memcpy(to, code, size);
	return 0;
}

static void put_skep(struct runner *r)
{
	skep_prog_put(r->prog);
}

const struct place place_jit = {
	.name = "jit", .engine = SKEP_ENGINE_JIT,
	.load = load_skep, .unload = unload_skep, .find = find_skep, .put = put_skep,
	.code = code_skep,
};
const struct place place_interp = {
	.name = "interp", .engine = SKEP_ENGINE_INTERP,
	.load = load_skep, .unload = unload_skep, .find = find_skep, .put = put_skep,
};
const struct place place_checked = {
	.name = "checked", .engine = SKEP_ENGINE_CHECKED,
	.load = load_skep, .unload = unload_skep, .find = find_skep, .put = put_skep,
};
