/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every command of bpf(2) with attributes gone wrong in every way: Skep answers what the kernel answers.
 *
 * A command starts from attributes that are fine. Then each word of the union in turn is 1, all ones, a
 * descriptor of another kind or a bad address; the attributes are cut to each length, or are longer than
 * anybody knows. Both places do the same in a world of their own with the same objects in it; only a
 * success and the errno count. Where there is no kernel, Skep alone must come through.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>

#include "network.h"
#include "place.h"

enum {
	FD_HASH, FD_ARRAY, FD_XDP, FD_TC, FD_BTF, FD_PIPE, FD_CGROUP, FD_STATS,
	FD_CGROUP_SKB, FD_LOOKUP, FD_NETNS, FD_RAW_TP, FDS,
	MUTATIONS_MAX = 2000,
};

struct world {
	const struct place *p;
	int fd[FDS], own[FDS];
	uint8_t key[16], value[64], out[4096];
	char log[512];
};

/* XDP_PASS, as it stands on the host's lo for a moment; and 0 for the others. */
static const uint64_t xdp_insns[] = {0x2000000b7, 0x95}, insns[] = {0xb7, 0x95};

static const uint32_t btf_bytes[] = {
	0x1eb9f, 24, 0, 16, 16, 5, 1, 1 << 24, 4, 1 << 24 | 32, 0x746e6900, 0,
};

static int make(const struct place *p, int cmd, union attr a)
{
	return bpf_at(p, cmd, &a, sizeof(a));
}

static void world_make(struct world *w, const struct place *p)
{
	union attr a;
	int ends[2];

	memset(w, 0, sizeof(*w));
	w->p = p;
	a = (union attr){.map_create = {.map_type = 1, .key_size = 4, .value_size = 8,
	                                .max_entries = 4}};
	w->fd[FD_HASH] = make(p, MAP_CREATE, a);
	a.map_create.map_type = 2;
	w->fd[FD_ARRAY] = make(p, MAP_CREATE, a);
	a = (union attr){.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                               .insns = ptr(xdp_insns), .license = ptr("GPL")}};
	w->fd[FD_XDP] = make(p, PROG_LOAD, a);
	a.prog_load.insns = ptr(insns);
	a.prog_load.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	w->fd[FD_TC] = make(p, PROG_LOAD, a);
	a = (union attr){.btf_load = {.btf = ptr(btf_bytes), .btf_size = 24 + 16 + 5}};
	w->fd[FD_BTF] = make(p, BTF_LOAD, a);
	if (pipe(ends) == 0) {
		w->fd[FD_PIPE] = ends[0];
		close(ends[1]);
	}
	w->fd[FD_CGROUP] = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	a = (union attr){.prog_load = {.prog_type = BPF_PROG_TYPE_CGROUP_SKB, .insn_cnt = 2,
	                               .insns = ptr(insns), .license = ptr("GPL"),
	                               .expected_attach_type = BPF_CGROUP_INET_EGRESS}};
	w->fd[FD_CGROUP_SKB] = make(p, PROG_LOAD, a);
	a.prog_load.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
	a.prog_load.expected_attach_type = BPF_SK_LOOKUP;
	w->fd[FD_LOOKUP] = make(p, PROG_LOAD, a);
	a.prog_load.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	a.prog_load.expected_attach_type = 0;
	w->fd[FD_RAW_TP] = make(p, PROG_LOAD, a);
	w->fd[FD_NETNS] = open("/proc/self/ns/net", O_RDONLY);
	w->fd[FD_STATS] = make(p, 32, (union attr){0});
}

static void world_end(struct world *w)
{
	for (int i = 0; i < FDS; i++)
		close(w->fd[i]);
}

/* The same numbers in both places. */
static void world_enter(struct world *w)
{
	enum { FIRST = 100 };

	for (int i = 0; i < FDS; i++) {
		w->own[i] = w->fd[i];
		w->fd[i] = dup2(w->own[i], FIRST + i);
	}
}

static void world_leave(struct world *w)
{
	for (int i = 0; i < FDS; i++)
		close(w->fd[i]);
	memcpy(w->fd, w->own, sizeof(w->fd));
}

/* --- Attributes that are fine ------------------------------------------------------------- */

