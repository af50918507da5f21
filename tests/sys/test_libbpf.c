/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmodified libbpf on Skep: one object with global data, maps, CO-RE, kconfig externs,
 * subprograms, a prog array, pinning by name and a ring buffer, loaded and run through libskep-bpf.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "skep.h"
#include "skep_bpf.h"

struct fixture {
	struct skep *k;
	char dir[32];
	struct bpf_object *obj;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int open_object(struct fixture *f)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = f->dir);

	f->obj = bpf_object__open_file(OBJECT_DIR "/features.bpf.o", &opts);
	if (!f->obj)
		return -1;
	/* Without the host's BTF there is nothing to relocate against. */
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		bpf_program__set_autoload(bpf_object__find_program_by_name(f->obj, "entry"), false);
	return bpf_object__load(f->obj);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct skep_options o = {.size = sizeof(o), .engine = SKEP_ENGINE_AUTO,
	                         .trust_programs = 1};
	int err;

	strcpy(f->dir, "/tmp/skep-libbpf-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	o.bpffs = f->dir;
	err = skep_new(&o, &f->k);
	if (err)
		return err;
	libbpf_set_print(quiet);
	skep_bpf_bind(f->k);
	*state = f;
	return open_object(f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bpf_object__close(f->obj);
	skep_bpf_bind(NULL);
	skep_free(f->k);
	if (rmdir(f->dir) != 0) /* its pins went with the kernel */
		return -1;
	free(f);
	return 0;
}

static int prog_fd(const struct fixture *f, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(f->obj, name));
}

static int map_fd(const struct fixture *f, const char *name)
{
	return bpf_object__find_map_fd_by_name(f->obj, name);
}

static uint32_t run(const struct fixture *f, const char *name, unsigned size)
{
	char packet[128] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = size);

	assert_int_equal(bpf_prog_test_run_opts(prog_fd(f, name), &opts), 0);
	return opts.retval;
}

/* The map of a section of global data, mapped as a skeleton does it. */
static void *global(const struct fixture *f, const char *section, int prot)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, f->obj)
		if (strstr(bpf_map__name(map), section))
			return mmap(NULL, 4096, prot, MAP_SHARED, bpf_map__fd(map), 0);
	return MAP_FAILED;
}

static void programs_run_and_see_their_data(void **state)
{
	struct fixture *f = *state;
	unsigned key = 100;
	unsigned long n = 0;

	if (prog_fd(f, "entry") < 0)
		skip();
	assert_int_equal(run(f, "entry", 100), 2);
	assert_int_equal(run(f, "entry", 100), 2);
	assert_int_equal(bpf_map_lookup_elem(map_fd(f, "counts"), &key, &n), 0);
	assert_int_equal(n, 2);
	/* A tail call through the prog array that libbpf filled. */
	assert_int_equal(run(f, "entry", 64), 3);
}

static void global_data_is_shared_memory(void **state)
{
	struct fixture *f = *state;
	long *sum = global(f, ".data", PROT_READ | PROT_WRITE);
	long before;

	if (prog_fd(f, "entry") < 0)
		skip();
	assert_ptr_not_equal(sum, MAP_FAILED);
	before = *sum;
	run(f, "entry", 100);
	/* 2 + (2 * 3 + hidden[2]) */
	assert_int_equal(*sum, before + 2 + 6 + 3);
	*sum = 0;
	run(f, "entry", 100);
	assert_int_equal(*sum, 11);
	munmap(sum, 4096);
}

static void constants_are_frozen(void **state)
{
	struct fixture *f = *state;
	unsigned key = 0;
	int value = 9;
	struct bpf_map *map;

	bpf_object__for_each_map(map, f->obj)
		if (strstr(bpf_map__name(map), ".rodata"))
			break;
	assert_non_null(map);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, &value, 0), -EPERM);
	assert_int_equal(bpf_map_freeze(bpf_map__fd(map)), -EPERM);
	assert_ptr_equal(global(f, ".rodata", PROT_READ | PROT_WRITE), MAP_FAILED);
	assert_ptr_not_equal(global(f, ".rodata", PROT_READ), MAP_FAILED);
}

static int on_event(void *arg, void *data, size_t len)
{
	unsigned *seen = arg, *e = data;

	assert_int_equal(len, 8);
	seen[0]++;
	seen[1] = e[0];
	return 0;
}

