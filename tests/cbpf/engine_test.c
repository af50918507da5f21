/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random filters, translated: the JIT, Skep's interpreter and the reference interpreter give the same for
 * every packet, whole or cut; the translation for other kernels passes the real kernel's verifier, and its
 * test run gives the same, too.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cbpf/cbpf.h"
#include "random.h"
#include "skep.h"
#include "../verifier/tap.h"

enum { PACKET = 120, MAX = 50, ENGINES = 3 };

static const enum skep_engine engines[ENGINES] = {SKEP_ENGINE_JIT, SKEP_ENGINE_INTERP, SKEP_ENGINE_CHECKED};
static const char *const engine_names[ENGINES] = {"jit", "interp", "checked"};
static struct skep *kernels[ENGINES];
/*
 * Filters that Skep's verifier refuses and Linux's does not: it makes nothing of a pointer to which a number
 * is added whose bounds contradict each other, which only ways that are never taken have.
 */
static unsigned refused;

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

static bool has_random(const struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cbpf_ext(&insns[i]) == EXT_RANDOM || cbpf_ext(&insns[i]) == EXT_CPU)
			return true;
	return false;
}

/* A packet with attributes in it here and there, of which the link type knows something. */
static void make_packet(uint64_t *seed, uint8_t *bytes, struct skep_cbpf_packet *p)
{
	uint32_t len = random_below(seed, 5) ? 34 + random_below(seed, PACKET - 34) : random_below(seed, 40);

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(random_below(seed, 2) ? random_below(seed, 12) : random_next(seed));
	if (len > 14 && random_below(seed, 2)) {
		bytes[12] = 8;
		bytes[13] = 0;
		bytes[14] = 0x45;
	}
	skep_cbpf_packet_init(p, bytes, len, len + (random_below(seed, 3) ? 0 : 100), 1);
	p->mark = random_next(seed);
	p->queue = random_below(seed, 65535);
	p->hash = random_next(seed);
	p->vlan_tci = (uint16_t)random_next(seed);
	p->vlan_present = random_below(seed, 2) != 0;
	p->ifindex = random_below(seed, 8) ? random_below(seed, 9) : 0;
}

static bool agree(const struct skep_cbpf_insn *insns, size_t n, uint64_t *seed)
{
	struct skep_filter *f[ENGINES];
	struct skep_cpu *cpu[ENGINES];
	struct skep_cbpf_error e = {0};
	uint8_t bytes[PACKET];
	bool ok = true;

	for (unsigned i = 0; i < ENGINES; i++) {
		int err = skep_filter_new(kernels[i], insns, n, SKEP_CBPF_SOCKET, 1, &f[i], &e);

		if (err) {
			while (i-- > 0) {
				skep_cpu_leave(cpu[i]);
				skep_filter_free(f[i]);
			}
			if (err == -EACCES && strstr(e.text, "invalid mem access 'scalar'")) {
				refused++;
				return true;
			}
			printf("# not loaded: %d, %s\n", err, e.text);
			return false;
		}
		cpu[i] = skep_cpu_enter(kernels[i]);
	}
	for (unsigned round = 0; round < 20 && ok; round++) {
		struct skep_cbpf_packet p;
		uint32_t wanted, got;

		make_packet(seed, bytes, &p);
		wanted = skep_cbpf_run(insns, n, SKEP_CBPF_SOCKET, &p);
		for (unsigned i = 0; i < ENGINES && ok; i++) {
			got = skep_filter_run_packet(f[i], &p, cpu[i]);
			ok = got == wanted;
			if (!ok)
				printf("# %u bytes: 0x%x, 0x%x by the %s; %s\n", p.len, wanted, got,
				       engine_names[i], skep_cpu_fault(cpu[i]) ? skep_cpu_fault(cpu[i]) : "");
		}
	}
	for (unsigned i = 0; i < ENGINES; i++) {
		skep_cpu_leave(cpu[i]);
		skep_filter_free(f[i]);
	}
	return ok;
}

