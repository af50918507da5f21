/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers whose answers are not the same in every kernel, or whose effect no packet shows: clocks, tasks,
 * random numbers, traces, memory that is not there, ring buffers. And the table: does the kernel allow each
 * helper to the program types of Skep that Skep allows it to, and for GPL programs only?
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/uapi.h"
#include "kernel.h"
#include "tap.h"
#include "vm.h"

static struct vm vm;

/* Runs a program on the checked engine with r1 pointing to {memory, its size}; answers r0. */
static uint64_t run_raw(const char *text, void *memory, uint64_t size)
{
	enum { RAW = 0x534b0000 };
	struct {
		void *memory;
		uint64_t size;
	} ctx = {memory, size};
	struct prog *prog;
	struct cpu *cpu;
	uint64_t ret = 0;
	size_t n;
	struct insn *insns = vm_asm(text, &n);

	if (vm_load(&vm, RAW, true, insns, n, &prog)) {
		printf("# does not load: %s\n", vm.line);
		exit(1);
	}
	cpu = cpu_enter(&vm.k);
	ret = prog_run(prog, &ctx, cpu);
	cpu_leave(cpu);
	obj_put(&prog->obj);
	free(insns);
	return ret;
}

static uint64_t ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void test_clock(const char *text, clockid_t clock, const char *name)
{
	uint64_t before = ns(clock), now = run_raw(text, NULL, 0), after = ns(clock);

	tap(before <= now && now <= after, "%s", name);
}

static void test_clocks(void)
{
	uint64_t jiffies = run_raw("call 118; exit", NULL, 0);

	test_clock("call 5; exit", CLOCK_MONOTONIC, "ktime_get_ns");
	test_clock("call 125; exit", CLOCK_BOOTTIME, "ktime_get_boot_ns");
	test_clock("call 160; exit", CLOCK_MONOTONIC_COARSE, "ktime_get_coarse_ns");
	test_clock("call 208; exit", CLOCK_TAI, "ktime_get_tai_ns");
	usleep(20000);
	jiffies = run_raw("call 118; exit", NULL, 0) - jiffies;
	tap(jiffies >= 4 && jiffies < 1000, "jiffies64 in 20 ms: %s", jiffies ? "some" : "none");
}

static void test_task(void)
{
	char comm[32];

	tap(run_raw("call 14; exit", NULL, 0) == ((uint64_t)getpid() << 32 | (uint32_t)gettid()),
	    "get_current_pid_tgid");
	tap(run_raw("call 15; exit", NULL, 0) == ((uint64_t)getgid() << 32 | getuid()),
	    "get_current_uid_gid");
	memset(comm, 'x', sizeof(comm));
	run_raw("r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); call 16; exit", comm, 20);
	tap(!strncmp(comm, "verifier-helper", 15) && !comm[15] && !comm[19] && comm[20] == 'x',
	    "get_current_comm");
	run_raw("r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); call 16; exit", comm, 4);
	tap(!strcmp(comm, "ver"), "get_current_comm, shortened");
	tap(run_raw("call 8; exit", NULL, 0) < 4, "get_smp_processor_id");
	tap(run_raw("call 42; exit", NULL, 0) < 64, "get_numa_node_id");
}

static void test_random(void)
{
	uint32_t ones = 0, last = 0, repeats = 0;

	for (int i = 0; i < 1000; i++) {
		uint64_t r = run_raw("call 7; exit", NULL, 0);

		ones += (uint32_t)__builtin_popcountll(r);
		repeats += r == last || r > UINT32_MAX;
		last = (uint32_t)r;
	}
	tap(ones > 15000 && ones < 17000 && repeats < 3, "get_prandom_u32");
}

static char trace[4096];

static void on_trace(void *arg, const char *line, size_t len)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace), "[%.*s]", (int)len, line);
}

