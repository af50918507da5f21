// SPDX-License-Identifier: BSD-2-Clause
/* Dynptrs: where they live, who may look into them, what ends them. */
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, long[8]);
} array SEC(".maps");

int zero;

SEC("?tc") int ok_reserve_and_submit(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int ok_reserve_and_discard(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	if (bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p)) {
		bpf_ringbuf_discard_dynptr(&p, 0);
		return 1;
	}
	bpf_ringbuf_discard_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_reserved_is_lost(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	return 0;
}

SEC("?tc") int no_reserved_is_lost_on_failure(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	if (bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p))
		return 1;
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_submit_twice(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	bpf_ringbuf_submit_dynptr(&p, 0);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_submit_of_nothing(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_use_after_submit(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return bpf_dynptr_read(&v, sizeof(v), &p, 0, 0);
}

SEC("?tc") int ok_data_is_checked(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long *v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = bpf_dynptr_data(&p, 0, 16);
	if (v)
		v[1] = 5;
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_data_is_not_checked(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long *v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = bpf_dynptr_data(&p, 0, 16);
	v[1] = 5;
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_data_past_its_end(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long *v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = bpf_dynptr_data(&p, 0, 8);
	if (v)
		v[1] = 5;
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_data_after_submit(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long *v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = bpf_dynptr_data(&p, 0, 16);
	bpf_ringbuf_submit_dynptr(&p, 0);
	if (v)
		*v = 1;
	return 0;
}

SEC("?tc") int no_data_of_unknown_length(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long *v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = bpf_dynptr_data(&p, 0, skb->len);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_overwritten_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	*(volatile char *)&p = 1;
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int no_dynptr_read_directly(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	v = *(volatile long *)&p;
	barrier_var(v);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return v;
}

SEC("?tc") int no_dynptr_in_a_map(struct __sk_buff *skb)
{
	long *v = bpf_map_lookup_elem(&array, &zero);

	if (v)
		bpf_dynptr_from_mem(v, 8, 0, (struct bpf_dynptr *)v);
	return 0;
}

SEC("?tc") int no_dynptr_passed_as_memory(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	bpf_skb_load_bytes(skb, 0, &p, 4);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return 0;
}

SEC("?tc") int ok_from_memory(struct __sk_buff *skb)
{
	long *v = bpf_map_lookup_elem(&array, &zero);
	struct bpf_dynptr p;
	long x = 0;

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v, 64, 0, &p);
	bpf_dynptr_write(&p, 8, &x, sizeof(x), 0);
	bpf_dynptr_read(&x, sizeof(x), &p, 0, 0);
	return x;
}

SEC("?tc") int no_from_too_much_memory(struct __sk_buff *skb)
{
	long *v = bpf_map_lookup_elem(&array, &zero);
	struct bpf_dynptr p;

	if (v)
		bpf_dynptr_from_mem(v, 65, 0, &p);
	return 0;
}

SEC("?tc") int no_from_the_stack(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long v = 0;

	bpf_dynptr_from_mem(&v, 8, 0, &p);
	return 0;
}

SEC("?tc") int no_read_of_nothing(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	long v;

	return bpf_dynptr_read(&v, sizeof(v), &p, 0, 0);
}

SEC("?tc") int ok_skb_slice(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	return h ? h[13] : 0;
}

SEC("?tc") int no_skb_slice_unchecked(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	return h[13];
}

SEC("?tc") int no_skb_slice_is_read_only(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	if (h)
		h[0] = 1;
	return 0;
}

SEC("?tc") int ok_skb_slice_to_write(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice_rdwr(&p, 0, buf, sizeof(buf));
	if (h)
		h[0] = 1;
	return 0;
}

SEC("?tc") int no_slice_past_its_end(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	return h ? h[14] : 0;
}

SEC("?tc") int no_slice_buffer_too_small(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[8] = {}, *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, 1024);
	return h ? h[0] : 0;
}

SEC("?tc") int no_slice_after_the_packet_changed(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	bpf_skb_pull_data(skb, 20);
	return h ? h[0] : 0;
}

SEC("?tc") int ok_slice_again_after_the_packet_changed(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_skb(skb, 0, &p))
		return 0;
	bpf_skb_pull_data(skb, 20);
	h = bpf_dynptr_slice(&p, 0, buf, sizeof(buf));
	return h ? h[0] : 0;
}

SEC("?xdp") int ok_xdp_slice(struct xdp_md *x)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	if (bpf_dynptr_from_xdp(x, 0, &p))
		return 0;
	h = bpf_dynptr_slice_rdwr(&p, 0, buf, sizeof(buf));
	if (h)
		h[0] = 0;
	return 2;
}

SEC("?xdp") int no_xdp_program_has_no_skb(struct xdp_md *x)
{
	struct bpf_dynptr p;

	bpf_dynptr_from_skb((void *)x, 0, &p);
	return 2;
}

SEC("?socket") int ok_filter_reads_its_packet(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char c;

	bpf_dynptr_from_skb(skb, 0, &p);
	bpf_dynptr_read(&c, 1, &p, 0, 0);
	return c;
}

SEC("?socket") int no_filter_does_not_write_its_packet(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	char buf[14], *h;

	bpf_dynptr_from_skb(skb, 0, &p);
	h = bpf_dynptr_slice_rdwr(&p, 0, buf, sizeof(buf));
	if (h)
		h[0] = 0;
	return 0;
}

SEC("?tc") int ok_clone_and_adjust(struct __sk_buff *skb)
{
	struct bpf_dynptr p, q;

	bpf_dynptr_from_skb(skb, 0, &p);
	bpf_dynptr_clone(&p, &q);
	bpf_dynptr_adjust(&q, 2, 10);
	return bpf_dynptr_size(&q) + bpf_dynptr_is_null(&p);
}

SEC("?tc") int no_clone_outlives_its_record(struct __sk_buff *skb)
{
	struct bpf_dynptr p, q;
	long v;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	bpf_dynptr_clone(&p, &q);
	bpf_ringbuf_submit_dynptr(&p, 0);
	return bpf_dynptr_read(&v, sizeof(v), &q, 0, 0);
}

SEC("?tc") int no_clone_of_nothing(struct __sk_buff *skb)
{
	struct bpf_dynptr p, q;

	return bpf_dynptr_clone(&p, &q);
}

static __attribute__((noinline)) int submit(struct bpf_dynptr *p)
{
	bpf_ringbuf_submit_dynptr(p, 0);
	return 0;
}

SEC("?tc") int ok_submitted_by_a_function(struct __sk_buff *skb)
{
	struct bpf_dynptr p;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &p);
	submit(&p);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