static void events_arrive_through_epoll(void **state)
{
	struct fixture *f = *state;
	unsigned seen[2] = {0, 0};
	struct ring_buffer *ring;

	if (prog_fd(f, "entry") < 0)
		skip();
	ring = ring_buffer__new(map_fd(f, "events"), on_event, seen, NULL);
	assert_non_null(ring);
	ring_buffer__consume(ring);
	seen[0] = 0;
	assert_int_equal(ring_buffer__poll(ring, 0), 0);
	for (unsigned i = 0; i < 1000; i++) { /* round the ring many times */
		run(f, "entry", 70 + i % 50);
		if (i % 7 == 0)
			assert_int_equal(ring_buffer__poll(ring, 1000), i ? 7 : 1);
		assert_int_equal(seen[0], i / 7 * 7 + 1);
	}
	assert_int_equal(ring_buffer__poll(ring, 1000), 5);
	assert_int_equal(seen[1], 70 + 999 % 50);
	ring_buffer__free(ring);
}

static int stop_at_third(void *arg, void *data, size_t len)
{
	unsigned *seen = arg;

	return ++*seen % 3 ? 0 : -7;
}

/* What is there before anybody waits, or is left by somebody who stopped, is reported at once. */
static void events_stay_until_read(void **state)
{
	struct fixture *f = *state;
	struct ring_buffer *ring;
	unsigned seen = 0;

	if (prog_fd(f, "entry") < 0)
		skip();
	for (int i = 0; i < 7; i++)
		run(f, "entry", 100);
	ring = ring_buffer__new(map_fd(f, "events"), stop_at_third, &seen, NULL);
	assert_non_null(ring);
	assert_int_equal(ring_buffer__poll(ring, 5000), -7);
	assert_int_equal(seen, 3);
	assert_int_equal(ring_buffer__poll(ring, 5000), -7);
	assert_int_equal(seen, 6);
	assert_int_equal(ring_buffer__poll(ring, 5000), 1);
	assert_int_equal(ring_buffer__poll(ring, 0), 0);
	run(f, "entry", 100);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(ring_buffer__poll(ring, 0), 0);
	ring_buffer__free(ring);
}

/* Somebody who sleeps is woken. */
static void *run_later(void *arg)
{
	usleep(30000);
	run(arg, "entry", 100);
	return NULL;
}

static void events_wake_a_sleeper(void **state)
{
	struct fixture *f = *state;
	unsigned seen[2] = {0, 0};
	struct ring_buffer *ring;
	pthread_t thread;

	if (prog_fd(f, "entry") < 0)
		skip();
	ring = ring_buffer__new(map_fd(f, "events"), on_event, seen, NULL);
	assert_int_equal(pthread_create(&thread, NULL, run_later, f), 0);
	assert_int_equal(ring_buffer__poll(ring, 20000), 1);
	pthread_join(thread, NULL);
	ring_buffer__free(ring);
}

struct seen {
	unsigned n, bytes;
	unsigned long long lost;
	unsigned long first;
};

static void on_sample(void *ctx, int cpu, void *data, unsigned size)
{
	struct seen *seen = ctx;

	(void)cpu;
	seen->n++;
	seen->bytes = size;
	memcpy(&seen->first, data, sizeof(seen->first));
}

static void on_lost(void *ctx, int cpu, unsigned long long n)
{
	(void)cpu;
	((struct seen *)ctx)->lost += n;
}

static void samples_arrive_through_perf_buffers(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	struct perf_buffer *pb =
		perf_buffer__new(map_fd(f, "samples"), 1, on_sample, on_lost, &seen, NULL);

	assert_non_null(pb);
	assert_int_equal(perf_buffer__poll(pb, 0), 0);
	for (unsigned i = 0; i < 500; i++) { /* round the ring many times */
		assert_int_equal(run(f, "puts_out", 64), 0);
		if (i % 10 == 9)
			assert_true(perf_buffer__poll(pb, 1000) > 0);
	}
	assert_int_equal(seen.n, 500);
	assert_int_equal(seen.first, 0x1122334455667788);
	assert_int_equal(seen.bytes, 28); /* 16 and 10, as much as fills words with their length */
	/* 4096 bytes hold 102 of 40, one byte short of all; who comes late is told. */
	for (unsigned i = 0; i < 150; i++)
		run(f, "puts_out", 64);
	assert_int_equal(run(f, "puts_out", 64), ENOSPC);
	assert_true(perf_buffer__consume(pb) >= 0);
	assert_int_equal(seen.n, 602);
	assert_int_equal(run(f, "puts_out", 64), 0);
	assert_true(perf_buffer__consume(pb) >= 0);
	assert_int_equal(seen.n, 603);
	assert_int_equal(seen.lost, 49);
	perf_buffer__free(pb);
	assert_int_equal(run(f, "puts_out", 64), ENOENT);
}