static void test_trace(void)
{
	char format[] = "%d %s %x\n";

	vm.k.trace = on_trace;
	trace[0] = '\0';
	tap(run_raw("r3 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); r2 = r3; r3 = -5; r4 = r1; r5 = 255;"
	            "call 6; exit", format, sizeof(format)) == 16,
	    "trace_printk answers the length");
	tap(!strcmp(trace, "[-5 %d %s %x\n ff]"), "trace_printk's line");
	tap((int64_t)run_raw("r1 = *(u64 *)(r1 + 0); r2 = 3; r3 = 0; r4 = 0; r5 = 0; call 6; exit",
	                     format, sizeof(format)) == -EINVAL,
	    "trace_printk needs a NUL");
	tap((int64_t)run_raw("r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); call 6; exit", "%d%d%d%d", 9)
	            == -EINVAL, "trace_printk takes three arguments");
	trace[0] = '\0';
	run_raw("r2 = 1; *(u64 *)(r10 - 32) = r2; r2 = 2; *(u64 *)(r10 - 24) = r2; r2 = 3;"
	        "*(u64 *)(r10 - 16) = r2; r2 = 4; *(u64 *)(r10 - 8) = r2;"
	        "r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); r3 = r10; r3 += -32; r4 = 32; call 177; exit",
	        "%d%d%d%d", 9);
	tap(!strcmp(trace, "[1234]"), "trace_vprintk takes more");
	tap((int64_t)run_raw("r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); r3 = r10; r3 += -32; r4 = 31;"
	                     "*(u64 *)(r10 - 8) = 0; call 177; exit", "%d", 3) == -EINVAL,
	    "trace_vprintk takes whole words");
	vm.k.trace = NULL;
}

/* {address, length} -> the helper's answer; what it read stands in memory. */
static int64_t probe(int helper, uint64_t address, uint64_t len, uint64_t memory[4])
{
	char text[300];

	snprintf(text, sizeof(text),
	         "r3 = %#llx ll; r2 = %llu; r1 = *(u64 *)(r1 + 0); call %d; exit",
	         (unsigned long long)address, (unsigned long long)len, helper);
	memset(memory, 0x55, 32);
	return (int64_t)run_raw(text, memory, 32);
}

static void test_probe(void)
{
	static const int reads[] = {4, 112, 113}, strings[] = {45, 114, 115};
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *edge = pages + page;
	uint64_t memory[4];

	mprotect(edge, (size_t)page, PROT_NONE);
	strcpy(edge - 6, "hello");
	for (int i = 0; i < 3; i++) {
		bool ok = !probe(reads[i], (uintptr_t)edge - 6, 6, memory) && !strcmp((char *)memory, "hello");

		tap(ok, "probe_read (%d) up to the edge", reads[i]);
		ok = probe(reads[i], (uintptr_t)edge - 6, 7, memory) == -EFAULT && !memcmp(memory, "\0\0\0\0\0\0\0\x55", 8);
		tap(ok, "probe_read (%d) over the edge", reads[i]);
		tap(probe(reads[i], 0, 8, memory) == -EFAULT && !memory[0], "probe_read (%d) of nothing", reads[i]);
		tap(!probe(reads[i], 0, 0, memory), "probe_read (%d) of no bytes", reads[i]);
		ok = probe(strings[i], (uintptr_t)edge - 6, 32, memory) == 6 && !strcmp((char *)memory, "hello");
		tap(ok, "probe_read_str (%d) up to the edge", strings[i]);
		ok = probe(strings[i], (uintptr_t)edge - 6, 4, memory) == 4 && !strcmp((char *)memory, "hel");
		tap(ok, "probe_read_str (%d), shortened", strings[i]);
		edge[-1] = 'x';
		tap(probe(strings[i], (uintptr_t)edge - 6, 32, memory) == -EFAULT && !memory[0],
		    "probe_read_str (%d) without an end", strings[i]);
		edge[-1] = '\0';
	}
	munmap(pages, 2 * (size_t)page);
}

static char records[4096];

static int on_record(void *arg, const void *data, size_t len)
{
	snprintf(records + strlen(records), sizeof(records) - strlen(records), "[%.*s]", (int)len,
	         (const char *)data);
	return 0;
}

static void test_ringbuf(void)
{
	struct map *ring = vm_map(&vm, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);

	records[0] = '\0';
	tap(!run_raw("r2 = *(u64 *)(r1 + 0); r3 = *(u64 *)(r1 + 8); r1 = map_fd[0]; r4 = 0; call 130; exit",
	             "output", 6), "ringbuf_output");
	run_raw("r1 = map_fd[0]; r2 = 8; r3 = 0; call 131; if r0 == 0 goto none; r1 = 0x6465767265736572 ll;"
	        "*(u64 *)(r0 + 0) = r1; r1 = r0; r2 = 0; call 132; none: r0 = 0; exit", NULL, 0);
	run_raw("r1 = map_fd[0]; r2 = 8; r3 = 0; call 131; if r0 == 0 goto none; r1 = r0; r2 = 0; call 133;"
	        "none: r0 = 0; exit", NULL, 0);
	tap(run_raw("r1 = map_fd[0]; r2 = 1; call 134; exit", NULL, 0) == 4096, "ringbuf_query of the size");
	tap(run_raw("r1 = map_fd[0]; r2 = 0; call 134; exit", NULL, 0) == 48, "ringbuf_query of the data");
	tap(run_raw("r1 = map_fd[0]; r2 = 5000; r3 = 0; call 131; if r0 == 0 goto none; r1 = r0; r2 = 0;"
	            "call 133; r0 = 1; none: exit", NULL, 0) == 0, "ringbuf_reserve of too much");
	ring->ops->ring_consume(ring, on_record, NULL);
	tap(!strcmp(records, "[output][reserved]"), "ringbuf_submit and _discard");
	vm_drop_maps(&vm);
}

