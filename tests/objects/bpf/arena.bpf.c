/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas at work. Each program leaves what it found in results[] and in the arena; test_arena.c runs them
 * one by one on Skep and on the kernel and compares both.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define __arena __attribute__((address_space(1)))
#define PAGE 4096
#define START 0x100000000000ull
#define PAGES 16

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA */
	__uint(map_flags, 1024); /* BPF_F_MMAPABLE */
	__uint(max_entries, PAGES); /* map_extra is START, says test_arena.c */
} memory SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 n, int node,
                                           __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *addr, __u32 n) __ksym;
extern int bpf_arena_reserve_pages(void *map, void __arena *addr, __u32 n) __ksym;

long results[256];
unsigned int nresults;

static __always_inline void note(long x)
{
	unsigned int i = nresults;

	if (i < 256)
		results[i] = x;
	nresults = i + 1;
}

static __always_inline void __arena *pages(unsigned long addr, unsigned n)
{
	return bpf_arena_alloc_pages(&memory, (void __arena *)addr, n, -1, 0);
}

SEC("syscall")
int allocation(void *ctx)
{
	char __arena *a = pages(0, 1);
	void __arena *c;

	note((long)a);
	c = pages(0, 2);
	note((long)c);
	note((long)pages(START + 8 * PAGE, 2));
	note((long)pages(START + 8 * PAGE, 1));      /* taken */
	note((long)pages(START + 15 * PAGE, 2));     /* too far */
	note((long)pages(START + 10 * PAGE + 8, 1)); /* no page */
	note((long)pages(0, 17));
	note((long)pages(0, 0));
	note((long)bpf_arena_alloc_pages(&memory, 0, 1, -1, 1));
	note((long)bpf_arena_alloc_pages(&memory, 0, 1, 999, 0));
	note(bpf_arena_reserve_pages(&memory, (void __arena *)(START + 3 * PAGE), 1));
	note(bpf_arena_reserve_pages(&memory, (void __arena *)(START + 3 * PAGE), 1));
	note(bpf_arena_reserve_pages(&memory, (void __arena *)(START + 15 * PAGE), 2));
	note(bpf_arena_reserve_pages(&memory, (void __arena *)(START + 9 * PAGE), 1));
	note((long)pages(START + 3 * PAGE, 1));
	if (a) {
		*a = 55;
		note(*a);
	}
	bpf_arena_free_pages(&memory, a, 1);
	note((long)pages(START, 1));
	if (a)
		note(*a); /* zeros again */
	bpf_arena_free_pages(&memory, c, 100); /* to the end */
	c = pages(0, 15);
	note((long)c);
	note((long)pages(0, 1));
	return 0;
}

struct node {
	struct node __arena *next;
	long value;
};

SEC("syscall")
int list(void *ctx)
{
	struct node __arena *n = pages(0, 1);
	struct node __arena *head = 0;
	struct node __arena *i;
	long sum = 0;

	if (!n)
		return 1;
	for (int k = 0; k < 20; k++) {
		n[k].value = k * k + 1;
		n[k].next = head;
		head = &n[k];
	}
	i = head;
	for (int k = 0; k < 30 && i; k++, i = i->next)
		sum += i->value;
	note(sum);
	note((long)head);
	return 0;
}

SEC("syscall")
int sizes(void *ctx)
{
	unsigned char __arena *p = pages(0, 1);
	unsigned long __arena *l = (void __arena *)p;
	unsigned int __arena *w = (void __arena *)p;
	unsigned short __arena *h = (void __arena *)p;
	signed char __arena *s = (void __arena *)p;

	if (!p)
		return 1;
	l[0] = 0x8877665544332211ul;
	w[2] = 0x8899aabb;
	h[6] = 0xccdd;
	p[14] = 0xee;
	note(p[1]), note(h[1]), note(w[1]), note(l[1]), note(s[7]), note((int)w[2]);
	l[2] = 7, w[6] = 6, h[14] = 5, p[30] = 4;
	note(l[2] + l[3]);
	note(__sync_fetch_and_add(&l[4], 5));
	note(__sync_fetch_and_add(&l[4], -7));
	note(__sync_val_compare_and_swap(&l[4], -2, 9));
	note(__sync_val_compare_and_swap(&l[4], 1, 2));
	note(__sync_lock_test_and_set(&l[4], 0x1234567890));
	__sync_fetch_and_or(&w[9], 0xf0), __sync_fetch_and_xor(&l[5], 3);
	note(l[4]), note(l[5]);
	return 0;
}

volatile unsigned long far = 1ul << 20;

/* Where no page is, zeros are read. */
SEC("syscall")
int outside(void *ctx)
{
	char __arena *p = pages(0, 1);

	if (!p)
		return 1;
	note(p[far]);
	note(p[far << 10]);
	note(p[PAGES * PAGE]);
	note(p[-(long)far]);
	p[far + 1] = 5; /* lost */
	p[3 + (far << 12)] = 6; /* wraps to the start */
	note(p[3]);
	return 0;
}

volatile unsigned long stored;

SEC("syscall")
int kept(void *ctx)
{
	char __arena *p = pages(0, 2);
	unsigned long a = (unsigned long)p;

	if (!p)
		return 1;
	stored = a;
	((char __arena *)stored)[4097] = 77;
	note(a);
	note(p[4097]);
	note(p + 4097 > p);
	return 0;
}

static __noinline long add_up(unsigned long at, int n)
{
	long __arena *p = (long __arena *)at;
	long sum = 0;

	for (int i = 0; i < n && i < 8; i++)
		sum += p[i];
	return sum;
}

static long square(unsigned int i, unsigned long *at)
{
	long __arena *p = (long __arena *)*at;

	p[i & 15] = (long)i * i + add_up(*at, 2);
	return 0;
}

/* Each function finds the arena by itself, and leaves it to its caller. */
SEC("syscall")
int functions(void *ctx)
{
	long __arena *p = pages(0, 1);
	unsigned long at = (unsigned long)p;

	if (!p)
		return 1;
	for (int i = 0; i < 8; i++)
		p[i] = i + 1;
	note(add_up(at, 8));
	p[3] = 100;
	note(add_up(at, 5));
	bpf_loop(10, square, &at, 0);
	note(p[9]);
	note(add_up(at, 8));
	return 0;
}