/* Round the ring many times; who has to wait for room is woken. */
static void programs_drain_what_user_space_puts_in(void **state)
{
	struct fixture *f = *state;
	struct user_ring_buffer *ring = user_ring_buffer__new(map_fd(f, "orders"), NULL);
	unsigned long *n, put = 0;

	assert_non_null(ring);
	assert_int_equal(run(f, "drains", 64), 0);
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned j = 0; j < i % 5; j++) {
			n = user_ring_buffer__reserve(ring, 40 + 8 * j);
			assert_non_null(n);
			*n = 100;
			if (j == 3)
				user_ring_buffer__discard(ring, n);
			else
				user_ring_buffer__submit(ring, n);
			put += j != 3;
		}
		assert_int_equal(run(f, "drains", 64), i % 5 == 4 ? 3 : i % 5);
	}
	n = user_ring_buffer__reserve(ring, 8);
	*n = 7;
	user_ring_buffer__submit(ring, n);
	n = user_ring_buffer__reserve(ring, 8);
	*n = 8;
	user_ring_buffer__submit(ring, n);
	assert_int_equal(run(f, "drains", 64), 1); /* it has enough */
	assert_int_equal(run(f, "drains", 64), 1);
	while ((n = user_ring_buffer__reserve(ring, 1000)))
		user_ring_buffer__submit(ring, n);
	assert_int_equal(errno, ENOSPC);
	assert_null(user_ring_buffer__reserve(ring, 4097));
	assert_int_equal(errno, E2BIG);
	assert_true(run(f, "drains", 64) > 0);
	assert_non_null(user_ring_buffer__reserve_blocking(ring, 1000, 1000));
	assert_int_equal(run(f, "drains", 64), 0); /* it is not submitted yet */
	user_ring_buffer__free(ring);
}

static void bloom_filters_answer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "blooms", 77), ENOENT);
	assert_int_equal(run(f, "blooms", 77), 0);
	assert_int_equal(run(f, "blooms", 78), ENOENT);
}

static void packets_go_to_cpus(void **state)
{
	struct fixture *f = *state;
	unsigned key = 0, queue = 8;

	assert_int_equal(run(f, "to_worker", 64), 3);
	assert_int_equal(bpf_map_update_elem(map_fd(f, "workers"), &key, &queue, 0), 0);
	assert_int_equal(run(f, "to_worker", 64), 4);
}

static void stacks_are_noted(void **state)
{
	struct fixture *f = *state;
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	unsigned long addrs[10];
	unsigned id;

	assert_int_equal(bpf_prog_test_run_opts(prog_fd(f, "who_calls"), &opts), 0);
	id = opts.retval;
	assert_true(id < 16);
	assert_int_equal(bpf_map_lookup_elem(map_fd(f, "stacks"), &id, addrs), 0);
	assert_true(addrs[0] != 0);
	assert_int_equal(bpf_map_delete_elem(map_fd(f, "stacks"), &id), 0);
	assert_int_equal(bpf_map_lookup_elem(map_fd(f, "stacks"), &id, addrs), -ENOENT);
}

