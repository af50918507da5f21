/* SPDX-License-Identifier: BSD-2-Clause */
/* oreore on every engine against plain C; attached, replaced and detached by unmodified libbpf. */
#include <bpf/bpf.h>

#include "../kit.h"
#include "type.h"

static bool at_point(struct skep_point *point, struct skep_cpu *cpu, unsigned in, unsigned *out)
{
	struct oreore ctx = {.in = in, .out = 0xdead};
	uint64_t ret = 99;
	bool there = skep_point_run(point, &ctx, cpu, &ret);

	*out = ctx.out;
	return there && ret == 0;
}

static void numbers(struct skep_prog *prog, struct skep_cpu *cpu, const char *engine)
{
	unsigned x = 1, wrong = 0;

	for (unsigned i = 0; i < 10000; i++, x = x * 1664525 + 1013904223) {
		struct oreore ctx = {.in = x};

		wrong += skep_run(prog, &ctx, cpu) != 0 || ctx.out != x + 42 || ctx.in != x;
	}
	ok(!wrong, "%s: 10000 numbers as in C", engine);
}

static void links(struct skep *k, struct skep_cpu *cpu, struct bpf_object *add, struct bpf_object *twice,
                  const char *engine)
{
	struct bpf_program *p = bpf_object__next_program(add, NULL);
	struct skep_point *point, *other;
	char message[SKEP_MESSAGE];
	struct bpf_link *link;
	unsigned out, id = 0, n = 1;

	ok(!skep_point_new(k, oreore_type.number, 0, 0, &point, message) &&
	   !skep_point_new(k, oreore_type.number, 0, 7, &other, message), "%s: points", engine);
	ok(!at_point(point, cpu, 1, &out) && out == 0xdead, "%s: an empty point runs nothing", engine);
	link = bpf_program__attach(p);
	ok(link && at_point(point, cpu, 1, &out) && out == 43, "%s: attached by libbpf", engine);
	ok(bpf_prog_query(0, (enum bpf_attach_type)oreore_type.number, 0, NULL, &id, &n) == 0 && n == 1 &&
	   id > 0, "%s: BPF_PROG_QUERY names the program", engine);
	ok(!bpf_program__attach(p) && errno == EBUSY, "%s: a second link has no room there", engine);
	ok(bpf_link__update_program(link, bpf_object__next_program(twice, NULL)) == 0 &&
	   at_point(point, cpu, 5, &out) && out == 10, "%s: replaced by its link", engine);
	ok(bpf_link__detach(link) == 0 && !at_point(point, cpu, 1, &out), "%s: detached", engine);
	bpf_link__destroy(link);
	link = bpf_program__attach_cgroup(p, 7);
	ok(link && at_point(other, cpu, 1, &out) && out == 43 && skep_point_free(other) == -EBUSY,
	   "%s: at another target", engine);
	bpf_link__destroy(link);
	ok(skep_point_free(other) == 0 && skep_point_free(point) == 0, "%s: points go", engine);
}

static void test_run(struct bpf_object *o, const char *engine)
{
	struct oreore in = {.in = 8}, out = {0};
	LIBBPF_OPTS(bpf_test_run_opts, t, .ctx_in = &in, .ctx_size_in = sizeof(in), .ctx_out = &out,
	            .ctx_size_out = sizeof(out));

	ok(bpf_prog_test_run_opts(bpf_program__fd(bpf_object__next_program(o, NULL)), &t) == 0 &&
	   t.retval == 0 && out.in == 8 && out.out == 50, "%s: BPF_PROG_TEST_RUN", engine);
}

int main(void)
{
	skep_libbpf_section(&oreore_type);
	for (int e = 0; e < KIT_ENGINES; e++) {
		struct skep *k = kit_kernel(kit_engines[e].engine);
		struct bpf_object *add, *twice;
		char message[SKEP_MESSAGE] = "";
		struct skep_cpu *cpu;
		struct skep_prog *prog;

		ok(!skep_type_add(k, &oreore_type, message), "%s: the type %s", kit_engines[e].name, message);
		add = kit_load(OBJECTS "/oreore.bpf.o");
		twice = kit_load(OBJECTS "/twice.bpf.o");
		prog = kit_prog(k, add, NULL);
		ok(!strcmp(skep_prog_engine(prog), kit_engines[e].name), "%s runs it", kit_engines[e].name);
		cpu = skep_cpu_enter(k);
		numbers(prog, cpu, kit_engines[e].name);
		links(k, cpu, add, twice, kit_engines[e].name);
		test_run(add, kit_engines[e].name);
		skep_cpu_leave(cpu);
		skep_prog_put(prog);
		bpf_object__close(add);
		bpf_object__close(twice);
		skep_bpf_bind(NULL);
		skep_free(k);
	}
	return kit_done();
}
