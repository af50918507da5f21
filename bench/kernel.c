/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place "kernel": the real one, its JIT, by BPF_PROG_TEST_RUN.
 *
 * The time is the mean duration that the kernel reports; the system call around it, which takes
 * about 16 ms for XDP with repeat > 1, is not part of it. The duration is in whole ns: programs of
 * the bench take 1000 and more.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

const char *kernel_absent(void)
{
	static char why[96];
	const struct bpf_insn ok[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", ok, 2, NULL);

	if (fd < 0) {
		snprintf(why, sizeof(why), "bpf(2) refuses to load a program: %s", strerror(-fd));
		return why;
	}
	close(fd);
	return NULL;
}

static double run_kernel(void *arg, uint64_t repeat)
{
	struct runner *r = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = r->data, .data_size_in = r->len,
	            .repeat = (int)repeat);
	int err = bpf_prog_test_run_opts(r->fd, &opts);

	if (err)
		return err;
	r->result = opts.retval;
	return (double)opts.duration * (double)repeat;
}

int object_load(const char *path, const char *place_name, struct bpf_object **out)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int err = object ? bpf_object__load(object) : -errno;

	if (err) {
		fprintf(stderr, "bench: %s: %s: %s\n", path,
		        object ? place_name : "cannot be opened", strerror(-err));
		bpf_object__close(object);
		return err;
	}
	*out = object;
	return 0;
}

static int load_kernel(const struct place *p, const char *path, struct loaded *out)
{
	*out = (struct loaded){.place = p, .path = path};
	return object_load(path, "the kernel does not load it", &out->object);
}

static void unload_kernel(struct loaded *l)
{
	bpf_object__close(l->object);
}

static int find_kernel(const struct loaded *l, const char *prog_name, struct runner *out)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->object, prog_name);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (!prog) {
		fprintf(stderr, "bench: %s: no program is called %s\n", l->path, prog_name);
		return -ENOENT;
	}
	*out = (struct runner){.data = bench_frame, .len = FRAME_LEN, .run = run_kernel};
	out->fd = bpf_program__fd(prog);
	if (!bpf_obj_get_info_by_fd(out->fd, &info, &len)) {
		out->code_size = info.jited_prog_len;
		out->insns = info.xlated_prog_len / 8;
	}
	return 0;
}

static int code_kernel(const struct runner *r, void *to)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	info.jited_prog_len = r->code_size;
	info.jited_prog_insns = (uintptr_t)to;
	return bpf_obj_get_info_by_fd(r->fd, &info, &len);
}

static void put_kernel(struct runner *r)
{
}

const struct place place_kernel = {
	.name = "kernel", .load = load_kernel, .unload = unload_kernel,
	.find = find_kernel, .put = put_kernel, .code = code_kernel,
};
