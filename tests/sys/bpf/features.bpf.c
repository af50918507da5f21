/* SPDX-License-Identifier: BSD-2-Clause */
/* One object with everything that libbpf does for a program: see test_libbpf.c. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} samples SEC(".maps");

/* A number, then the first 10 bytes of the packet. */
SEC("xdp") int puts_out(struct xdp_md *ctx)
{
	unsigned long what[2] = {0x1122334455667788, ctx->data_end - ctx->data};

	return -bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU | 10ull << 32, what,
	                              sizeof(what));
}

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} orders SEC(".maps");

static long take_order(struct bpf_dynptr *order, void *sum)
{
	unsigned long n;

	if (bpf_dynptr_read(&n, sizeof(n), order, 0, 0))
		return 1;
	*(unsigned long *)sum += n;
	return n == 7; /* enough */
}

SEC("xdp") int drains(struct xdp_md *ctx)
{
	unsigned long sum = 0;

	return bpf_user_ringbuf_drain(&orders, take_order, &sum, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, unsigned int);
	__uint(max_entries, 100);
	__uint(map_extra, 4);
} met SEC(".maps");

SEC("xdp") int blooms(struct xdp_md *ctx)
{
	unsigned int len = ctx->data_end - ctx->data;
	long there = bpf_map_peek_elem(&met, &len);

	bpf_map_push_elem(&met, &len, 0);
	return -there;
}

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__type(key, unsigned int);
	__type(value, unsigned int);
} workers SEC(".maps");

SEC("xdp") int to_worker(struct xdp_md *ctx)
{
	return bpf_redirect_map(&workers, 0, XDP_TX);
}

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 80);
} stacks SEC(".maps");

SEC("raw_tp/nothing") int who_calls(void *ctx)
{
	unsigned long here[4] = {0};
	long id = bpf_get_stackid(ctx, &stacks, 0), n = bpf_get_stack(ctx, here, sizeof(here), 0);

	if (n < 8 || !here[0] || bpf_get_stack(ctx, here, 8, 1 << 20) != -22)
		return -1;
	return id;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Global data: .bss, .data, .rodata; written before the load and read after the run. */
int runs;
long sum = 40;
const volatile int step = 1;
static int hidden[4] = {1, 2, 3, 4};

/* Kconfig externs. */
extern unsigned int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_SKEP_IS_NOT_THERE __kconfig __weak;
unsigned int kernel_version;
int missing = 77;

/* CO-RE: a type of the host's kernel, with the fields in an order that is not the host's. */
struct task_struct___mine {
	int tgid;
	int pid;
	int no_such_field;
} __attribute__((preserve_access_index));
unsigned int pid_offset;
int has_pid = -1, has_nothing = -1;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, unsigned int);
	__type(value, unsigned long);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, unsigned int);
	__type(value, unsigned int);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} pinned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

int called(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = {
	.values = {[1] = (void *)&called},
};

static __noinline int subprogram(int x)
{
	return x * 3 + hidden[x & 3];
}

__noinline int global_subprogram(int x)
{
	return x + subprogram(x);
}

SEC("xdp")
int called(struct xdp_md *ctx)
{
	sum += 1000;
	return XDP_TX;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	unsigned int key = ctx->data_end - ctx->data;
	unsigned long one = 1, *n;
	unsigned int *e;

	runs += step;
	sum += global_subprogram(2);
	kernel_version = LINUX_KERNEL_VERSION;
	missing = CONFIG_SKEP_IS_NOT_THERE;
	pid_offset = __builtin_preserve_field_info(((struct task_struct___mine *)0)->pid,
	                                           BPF_FIELD_BYTE_OFFSET);
	has_pid = bpf_core_field_exists(struct task_struct___mine, pid);
	has_nothing = bpf_core_field_exists(struct task_struct___mine, no_such_field);

	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		++*n;
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	e = bpf_ringbuf_reserve(&events, 8, 0);
	if (e) {
		e[0] = key;
		e[1] = runs;
		bpf_ringbuf_submit(e, 0);
	}
	if (key == 64)
		bpf_tail_call(ctx, &jumps, 1);
	return XDP_PASS;
}

SEC("xdp")
int uses_pin(struct xdp_md *ctx)
{
	unsigned int key = 1, *v = bpf_map_lookup_elem(&pinned, &key);

	return v ? *v : XDP_ABORTED;
}