static void test_engines(unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	uint64_t seed = 21;
	unsigned run = 0;
	bool ok = true;

	for (unsigned round = 0; round < rounds && ok; round++) {
		size_t n = 1 + random_below(&seed, MAX);

		random_filter(&seed, insns, n, SKEP_CBPF_SOCKET, 0);
		if (has_random(insns, n))
			continue;
		run++;
		ok = agree(insns, n, &seed);
		if (!ok) {
			printf("# round %u\n", round);
			show(insns, n);
		}
	}
	tap(ok && run > rounds / 2 && refused <= rounds / 500,
	    "%u random filters: engines agree; %u refused by the verifier alone", run, refused);
}

/* Many packets at once: the same as one by one, with and without extensions. */
static void test_many(void)
{
	static const char *const texts[] = {"ldh [12]\njeq #0x800, a\nret #0\na: ld [x + 20]\nret a", "ld len\nret a",
	                                    "ld #proto\nret a", "ld [-1048576]\nret a"};
	static uint8_t bytes[64][PACKET];
	struct skep_filter_item items[64];
	uint32_t ret[64];
	uint64_t seed = 25;
	bool ok = true;

	for (unsigned i = 0; i < 64; i++) {
		struct skep_cbpf_packet p;

		make_packet(&seed, bytes[i], &p);
		items[i] = (struct skep_filter_item){bytes[i], p.len, p.wire_len};
	}
	for (unsigned t = 0; t < sizeof(texts) / sizeof(texts[0]) * ENGINES; t++) {
		struct skep *k = kernels[t % ENGINES];
		struct skep_cbpf_insn *insns;
		struct skep_filter *f;
		struct skep_cpu *cpu;
		size_t n;

		if (skep_cbpf_read(texts[t / ENGINES], strlen(texts[t / ENGINES]), SKEP_CBPF_ASM, &insns, &n, NULL) ||
		    skep_filter_new(k, insns, n, SKEP_CBPF_SOCKET, 1, &f, NULL)) {
			ok = false;
			break;
		}
		cpu = skep_cpu_enter(k);
		skep_filter_run_many(f, items, 64, ret, cpu);
		for (unsigned i = 0; i < 64; i++) {
			struct skep_cbpf_packet p;

			skep_cbpf_packet_init(&p, items[i].data, items[i].len, items[i].wire_len, 1);
			ok &= ret[i] == skep_cbpf_run(insns, n, SKEP_CBPF_SOCKET, &p);
		}
		skep_cpu_leave(cpu);
		skep_filter_free(f);
		free(insns);
	}
	tap(ok, "many packets at once");
}

/* Far jumps: a filter of the largest size, with one of everything that jumps. */
static void test_large(void)
{
	static struct skep_cbpf_insn insns[SKEP_CBPF_MAX_INSNS];
	uint64_t seed = 22;
	bool ok = true;

	for (unsigned round = 0; round < 6 && ok; round++) {
		size_t n = round % 2 ? SKEP_CBPF_MAX_INSNS : 1499 + round;

		for (size_t i = 0; i < n; i++) {
			static const uint16_t codes[] = {0x28, 0x30, 0x48, 0x50, 0xb1, 0x04, 0x15, 0x25, 0x45, 0x07};
			size_t left = n - i - 1;
			uint16_t code = codes[random_below(&seed, 10)];

			insns[i] = (struct skep_cbpf_insn){.code = code, .k = random_below(&seed, 12)};
			if ((code & 7) == 5) {
				insns[i].jt = (uint8_t)random_below(&seed, left < 255 ? (uint32_t)left : 255);
				insns[i].jf = (uint8_t)random_below(&seed, left < 255 ? (uint32_t)left : 255);
			}
			if (!left)
				insns[i] = (struct skep_cbpf_insn){.code = 0x16};
		}
		insns[0] = (struct skep_cbpf_insn){.code = 0x05, .k = (uint32_t)n - 100};
		if (round % 3)
			insns[0] = (struct skep_cbpf_insn){.code = 0x30, .k = 3};
		ok = agree(insns, n, &seed);
	}
	tap(ok, "filters of up to %u instructions", SKEP_CBPF_MAX_INSNS);
}

