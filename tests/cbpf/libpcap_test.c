/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expressions, compiled by libpcap for every link type that it knows, optimised or not, over made-up
 * traffic: Skep's JIT, its reference interpreter, libpcap's own interpreter, and the kernel, by a socket
 * pair with SO_ATTACH_FILTER, say the same of each packet.
 */
#include <linux/filter.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cbpf/cbpf.h"
#include "expression.h"
#include "random.h"
#include "skep.h"
#include "traffic.h"
#include "../verifier/tap.h"

enum { PACKETS = 120, TYPES = 400, EXPRESSION = 400, TO_KERNEL = 25 };

struct packet {
	uint8_t data[TRAFFIC_MAX];
	uint32_t len, wire_len;
};

static struct type {
	int dlt;
	struct packet *packets;
} types[TYPES];
static unsigned ntypes;

static struct counts {
	unsigned expressions, packets, by_kernel, types, matched;
} counts;

static struct skep *kernel;
static struct skep_cpu *cpu;
static int pair[2];

static void find_types(void)
{
	uint64_t seed = 31;

	for (int dlt = 0; dlt < 300; dlt++) {
		pcap_t *p = pcap_open_dead(dlt, 262144);
		struct bpf_program prog;

		if (p && !pcap_compile(p, &prog, "len > 5", 1, 0)) {
			struct type *t = &types[ntypes++];

			pcap_freecode(&prog);
			t->dlt = dlt;
			t->packets = calloc(PACKETS, sizeof(*t->packets));
			for (unsigned i = 0; t->packets && i < PACKETS; i++) {
				t->packets[i].len = traffic_packet(&seed, dlt, t->packets[i].data);
				t->packets[i].wire_len = t->packets[i].len + (random_below(&seed, 9) ? 0 : 40);
			}
		}
		if (p)
			pcap_close(p);
	}
}

/* Are there loads that mean something else to libpcap? It has no extensions, and no shifts beyond 31. */
static bool is_common(const struct skep_cbpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cbpf_op(&insns[i]) == CBPF_LSH_X || cbpf_op(&insns[i]) == CBPF_RSH_X ||
		    cbpf_ext(&insns[i]) != EXT_NONE)
			return false;
	return true;
}

/* Does a packet come through a socket with this filter? */
static bool comes_through(const struct packet *p)
{
	static uint8_t got[TRAFFIC_MAX];

	if (send(pair[0], p->data, p->len, MSG_DONTWAIT) < 0)
		return false;
	return recv(pair[1], got, sizeof(got), MSG_DONTWAIT) >= 0;
}

static bool check_packet(const struct bpf_program *prog, const struct skep_cbpf_insn *insns, struct skep_filter *f,
                         const struct packet *p, bool with_kernel, int dlt)
{
	struct pcap_pkthdr h = {.caplen = p->len, .len = p->wire_len};
	struct skep_cbpf_packet sp;
	uint32_t theirs = (uint32_t)pcap_offline_filter(prog, &h, p->data), ours, jit;

	skep_cbpf_packet_init(&sp, p->data, p->len, p->wire_len, (uint32_t)dlt);
	ours = skep_cbpf_run(insns, prog->bf_len, SKEP_CBPF_SOCKET, &sp);
	jit = skep_filter_run(f, p->data, p->len, p->wire_len, cpu);
	counts.packets++;
	counts.matched += theirs != 0;
	if (ours != theirs || jit != theirs) {
		printf("# %u bytes: libpcap %u, interpreter %u, jit %u\n", p->len, theirs, ours, jit);
		return false;
	}
	/* The kernel sees no packets that are cut, and no empty ones. */
	if (with_kernel && p->len == p->wire_len && p->len) {
		counts.by_kernel++;
		if (comes_through(p) != (theirs != 0)) {
			printf("# %u bytes: libpcap %u, the kernel not so\n", p->len, theirs);
			return false;
		}
	}
	return true;
}

/* Nothing, when libpcap does not compile it for this type. */
static bool check_expression(const char *text, struct type *t, bool optimize)
{
	pcap_t *p = pcap_open_dead(t->dlt, 262144);
	struct sock_fprog fprog;
	struct skep_cbpf_error e = {0};
	struct bpf_program prog;
	struct skep_filter *f;
	bool ok = true, attached, loaded;
	struct skep_cbpf_insn *insns;

	if (!p || pcap_compile(p, &prog, text, optimize, 0xffffff00)) {
		if (p)
			pcap_close(p);
		return true;
	}
	insns = (struct skep_cbpf_insn *)prog.bf_insns;
	fprog = (struct sock_fprog){(unsigned short)prog.bf_len, (struct sock_filter *)prog.bf_insns};
	attached = !setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog));
	if (!skep_cbpf_check(insns, prog.bf_len, SKEP_CBPF_SOCKET, NULL) != attached) {
		printf("# the kernel takes it: %d, Skep does not so\n", attached);
		ok = false;
	} else if (attached && is_common(insns, prog.bf_len)) {
		ok = loaded = !skep_filter_new(kernel, insns, prog.bf_len, SKEP_CBPF_SOCKET, (uint32_t)t->dlt, &f, &e);
		if (!ok)
			printf("# not loaded: %s\n", e.text);
		for (unsigned i = 0; ok && i < PACKETS; i++)
			ok = check_packet(&prog, insns, f, &t->packets[i], i < TO_KERNEL, t->dlt);
		if (loaded)
			skep_filter_free(f);
		counts.expressions++;
	}
	if (!ok)
		printf("# '%s' for link type %d%s\n", text, t->dlt, optimize ? "" : ", not optimised");
	pcap_freecode(&prog);
	pcap_close(p);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 4500;
	const struct skep_options o = {.size = sizeof(o)};
	char text[EXPRESSION];
	uint64_t seed = 32;
	bool ok = true;

	if (skep_new(&o, &kernel) || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) {
		printf("Bail out! no kernel, or no sockets\n");
		return 1;
	}
	cpu = skep_cpu_enter(kernel);
	find_types();
	for (unsigned i = 0; known_expressions[i] && ok; i++)
		for (unsigned t = 0; t < ntypes && ok; t++)
			if (types[t].dlt == DLT_EN10MB || types[t].dlt == DLT_RAW || types[t].dlt == DLT_LINUX_SLL ||
			    (t + i) % 6 == 0)
				ok = check_expression(known_expressions[i], &types[t], true);
	tap(ok, "well-known expressions: %u of them with their link types, %u packets", counts.expressions,
	    counts.packets);
	for (unsigned i = 0; i < rounds && ok; i++) {
		random_expression(&seed, text, sizeof(text));
		ok = check_expression(text, &types[random_below(&seed, 2) ? i % ntypes : i % 2 ? 1 : 7], i % 5 != 0);
	}
	tap(ok && counts.expressions >= rounds / 2 && counts.matched > counts.packets / 50,
	    "%u expressions, %u link types: %u packets, %u match, %u by the kernel", counts.expressions, ntypes,
	    counts.packets, counts.matched, counts.by_kernel);
	skep_cpu_leave(cpu);
	skep_free(kernel);
	for (unsigned t = 0; t < ntypes; t++)
		free(types[t].packets);
	return tap_end();
}
