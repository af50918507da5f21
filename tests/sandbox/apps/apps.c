/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applications by skeleton, as libbpf's users write them: `apps NAME` runs one, says what is wrong and
 * exits with 1. None knows anything of Skep.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.skel.h"
#include "functions.skel.h"
#include "globals.skel.h"
#include "kconfig.skel.h"
#include "links.skel.h"
#include "maps.skel.h"
#include "nested.skel.h"
#include "perf.skel.h"
#include "pins.skel.h"
#include "ring.skel.h"
#include "sockets.skel.h"
#include "tail.skel.h"

static int failures;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("line %d: %s (errno %d)\n", __LINE__, #what, errno);                \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

/* Runs a program once on a frame; what it answers, or -1. */
static int run(const struct bpf_program *p)
{
	char frame[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame));

	return bpf_prog_test_run_opts(bpf_program__fd(p), &o) ? -1 : (int)o.retval;
}

static void globals(void)
{
	struct globals_bpf *s = globals_bpf__open();

	CHECK(s);
	s->rodata->step = 5;
	CHECK(globals_bpf__load(s) == 0);
	CHECK(strcmp(s->data->box.text, "from the file") == 0);
	s->data->start = 1000;
	for (int i = 0; i < 3; i++)
		CHECK(run(s->progs.run) == 2);
	CHECK(s->bss->runs == 3 && s->bss->sum == 3015 && s->data->box.values[3] == 3);
	globals_bpf__destroy(s);
}

static uint64_t get(const struct bpf_map *m, const void *key)
{
	uint64_t values[1024] = {0};

	return bpf_map_lookup_elem(bpf_map__fd(m), key, values) ? 0 : values[0] + values[1];
}

static void maps(void)
{
	struct maps_bpf *s = maps_bpf__open_and_load();
	uint32_t key = 3, word, lpm[2] = {32, 0x6304d00a};
	uint64_t value;

	CHECK(s && run(s->progs.run) == 2 && s->bss->errors == 0);
	CHECK(get(s->maps.hash, &key) == 42 && get(s->maps.lazy, &key) == 42);
	CHECK(get(s->maps.lru, &key) == 42 && get(s->maps.array, &key) == 42);
	CHECK(get(s->maps.percpu, &key) == 42 && get(s->maps.percpu_hash, &key) == 42);
	CHECK(get(s->maps.trie, lpm) == 42);
	for (uint32_t i = 1; i < 4; i++) {
		CHECK(!bpf_map_lookup_and_delete_elem(bpf_map__fd(s->maps.queue), NULL, &word) && word == i);
		CHECK(!bpf_map_lookup_and_delete_elem(bpf_map__fd(s->maps.stack), NULL, &word) && word == 4 - i);
	}
	value = 1;
	for (key = 0; key < 100; key++)
		CHECK(bpf_map__update_elem(s->maps.lru, &key, 4, &value, 8, 0) == 0);
	for (key = 100; key < 115; key++)
		CHECK(bpf_map__update_elem(s->maps.hash, &key, 4, &value, 8, 0) == 0);
	CHECK(bpf_map__update_elem(s->maps.hash, &key, 4, &value, 8, 0) == -E2BIG);
	maps_bpf__destroy(s);
}

static uint64_t seen, wrong;

static int on_record(void *arg, void *data, size_t size)
{
	uint64_t number;

	memcpy(&number, data, sizeof(number));
	wrong += number != seen++ || strcmp((char *)data + 8, "a record") != 0 || size != 32;
	return 0;
}

static void ring(void)
{
	struct ring_bpf *s = ring_bpf__open_and_load();
	struct ring_buffer *r = s ? ring_buffer__new(bpf_map__fd(s->maps.events), on_record, NULL, NULL) : NULL;

	CHECK(r);
	for (int i = 0; r && i < 1000; i++) {
		CHECK(run(s->progs.run) == 2);
		if (i % 50 == 0)
			CHECK(ring_buffer__poll(r, 1000) > 0);
	}
	ring_buffer__consume(r);
	CHECK(seen == 1000 && !wrong);
	ring_buffer__free(r);
	ring_bpf__destroy(s);
}

static void on_sample(void *ctx, int cpu, void *data, uint32_t size)
{
	uint64_t e[2];

	memcpy(e, data, sizeof(e));
	wrong += e[0] != ~e[1] || e[0] != seen++ || size < sizeof(e);
}

static void on_lost(void *ctx, int cpu, unsigned long long n)
{
	printf("%llu lost\n", n);
	failures++;
}

static void perf(void)
{
	struct perf_bpf *s = perf_bpf__open_and_load();
	struct perf_buffer *p = s ? perf_buffer__new(bpf_map__fd(s->maps.events), 8, on_sample, on_lost, NULL, NULL) : NULL;

	CHECK(p);
	for (int i = 0; p && i < 500; i++) {
		CHECK(run(s->progs.run) == 2);
		if (i % 10 == 0)
			CHECK(perf_buffer__poll(p, 1000) > 0);
	}
	perf_buffer__consume(p);
	CHECK(seen == 500 && !wrong);
	perf_buffer__free(p);
	perf_bpf__destroy(s);
}

static void put_prog(const struct bpf_map *m, uint32_t key, const struct bpf_program *p)
{
	int fd = bpf_program__fd(p);

	CHECK(bpf_map_update_elem(bpf_map__fd(m), &key, &fd, BPF_ANY) == 0);
}

static void tail(void)
{
	struct tail_bpf *s = tail_bpf__open_and_load();

	CHECK(s && run(s->progs.first) == 0 && s->bss->missing == 1);
	put_prog(s->maps.next, 1, s->progs.second);
	CHECK(run(s->progs.first) == 2 && s->bss->trail == 112);
	put_prog(s->maps.next, 2, s->progs.third);
	CHECK(run(s->progs.first) == 3 && s->bss->trail == 112123);
	tail_bpf__destroy(s);
}

