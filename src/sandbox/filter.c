/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seccomp filter: a classic BPF program made of calls.def.
 *
 * Tests stand one after the other, each three or four instructions; a call that no row names costs a
 * comparison per row. Calls of another architecture's table (32-bit programs) pass unseen: they reach
 * the host's bpf(2).
 *
 * Layout of what it reads and answers: Linux, Documentation/userspace-api/seccomp_filter.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define OWN_ARCH AUDIT_ARCH_S390X
#endif

enum condition { COND_ALWAYS, COND_EQUAL, COND_FROM, COND_UNMOUNTED };

struct row {
	int nr;
	enum condition condition;
	int arg;
	uint32_t value;
};

#define ALWAYS COND_ALWAYS, 0, 0
#define UNMOUNTED COND_UNMOUNTED, 0, 0
#define ARG(n, value) COND_EQUAL, n, value
#define FROM(n, value) COND_FROM, n, value

static const struct row rows[] = {
#define CALL(name, serve, ...) {__NR_##name, __VA_ARGS__},
#include "sandbox/calls.def"
#undef CALL
};

enum { NROWS = sizeof(rows) / sizeof(rows[0]), ROW_MAX = 5, PROGRAM_MAX = 4 + NROWS * ROW_MAX + 1 };

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { LOW_HALF = 4 };
#else
enum { LOW_HALF = 0 };
#endif

/* Where the nr is not the row's, or its argument not the one, go on behind it. A holds nr before and after. */
static unsigned emit_row(struct sock_filter *to, const struct row *row)
{
	unsigned at = offsetof(struct seccomp_data, args) + 8 * (unsigned)row->arg + LOW_HALF;
	uint16_t jump = row->condition == COND_EQUAL ? BPF_JEQ : BPF_JGE;

	if (row->condition == COND_ALWAYS || row->condition == COND_UNMOUNTED) {
		to[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)row->nr, 0, 1);
		to[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
		return 2;
	}
	to[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)row->nr, 0, 4);
	to[1] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at);
	to[2] = (struct sock_filter)BPF_JUMP(BPF_JMP | jump | BPF_K, row->value, 0, 1);
	to[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	to[4] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                     offsetof(struct seccomp_data, nr));
	return 5;
}

static unsigned make(struct sock_filter *to, bool mounted)
{
	unsigned n = 0;

	to[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                       offsetof(struct seccomp_data, arch));
	to[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
	to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	to[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                       offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < NROWS; i++)
		if (!mounted || rows[i].condition != COND_UNMOUNTED)
			n += emit_row(to + n, &rows[i]);
	to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

int filter_install(bool mounted)
{
	struct sock_filter code[PROGRAM_MAX];
	struct sock_fprog prog = {.filter = code};
	/* A signal may not take back a call that is being served: it would be made twice. Linux 5.19. */
	unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	long fd;

	prog.len = (unsigned short)make(code, mounted);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		             &prog);
	return fd < 0 ? -errno : (int)fd;
}

int filter_row(int nr)
{
	for (unsigned i = 0; i < NROWS; i++)
		if (rows[i].nr == nr)
			return (int)i;
	return -1;
}