struct base {
	const char *name;
	int cmd;
	void (*fill)(struct world *w, union attr *a);
	/* Words that must not be all ones, because that would take for ever, or not be changed at all. */
	uint64_t skip_ones, skip;
};

#define FILL(name) static void fill_##name(struct world *w, union attr *a)

FILL(map)
{
	a->map_create = (struct attr_map_create){
		.map_type = 1, .key_size = 4, .value_size = 8, .max_entries = 4};
}
FILL(typed_map)
{
	a->map_create = (struct attr_map_create){
		.map_type = 1, .key_size = 4, .value_size = 4, .max_entries = 4,
		.btf_fd = (uint32_t)w->fd[FD_BTF], .btf_key_type_id = 1, .btf_value_type_id = 1};
}
FILL(elem)
{
	a->elem = (struct attr_map_elem){.map_fd = (uint32_t)w->fd[FD_HASH], .key = ptr(w->key),
	                                 .value = ptr(w->value)};
}
FILL(array_elem)
{
	fill_elem(w, a);
	a->elem.map_fd = (uint32_t)w->fd[FD_ARRAY];
}
FILL(key)
{
	a->elem = (struct attr_map_elem){.map_fd = (uint32_t)w->fd[FD_HASH], .key = ptr(w->key)};
}
FILL(batch)
{
	a->batch = (struct attr_map_batch){
		.out_batch = ptr(w->out), .keys = ptr(w->out + 64), .values = ptr(w->out + 256),
		.count = 4, .map_fd = (uint32_t)w->fd[FD_HASH]};
}
FILL(freeze)
{
	a->elem = (struct attr_map_elem){.map_fd = (uint32_t)w->fd[FD_BTF]};
}
FILL(prog)
{
	a->prog_load = (struct attr_prog_load){
		.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2, .insns = ptr(insns),
		.license = ptr("GPL")};
}
FILL(logged)
{
	fill_prog(w, a);
	a->prog_load.log_buf = ptr(w->log);
	a->prog_load.log_size = sizeof(w->log);
	a->prog_load.log_level = 1;
}
FILL(pin)
{
	a->obj = (struct attr_obj){.pathname = ptr("/nowhere/at/all"),
	                           .bpf_fd = (uint32_t)w->fd[FD_HASH]};
}
FILL(get)
{
	a->obj = (struct attr_obj){.pathname = ptr("/nowhere/at/all")};
}
FILL(run)
{
	a->test_run = (struct attr_test_run){
		.prog_fd = (uint32_t)w->fd[FD_XDP], .data_in = ptr(w->value), .data_size_in = 64,
		.data_out = ptr(w->out), .data_size_out = sizeof(w->out)};
}
FILL(run_tc)
{
	fill_run(w, a);
	a->test_run.prog_fd = (uint32_t)w->fd[FD_TC];
}
FILL(nothing)
{
	(void)w;
	(void)a;
}
FILL(no_id)
{
	(void)w;
	a->id.id = 0x7ffffff0;
}
FILL(info_prog)
{
	memset(w->out, 0, sizeof(w->out));
	a->info = (struct attr_info){.bpf_fd = (uint32_t)w->fd[FD_XDP], .info_len = 232,
	                             .info = ptr(w->out)};
}
FILL(info_map)
{
	fill_info_prog(w, a);
	a->info.bpf_fd = (uint32_t)w->fd[FD_HASH];
}
FILL(info_btf)
{
	fill_info_prog(w, a);
	a->info.bpf_fd = (uint32_t)w->fd[FD_BTF];
}
FILL(btf)
{
	a->btf_load = (struct attr_btf_load){.btf = ptr(btf_bytes), .btf_size = 24 + 16 + 5};
}
FILL(bind)
{
	a->bind_map = (struct attr_bind_map){.prog_fd = (uint32_t)w->fd[FD_XDP],
	                                     .map_fd = (uint32_t)w->fd[FD_HASH]};
}
/* Commands whose attributes begin with a descriptor. */
FILL(prog_fd)
{
	memcpy(a->bytes, &w->fd[FD_XDP], 4);
}
FILL(map_fd)
{
	memcpy(a->bytes, &w->fd[FD_HASH], 4);
}
FILL(cgroup_fd)
{
	memcpy(a->bytes, &w->fd[FD_CGROUP], 4);
	memcpy(a->bytes + 4, &w->fd[FD_XDP], 4);
}
FILL(xdp_link)
{
	memcpy(a->bytes, &w->fd[FD_XDP], 4);
	a->bytes[4] = 1; /* lo */
	a->bytes[8] = BPF_XDP;
}
FILL(xdp_attach)
{
	memcpy(a->bytes + 4, &w->fd[FD_XDP], 4);
	a->bytes[0] = 1;
	a->bytes[8] = BPF_XDP;
}
FILL(tcx_link)
{
	memcpy(a->bytes, &w->fd[FD_TC], 4);
	a->bytes[4] = 1;
	a->bytes[8] = BPF_TCX_INGRESS;
}
FILL(tcx_attach)
{
	memcpy(a->bytes + 4, &w->fd[FD_TC], 4);
	a->bytes[0] = 1;
	a->bytes[8] = BPF_TCX_EGRESS;
}
FILL(tcx_query)
{
	(void)w;
	a->bytes[0] = 1;
	a->bytes[4] = BPF_TCX_EGRESS;
}
FILL(tp)
{
	uint64_t name = ptr("sched_switch");

	memcpy(a->bytes, &name, 8);
	memcpy(a->bytes + 8, &w->fd[FD_XDP], 4);
}

