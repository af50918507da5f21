/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs do with locks and timers in map values, without kfuncs. Each step notes an answer in
 * results[]; test_values.c runs the same on Skep and on the kernel and compares.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

long results[64];
int nresults;
int fired, last_key, last_value, again;

struct locked {
	struct bpf_spin_lock lock;
	int a;
	long b;
};

struct timed {
	int before;
	struct bpf_timer timer;
	int after;
};

#define MAP(name, kind, value_type, n)                                                            \
	struct {                                                                                  \
		__uint(type, BPF_MAP_TYPE_##kind);                                                \
		__uint(max_entries, n);                                                           \
		__type(key, int);                                                                 \
		__type(value, value_type);                                                        \
	} name SEC(".maps")
MAP(locked_array, ARRAY, struct locked, 4);
MAP(locked_hash, HASH, struct locked, 4);
MAP(timed_array, ARRAY, struct timed, 4);
MAP(timed_hash, HASH, struct timed, 4);
MAP(timed_lru, LRU_HASH, struct timed, 64);

static __always_inline void note(long x)
{
	int i = nresults;

	if (i >= 0 && i < 64)
		results[i] = x;
	nresults = i + 1;
}

static __always_inline void under_lock(void *map, int key)
{
	struct locked *v = bpf_map_lookup_elem(map, &key);

	if (!v)
		return;
	bpf_spin_lock(&v->lock);
	v->a++;
	v->b += v->a;
	bpf_spin_unlock(&v->lock);
}

SEC("tc")
int locks(struct __sk_buff *skb)
{
	struct locked in = {.a = 7, .b = 9};
	struct timed no_lock = {.before = 1};
	int key = 1;

	note(bpf_map_update_elem(&locked_hash, &key, &in, BPF_NOEXIST));
	note(bpf_map_update_elem(&locked_hash, &key, &in, BPF_F_LOCK));
	note(bpf_map_update_elem(&locked_hash, &key, &in, BPF_F_LOCK | BPF_NOEXIST));
	note(bpf_map_update_elem(&locked_array, &key, &in, BPF_F_LOCK));
	note(bpf_map_update_elem(&locked_array, &key, &in, BPF_F_LOCK | BPF_EXIST));
	note(bpf_map_update_elem(&locked_array, &key, &in, BPF_F_LOCK | BPF_NOEXIST));
	note(bpf_map_update_elem(&locked_array, &key, &in, 8));
	note(bpf_map_update_elem(&timed_array, &key, &no_lock, BPF_F_LOCK));
	under_lock(&locked_array, 1);
	under_lock(&locked_hash, 1);
	key = 9;
	note(bpf_map_update_elem(&locked_array, &key, &in, BPF_F_LOCK));
	note(bpf_map_update_elem(&locked_hash, &key, &in, BPF_F_LOCK | BPF_EXIST));
	note(bpf_map_update_elem(&locked_hash, &key, &in, BPF_F_LOCK));
	return 0;
}

/* Many threads do this at once. */
SEC("tc")
int contend(struct __sk_buff *skb)
{
	for (int i = 0; i < 100; i++) {
		under_lock(&locked_array, 2);
		under_lock(&locked_hash, 2);
	}
	return 0;
}

static int on_timer(void *map, int *key, struct timed *v)
{
	last_key = *key;
	last_value = v->before;
	/* It cannot wait for itself. */
	if (v->before == 100)
		note(bpf_timer_cancel(&v->timer));
	if (again > 0) {
		again--;
		bpf_timer_start(&v->timer, 100000, 0);
	}
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

SEC("tc")
int timers_wrong(struct __sk_buff *skb)
{
	int key = 1;
	struct timed *v = bpf_map_lookup_elem(&timed_array, &key);

	if (!v)
		return 1;
	note(bpf_timer_cancel(&v->timer));
	note(bpf_timer_start(&v->timer, 1, 0));
	note(bpf_timer_set_callback(&v->timer, on_timer));
	note(bpf_timer_init(&v->timer, &timed_array, 2));
	note(bpf_timer_init(&v->timer, &timed_array, 3));
	note(bpf_timer_init(&v->timer, &timed_array, 8));
	note(bpf_timer_init(&v->timer, &timed_array, 11));
	note(bpf_timer_init(&v->timer, &timed_array, 16));
	note(bpf_timer_init(&v->timer, &timed_array, 1ull << 32));
	note(bpf_timer_init(&v->timer, &timed_array, 7));
	note(bpf_timer_init(&v->timer, &timed_array, 1));
	note(bpf_timer_start(&v->timer, 1, 0));
	note(bpf_timer_set_callback(&v->timer, on_timer));
	note(bpf_timer_start(&v->timer, 1, 4));
	note(bpf_timer_start(&v->timer, 1000000000ull * 3600, 0));
	note(bpf_timer_start(&v->timer, 1000000000ull * 7200, 0));
	note(bpf_timer_cancel(&v->timer));
	note(bpf_timer_cancel(&v->timer));
	note(bpf_timer_start(&v->timer, 1, 0));
	note(bpf_timer_set_callback(&v->timer, on_timer));
	note(bpf_timer_start(&v->timer, -1, 0));
	note(bpf_timer_cancel(&v->timer));
	return 0;
}

static __always_inline int start(void *map, int key, int before, int clock, long ns, int flags)
{
	struct timed in = {.before = before}, *v;

	bpf_map_update_elem(map, &key, &in, 0);
	v = bpf_map_lookup_elem(map, &key);
	if (!v)
		return -1;
	note(bpf_timer_init(&v->timer, map, clock));
	note(bpf_timer_set_callback(&v->timer, on_timer));
	return bpf_timer_start(&v->timer, ns, flags);
}

SEC("tc")
int timer_hash(struct __sk_buff *skb)
{
	note(start(&timed_hash, 3, 55, 1, 1000, 0));
	return 0;
}

SEC("tc")
int timer_array(struct __sk_buff *skb)
{
	note(start(&timed_array, 2, 77, 7, 1000, 2));
	return 0;
}

SEC("tc")
int timer_lru(struct __sk_buff *skb)
{
	note(start(&timed_lru, 11, 88, 0, bpf_ktime_get_ns() / 2, 1));
	return 0;
}

SEC("tc")
int timer_itself(struct __sk_buff *skb)
{
	note(start(&timed_hash, 3, 100, 1, 5000000, 0));
	return 0;
}

SEC("tc")
int timer_periodic(struct __sk_buff *skb)
{
	again = 20;
	note(start(&timed_hash, 3, 9, 1, 1000, 0));
	return 0;
}

/* What becomes of timers of elements that go. */
SEC("tc")
int timer_gone(struct __sk_buff *skb)
{
	struct timed in = {.before = 1};
	int key = 3;

	note(start(&timed_hash, 3, 1, 1, 20000000, 0));
	note(bpf_map_delete_elem(&timed_hash, &key));
	note(start(&timed_hash, 3, 2, 1, 20000000, 0));
	note(bpf_map_update_elem(&timed_hash, &key, &in, 0));
	note(start(&timed_array, 3, 3, 1, 20000000, 0));
	note(bpf_map_update_elem(&timed_array, &key, &in, 0));
	return 0;
}

/* Makes room in the LRU map again and again, with timers in all that go. */
SEC("tc")
int timer_evicted(struct __sk_buff *skb)
{
	for (int i = 0; i < 500; i++)
		start(&timed_lru, i, 4, 1, 3600 * 1000000000ull, 0);
	nresults = 0;
	return 0;
}
