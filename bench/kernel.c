/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place "kernel": the real one, its JIT, by BPF_PROG_TEST_RUN.
 *
 * The time is the mean duration that the kernel reports; the system call around it, which takes about
 * 16 ms for XDP with repeat > 1, is not part of it. The duration is in whole ns: programs of the bench
 * take 1000 and more.
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

static int open_kernel(const struct place *p, const char *object_path, const char *prog_name,
                       struct runner *out)
{
	struct bpf_object *object = bpf_object__open_file(object_path, NULL);
	struct bpf_program *prog;
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int err;

	if (!object) {
		err = -errno;
		fprintf(stderr, "bench: %s: %s\n", object_path, strerror(-err));
		return err;
	}
	err = bpf_object__load(object);
	prog = err ? NULL : bpf_object__find_program_by_name(object, prog_name);
	if (!prog) {
		err = err ? err : -ENOENT;
		fprintf(stderr, "bench: %s: the kernel does not load %s: %s\n", object_path, prog_name,
		        strerror(-err));
		bpf_object__close(object);
		return err;
	}
	out->object = object;
	out->fd = bpf_program__fd(prog);
	out->run = run_kernel;
	if (!bpf_obj_get_info_by_fd(out->fd, &info, &len)) {
		out->code_size = info.jited_prog_len;
		out->insns = info.xlated_prog_len / 8;
	}
	return 0;
}

static void close_kernel(struct runner *r)
{
	bpf_object__close(r->object);
}

const struct place place_kernel = {.name = "kernel", .open = open_kernel, .close = close_kernel};
