/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs of type syscall do: bpf(2) on their own, names of types and symbols. A loader that libbpf
 * generated (a light skeleton) is such a program.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/vmlinux.h"
#include "helpers/helpers.h"

static uint64_t fail(int error)
{
	return (uint64_t)(int64_t)-error;
}

/* The commands that the kernel lets programs give. */
static bool cmd_ok(uint32_t cmd)
{
	enum { MAP_CREATE = 0, MAP_UPDATE_ELEM = 2, MAP_DELETE_ELEM = 3, PROG_LOAD = 5,
	       PROG_TEST_RUN = 10, MAP_GET_FD_BY_ID = 14, RAW_TRACEPOINT_OPEN = 17, BTF_LOAD = 18,
	       MAP_FREEZE = 22, LINK_CREATE = 28 };

	switch (cmd) {
	case MAP_CREATE:
	case MAP_UPDATE_ELEM:
	case MAP_DELETE_ELEM:
	case MAP_FREEZE:
	case MAP_GET_FD_BY_ID:
	case PROG_LOAD:
	case BTF_LOAD:
	case LINK_CREATE:
	case RAW_TRACEPOINT_OPEN:
		return true;
	default:
		return false;
	}
}

/*
 * The command may wait for all programs that run: this one must not be among them. What it holds of maps
 * it uses stays, an element may get another's value, as in any program that sleeps.
 */
HELPER_FN(sys_bpf)
{
	int ret;

	if (!cmd_ok((uint32_t)r1) || !cpu->k->bpf)
		return fail(EINVAL);
	rcu_read_leave(&cpu->rcu);
	ret = cpu->k->bpf(cpu->k, (int)(uint32_t)r1, (void *)(uintptr_t)r2, (uint32_t)r3);
	rcu_read_enter(&cpu->k->rcu, &cpu->rcu);
	return (uint64_t)(int64_t)ret;
}

HELPER_FN(sys_close)
{
	return close((int)r1) ? fail(errno) : 0;
}

/* A name of so many bytes with its NUL as the last. */
static bool name_ok(const char *name, uint32_t size)
{
	return size > 1 && !name[size - 1];
}

/* The kernel's own types only, which have no descriptor. */
HELPER_FN(btf_find_by_name_kind)
{
	const char *name = (const char *)(uintptr_t)r1;
	uint32_t kind = (uint32_t)r3, id;

	if (r4 || !name_ok(name, (uint32_t)r2))
		return fail(EINVAL);
	if (!vmlinux(cpu->k))
		return fail(EINVAL);
	id = kind < BTF_KINDS ? vmlinux_find(cpu->k, (enum btf_kind)kind, name) : 0;
	return id ? id : fail(ENOENT);
}

/* Skep has no symbols. */
HELPER_FN(kallsyms_lookup_name)
{
	*(uint64_t *)(uintptr_t)r4 = 0;
	if (r3 || !name_ok((const char *)(uintptr_t)r1, (uint32_t)r2))
		return fail(EINVAL);
	return fail(ENOENT);
}