FILL(cgroup_link)
{
	memcpy(a->bytes, &w->fd[FD_CGROUP_SKB], 4);
	memcpy(a->bytes + 4, &w->fd[FD_CGROUP], 4);
	a->bytes[8] = BPF_CGROUP_INET_EGRESS;
}
FILL(cgroup_attach)
{
	memcpy(a->bytes, &w->fd[FD_CGROUP], 4);
	memcpy(a->bytes + 4, &w->fd[FD_CGROUP_SKB], 4);
	a->bytes[8] = BPF_CGROUP_INET_EGRESS;
	/* Nothing may stay behind on the host: a mode that does not go with another's is refused. */
	a->bytes[12] = 3;
}
FILL(netns_link)
{
	memcpy(a->bytes, &w->fd[FD_LOOKUP], 4);
	memcpy(a->bytes + 4, &w->fd[FD_NETNS], 4);
	a->bytes[8] = BPF_SK_LOOKUP;
}
FILL(netns_query)
{
	memcpy(a->bytes, &w->fd[FD_NETNS], 4);
	a->bytes[4] = BPF_SK_LOOKUP;
}
FILL(raw_tp)
{
	fill_tp(w, a);
	memcpy(a->bytes + 8, &w->fd[FD_RAW_TP], 4);
}

#define WORD(offset) (1ull << (offset) / 4)

