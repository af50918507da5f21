/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checker and the interpreter against the kernel: SO_ATTACH_FILTER on one end of a socket pair says
 * whether a filter is taken, and a datagram through it what the filter answers; seccomp(2), in a child that
 * then does nothing more, whether it is one for system calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cbpf/cbpf.h"
#include "random.h"
#include "../verifier/tap.h"

enum { PACKET = 100, MAX = 60 };

static void show(const struct skep_cbpf_insn *insns, size_t n)
{
	char *text;
	size_t len;

	if (skep_cbpf_write(insns, n, SKEP_CBPF_ASM, &text, &len))
		return;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("#   %s\n", line);
	free(text);
}

static int attach(int sock, const struct skep_cbpf_insn *insns, size_t n)
{
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = (struct sock_filter *)insns};

	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}

/* How many bytes of a packet come through; 0: it is dropped. */
static uint32_t through(int pair[2], const uint8_t *packet, uint32_t len)
{
	uint8_t got[PACKET + 1];
	ssize_t n;

	/* A dropped datagram is an error of nobody's. */
	if (send(pair[0], packet, len, MSG_DONTWAIT) < 0)
		return 0;
	n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	return n < 0 ? 0 : (uint32_t)n;
}

/* Does the answer depend on what only the kernel knows (the CPU), or on headers a UNIX socket has not? */
static bool is_portable(const struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cbpf_op op = cbpf_op(&insns[i]);
		enum cbpf_ext ext = cbpf_ext(&insns[i]);

		if (ext == EXT_CPU || ext == EXT_RANDOM || ext == EXT_RXHASH || ext == EXT_VLAN_TPID)
			return false;
		if (ext == EXT_NONE && insns[i].k >= LL_OFF && op != CBPF_INVALID &&
		    (cbpf_info[op].operand == OPERAND_ABS || cbpf_info[op].operand == OPERAND_IND ||
		     cbpf_info[op].operand == OPERAND_MSH))
			return false;
	}
	return true;
}

/* What the interpreter answers; false: it looked for headers. */
static bool run(const struct skep_cbpf_insn *insns, size_t n, struct skep_cbpf_packet *p, uint32_t *ret)
{
	struct skep_cbpf_state s = {0};

	while (!s.done) {
		enum cbpf_op op = cbpf_op(&insns[s.pc]);

		if (cbpf_info[op].operand == OPERAND_IND && s.x + insns[s.pc].k >= LL_OFF)
			return false;
		skep_cbpf_step(insns, n, SKEP_CBPF_SOCKET, p, &s);
	}
	*ret = s.ret;
	return true;
}

static bool results_agree(int pair[2], const struct skep_cbpf_insn *insns, size_t n, uint64_t *seed)
{
	uint8_t bytes[PACKET];

	for (unsigned round = 0; round < 4; round++) {
		uint32_t len = 1 + random_below(seed, PACKET), ours, theirs;
		struct skep_cbpf_packet p = {.data = bytes, .len = len, .wire_len = len};

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(random_below(seed, 2) ? random_below(seed, 4) : random_next(seed));
		if (!run(insns, n, &p, &ours))
			continue;
		ours = ours < len ? ours : len;
		theirs = through(pair, bytes, len);
		if (ours != theirs) {
			printf("# %u bytes: %u here, %u in the kernel\n", len, ours, theirs);
			return false;
		}
	}
	return true;
}

static void test_socket(unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	unsigned taken = 0, refused = 0, compared = 0;
	uint64_t seed = 7;
	int pair[2];
	bool ok = true;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) {
		tap_skip("no socket pairs", "socket filters");
		return;
	}
	for (unsigned round = 0; round < rounds && ok; round++) {
		size_t n = 1 + random_below(&seed, MAX);
		struct skep_cbpf_error e = {0};
		int ours, theirs;

		random_filter(&seed, insns, n, SKEP_CBPF_SOCKET, round % 4 ? 10 + 20 * (round % 7) : 0);
		ours = skep_cbpf_check(insns, n, SKEP_CBPF_SOCKET, &e);
		theirs = attach(pair[1], insns, n);
		ok = !ours == !theirs;
		if (!ok)
			printf("# round %u: here %d (%d: %s), kernel %d\n", round, ours, e.insn, e.text, theirs);
		taken += !theirs;
		refused += theirs != 0;
		if (ok && !ours && is_portable(insns, n)) {
			ok = results_agree(pair, insns, n, &seed);
			compared++;
		}
		if (!ok)
			show(insns, n);
	}
	ok = ok && taken > rounds / 8 && refused > rounds / 8 && compared > rounds / 8;
	tap(ok, "socket filters: %u taken, %u refused, results of %u compared", taken, refused, compared);
	close(pair[0]);
	close(pair[1]);
}

/* 1 taken, 0 refused. The child makes no system call once the filter may stand. */
static int seccomp_verdict(const struct skep_cbpf_insn *insns, size_t n, volatile int *answer)
{
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = (struct sock_filter *)insns};
	pid_t child;
	int status;

	*answer = -1;
	child = fork();
	if (!child) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		*answer = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
		for (;;)
			*(volatile int *)NULL = 0;
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return *answer;
}