static void nested(void)
{
	struct nested_bpf *s = nested_bpf__open_and_load();
	uint32_t key = 1, id;

	CHECK(s && run(s->progs.run) == 2 && get(s->maps.one, &key) == 7 && get(s->maps.two, &key) == 0);
	s->bss->which = 1;
	CHECK(run(s->progs.run) == 2 && get(s->maps.two, &key) == 7);
	CHECK(bpf_map_lookup_elem(bpf_map__fd(s->maps.outer), &key, &id) == 0 && id);
	CHECK(bpf_map_delete_elem(bpf_map__fd(s->maps.outer), &key) == 0 && run(s->progs.run) == 0);
	nested_bpf__destroy(s);
}

static void pins(void)
{
	uint32_t key = 0;

	for (int i = 1; i <= 3; i++) {
		struct pins_bpf *s = pins_bpf__open_and_load();

		CHECK(s && run(s->progs.run) == 2 && get(s->maps.kept, &key) == (uint64_t)i);
		CHECK(bpf_map__is_pinned(s->maps.kept));
		if (i == 3)
			CHECK(bpf_map__unpin(s->maps.kept, NULL) == 0);
		pins_bpf__destroy(s);
	}
	CHECK(access("/sys/fs/bpf/kept", F_OK) != 0);
}

static uint32_t link_type(const struct bpf_link *l, uint32_t *prog)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_link__fd(l), &info, &size) != 0)
		return 0;
	*prog = info.prog_id;
	return info.type;
}

static void links(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
	                               .config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1, .sample_freq = 10};
	struct links_bpf *s = links_bpf__open_and_load();
	uint32_t before = 0, after = 0;
	struct bpf_link *l;

	CHECK(s);
	l = bpf_program__attach_xdp(s->progs.on_device, (int)if_nametoindex("lo"));
	CHECK(l && link_type(l, &before) == BPF_LINK_TYPE_XDP);
	CHECK(!bpf_program__attach_xdp(s->progs.instead, (int)if_nametoindex("lo")) && errno == EBUSY);
	CHECK(bpf_link__update_program(l, s->progs.instead) == 0 && link_type(l, &after) && before != after);
	CHECK(bpf_link__pin(l, "/sys/fs/bpf/link") == 0);
	CHECK(bpf_link__unpin(l) == 0 && bpf_link__detach(l) == 0);
	CHECK(bpf_link__destroy(l) == 0);
	l = bpf_program__attach(s->progs.on_raw);
	CHECK(l && link_type(l, &after) == BPF_LINK_TYPE_RAW_TRACEPOINT);
	bpf_link__destroy(l);
	l = bpf_program__attach(s->progs.on_tracepoint);
	CHECK(l && link_type(l, &after) == BPF_LINK_TYPE_PERF_EVENT);
	bpf_link__destroy(l);
	l = bpf_program__attach_perf_event(
		s->progs.on_event, (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0));
	CHECK(l && link_type(l, &after) == BPF_LINK_TYPE_PERF_EVENT);
	bpf_link__destroy(l);
	links_bpf__destroy(s);
}

static void sockets(void)
{
	struct sockets_bpf *s = sockets_bpf__open_and_load();
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog classic = {1, &all};
	int ends[2] = {-1, -1}, fd;
	char byte = 0;

	CHECK(s && socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	fd = bpf_program__fd(s->progs.other);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) == -1 && errno == EINVAL);
	fd = bpf_program__fd(s->progs.filter);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) == 0);
	CHECK(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1 && byte == 'x');
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_DETACH_BPF, &fd, sizeof(fd)) == 0);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_DETACH_BPF, &fd, sizeof(fd)) == -1 && errno == ENOENT);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &classic, sizeof(classic)) == 0);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_DETACH_FILTER, &fd, sizeof(fd)) == 0);
	close(ends[0]);
	close(ends[1]);
	sockets_bpf__destroy(s);
}

static void functions(void)
{
	struct functions_bpf *s = functions_bpf__open_and_load();

	CHECK(s && run(s->progs.run) == 2 && s->bss->sum == 2025 && s->bss->calls == 10);
	functions_bpf__destroy(s);
}

static void kconfig(void)
{
	struct kconfig_bpf *s = kconfig_bpf__open_and_load();

	CHECK(s && run(s->progs.run) == 2 && s->bss->version > 0x40000 && s->bss->missing == 0);
	kconfig_bpf__destroy(s);
}

static void core(void)
{
	struct core_bpf *s;

	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
		printf("SKIP there is no BTF of the kernel\n");
		return;
	}
	s = core_bpf__open_and_load();
	CHECK(s && run(s->progs.run) == 2 && s->bss->has_pid && !s->bss->has_none);
	CHECK(s && s->bss->has_struct && !s->bss->has_missing && s->bss->ringbuf == BPF_MAP_TYPE_RINGBUF);
	CHECK(s && s->bss->pid_offset > 64);
	core_bpf__destroy(s);
}

static const struct {
	const char *name;
	void (*run)(void);
} apps[] = {
	{"globals", globals},
	{"maps", maps},
	{"ring", ring},
	{"perf", perf},
	{"tail", tail},
	{"nested", nested},
	{"pins", pins},
	{"links", links},
	{"sockets", sockets},
	{"functions", functions},
	{"kconfig", kconfig},
	{"core", core},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++)
		if (argc == 2 && !strcmp(argv[1], apps[i].name)) {
			apps[i].run();
			return failures != 0;
		}
	printf("no such application\n");
	return 2;
}