static const struct base bases[] = {
	{"MAP_CREATE", 0, fill_map, 0},
	{"MAP_CREATE with types", 0, fill_typed_map, 0},
	{"MAP_LOOKUP_ELEM", 1, fill_elem, 0},
	{"MAP_LOOKUP_ELEM of an array", 1, fill_array_elem, 0},
	{"MAP_UPDATE_ELEM", 2, fill_elem, 0},
	{"MAP_UPDATE_ELEM of an array", 2, fill_array_elem, 0},
	{"MAP_DELETE_ELEM", 3, fill_key, 0},
	{"MAP_GET_NEXT_KEY", 4, fill_elem, 0},
	{"PROG_LOAD", 5, fill_prog, 0},
	{"PROG_LOAD with a log", 5, fill_logged, 0},
	{"OBJ_PIN", 6, fill_pin, 0},
	{"OBJ_GET", 7, fill_get, 0},
	{"PROG_ATTACH, nothing", 8, fill_nothing, 0},
	{"PROG_ATTACH, cgroup", 8, fill_cgroup_fd, 0},
	{"PROG_ATTACH, xdp", 8, fill_xdp_attach, 0},
	{"PROG_DETACH, nothing", 9, fill_nothing, 0},
	{"PROG_DETACH, cgroup", 9, fill_cgroup_fd, 0, WORD(24) | WORD(28)},
	{"PROG_DETACH, tcx", 9, fill_tcx_attach, 0},
	{"PROG_TEST_RUN", 10, fill_run, WORD(32), WORD(8)},
	{"PROG_TEST_RUN of tc", 10, fill_run_tc, WORD(32), WORD(8)},
	{"PROG_GET_NEXT_ID", 11, fill_no_id, 0, WORD(0)},
	{"MAP_GET_NEXT_ID", 12, fill_no_id, 0, WORD(0)},
	{"PROG_GET_FD_BY_ID", 13, fill_no_id, 0, WORD(0)},
	{"MAP_GET_FD_BY_ID", 14, fill_no_id, 0, WORD(0)},
	{"OBJ_GET_INFO_BY_FD of a program", 15, fill_info_prog, 0},
	{"OBJ_GET_INFO_BY_FD of a map", 15, fill_info_map, 0},
	{"OBJ_GET_INFO_BY_FD of BTF", 15, fill_info_btf, 0},
	{"PROG_QUERY, nothing", 16, fill_nothing, 0},
	{"PROG_QUERY, cgroup", 16, fill_cgroup_fd, 0},
	{"PROG_QUERY, tcx", 16, fill_tcx_query, 0},
	{"RAW_TRACEPOINT_OPEN", 17, fill_tp, 0},
	{"BTF_LOAD", 18, fill_btf, 0},
	{"BTF_GET_FD_BY_ID", 19, fill_no_id, 0, WORD(0)},
	{"TASK_FD_QUERY, nothing", 20, fill_nothing, 0},
	{"TASK_FD_QUERY", 20, fill_prog_fd, 0},
	{"MAP_LOOKUP_AND_DELETE_ELEM", 21, fill_elem, 0},
	{"MAP_FREEZE of no map", 22, fill_freeze, 0},
	{"BTF_GET_NEXT_ID", 23, fill_no_id, 0, WORD(0)},
	{"MAP_LOOKUP_BATCH", 24, fill_batch, 0},
	{"MAP_LOOKUP_AND_DELETE_BATCH", 25, fill_batch, 0},
	{"MAP_UPDATE_BATCH", 26, fill_batch, 0, WORD(32)},
	{"MAP_DELETE_BATCH", 27, fill_batch, 0},
	{"LINK_CREATE, nothing", 28, fill_nothing, 0},
	{"LINK_CREATE, no attach type", 28, fill_prog_fd, 0},
	{"LINK_CREATE of a map", 28, fill_map_fd, 0},
	{"LINK_CREATE, xdp", 28, fill_xdp_link, 0},
	{"LINK_CREATE, tcx", 28, fill_tcx_link, 0},
	{"LINK_CREATE, cgroup", 28, fill_cgroup_link, 0, WORD(24) | WORD(28)},
	{"LINK_CREATE, netns", 28, fill_netns_link, 0},
	{"PROG_ATTACH, cgroup skb", 8, fill_cgroup_attach, 0, WORD(12)},
	{"PROG_DETACH, cgroup skb", 9, fill_cgroup_attach, 0},
	{"PROG_QUERY, netns", 16, fill_netns_query, 0},
	{"RAW_TRACEPOINT_OPEN of a raw tracepoint", 17, fill_raw_tp, 0},
	{"LINK_UPDATE", 29, fill_prog_fd, 0},
	{"LINK_GET_FD_BY_ID", 30, fill_no_id, 0, WORD(0)},
	{"LINK_GET_NEXT_ID", 31, fill_no_id, 0, WORD(0)},
	{"ENABLE_STATS", 32, fill_nothing, 0},
	{"ITER_CREATE", 33, fill_prog_fd, 0},
	{"LINK_DETACH", 34, fill_prog_fd, 0},
	{"PROG_BIND_MAP", 35, fill_bind, 0},
	{"TOKEN_CREATE", 36, fill_nothing, 0},
	{"PROG_STREAM_READ_BY_FD", 37, fill_nothing, 0},
	{"PROG_ASSOC_STRUCT_OPS", 38, fill_nothing, 0},
};

/* --- What goes wrong ---------------------------------------------------------------------- */

struct answer {
	char what[48];
	int got;
};

struct answers {
	unsigned n;
	struct answer a[MUTATIONS_MAX];
};

