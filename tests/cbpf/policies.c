/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies made by libseccomp, written as it exports them: policies N > file. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ADD(ctx, act, call, ...) seccomp_rule_add(ctx, act, SCMP_SYS(call), __VA_ARGS__)

int main(int argc, char **argv)
{
	int which = argc > 1 ? atoi(argv[1]) : 0, err = 0;
	scmp_filter_ctx c = seccomp_init(which % 2 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));

	switch (which) {
	case 0: /* a small sandbox */
	case 2:
		err |= ADD(c, SCMP_ACT_ALLOW, read, 0);
		err |= ADD(c, SCMP_ACT_ALLOW, exit_group, 0);
		err |= ADD(c, SCMP_ACT_ALLOW, write, 1, SCMP_A0(SCMP_CMP_EQ, which ? 1 : 2));
		err |= ADD(c, SCMP_ACT_ALLOW, openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY));
		err |= ADD(c, SCMP_ACT_KILL, ptrace, 0);
		break;
	case 1: /* what is forbidden */
		err |= ADD(c, SCMP_ACT_ERRNO(EACCES), socket, 2, SCMP_A0(SCMP_CMP_NE, AF_UNIX),
		           SCMP_A1(SCMP_CMP_GE, 3));
		err |= ADD(c, SCMP_ACT_TRAP, mount, 0);
		err |= ADD(c, SCMP_ACT_LOG, unlink, 0);
		err |= ADD(c, SCMP_ACT_TRACE(7), clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0x10000000, 0x10000000));
		break;
	case 3: /* two architectures, a binary tree */
		err |= seccomp_arch_add(c, SCMP_ARCH_X86);
		err |= seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		for (int nr = 0; nr < 300; nr += 3)
			err |= seccomp_rule_add(c, SCMP_ACT_ERRNO(nr % 100 + 1), nr, 0);
		break;
	}
	if (!err)
		err = seccomp_export_bpf(c, 1);
	seccomp_release(c);
	return err ? 1 : 0;
}
