/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kfuncs at work. Each program notes answers in results[]; test_calls.c runs them one by one on Skep and
 * on the kernel and compares.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

long results[256];
unsigned int nresults;
unsigned long words[4] = {0x8000000000000001ul, 0, 0x10, 1ul << 63};
char text[64] = "the quick brown fox", part[16] = "quick", set[16] = "eht ", empty[8];

static __always_inline void note(long x)
{
	unsigned int i = nresults;

	if (i < 256)
		results[i] = x;
	nresults = i + 1;
}

/* What the headers of this machine do not know yet. */
typedef _Bool bool;
struct bpf_list_head { __u64 opaque[2]; } __attribute__((aligned(8)));
struct bpf_list_node { __u64 opaque[3]; } __attribute__((aligned(8)));
struct bpf_rb_root { __u64 opaque[2]; } __attribute__((aligned(8)));
struct bpf_rb_node { __u64 opaque[4]; } __attribute__((aligned(8)));
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
#undef container_of
#define container_of(ptr, type, member) ((type *)((void *)(ptr) - __builtin_offsetof(type, member)))
#define ID(type) bpf_core_type_id_local(type)

struct bpf_refcount { __u32 opaque[1]; } __attribute__((aligned(4)));
struct bpf_wq { __u64 opaque[2]; } __attribute__((aligned(8)));
struct bpf_res_spin_lock { __u32 val; };
struct bpf_iter_num { __u64 opaque[1]; } __attribute__((aligned(8)));
struct bpf_iter_bits { __u64 opaque[2]; } __attribute__((aligned(8)));

extern void *bpf_obj_new_impl(__u64 id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *p, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 id, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *p, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *p, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *h, struct bpf_list_node *n, void *meta,
                                    __u64 off) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *h, struct bpf_list_node *n, void *meta,
                                   __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *h) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *h) __ksym;
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *h) __ksym;
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *h) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *n,
                               bool (*less)(struct bpf_rb_node *a, const struct bpf_rb_node *b),
                               void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *n) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *n) __ksym;
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *n) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *p, __u32 n) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *d) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *d, __u64 off, void *buf, __u64 n) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *d, __u64 off, void *buf, __u64 n) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *d, __u64 start, __u64 end) __ksym;
extern bool bpf_dynptr_is_null(const struct bpf_dynptr *d) __ksym;
extern bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *d) __ksym;
extern __u64 bpf_dynptr_size(const struct bpf_dynptr *d) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *d, struct bpf_dynptr *c) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *d, __u64 doff, struct bpf_dynptr *s, __u64 soff,
                           __u64 n) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *d, __u64 off, __u64 n, __u8 v) __ksym;
extern int bpf_strcmp(const char *a, const char *b) __ksym;
extern int bpf_strcasecmp(const char *a, const char *b) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, __u64 n, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strrchr(const char *s, int c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, __u64 n) __ksym;
extern int bpf_strspn(const char *s, const char *set) __ksym;
extern int bpf_strcspn(const char *s, const char *set) __ksym;
extern int bpf_strstr(const char *s, const char *sub) __ksym;
extern int bpf_strnstr(const char *s, const char *sub, __u64 n) __ksym;
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*cb)(void *map, int *key, void *value),
                                    unsigned int flags, void *aux) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;

struct item {
	long key;
	struct bpf_list_node list;
	struct bpf_rb_node tree;
	struct bpf_refcount refs;
	long data;
};

struct single_item {
	struct bpf_list_node list;
	long data;
};

struct plain_item {
	long a, b;
};

struct graph {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(single_item, list);
	struct bpf_list_head shared __contains(item, list);
	struct bpf_rb_root root __contains(item, tree);
};

struct holder {
	struct plain_item __kptr *p;
	struct item __kptr *n;
	struct plain_item __percpu_kptr *each;
};

struct working {
	long before;
	struct bpf_wq wq;
};

struct resilient {
	struct bpf_res_spin_lock lock;
	int count;
};