static void ask(struct world *w, const struct base *b, struct answers *to, union attr *a,
                unsigned size, const char *what, unsigned at)
{
	static uint8_t page[8192];
	struct answer *answer = &to->a[to->n++];
	int got;

	memset(page, 0, sizeof(page));
	memcpy(page, a, sizeof(*a));
	got = bpf_at(w->p, b->cmd, page, size);
	if (got > 0)
		close(got);
	snprintf(answer->what, sizeof(answer->what), "%s %u", what, at);
	answer->got = got > 0 ? 0 : got;
}

static void sweep(struct world *w, const struct base *b, struct answers *to)
{
	union attr a;

	to->n = 0;
#define ASK(what, at, size, ...)                                                                   \
	do {                                                                                       \
		memset(&a, 0, sizeof(a));                                                          \
		b->fill(w, &a);                                                                    \
		__VA_ARGS__;                                                                       \
		ask(w, b, to, &a, size, what, at);                                                 \
	} while (0)
	ASK("as it is", 0, sizeof(a), (void)0);
	for (unsigned at = 0; at < sizeof(a); at += 4) {
		ASK("length", at, at, (void)0);
		if (b->skip & WORD(at))
			continue;
		ASK("1 at", at, sizeof(a), memcpy(a.bytes + at, &(uint32_t){1}, 4));
		if (!(b->skip_ones & WORD(at)))
			ASK("ones at", at, sizeof(a), memset(a.bytes + at, 0xff, 4));
		ASK("0 at", at, sizeof(a), memset(a.bytes + at, 0, 4));
		ASK("2 at", at, sizeof(a), memcpy(a.bytes + at, &(uint32_t){2}, 4));
		ASK("2^16 at", at, sizeof(a), memcpy(a.bytes + at, &(uint32_t){1 << 16}, 4));
		ASK("a pipe at", at, sizeof(a), memcpy(a.bytes + at, &w->fd[FD_PIPE], 4));
		ASK("a map at", at, sizeof(a), memcpy(a.bytes + at, &w->fd[FD_ARRAY], 4));
		ASK("a program at", at, sizeof(a), memcpy(a.bytes + at, &w->fd[FD_XDP], 4));
		ASK("BTF at", at, sizeof(a), memcpy(a.bytes + at, &w->fd[FD_BTF], 4));
		ASK("statistics at", at, sizeof(a), memcpy(a.bytes + at, &w->fd[FD_STATS], 4));
		if (at % 8 == 0)
			ASK("a bad address at", at, sizeof(a),
			    memcpy(a.bytes + at, &(uint64_t){4000}, 8));
	}
	ASK("longer than known by", 8, sizeof(a) + 8, (void)0);
	ASK("a page", 0, 4096, (void)0);
	ASK("more than a page", 0, 4097, (void)0);
#undef ASK
}

static unsigned compare(const struct base *b, const struct answers *skep,
                        const struct answers *kernel)
{
	unsigned differ = 0;

	for (unsigned i = 0; i < skep->n; i++) {
		if (skep->a[i].got == kernel->a[i].got)
			continue;
		if (differ++ < 12)
			printf("# %s, %s: Skep %d, the kernel %d\n", b->name, skep->a[i].what,
			       skep->a[i].got, kernel->a[i].got);
	}
	return differ;
}

int main(void)
{
	static struct answers skep, kernel;
	struct place s = {.name = "skep"}, h = {.name = "kernel"};
	struct world here, there;
	bool oracle = kernel_is_there();

	own_network();
	if (skep_new(NULL, &s.k) != 0)
		return 1;
	world_make(&here, &s);
	if (oracle)
		world_make(&there, &h);
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		const struct base *b = &bases[i];

		if (b->fill == fill_netns_link && here.fd[FD_LOOKUP] < 0) {
			printf("ok %u - %s # SKIP no such programs\n", ++tests_run, b->name);
			continue;
		}
		world_enter(&here);
		sweep(&here, b, &skep);
		world_leave(&here);
		if (!oracle) {
			printf("ok %u - %s # SKIP bpf(2) is not to be had\n", ++tests_run, b->name);
			continue;
		}
		world_enter(&there);
		sweep(&there, b, &kernel);
		world_leave(&there);
		report(&s, compare(b, &skep, &kernel) == 0, b->name, 0, 0);
	}
	world_end(&here);
	if (oracle)
		world_end(&there);
	skep_free(s.k);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
