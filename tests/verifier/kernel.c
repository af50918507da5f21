/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdlib.h>
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

static int cmp_start(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

unsigned find_funcs(const struct insn *insns, uint32_t n, uint32_t starts[MAX_FUNCS])
{
	unsigned count = 1;

	starts[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		enum op op = insn_op(&insns[i]);
		uint32_t to = i + 1 + (uint32_t)insns[i].imm;
		unsigned f = 0;

		if (op != OP_CALL_LOCAL && op != OP_LDDW_FUNC)
			continue;
		while (f < count && starts[f] != to)
			f++;
		if (f == MAX_FUNCS)
			return 0;
		if (f == count)
			starts[count++] = to;
	}
	qsort(starts, count, sizeof(*starts), cmp_start);
	return count;
}

const void *small_btf(uint32_t *size)
{
	static const char strings[] = "\0int\0main\0sub";
	static const uint32_t types[] = {
		1, BTF_KIND_INT << 24, 4, BTF_INT_SIGNED << 24 | 32,
		0, BTF_KIND_FUNC_PROTO << 24, 1,
		5, BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, 2,
		10, BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC, 2,
	};
	static struct {
		struct btf_header h;
		uint32_t types[sizeof(types) / 4];
		char strings[sizeof(strings)];
	} btf = {
		.h = {.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(btf.h),
		      .type_len = sizeof(types), .str_off = sizeof(types), .str_len = sizeof(strings)},
	};

	memcpy(btf.types, types, sizeof(types));
	memcpy(btf.strings, strings, sizeof(strings));
	*size = offsetof(typeof(btf), strings) + sizeof(strings);
	return &btf;
}

static int load_btf(void)
{
	uint32_t size;
	const void *btf = small_btf(&size);
	union bpf_attr attr = {.btf = (uintptr_t)btf, .btf_size = size};

	return bpf(BPF_BTF_LOAD, &attr);
}

static void put_maps(struct insn *insns, uint32_t n, const int *maps)
{
	for (uint32_t i = 0; i < n; i++) {
		enum op op = insn_op(&insns[i]);

		if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_VALUE)
			insns[i].imm = maps[insns[i].imm];
	}
}

int kernel_load(struct kernel_load *l)
{
	static char log[1 << 20];
	uint32_t starts[MAX_FUNCS], nfuncs = l->btf ? find_funcs(l->insns, l->n, starts) : 0;
	struct bpf_func_info infos[MAX_FUNCS];
	struct insn *copy = malloc(l->n * sizeof(*copy) + 1);
	int btf = nfuncs ? load_btf() : 0;
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

	memcpy(copy, l->insns, l->n * sizeof(*copy));
	attr.insns = (uintptr_t)copy;
	if (l->maps)
		put_maps(copy, l->n, l->maps);
	for (uint32_t f = 0; f < nfuncs; f++)
		infos[f] = (struct bpf_func_info){starts[f], f ? 4 : 3};
	if (nfuncs) {
		attr.prog_btf_fd = (uint32_t)btf;
		attr.func_info = (uintptr_t)infos;
		attr.func_info_cnt = nfuncs;
		attr.func_info_rec_size = sizeof(infos[0]);
	}
	log[0] = '\0';
	ret = bpf(BPF_PROG_LOAD, &attr);
	free(copy);
	if (nfuncs)
		close(btf);
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

int kernel_rodata(const void *value, uint32_t size)
{
	uint32_t key = 0;
	union bpf_attr create = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = size,
		.max_entries = 1,
		.map_flags = BPF_F_RDONLY_PROG,
	};
	int fd = bpf(BPF_MAP_CREATE, &create);
	union bpf_attr update = {
		.map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value};
	union bpf_attr freeze = {.map_fd = (uint32_t)fd};

	bpf(BPF_MAP_UPDATE_ELEM, &update);
	bpf(BPF_MAP_FREEZE, &freeze);
	return fd;
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
