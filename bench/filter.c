/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic filters: Skep's JIT beside libpcap's interpreter and beside the kernel's JIT, for 20 expressions
 * over made-up Ethernet traffic.
 *
 *   capture   every packet once, in order, all costs of a call included: pcap_offline_filter() and
 *             skep_filter_run_many()
 *   packet    a packet again and again, the cost of the same with the filter that only returns taken off:
 *             skep_filter_run() and BPF_PROG_TEST_RUN of the translation with packet loads, which is what
 *             the kernel makes of a classic filter itself, and of the one with direct loads
 */
#define bpf_insn kernel_bpf_insn /* libpcap has one of its own */
#include <linux/bpf.h>
#undef bpf_insn
#include <math.h>
#include <pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"
#include "skep.h"
#include "skep_cbpf.h"
#include "../tests/cbpf/traffic.h"

enum { PACKETS = 4000, SAMPLE = 24, ROUNDS = 9, REPEAT = 20000 };

static const char *const expressions[] = {
	"ip", "tcp port 80", "udp port 53", "host 10.0.0.1", "icmp or icmp6", "arp or rarp", "tcp[tcpflags] & tcp-syn != 0",
	"net 10.0.0.0/8 and not port 22", "ip6 and tcp dst port 443", "portrange 1000-9000", "vlan 5 and ip",
	"host 10.0.0.1 or host 10.0.0.2 or host 10.1.2.3 or host 192.168.1.1",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "ip[6:2] & 0x1fff = 0",
	"src host 10.0.0.1 and dst port 80", "ether multicast and not broadcast", "len > 200 and udp",
	"(tcp port 22 and host 10.0.0.1) or (udp port 53 and net 192.168.0.0/16)", "sctp or igmp or pim or vrrp",
	"tcp port 22 or tcp port 25 or tcp port 80 or tcp port 443 or tcp port 8080",
};
enum { NEXPRESSIONS = sizeof(expressions) / sizeof(expressions[0]) };

static struct packet {
	struct pcap_pkthdr header;
	const uint8_t *data; /* in one arena, one behind the other */
} *packets;
static struct skep_filter_item *items;
static uint32_t *answers;
static struct skep *k;
static struct skep_cpu *cpu;
static const struct packet *sample[SAMPLE]; /* whole IP packets, of which the kernel runs any */

struct filter {
	struct bpf_program prog;
	struct skep_filter *skep;
	int fd[2]; /* in the kernel: with packet loads, with direct loads; -1: none */
};

static int kernel_load(const void *code, size_t n)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SCHED_CLS, .insns = (uintptr_t)code,
	                       .insn_cnt = (uint32_t)n, .license = (uintptr_t)"GPL"};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static bool filter_make(struct filter *f, const char *text)
{
	static const enum skep_cbpf_target targets[2] = {SKEP_CBPF_TO_SOCKET, SKEP_CBPF_TO_TC};
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 262144);
	const struct skep_cbpf_insn *insns;
	void *code;
	size_t n;

	if (!p || pcap_compile(p, &f->prog, text, 1, PCAP_NETMASK_UNKNOWN))
		return false;
	pcap_close(p);
	insns = (const struct skep_cbpf_insn *)f->prog.bf_insns;
	if (skep_filter_new(k, insns, f->prog.bf_len, SKEP_CBPF_SOCKET, 1, &f->skep, NULL))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (skep_cbpf_translate(insns, f->prog.bf_len, targets[i], 1, &code, &n, NULL))
			return false;
		f->fd[i] = kernel_load(code, n);
		free(code);
	}
	return true;
}

static void filter_drop(struct filter *f)
{
	pcap_freecode(&f->prog);
	skep_filter_free(f->skep);
	close(f->fd[0]);
	close(f->fd[1]);
}

/* --- The whole capture, ns a packet ------------------------------------------------------------ */

static uint64_t sum; /* what the compiler must not leave out */

static double by_libpcap(const struct filter *f)
{
	double start = cpu_ns();

	for (unsigned i = 0; i < PACKETS; i++)
		sum += (uint64_t)pcap_offline_filter(&f->prog, &packets[i].header, packets[i].data);
	return (cpu_ns() - start) / PACKETS;
}

static double by_skep(const struct filter *f)
{
	double start = cpu_ns();

	skep_filter_run_many(f->skep, items, PACKETS, answers, cpu);
	sum += answers[PACKETS / 2];
	return (cpu_ns() - start) / PACKETS;
}

/* --- A packet again and again, ns -------------------------------------------------------------- */