#define MAP(name, kind, value_type, n)                                                            \
	struct {                                                                                  \
		__uint(type, BPF_MAP_TYPE_##kind);                                                \
		__uint(max_entries, n);                                                           \
		__type(key, int);                                                                 \
		__type(value, value_type);                                                        \
	} name SEC(".maps")
MAP(graphs, ARRAY, struct graph, 2);
MAP(holders, ARRAY, struct holder, 2);
MAP(hash_holders, HASH, struct holder, 8);
MAP(works, HASH, struct working, 4);
MAP(resilients, ARRAY, struct resilient, 1);

SEC("tc")
int numbers(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	int *n;

	note(bpf_iter_num_new(&it, 0, 5));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	note(bpf_iter_num_new(&it, -3, 2));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	note(bpf_iter_num_new(&it, 7, 7));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	note(bpf_iter_num_new(&it, 8, 7));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	note(bpf_iter_num_new(&it, 0, 8 * 1024 * 1024 + 1));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	note(bpf_iter_num_new(&it, -2147483648, -2147483646));
	while ((n = bpf_iter_num_next(&it)))
		note(*n);
	bpf_iter_num_destroy(&it);
	return 0;
}

#define BITS(p, n)                                                                                \
	do {                                                                                      \
		note(bpf_iter_bits_new(&it, (const __u64 *)(p), n));                              \
		while ((b = bpf_iter_bits_next(&it)))                                             \
			note(*b);                                                                 \
		bpf_iter_bits_destroy(&it);                                                       \
	} while (0)

SEC("tc")
int bits(struct __sk_buff *skb)
{
	struct bpf_iter_bits it;
	int *b;

	BITS(words, 1);
	BITS(words, 4);
	BITS(&words[1], 2);
	BITS(words, 0);
	BITS(0, 1);
	BITS(words, 512);
	return 0;
}

SEC("tc")
int strings(struct __sk_buff *skb)
{
	note(bpf_strcmp(text, part));
	note(bpf_strcmp(part, text));
	note(bpf_strcmp(part, part));
	note(bpf_strcmp(empty, part));
	note(bpf_strcasecmp(text, "THE QUICK"));
	note(bpf_strcasecmp(part, "QuIcK"));
	note(bpf_strchr(text, 'q'));
	note(bpf_strchr(text, 'z'));
	note(bpf_strchr(text, 0));
	note(bpf_strnchr(text, 4, 'q'));
	note(bpf_strnchr(text, 5, 'q'));
	note(bpf_strnchr(text, 60, 0));
	note(bpf_strchrnul(text, 'q'));
	note(bpf_strchrnul(text, 'z'));
	note(bpf_strrchr(text, 'o'));
	note(bpf_strrchr(text, 'z'));
	note(bpf_strrchr(text, 0));
	note(bpf_strlen(text));
	note(bpf_strlen(empty));
	note(bpf_strnlen(text, 5));
	note(bpf_strnlen(text, 60));
	note(bpf_strnlen(text, 0));
	note(bpf_strspn(text, set));
	note(bpf_strspn(text, empty));
	note(bpf_strcspn(text, part));
	note(bpf_strcspn(text, empty));
	note(bpf_strstr(text, part));
	note(bpf_strstr(text, empty));
	note(bpf_strstr(text, "foxes"));
	note(bpf_strstr(part, text));
	note(bpf_strnstr(text, part, 8));
	note(bpf_strnstr(text, part, 9));
	note(bpf_strnstr(text, part, 10));
	note(bpf_strnstr(text, empty, 0));
	note(bpf_strlen(0));
	note(bpf_strcmp(0, text));
	return 0;
}

SEC("tc")
int dynptrs(struct __sk_buff *skb)
{
	struct bpf_dynptr d, c, bad;
	char buf[8] = {0};
	char *p;

	note(bpf_dynptr_from_skb(skb, 1, &bad));
	note(bpf_dynptr_is_null(&bad));
	note(bpf_dynptr_size(&bad));
	note(bpf_dynptr_is_rdonly(&bad));
	note(bpf_dynptr_adjust(&bad, 0, 0));
	note(bpf_dynptr_from_skb(skb, 0, &d));
	note(bpf_dynptr_is_null(&d));
	note(bpf_dynptr_is_rdonly(&d));
	note(bpf_dynptr_size(&d));
	note(bpf_dynptr_clone(&d, &c));
	note(bpf_dynptr_adjust(&c, 4, 40));
	note(bpf_dynptr_size(&c));
	note(bpf_dynptr_adjust(&c, 5, 4));
	note(bpf_dynptr_adjust(&c, 0, 37));
	note(bpf_dynptr_adjust(&c, 37, 37));
	p = bpf_dynptr_slice(&c, 2, buf, 8);
	note(p ? p[0] + p[7] * 256l : -1);
	p = bpf_dynptr_slice(&c, 30, buf, 8);
	note(p ? 1 : -1);
	p = bpf_dynptr_slice_rdwr(&c, 0, buf, 8);
	if (p)
		p[0] = 99;
	note(p ? p[0] : -1);
	note(bpf_dynptr_copy(&c, 8, &d, 0, 8));
	note(bpf_dynptr_copy(&c, 30, &d, 0, 8));
	note(bpf_dynptr_memset(&c, 16, 4, 7));
	note(bpf_dynptr_memset(&c, 36, 1, 7));
	for (int i = 0; i < 24; i++) {
		p = bpf_dynptr_slice(&c, i, buf, 1);
		note(p ? *p : -1);
	}
	return 0;
}

SEC("tc")
int lists(struct __sk_buff *skb)
{
	int key = 0;
	struct graph *g = bpf_map_lookup_elem(&graphs, &key);
	struct bpf_list_node *n;

	if (!g)
		return 1;
	for (int i = 0; i < 6; i++) {
		struct single_item *s = bpf_obj_new_impl(ID(struct single_item), 0);

		if (!s)
			return 2;
		s->data = i;
		bpf_spin_lock(&g->lock);
		if (i & 1)
			bpf_list_push_front_impl(&g->head, &s->list, 0, 0);
		else
			bpf_list_push_back_impl(&g->head, &s->list, 0, 0);
		bpf_spin_unlock(&g->lock);
	}
	for (int i = 0; i < 5; i++) {
		bpf_spin_lock(&g->lock);
		n = i & 1 ? bpf_list_pop_back(&g->head) : bpf_list_pop_front(&g->head);
		bpf_spin_unlock(&g->lock);
		if (!n)
			return 3;
		note(container_of(n, struct single_item, list)->data);
		bpf_obj_drop_impl(container_of(n, struct single_item, list), 0);
	}
	bpf_spin_lock(&g->lock);
	n = bpf_list_front(&g->head);
	note(n ? container_of(n, struct single_item, list)->data : -1);
	n = bpf_list_back(&g->head);
	note(n ? container_of(n, struct single_item, list)->data : -1);
	bpf_spin_unlock(&g->lock);
	/* One stays: it goes with the map. */
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct item, tree)->key < container_of(b, struct item, tree)->key;
}