/* --- By bpf(2): the real kernel, and Skep with each engine --------------------------------------- */

enum { REAL = ENGINES }; /* the side behind the engines */

static long side_bpf(unsigned side, int cmd, union bpf_attr *attr)
{
	return side == REAL ? syscall(SYS_bpf, cmd, attr, sizeof(*attr))
	                    : skep_bpf(kernels[side], cmd, attr, sizeof(*attr));
}

static int side_load(unsigned side, const void *code, size_t n, uint32_t type, char *log, size_t size)
{
	union bpf_attr attr = {.prog_type = type, .insns = (uintptr_t)code, .insn_cnt = (uint32_t)n,
	                       .license = (uintptr_t)"GPL", .log_level = 1, .log_buf = (uintptr_t)log,
	                       .log_size = (uint32_t)size};

	*log = 0;
	return (int)side_bpf(side, BPF_PROG_LOAD, &attr);
}

/* Headers and fields that a test run decides on its own. */
static bool is_portable(const struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (cbpf_ext(&insns[i])) {
		case EXT_NONE: case EXT_NLATTR: case EXT_NLATTR_NEST: case EXT_XOR_X: case EXT_PROTOCOL:
			break;
		default:
			return false;
		}
	return true;
}

static bool side_agrees(unsigned side, const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_target target,
                          uint64_t *seed)
{
	static char log[1 << 20];
	uint8_t bytes[PACKET];
	bool ok = true;
	size_t len;
	void *code;
	int fd;

	if (skep_cbpf_translate(insns, n, target, 1, &code, &len, NULL))
		return false;
	fd = side_load(side, code, len, target == SKEP_CBPF_TO_SOCKET ? BPF_PROG_TYPE_SOCKET_FILTER
	                                                          : BPF_PROG_TYPE_SCHED_CLS, log, sizeof(log));
	free(code);
	if (fd < 0) {
		/* See `refused`. */
		if (side != REAL && strstr(log, "invalid mem access 'scalar'")) {
			refused++;
			return true;
		}
		printf("# the verifier of %s:\n# %.*s\n", side == REAL ? "the kernel" : engine_names[side], 300,
		       strlen(log) > 300 ? log + strlen(log) - 300 : log);
		return false;
	}
	for (unsigned round = 0; round < 6 && ok; round++) {
		union bpf_attr attr = {0};
		struct skep_cbpf_packet p, seen;
		uint32_t wanted;

		do
			make_packet(seed, bytes, &p);
		while (p.len < 60);
		bytes[12] = 8;
		bytes[13] = 0;
		skep_cbpf_packet_init(&seen, bytes, p.len, p.len, 1);
		if (target == SKEP_CBPF_TO_SOCKET) { /* which begins with the network header */
			seen.data += 14;
			seen.len = seen.wire_len = p.len - 14;
			seen.network = 0;
			seen.link = 0;
		}
		wanted = skep_cbpf_run(insns, n, SKEP_CBPF_SOCKET, &seen);
		attr.test.prog_fd = (uint32_t)fd;
		attr.test.data_in = (uintptr_t)bytes;
		attr.test.data_size_in = p.len;
		if (side_bpf(side, BPF_PROG_TEST_RUN, &attr))
			continue;
		ok = attr.test.retval == wanted;
		if (!ok)
			printf("# %u bytes: 0x%x, 0x%x by %s\n", p.len, wanted, attr.test.retval,
			       side == REAL ? "the kernel" : engine_names[side]);
	}
	close(fd);
	return ok;
}

