// SPDX-License-Identifier: BSD-2-Clause
/* Global functions: verified by themselves, by their types and the tags of their arguments. */
#include "kernel.h"

long sink;

struct point {
	long x, y;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct point);
} points SEC(".maps");

int zero;

__attribute__((noinline)) long scalar_only(int a, unsigned long b)
{
	asm volatile("");
	return a + b;
}

SEC("?tc") int ok_scalars(struct __sk_buff *skb)
{
	return scalar_only(skb->len, 7);
}

SEC("?tc") int no_pointer_where_a_scalar_belongs(struct __sk_buff *skb)
{
	return scalar_only(skb->len, (unsigned long)skb);
}

__attribute__((noinline)) int nullable(struct point *p)
{
	return p ? p->x : 0;
}

__attribute__((noinline)) int unchecked(struct point *p)
{
	return p->x;
}

__attribute__((noinline)) int unchecked_nonnull(struct point *p __tag("arg:nonnull"))
{
	return p->x;
}

__attribute__((noinline)) int past(struct point *p)
{
	return p ? *(volatile long *)(p + 1) : 0;
}

SEC("?tc") int ok_memory_may_be_null(struct __sk_buff *skb)
{
	struct point p = {1, 2};

	return nullable(&p) + nullable(NULL);
}

SEC("?tc") int no_memory_not_checked(struct __sk_buff *skb)
{
	struct point p = {1, 2};

	return unchecked(&p);
}

SEC("?tc") int no_constant_memory_where_memory_may_be_written(struct __sk_buff *skb)
{
	struct point p = {1, 2};

	return unchecked_nonnull(&p);
}

SEC("?tc") int no_null_for_nonnull(struct __sk_buff *skb)
{
	return unchecked_nonnull(NULL);
}

SEC("?tc") int no_past_the_type(struct __sk_buff *skb)
{
	struct point p[2] = {};

	return past(p);
}

SEC("?tc") int no_too_little_memory(struct __sk_buff *skb)
{
	long one = 1;

	return nullable((struct point *)&one);
}

SEC("?tc") int ok_map_value_as_memory(struct __sk_buff *skb)
{
	return nullable(bpf_map_lookup_elem(&points, &zero));
}

__attribute__((noinline)) int takes_context(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("?tc") int ok_context(struct __sk_buff *skb)
{
	return takes_context(skb);
}

SEC("?tc") int no_memory_for_the_context(struct __sk_buff *skb)
{
	struct point p = {};

	return takes_context((struct __sk_buff *)&p);
}

SEC("?xdp") int no_context_of_another_program_type(struct xdp_md *x)
{
	return takes_context((struct __sk_buff *)x);
}

__attribute__((noinline)) int tagged_context(void *ctx __tag("arg:ctx"))
{
	return bpf_skb_load_bytes(ctx, 0, NULL, 0) * 0;
}

SEC("?tc") int no_tagged_context_helper_arguments(struct __sk_buff *skb)
{
	return tagged_context(skb);
}

__attribute__((noinline)) struct point *returns_pointer(void)
{
	asm volatile("");
	return NULL;
}

SEC("?tc") int no_returns_a_pointer(struct __sk_buff *skb)
{
	return returns_pointer() != NULL;
}

__attribute__((noinline)) void returns_void(int n)
{
	sink = n;
}

SEC("?tc") int no_or_yes_returns_void(struct __sk_buff *skb)
{
	returns_void(3);
	return 0;
}

__attribute__((noinline)) int unknown_result(int n)
{
	asm volatile("" : "+r"(n));
	return n;
}

long table[4];

SEC("?tc") int no_result_is_unknown(struct __sk_buff *skb)
{
	unsigned long i = unknown_result(1);

	table[i] = 1;
	return 0;
}

SEC("?tc") int ok_result_is_checked(struct __sk_buff *skb)
{
	unsigned long i = unknown_result(1);

	if (i < 4)
		table[i] = 1;
	return 0;
}

static __attribute__((noinline)) int known_result(int n)
{
	asm volatile("" : "+r"(n));
	return 1;
}

SEC("?tc") int ok_static_result_is_known(struct __sk_buff *skb)
{
	unsigned long i = known_result(1);

	barrier_var(i);
	table[i] = 1;
	return 0;
}

__attribute__((noinline)) int double_pointer(struct point **p)
{
	asm volatile("");
	return p ? 1 : 0;
}

SEC("?tc") int ok_pointer_to_pointer(struct __sk_buff *skb)
{
	struct point *p = NULL;

	return double_pointer(&p);
}

__attribute__((noinline)) int dynptr_argument(struct bpf_dynptr *p)
{
	char c;

	return bpf_dynptr_read(&c, 1, p, 0, 0);
}

SEC("?tc") int ok_dynptr_argument(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_dynptr_from_skb(skb, 0, &p);
	return dynptr_argument(&p);
}

SEC("?tc") int no_dynptr_argument_uninitialised(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	return dynptr_argument(&p);
}

__attribute__((noinline)) int trusted_task(struct task_struct *t __tag("arg:trusted"))
{
	return t->pid;
}

__attribute__((noinline)) int nullable_task(struct task_struct *t __tag("arg:trusted") __tag("arg:nullable"))
{
	return t ? t->pid : 0;
}

__attribute__((noinline)) int nullable_task_unchecked(struct task_struct *t __tag("arg:trusted")
                                                      __tag("arg:nullable"))
{
	return t->pid;
}

SEC("?syscall") int ok_trusted_argument(void *ctx)
{
	return trusted_task(bpf_get_current_task_btf());
}

SEC("?syscall") int no_untrusted_for_trusted(void *ctx)
{
	return trusted_task(bpf_get_current_task_btf()->last_wakee);
}

SEC("?syscall") int ok_nullable_trusted_argument(void *ctx)
{
	return nullable_task(bpf_get_current_task_btf()) + nullable_task(NULL);
}

SEC("?syscall") int no_nullable_trusted_unchecked(void *ctx)
{
	return nullable_task_unchecked(bpf_get_current_task_btf());
}

__attribute__((noinline)) int deep_stack(int n)
{
	volatile char big[400];

	for (int i = 0; i < 400; i += 8)
		big[i] = n;
	return big[0];
}

SEC("?tc") int ok_stack_of_global_functions_is_small_here(struct __sk_buff *skb)
{
	volatile char big[200];

	for (int i = 0; i < 200; i += 8)
		big[i] = 1;
	return deep_stack(1);
}

__attribute__((noinline)) int bad_body(int n)
{
	return *(int *)(long)n;
}

SEC("?tc") int no_body_is_verified(struct __sk_buff *skb)
{
	return bad_body(1);
}

__attribute__((noinline)) int packet_changer(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 0);
}

SEC("?tc") int no_packet_pointer_after_a_function_that_changes_it(struct __sk_buff *skb)
{
	char *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 1 > end)
		return 0;
	packet_changer(skb);
	return *data;
}

char LICENSE[] SEC("license") = "GPL";