static void test_seccomp(unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	unsigned taken = 0, refused = 0;
	uint64_t seed = 8;
	volatile int *answer = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ok = answer != MAP_FAILED;

	for (unsigned round = 0; round < rounds && ok; round++) {
		bool each = round < CBPF_OPS; /* every instruction once, alone */
		size_t n = each ? 3 : 1 + random_below(&seed, 20);
		struct skep_cbpf_error e = {0};
		int ours, theirs;

		random_filter(&seed, insns, n, round % 3 ? SKEP_CBPF_SECCOMP : SKEP_CBPF_SOCKET,
		              round % 2 ? 8 + 8 * (round % 5) : 0);
		if (each) {
			insns[0] = (struct skep_cbpf_insn){2, 0, 0, 4};
			insns[1] = (struct skep_cbpf_insn){cbpf_info[round].code, 0, 0,
			                                   round == CBPF_JA ? 0 : 4};
			insns[2] = (struct skep_cbpf_insn){6, 0, 0, 0};
		}
		ours = skep_cbpf_check(insns, n, SKEP_CBPF_SECCOMP, &e);
		theirs = seccomp_verdict(insns, n, answer);
		if (theirs < 0) {
			tap_skip("no child says", "seccomp filters");
			return;
		}
		ok = (ours == 0) == (theirs == 1);
		taken += (unsigned)theirs;
		refused += !theirs;
		if (!ok) {
			printf("# round %u: here %d (%d: %s), kernel %d\n", round, ours, e.insn, e.text, theirs);
			show(insns, n);
		}
	}
	tap(ok && taken > rounds / 8 && refused > rounds / 8, "seccomp filters: %u taken, %u refused", taken,
	    refused);
}

/* --- What calls get ---------------------------------------------------------------------------- */

enum { CALLS = 12, NR_NONE = 2000 }; /* no such call: ENOSYS when it is allowed */

/* A filter of which each return is an errno of its own, or "allow". */
static void make_harmless(struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cbpf_op op = cbpf_op(&insns[i]);

		if (op == CBPF_RET_A || op == CBPF_RET_K)
			insns[i] = (struct skep_cbpf_insn){6, 0, 0, i % 5 ? 0x50000 + 100 + (uint32_t)i % 60
			                                                  : 0x7fff0000};
		if (op == CBPF_LD_W_ABS && (insns[i].k == 8 || insns[i].k == 12))
			insns[i].k = 16; /* where the caller is only it knows */
	}
}

static bool calls_agree(const struct skep_cbpf_insn *insns, size_t n, uint64_t *seed, int *answers)
{
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = (struct sock_filter *)insns};
	uint64_t args[CALLS][6];
	int status;
	pid_t child;

	for (unsigned c = 0; c < CALLS; c++)
		for (unsigned a = 0; a < 6; a++)
			args[c][a] = random_below(seed, 2) ? random_below(seed, 70)
			                                   : (uint64_t)random_next(seed) << 32 | random_next(seed);
	child = fork();
	if (!child) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
		for (unsigned c = 0; c < CALLS; c++)
			answers[c] = syscall(NR_NONE + c % 3, args[c][0], args[c][1], args[c][2], args[c][3],
			                     args[c][4], args[c][5]) == -1 ? errno : 0;
		for (;;)
			*(volatile int *)NULL = 0;
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	for (unsigned c = 0; c < CALLS; c++) {
		struct seccomp_data d = {.nr = (int)(NR_NONE + c % 3), .arch = 0xc000003e};
		struct skep_cbpf_packet p = {.data = (uint8_t *)&d, .len = sizeof(d)};
		uint32_t ret;

		memcpy(d.args, args[c], sizeof(d.args));
		ret = skep_cbpf_run(insns, n, SKEP_CBPF_SECCOMP, &p);
		/* A division by zero answers 0: the thread is killed. */
		if (!ret)
			return true;
		if (answers[c] != (ret == 0x7fff0000 ? ENOSYS : (int)(ret & 0xffff))) {
			printf("# call %u: 0x%x, errno %d in the kernel\n", c, ret, answers[c]);
			return false;
		}
	}
	return true;
}

static void test_calls(unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	uint64_t seed = 9;
	int *answers = mmap(NULL, CALLS * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ok = answers != MAP_FAILED;

#ifndef __x86_64__
	tap_skip("numbers of x86-64", "verdicts of seccomp filters");
	return;
#endif
	for (unsigned round = 0; round < rounds && ok; round++) {
		size_t n = 1 + random_below(&seed, MAX);

		random_filter(&seed, insns, n, SKEP_CBPF_SECCOMP, 0);
		make_harmless(insns, n);
		ok = calls_agree(insns, n, &seed, answers);
		if (!ok)
			show(insns, n);
	}
	tap(ok, "%u random seccomp filters on %u calls each", rounds, CALLS);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 5000;

	setvbuf(stdout, NULL, _IONBF, 0); /* children copy no buffer */
	test_socket(rounds);
	test_seccomp(rounds / 10);
	test_calls(rounds / 10);
	return tap_end();
}