struct table {
	const char *name;
	uint32_t type, attach_type, flags;
};

#define TABLE(name, ...) {#name, BPF_PROG_TYPE_##name, __VA_ARGS__}

static const struct table all_types[] = {
	TABLE(XDP),
	TABLE(SCHED_CLS),
	TABLE(SCHED_ACT),
	TABLE(SOCKET_FILTER),
	TABLE(KPROBE),
	TABLE(TRACEPOINT),
	TABLE(PERF_EVENT),
	TABLE(RAW_TRACEPOINT),
	TABLE(RAW_TRACEPOINT_WRITABLE),
	TABLE(CGROUP_SKB),
	TABLE(LWT_IN),
	TABLE(LWT_OUT),
	TABLE(LWT_XMIT),
	TABLE(LWT_SEG6LOCAL),
	TABLE(SK_SKB, BPF_SK_SKB_STREAM_VERDICT),
	TABLE(SK_MSG, BPF_SK_MSG_VERDICT),
	TABLE(SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT),
	TABLE(SK_LOOKUP, BPF_SK_LOOKUP),
	TABLE(SOCK_OPS, BPF_CGROUP_SOCK_OPS),
	TABLE(FLOW_DISSECTOR, BPF_FLOW_DISSECTOR),
	TABLE(NETFILTER, BPF_NETFILTER),
	TABLE(SYSCALL, 0, BPF_F_SLEEPABLE),
	TABLE(CGROUP_DEVICE, BPF_CGROUP_DEVICE),
	TABLE(CGROUP_SYSCTL, BPF_CGROUP_SYSCTL),
	TABLE(CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE),
	TABLE(CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND),
	TABLE(CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE),
	TABLE(CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT),
	TABLE(CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_CONNECT),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_SENDMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_RECVMSG),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETPEERNAME),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_GETPEERNAME),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETSOCKNAME),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETSOCKNAME),
	TABLE(CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_GETSOCKNAME),
};

/* What the kernel says of a program that only calls a helper: nothing but this can refuse it first. */
static bool kernel_allows(const struct table *t, int id, bool gpl, bool *gpl_only)
{
	const struct insn p[] = {{.code = 0x85, .imm = id}, {.code = 0x95}};
	struct kernel_load l = {.insns = p, .n = 2, .type = t->type, .attach_type = t->attach_type,
	                        .flags = t->flags, .gpl = gpl};
	int fd = kernel_load(&l);

	if (fd >= 0)
		close(fd);
	*gpl_only = fd < 0 && strstr(l.line, "GPL-restricted");
	return fd >= 0 || (!strstr(l.line, "cannot use helper") && !strstr(l.line, "unknown func"));
}

static void test_table(const struct table *t)
{
	const struct registry *reg = &vm.k.reg;
	const char *why;
	unsigned wrong = 0;

	if (!kernel_here(&why)) {
		tap_skip(why, "the kernel's helpers of %s, %u", t->name, t->attach_type);
		return;
	}
	for (unsigned id = 1; id < reg->nhelpers; id++) {
		const struct helper *h = &reg->helpers[id];
		bool ours = helper_allowed(h, id, PROG_TYPE_BIT(t->type), t->type, t->attach_type), gpl_only;
		bool kernels = kernel_allows(t, (int)id, false, &gpl_only);

		if (ours == kernels && (!ours || gpl_only == helper_gpl_only(h, id, t->type)))
			continue;
		printf("# %s: Skep %d, the kernel %d, GPL %d\n", h->name, ours, kernels, gpl_only);
		wrong++;
	}
	tap(!wrong, "the kernel's helpers of %s, %u", t->name, t->attach_type);
}

int main(void)
{
	vm_init(&vm);
	vm.trusted = true; /* what helpers do, not what programs may */
	test_clocks();
	test_task();
	test_random();
	test_trace();
	test_probe();
	test_ringbuf();
	for (size_t i = 0; i < sizeof(all_types) / sizeof(all_types[0]); i++)
		test_table(&all_types[i]);
	vm_exit(&vm);
	return tap_end();
}