static void maps_are_pinned_by_name(void **state)
{
	struct fixture *f = *state;
	char path[64];
	unsigned key = 1, value = 2;
	struct bpf_object *again;
	struct stat st;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = f->dir);

	snprintf(path, sizeof(path), "%s/pinned", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(bpf_map_update_elem(map_fd(f, "pinned"), &key, &value, 0), 0);
	assert_int_equal(run(f, "uses_pin", 64), 2);

	/* Another object of the same source finds the same map. */
	again = bpf_object__open_file(OBJECT_DIR "/features.bpf.o", &opts);
	assert_non_null(again);
	bpf_program__set_autoload(bpf_object__find_program_by_name(again, "entry"), false);
	assert_int_equal(bpf_object__load(again), 0);
	value = 0;
	assert_int_equal(bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(again, "pinned"), &key,
	                                     &value), 0);
	assert_int_equal(value, 2);
	bpf_object__close(again);
	value = bpf_obj_get(path);
	assert_true((int)value >= 0);
	close((int)value);
}

static void core_and_kconfig(void **state)
{
	struct fixture *f = *state;
	struct {
		int runs;
		unsigned kernel_version, pid_offset;
	} *bss = global(f, ".bss", PROT_READ);
	struct {
		long sum;
		int missing, has_pid, has_nothing;
	} *data = global(f, ".data", PROT_READ);

	if (prog_fd(f, "entry") < 0)
		skip();
	assert_ptr_not_equal(bss, MAP_FAILED);
	assert_ptr_not_equal(data, MAP_FAILED);
	run(f, "entry", 100);
	assert_true(bss->runs > 0);
	assert_true(bss->kernel_version > 0x040000);
	assert_true(bss->pid_offset > 0);
	assert_int_equal(data->missing, 0);
	assert_int_equal(data->has_pid, 1);
	assert_int_equal(data->has_nothing, 0);
	munmap(bss, 4096);
	munmap(data, 4096);
}

static void infos(void **state)
{
	struct fixture *f = *state;
	struct bpf_prog_info info = {0};
	struct bpf_map_info map_info = {0};
	uint32_t len = sizeof(info), map_ids[16];

	info.nr_map_ids = 16;
	info.map_ids = (uintptr_t)map_ids;
	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd(f, "uses_pin"), &info, &len), 0);
	assert_string_equal(info.name, "uses_pin");
	assert_int_equal(info.type, BPF_PROG_TYPE_XDP);
	assert_true(info.btf_id > 0);
	assert_int_equal(info.nr_func_info, 1);
	assert_true(info.nr_line_info > 0);
	assert_true(info.nr_map_ids >= 1);
	len = sizeof(map_info);
	assert_int_equal(bpf_obj_get_info_by_fd(map_fd(f, "counts"), &map_info, &len), 0);
	assert_string_equal(map_info.name, "counts");
	assert_int_equal(map_info.max_entries, 64);
	assert_true(map_info.btf_value_type_id > 0);
}

/* Each function's machine code, side by side, and where each source line's begins. */
static void machine_code(void **state)
{
	struct fixture *f = *state;
	struct bpf_prog_info info = {0};
	uint64_t symbols[8], lines[256], first, end;
	uint32_t lens[8], len = sizeof(info);

	if (prog_fd(f, "entry") < 0)
		skip();
	info.jited_ksyms = (uintptr_t)symbols;
	info.nr_jited_ksyms = 8;
	info.jited_func_lens = (uintptr_t)lens;
	info.nr_jited_func_lens = 8;
	info.jited_line_info = (uintptr_t)lines;
	info.nr_jited_line_info = 256;
	info.jited_line_info_rec_size = 8;
	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd(f, "entry"), &info, &len), 0);
	if (!info.jited_prog_len)
		skip(); /* no JIT for this machine */
	assert_int_equal(info.nr_jited_ksyms, info.nr_func_info);
	assert_int_equal(info.nr_jited_func_lens, info.nr_func_info);
	assert_true(info.nr_func_info > 1);
	first = symbols[0];
	end = first;
	for (unsigned i = 0; i < info.nr_jited_ksyms; i++) {
		assert_int_equal(symbols[i], end);
		end += lens[i];
	}
	assert_int_equal(end - first, info.jited_prog_len);
	assert_int_equal(info.nr_jited_line_info, info.nr_line_info);
	assert_int_equal(lines[0] >= first, 1);
	for (unsigned i = 1; i < info.nr_jited_line_info && i < 256; i++)
		assert_true(lines[i] >= lines[i - 1] && lines[i] <= end);
}