/* Notes the shape of the upper part of the tree. */
static __always_inline long key_of(struct bpf_rb_node *n)
{
	return n ? container_of(n, struct item, tree)->key : -1;
}

static __noinline int add_one(long key)
{
	int zero = 0;
	struct graph *g = bpf_map_lookup_elem(&graphs, &zero);
	struct item *n, *m;
	int ret;

	if (!g)
		return -1;
	n = bpf_obj_new_impl(ID(struct item), 0);
	if (!n)
		return -2;
	n->key = key;
	m = bpf_refcount_acquire_impl(n, 0);
	if (!m) {
		bpf_obj_drop_impl(n, 0);
		return -3;
	}
	bpf_spin_lock(&g->lock);
	bpf_rbtree_add_impl(&g->root, &n->tree, less, 0, 0);
	ret = bpf_list_push_back_impl(&g->shared, &m->list, 0, 0);
	bpf_spin_unlock(&g->lock);
	return ret;
}

SEC("tc")
int trees(struct __sk_buff *skb)
{
	int key = 0;
	struct graph *g = bpf_map_lookup_elem(&graphs, &key);
	struct bpf_rb_node *n;
	unsigned int x = 17;

	if (!g)
		return 1;
	for (int i = 0; i < 40; i++) {
		x = x * 1103515245 + 12345;
		note(add_one(x >> 16 & 255));
	}
	for (int i = 0; i < 20; i++) {
		struct bpf_rb_node *gone, *l, *r;

		bpf_spin_lock(&g->lock);
		n = bpf_rbtree_root(&g->root);
		if (!n) {
			bpf_spin_unlock(&g->lock);
			break;
		}
		note(key_of(n));
		l = bpf_rbtree_left(&g->root, n);
		note(key_of(l));
		r = bpf_rbtree_right(&g->root, n);
		note(key_of(r));
		if (i & 1)
			n = bpf_rbtree_first(&g->root);
		gone = n ? bpf_rbtree_remove(&g->root, n) : 0;
		bpf_spin_unlock(&g->lock);
		if (!gone)
			return 4;
		note(container_of(gone, struct item, tree)->key);
		bpf_obj_drop_impl(container_of(gone, struct item, tree), 0);
	}
	return 0;
}

