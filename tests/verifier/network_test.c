/* SPDX-License-Identifier: BSD-2-Clause */
/* A network of the user's: routes, neighbours, sockets that helpers find; where live frames go. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/uapi.h"
#include "skep.h"
#include "tap.h"
#include "vm.h"

static struct vm vm;

static uint32_t ip(const char *text)
{
	return inet_addr(text);
}

/* Runs a tc program that answers in r0 on a frame, on the checked engine. */
static int64_t run(const char *text)
{
	uint8_t frame[64] = {[12] = 0x08, [14] = 0x45};
	struct test_run t = {.data_in = frame, .data_size_in = sizeof(frame)};
	struct prog *prog;
	size_t n;
	struct insn *insns = vm_asm(text, &n);
	int err = vm_load(&vm, BPF_PROG_TYPE_SCHED_CLS, true, insns, n, &prog);

	if (err) {
		printf("# does not load: %d %s\n", err, vm.line);
		exit(1);
	}
	err = prog->hook->test_run(prog, &t);
	obj_put(&prog->obj);
	free(insns);
	return err || t.faulted ? INT64_MIN : (int32_t)t.retval;
}

/* bpf_fib_lookup() from a device; answers its result, or a word of what it filled in. */
static int64_t fib(unsigned ifindex, const char *dst, unsigned tot_len, unsigned flags, int word)
{
	char text[800], answer[60] = "";

	if (word >= 0)
		snprintf(answer, sizeof(answer), "r0 = *(u32 *)(r10 - %d);", 64 - word);
	snprintf(text, sizeof(text),
	         "*(u64 *)(r10 - 64) = 2; *(u16 *)(r10 - 58) = %u; *(u64 *)(r10 - 56) = %u;"
	         "*(u64 *)(r10 - 48) = 0; *(u64 *)(r10 - 40) = 0; r2 = %#x ll;"
	         "*(u64 *)(r10 - 32) = r2; *(u64 *)(r10 - 24) = 0; *(u64 *)(r10 - 16) = 0;"
	         "*(u64 *)(r10 - 8) = 0; r2 = r10; r2 += -64; r3 = 64; r4 = %u; call 69; %s exit",
	         tot_len, ifindex, ip(dst), flags, answer);
	return run(text);
}

static void add_route(const char *dst, unsigned prefix, const char *gateway, unsigned ifindex,
                      unsigned metric, enum skep_route_kind kind)
{
	struct skep_route r = {.family = AF_INET, .prefix = (uint8_t)prefix, .ifindex = ifindex,
	                       .metric = metric, .kind = (uint8_t)kind, .has_gateway = !!gateway};
	uint32_t addr = ip(dst);

	memcpy(r.dst, &addr, 4);
	if (gateway) {
		addr = ip(gateway);
		memcpy(r.gateway, &addr, 4);
	}
	tap(!skep_add_route(&vm.k, &r), "a route to %s/%u", dst, prefix);
}

static void test_routes(void)
{
	struct skep_device in = {.ifindex = 5, .mtu = 1500, .forwards = 1};
	struct skep_device out = {.ifindex = 6, .mtu = 1400, .mac = {2, 0, 0, 0, 0, 6}};
	struct skep_neigh n = {.family = AF_INET, .ifindex = 6, .mac = {2, 0, 0, 0, 1, 1}};
	struct skep_route wrong = {.family = AF_INET, .prefix = 33};
	uint32_t addr = ip("10.0.0.1");

	memcpy(n.addr, &addr, 4);
	tap(fib(5, "10.1.2.3", 0, 0, -1) == -ENODEV, "fib_lookup from a device that is not there");
	tap(!skep_add_device(&vm.k, &in) && !skep_add_device(&vm.k, &out), "devices");
	tap(skep_add_device(&vm.k, &in) == -EEXIST, "a device twice");
	tap(skep_add_route(&vm.k, &wrong) == -EINVAL, "a prefix of 33 bits");
	tap(fib(1, "10.1.2.3", 0, 0, -1) == 5, "lo forwards nothing");
	tap(fib(5, "10.1.2.3", 0, 0, -1) == 4, "no route: not forwarded");
	add_route("10.0.0.0", 8, "10.0.0.1", 6, 7, SKEP_ROUTE_UNICAST);
	add_route("10.1.0.0", 16, NULL, 6, 0, SKEP_ROUTE_UNICAST);
	add_route("10.9.0.0", 16, NULL, 6, 0, SKEP_ROUTE_BLACKHOLE);
	add_route("10.9.9.0", 24, NULL, 6, 0, SKEP_ROUTE_PROHIBIT);
	tap(fib(5, "10.2.0.1", 0, 0, -1) == 7, "no neighbour");
	tap(!skep_add_neigh(&vm.k, &n), "a neighbour");
	tap(fib(5, "10.2.0.1", 0, 0, -1) == 0, "by the gateway");
	tap(fib(5, "10.2.0.1", 0, 0, 8) == 6, "the device it leaves by");
	tap(fib(5, "10.2.0.1", 0, 0, 12) == 7, "the route's metric");
	tap(fib(5, "10.2.0.1", 0, 0, 32) == (int32_t)ip("10.0.0.1"), "the gateway");
	tap(fib(5, "10.2.0.1", 0, 0, 52) == 0x00000002, "the device's address");
	tap(fib(5, "10.2.0.1", 0, 0, 60) == 0x01010000, "the neighbour's address");
	tap(fib(5, "10.1.0.1", 0, 0, -1) == 7, "the longer prefix: no neighbour there");
	tap(fib(5, "10.1.0.1", 0, 4, -1) == 0, "neighbours left out");
	tap(fib(5, "10.9.1.1", 0, 0, -1) == 1, "a black hole");
	tap(fib(5, "10.9.9.1", 0, 0, -1) == 3, "prohibited");
	tap(fib(5, "10.2.0.1", 1401, 0, -1) == 8, "too long");
	tap(fib(5, "10.2.0.1", 1400, 0, -1) == 0, "just short enough");
	tap(fib(5, "10.2.0.1", 0, 16, -1) == 9, "a source that the route has not");
}