/* Links as libbpf makes, pins, opens and updates them. */
static void links(void **state)
{
	struct fixture *f = *state;
	struct bpf_program *prog = bpf_object__find_program_by_name(f->obj, "uses_pin");
	struct bpf_program *other = bpf_object__find_program_by_name(f->obj, "called");
	struct bpf_link *link = bpf_program__attach_xdp(prog, 1), *again;
	struct bpf_link_info info = {0};
	struct skep_prog *attached;
	uint32_t len = sizeof(info), id = 0;
	char path[64];

	assert_non_null(link);
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len), 0);
	assert_int_equal(info.type, BPF_LINK_TYPE_XDP);
	assert_int_equal(info.xdp.ifindex, 1);
	assert_int_equal(bpf_link_get_next_id(0, &id), 0);
	assert_int_equal(id, info.id);
	assert_null(bpf_program__attach_xdp(other, 1)); /* there is one already */
	assert_int_equal(bpf_link__update_program(link, other), 0);
	assert_int_equal(skep_prog_attached(f->k, BPF_XDP, 1, 0, &attached), 0);
	assert_string_equal(skep_prog_name(attached), "called");
	skep_prog_put(attached);
	assert_int_equal(skep_prog_attached(f->k, BPF_XDP, 1, 1, &attached), -ENOENT);
	snprintf(path, sizeof(path), "%s/link", f->dir);
	assert_int_equal(bpf_link__pin(link, path), 0);
	bpf_link__destroy(link);
	/* The pin keeps it. */
	assert_int_equal(skep_prog_attached(f->k, BPF_XDP, 1, 0, &attached), 0);
	skep_prog_put(attached);
	again = bpf_link__open(path);
	assert_non_null(again);
	assert_int_equal(bpf_link__unpin(again), 0);
	bpf_link__destroy(again);
	assert_int_equal(skep_prog_attached(f->k, BPF_XDP, 1, 0, &attached), -ENOENT);
}

static void batches(void **state)
{
	struct fixture *f = *state;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	unsigned keys[64], n = 10, token, fd = (unsigned)map_fd(f, "counts");
	unsigned long values[64];

	for (unsigned i = 0; i < n; i++) {
		keys[i] = 1000 + i;
		values[i] = i;
	}
	assert_int_equal(bpf_map_update_batch((int)fd, keys, values, &n, &opts), 0);
	n = 64;
	assert_int_equal(bpf_map_lookup_batch((int)fd, NULL, &token, keys, values, &n, &opts),
	                 -ENOENT);
	assert_true(n >= 10);
	for (unsigned i = 0; i < 10; i++)
		keys[i] = 1000 + i;
	n = 10;
	assert_int_equal(bpf_map_delete_batch((int)fd, keys, &n, &opts), 0);
	assert_int_equal(n, 10);
}

static void the_process_can_be_bound_and_unbound(void **state)
{
	struct fixture *f = *state;
	unsigned key = 0, value;

	assert_ptr_equal(skep_bpf_bind(NULL), f->k);
	/* The operating system does not know this descriptor as a map. */
	assert_true(bpf_map_lookup_elem(map_fd(f, "pinned"), &key, &value) < 0);
	assert_null(skep_bpf_bind(f->k));
	assert_int_equal(bpf_map_lookup_elem(map_fd(f, "pinned"), &key, &value), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_run_and_see_their_data),
		cmocka_unit_test(global_data_is_shared_memory),
		cmocka_unit_test(constants_are_frozen),
		cmocka_unit_test(events_arrive_through_epoll),
		cmocka_unit_test(events_stay_until_read),
		cmocka_unit_test(events_wake_a_sleeper),
		cmocka_unit_test(samples_arrive_through_perf_buffers),
		cmocka_unit_test(programs_drain_what_user_space_puts_in),
		cmocka_unit_test(bloom_filters_answer),
		cmocka_unit_test(packets_go_to_cpus),
		cmocka_unit_test(stacks_are_noted),
		cmocka_unit_test(maps_are_pinned_by_name),
		cmocka_unit_test(core_and_kconfig),
		cmocka_unit_test(infos),
		cmocka_unit_test(machine_code),
		cmocka_unit_test(links),
		cmocka_unit_test(batches),
		cmocka_unit_test(the_process_can_be_bound_and_unbound),
	};

	return cmocka_run_group_tests_name("libbpf", tests, setup, teardown);
}
