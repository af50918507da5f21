/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/hook.h"

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

bool kernel_here(const char **why)
{
	static int known; /* 1 yes, -1 no */
	static const char *reason;

	if (!known) {
		static const struct insn p[] = {{.code = 0xb7}, {.code = 0x95}};
		struct kernel_load l = {.insns = p, .n = 2, .type = BPF_PROG_TYPE_XDP, .gpl = true};
		int fd = kernel_load(&l);

		known = fd >= 0 ? 1 : -1;
		reason = fd == -ENOSYS ? "no bpf(2) in this kernel"
		         : fd < 0      ? "bpf(2) refuses this user"
		                       : NULL;
		if (fd >= 0)
			close(fd);
	}
	*why = reason;
	return known > 0;
}

/* The last line that is not about statistics. */
static void last_line(char *log, char *line, size_t size)
{
	line[0] = '\0';
	for (char *at = strtok(log, "\n"); at; at = strtok(NULL, "\n"))
		if (strncmp(at, "processed ", 10) && strncmp(at, "verification time ", 18)) {
			strncpy(line, at, size - 1);
			line[size - 1] = '\0';
		}
}

int kernel_load(struct kernel_load *l)
{
	static char log[1 << 20];
	union bpf_attr attr = {
		.prog_type = l->type,
		.expected_attach_type = l->attach_type,
		.prog_flags = l->flags,
		.insns = (uintptr_t)l->insns,
		.insn_cnt = l->n,
		.license = (uintptr_t)(l->gpl ? "GPL" : "BSD"),
		.log_level = 1,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.fd_array = (uintptr_t)l->fd_array,
	};
	int ret;

	log[0] = '\0';
	ret = bpf(BPF_PROG_LOAD, &attr);
	last_line(log, l->line, sizeof(l->line));
	return ret;
}

int kernel_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = key_size,
		.value_size = value_size,
		.max_entries = max_entries,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

int kernel_test_run(int fd, struct test_run *t)
{
	union bpf_attr attr = {
		.test = {
			.prog_fd = (uint32_t)fd,
			.data_in = (uintptr_t)t->data_in,
			.data_size_in = t->data_size_in,
			.data_out = (uintptr_t)t->data_out,
			.data_size_out = t->data_size_out,
			.ctx_in = (uintptr_t)t->ctx_in,
			.ctx_size_in = t->ctx_size_in,
			.ctx_out = (uintptr_t)t->ctx_out,
			.ctx_size_out = t->ctx_size_out,
			.repeat = t->repeat,
			.flags = t->flags,
			.cpu = t->cpu,
			.batch_size = t->batch_size,
		},
	};
	int ret = bpf(BPF_PROG_TEST_RUN, &attr);

	t->data_size_out = attr.test.data_size_out;
	t->ctx_size_out = attr.test.ctx_size_out;
	t->retval = attr.test.retval;
	t->duration = attr.test.duration;
	return ret;
}
