/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of architectures and system calls, which libseccomp knows, and of verdicts. */
#define _GNU_SOURCE
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/seccomp.h"

static const struct {
	const char *name;
	uint32_t arch;
} archs[] = {
	{"x86_64", SCMP_ARCH_X86_64}, {"x86", SCMP_ARCH_X86}, {"i386", SCMP_ARCH_X86}, {"aarch64", SCMP_ARCH_AARCH64},
	{"arm", SCMP_ARCH_ARM}, {"riscv64", SCMP_ARCH_RISCV64}, {"s390x", SCMP_ARCH_S390X},
	{"s390", SCMP_ARCH_S390}, {"ppc64le", SCMP_ARCH_PPC64LE}, {"ppc64", SCMP_ARCH_PPC64}, {"ppc", SCMP_ARCH_PPC},
	{"mips", SCMP_ARCH_MIPS}, {"mipsel", SCMP_ARCH_MIPSEL}, {"mips64", SCMP_ARCH_MIPS64},
	{"mipsel64", SCMP_ARCH_MIPSEL64}, {"parisc", SCMP_ARCH_PARISC},
};

enum { NARCHS = sizeof(archs) / sizeof(archs[0]) };

const char *arch_name(uint32_t arch)
{
	for (unsigned i = 0; i < NARCHS; i++)
		if (archs[i].arch == arch)
			return archs[i].name;
	return NULL;
}

uint32_t arch_native(void)
{
	return seccomp_arch_native();
}

bool arch_find(const char *name, uint32_t *arch)
{
	for (unsigned i = 0; i < NARCHS; i++)
		if (!strcmp(archs[i].name, name)) {
			*arch = archs[i].arch;
			return true;
		}
	return false;
}

const char *call_name(uint32_t arch, uint32_t nr, char room[64])
{
	char *name = seccomp_syscall_resolve_num_arch(arch, (int)nr);

	snprintf(room, 64, name ? "%s" : "%.0s%u", name ? name : "", nr);
	free(name);
	return room;
}

bool call_is_known(uint32_t arch, uint32_t nr)
{
	char *name = seccomp_syscall_resolve_num_arch(arch, (int)nr);

	free(name);
	return name != NULL;
}

bool call_find(uint32_t arch, const char *name, uint32_t *nr)
{
	char *end;
	unsigned long number = strtoul(name, &end, 0);
	int n;

	if (end != name && !*end && number <= UINT32_MAX) {
		*nr = (uint32_t)number;
		return true;
	}
	n = seccomp_syscall_resolve_name_arch(arch, name);
	*nr = (uint32_t)n;
	return n >= 0;
}

const char *word_name(unsigned word)
{
	static const char *const names[WORDS] = {
		"nr", "arch", "ip, low", "ip, high", "arg 0, low", "arg 0, high", "arg 1, low", "arg 1, high",
		"arg 2, low", "arg 2, high", "arg 3, low", "arg 3, high", "arg 4, low", "arg 4, high",
		"arg 5, low", "arg 5, high",
	};

	return word < WORDS ? names[word] : "?";
}

const char *action_name(uint32_t ret, char room[64])
{
	static const struct {
		uint32_t action;
		const char *name;
		bool data;
	} actions[] = {
		{0x80000000, "KILL_PROCESS", false}, {0x00000000, "KILL_THREAD", false}, {0x00030000, "TRAP", true},
		{0x7fc00000, "USER_NOTIF", false}, {0x7ff00000, "TRACE", true}, {0x7ffc0000, "LOG", false},
		{0x7fff0000, "ALLOW", false},
	};
	uint32_t data = ret & 0xffff, action = ret & 0xffff0000;
	const char *name;

	if (action == 0x00050000) {
		/* Larger numbers count as the largest. */
		name = strerrorname_np((int)data);
		snprintf(room, 64, name && data ? "ERRNO(%s)" : "ERRNO(%.0s%u)", name && data ? name : "", data);
		return room;
	}
	for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].action == action) {
			snprintf(room, 64, actions[i].data ? "%s(%u)" : "%s", actions[i].name, data);
			return room;
		}
	snprintf(room, 64, "KILL_PROCESS (0x%08x is no action)", ret);
	return room;
}