/* Does it use link headers, which socket filters see at negative offsets? */
static bool uses_link(const struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cbpf_op op = cbpf_op(&insns[i]);

		if (cbpf_info[op].operand == OPERAND_IND ||
		    ((cbpf_info[op].operand == OPERAND_ABS || cbpf_info[op].operand == OPERAND_MSH) &&
		     insns[i].k >= LL_OFF && insns[i].k < AD_OFF))
			return true;
	}
	return false;
}

static void test_side(unsigned side, unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	char log[4096];
	uint64_t seed = 23;
	unsigned run = 0;
	bool ok = true;
	static const uint64_t empty[] = {0xb7, 0x95}; /* r0 = 0; exit */
	int fd = side_load(side, empty, 2, BPF_PROG_TYPE_SOCKET_FILTER, log, sizeof(log));

	if (fd < 0) {
		tap_skip("no bpf(2)", "the kernel runs translations");
		return;
	}
	close(fd);
	for (unsigned round = 0; round < rounds && ok; round++) {
		size_t n = 1 + random_below(&seed, MAX);
		static const enum skep_cbpf_target targets[] = {SKEP_CBPF_TO_SOCKET, SKEP_CBPF_TO_TC,
		                                                SKEP_CBPF_TO_LINEAR};
		enum skep_cbpf_target target = targets[round % 3];
		bool socket = target == SKEP_CBPF_TO_SOCKET;

		random_filter(&seed, insns, n, SKEP_CBPF_SOCKET, 0);
		if (!is_portable(insns, n) || (socket && uses_link(insns, n)))
			continue;
		run++;
		ok = side_agrees(side, insns, n, target, &seed);
		if (!ok) {
			printf("# round %u, target %d\n", round, target);
			show(insns, n);
		}
	}
	tap(ok && run > rounds / 5, "%s runs %u translations for socket filters and tc to the same result",
	    side == REAL ? "the kernel" : engine_names[side], run);
}

static void test_seccomp(unsigned rounds)
{
	struct skep_cbpf_insn insns[MAX];
	uint32_t data[16];
	uint64_t seed = 24;
	bool ok = true;

	for (unsigned round = 0; round < rounds && ok; round++) {
		struct skep_cbpf_error e = {0};
		size_t n = 1 + random_below(&seed, MAX);
		struct skep_filter *f;
		struct skep_cpu *cpu;

		random_filter(&seed, insns, n, SKEP_CBPF_SECCOMP, 0);
		ok = !skep_filter_new(kernels[0], insns, n, SKEP_CBPF_SECCOMP, 0, &f, &e);
		if (!ok) {
			printf("# not loaded: %s\n", e.text);
			show(insns, n);
			break;
		}
		cpu = skep_cpu_enter(kernels[0]);
		for (unsigned i = 0; i < 10 && ok; i++) {
			struct skep_cbpf_packet p = {.data = (uint8_t *)data, .len = sizeof(data)};

			for (unsigned w = 0; w < 16; w++)
				data[w] = random_below(&seed, 2) ? random_below(&seed, 4) : random_next(&seed);
			ok = skep_cbpf_run(insns, n, SKEP_CBPF_SECCOMP, &p) ==
			     skep_filter_run(f, data, sizeof(data), 0, cpu);
		}
		skep_cpu_leave(cpu);
		skep_filter_free(f);
		if (!ok)
			show(insns, n);
	}
	tap(ok, "%u random seccomp filters", rounds);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1500;

	for (unsigned i = 0; i < ENGINES; i++) {
		const struct skep_options o = {.size = sizeof(o), .engine = engines[i]};

		if (skep_new(&o, &kernels[i])) {
			printf("Bail out! no kernel\n");
			return 1;
		}
	}
	test_engines(rounds);
	test_large();
	test_many();
	test_seccomp(rounds / 2);
	for (unsigned side = 0; side <= REAL; side++)
		test_side(side, side == REAL ? rounds : rounds / 2);
	for (unsigned i = 0; i < ENGINES; i++)
		skep_free(kernels[i]);
	return tap_end();
}