static __always_inline void exchange(void *map, int key)
{
	struct holder *h = bpf_map_lookup_elem(map, &key);
	struct plain_item *p, *old;

	if (!h)
		return;
	p = bpf_obj_new_impl(ID(struct plain_item), 0);
	if (!p)
		return;
	note(p->a);
	p->a = 41 + key;
	old = bpf_kptr_xchg(&h->p, p);
	note(old ? old->a : -1);
	if (old)
		bpf_obj_drop_impl(old, 0);
	old = bpf_kptr_xchg(&h->p, 0);
	note(old ? old->a : -1);
	if (!old)
		return;
	old->a++;
	old = bpf_kptr_xchg(&h->p, old);
	note(old ? old->a : -1);
	if (old)
		bpf_obj_drop_impl(old, 0);
}

SEC("tc")
int pointers(struct __sk_buff *skb)
{
	struct holder none = {};
	int key = 1;

	exchange(&holders, 0);
	exchange(&holders, 0);
	exchange(&hash_holders, 1);
	note(bpf_map_update_elem(&hash_holders, &key, &none, 0));
	exchange(&hash_holders, 1);
	note(bpf_map_update_elem(&hash_holders, &key, &none, 0));
	exchange(&hash_holders, 1);
	note(bpf_map_delete_elem(&hash_holders, &key));
	note(bpf_map_update_elem(&hash_holders, &key, &none, 0));
	exchange(&hash_holders, 1);
	return 0;
}

SEC("tc")
int sections(struct __sk_buff *skb)
{
	unsigned long flags;
	int key = 0;
	struct resilient *r = bpf_map_lookup_elem(&resilients, &key);

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	if (!r)
		return 1;
	if (bpf_res_spin_lock(&r->lock)) {
		note(-1);
		return 2;
	}
	r->count++;
	bpf_res_spin_unlock(&r->lock);
	note(r->count);
	return 0;
}

static int on_work(void *map, int *key, void *value)
{
	struct working *w = value;

	note(*key);
	note(w->before);
	return 0;
}

SEC("tc")
int work(struct __sk_buff *skb)
{
	struct working in = {.before = 123}, *w;
	int key = 5;

	bpf_map_update_elem(&works, &key, &in, 0);
	w = bpf_map_lookup_elem(&works, &key);
	if (!w)
		return 1;
	note(bpf_wq_start(&w->wq, 0));
	note(bpf_wq_set_callback_impl(&w->wq, on_work, 0, 0));
	note(bpf_wq_init(&w->wq, &works, 1));
	note(bpf_wq_init(&w->wq, &works, 0));
	note(bpf_wq_init(&w->wq, &works, 0));
	note(bpf_wq_start(&w->wq, 0));
	note(bpf_wq_set_callback_impl(&w->wq, on_work, 1, 0));
	note(bpf_wq_set_callback_impl(&w->wq, on_work, 0, 0));
	note(bpf_wq_start(&w->wq, 1));
	bpf_wq_start(&w->wq, 0);
	return 0;
}

extern int bpf_stream_vprintk_impl(int id, const char *format, const void *args, __u32 size, void *aux) __ksym;

/* What is refused: the same everywhere. */
SEC("tc")
int streams(struct __sk_buff *skb)
{
	__u64 args[13] = {1};

	note(bpf_stream_vprintk_impl(0, "x", args, 0, 0));
	note(bpf_stream_vprintk_impl(3, "x", args, 0, 0));
	note(bpf_stream_vprintk_impl(1, "%d", args, 7, 0));
	note(bpf_stream_vprintk_impl(1, "%d", args, sizeof(args), 0));
	note(bpf_stream_vprintk_impl(2, "%d %d", args, 8, 0));
	note(bpf_stream_vprintk_impl(2, "%q", args, 8, 0));
	return 0;
}

/* For test_streams.c: says something, then as much as there is room for. */
SEC("tc")
int talk(struct __sk_buff *skb)
{
	__u64 args[2];

	args[0] = -(__u64)(skb->len >> 3); /* with nothing but constants it would be data to relocate */
	args[1] = (__u64)text;

	note(bpf_stream_vprintk_impl(1, "%d of %s\n", args, sizeof(args), 0));
	note(bpf_stream_vprintk_impl(2, "wrong\n", args, 0, 0));
	return 0;
}

SEC("tc")
int chatter(struct __sk_buff *skb)
{
	__u64 args[1];
	int i;

	for (i = 0; i < 2000; i++) {
		args[0] = i;
		if (bpf_stream_vprintk_impl(1, "%098d\n", args, sizeof(args), 0))
			break;
	}
	note(i);
	return 0;
}
