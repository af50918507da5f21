/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with the structure of a program: each case is loaded by Skep and by the kernel, and both
 * must answer the errno and the last line of the log that stand here. Cases with `ours` are those where
 * Skep says something else on purpose; then the kernel must still say what stands here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/uapi.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

struct test_case {
	const char *name;
	int error;
	const char *line;
	const char *text;
	uint32_t type; /* 0 is XDP */
	bool no_gpl;
	int ours; /* errno of Skep's where it differs, and ours_line */
	const char *ours_line;
	bool btf; /* with func_info */
	bool map; /* map_fd[0] is a prog array */
};

static const struct test_case cases[] = {
#include "structure_cases.h"
};

static void report(const char *name, const char *who, int err, const char *line, int want,
                   const char *want_line)
{
	if (!tap(err == want && !strcmp(line, want_line), "%s: %s", name, who))
		printf("# answered %d \"%s\", expected %d \"%s\"\n", err, line, want, want_line);
}

static void ask_skep(struct vm *vm, const struct test_case *c, const struct insn *p, size_t n)
{
	struct prog *prog;
	int err;

	vm->btf = c->btf;
	if (c->map)
		vm_map(vm, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4);
	err = vm_load(vm, c->type ? c->type : BPF_PROG_TYPE_XDP, !c->no_gpl, p, n, &prog);

	report(c->name, "Skep", err, vm->line, c->ours ? -c->ours : -c->error,
	       c->ours ? c->ours_line : c->line);
	if (prog)
		obj_put(&prog->obj);
	vm_drop_maps(vm);
}

static void ask_kernel(const struct test_case *c, const struct insn *p, size_t n)
{
	struct kernel_load l = {
		.insns = p,
		.n = (uint32_t)n,
		.type = c->type ? c->type : BPF_PROG_TYPE_XDP,
		.gpl = !c->no_gpl,
		.btf = c->btf,
	};
	const char *why;
	int fd, map = -1;

	if (!kernel_here(&why)) {
		tap_skip(why, "%s: the kernel", c->name);
		return;
	}
	if (c->map) {
		map = kernel_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4);
		l.maps = &map;
	}
	fd = kernel_load(&l);
	if (map >= 0)
		close(map);
	report(c->name, "the kernel", fd < 0 ? fd : 0, fd < 0 ? l.line : "", -c->error, c->line);
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	struct vm vm;

	vm_init(&vm);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		struct insn *p = vm_asm(cases[i].text, &n);

		ask_skep(&vm, &cases[i], p, n);
		ask_kernel(&cases[i], p, n);
		free(p);
	}
	vm_exit(&vm);
	return tap_end();
}