static double again_skep(const struct filter *f, const struct packet *p)
{
	double start = cpu_ns();

	for (unsigned i = 0; i < REPEAT; i++)
		sum += skep_filter_run(f->skep, p->data, p->header.caplen, p->header.len, cpu);
	return (cpu_ns() - start) / REPEAT;
}

static double again_kernel(int fd, const struct packet *p)
{
	union bpf_attr attr = {0};
	double start = cpu_ns();

	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uintptr_t)p->data;
	attr.test.data_size_in = p->header.caplen;
	attr.test.repeat = REPEAT;
	if (fd < 0 || syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		return NAN;
	return (cpu_ns() - start) / REPEAT;
}

struct figures {
	double libpcap, skep, again, kernel[2];
};

static void take(const struct filter *f, const struct filter *empty, struct figures *out)
{
	double a[5][ROUNDS] = {{0}};

	for (unsigned r = 0; r < ROUNDS; r++) {
		a[0][r] = by_libpcap(f);
		a[1][r] = by_skep(f);
	}
	out->libpcap = median(a[0], ROUNDS);
	out->skep = median(a[1], ROUNDS);
	out->again = out->kernel[0] = out->kernel[1] = 0;
	for (unsigned s = 0; s < SAMPLE; s++) {
		for (unsigned r = 0; r < ROUNDS; r++) {
			a[2][r] = again_skep(f, sample[s]) - again_skep(empty, sample[s]);
			for (unsigned t = 0; t < 2; t++)
				a[3 + t][r] = again_kernel(f->fd[t], sample[s]) - again_kernel(empty->fd[t], sample[s]);
		}
		out->again += median(a[2], ROUNDS) / SAMPLE;
		out->kernel[0] += median(a[3], ROUNDS) / SAMPLE;
		out->kernel[1] += median(a[4], ROUNDS) / SAMPLE;
	}
}

static bool prepare(void)
{
	const struct skep_options o = {.size = sizeof(o)};
	uint64_t seed = 61;
	unsigned n = 0;

	uint8_t *arena = calloc(PACKETS, TRAFFIC_MAX);

	packets = calloc(PACKETS, sizeof(*packets));
	items = calloc(PACKETS, sizeof(*items));
	answers = calloc(PACKETS, sizeof(*answers));
	if (!packets || !items || !answers || !arena || skep_new(&o, &k))
		return false;
	cpu = skep_cpu_enter(k);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct packet *p = &packets[i];

		p->header.caplen = p->header.len = traffic_packet(&seed, DLT_EN10MB, arena);
		p->data = arena;
		items[i] = (struct skep_filter_item){arena, p->header.caplen, p->header.caplen};
		arena += p->header.caplen;
		if (n < SAMPLE && p->header.caplen >= 60 && i % 7 == 0)
			sample[n++] = p;
	}
	return n == SAMPLE;
}

int main(void)
{
	struct geomean libpcap = {0};
	double again = 0, kernel[2] = {0};
	struct filter empty, f;

	pin_cpu(-1);
	if (!prepare() || !filter_make(&empty, "")) {
		fprintf(stderr, "bench-filter: cannot start\n");
		return 1;
	}
	printf("\nClassic filters, ns a packet                        capture            one packet, filter alone\n"
	       "%-44s %7s %7s %6s   %6s %6s %6s %7s\n", "", "libpcap", "Skep", "times", "Skep", "kernel", "direct",
	       "Skep/k.");
	for (unsigned i = 0; i < NEXPRESSIONS; i++) {
		struct figures x;

		if (!filter_make(&f, expressions[i])) {
			fprintf(stderr, "bench-filter: '%s' cannot be made\n", expressions[i]);
			return 1;
		}
		take(&f, &empty, &x);
		filter_drop(&f);
		geomean_add(&libpcap, x.libpcap / x.skep);
		again += x.again;
		kernel[0] += x.kernel[0];
		kernel[1] += x.kernel[1];
		printf("%-44.44s %7.1f %7.1f %6.2f   %6.2f %6.2f %6.2f %7.2f\n", expressions[i], x.libpcap, x.skep,
		       x.libpcap / x.skep, x.again, x.kernel[0], x.kernel[1], x.again / x.kernel[0]);
		fflush(stdout);
	}
	/* Some filters cost less than can be measured: of these figures, the sums are compared. */
	printf("%-44s %23.2f\n", "geometric mean", geomean(&libpcap));
	printf("%-44s %26s %6.2f %6.2f %6.2f %7.2f\n", "sum", "", again, kernel[0], kernel[1], again / kernel[0]);
	printf("%-44s %56.2f\n", "  beside the kernel with direct loads", again / kernel[1]);
	filter_drop(&empty);
	skep_cpu_leave(cpu);
	skep_free(k);
	return sum == 1; /* it is not */
}