/* bpf_sk_lookup_{tcp,udp}(); answers the socket's mark, or -1. */
static int64_t lookup(int helper, const char *from, unsigned sport, const char *to, unsigned dport)
{
	char text[600];

	snprintf(text, sizeof(text),
	         "r2 = %#x ll; *(u32 *)(r10 - 16) = r2; r2 = %#x ll; *(u32 *)(r10 - 12) = r2;"
	         "*(u16 *)(r10 - 8) = %u; *(u16 *)(r10 - 6) = %u; r2 = r10; r2 += -16; r3 = 12;"
	         "r4 = -1; r5 = 0; call %d; if r0 == 0 goto none; r6 = *(u32 *)(r0 + 16); r1 = r0;"
	         "call 86; r0 = r6; exit; none: r0 = -1; exit",
	         ip(from), ip(to), htons((uint16_t)sport), htons((uint16_t)dport), helper);
	return run(text);
}

static void add_socket(uint8_t protocol, const char *local, unsigned lport, const char *remote,
                       unsigned rport, unsigned mark)
{
	struct skep_socket s = {.family = AF_INET, .protocol = protocol, .mark = mark,
	                        .local_port = (uint16_t)lport, .remote_port = (uint16_t)rport,
	                        .state = rport ? 1 : 10};
	uint32_t addr = ip(local);

	memcpy(s.local, &addr, 4);
	addr = ip(remote);
	memcpy(s.remote, &addr, 4);
	tap(!skep_add_socket(&vm.k, &s), "a socket of mark %u", mark);
}

static void test_sockets(void)
{
	struct skep_socket wrong = {.family = 1, .protocol = 6};

	tap(skep_add_socket(&vm.k, &wrong) == -EINVAL, "a socket of no family");
	add_socket(6, "0.0.0.0", 80, "0.0.0.0", 0, 1);
	add_socket(6, "10.0.0.9", 80, "0.0.0.0", 0, 2);
	add_socket(6, "10.0.0.9", 80, "10.0.0.2", 4000, 3);
	add_socket(17, "0.0.0.0", 53, "0.0.0.0", 0, 4);
	tap(lookup(84, "10.0.0.2", 4000, "10.0.0.9", 80) == 3, "sk_lookup_tcp of a connection");
	tap(lookup(84, "10.0.0.2", 4001, "10.0.0.9", 80) == 2, "of a listener at an address");
	tap(lookup(84, "10.0.0.2", 4001, "10.0.0.8", 80) == 1, "of a listener at all of them");
	tap(lookup(84, "10.0.0.2", 4001, "10.0.0.8", 81) == -1, "of a port where nobody listens");
	tap(lookup(84, "10.0.0.2", 4001, "10.0.0.8", 53) == -1, "of a UDP port");
	tap(lookup(85, "10.0.0.2", 4001, "10.0.0.8", 53) == 4, "sk_lookup_udp");
	tap(lookup(99, "10.0.0.2", 4000, "10.0.0.9", 80) == 3, "skc_lookup_tcp");
}

static struct {
	unsigned count[5];
	uint32_t ifindex;
	uint64_t key;
	struct map *map;
	uint8_t first;
} seen;

static void on_frame(struct skep *k, const struct live_frame *f)
{
	seen.count[f->verdict]++;
	seen.ifindex = f->ifindex;
	seen.map = f->map;
	seen.key = f->key;
	seen.first = f->data[0];
}

static void run_live(const char *text, uint32_t repeat)
{
	uint8_t frame[64] = {1};
	struct test_run t = {.data_in = frame, .data_size_in = sizeof(frame), .repeat = repeat, .flags = 2};
	struct prog *prog;
	size_t n;
	struct insn *insns = vm_asm(text, &n);
	int err = vm_load(&vm, BPF_PROG_TYPE_XDP, true, insns, n, &prog);

	memset(&seen, 0, sizeof(seen));
	if (!err) {
		err = prog->hook->test_run(prog, &t);
		obj_put(&prog->obj);
	}
	tap(!err && !t.retval, "a live run");
	free(insns);
}

static void test_live_frames(void)
{
	vm.k.on_frame = on_frame;
	run_live("r0 = 1; exit", 3);
	tap(!seen.count[2] && !seen.count[3] && !seen.count[4], "dropped frames are not seen");
	run_live("r0 = 2; exit", 3);
	tap(seen.count[2] == 3 && seen.ifindex == 1, "passed frames are");
	run_live("r1 = 7; r2 = 0; call 23; exit", 1);
	tap(seen.count[4] == 1 && seen.ifindex == 7 && !seen.map, "redirected frames say where to");
	run_live("r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 4); r4 = r2; r4 += 1; r0 = 1;"
	         "if r4 > r3 goto out; r0 = *(u8 *)(r2 + 0); r0 += 1; *(u8 *)(r2 + 0) = r0; r0 = 3; out: exit", 4);
	tap(seen.count[3] == 4 && seen.first == 2, "each run gets the frame anew");
}

int main(void)
{
	vm_init(&vm);
	vm.trusted = true;
	test_routes();
	test_sockets();
	test_live_frames();
	vm_exit(&vm);
	return tap_end();
}
