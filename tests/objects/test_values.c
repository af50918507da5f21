/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks and timers in map values: bpf/values.bpf.c, loaded by libbpf on Skep and on the kernel. What it
 * notes must be the same in both, and what timers do is seen to happen in both.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "skep.h"
#include "skep_bpf.h"

static unsigned tests_run, tests_failed;

static void report(bool fine, const char *place, const char *what)
{
	tests_run++;
	tests_failed += !fine;
	printf("%sok %u - %s: %s\n", fine ? "" : "not ", tests_run, place, what);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("SKEP_TEST_VERBOSE") ? vfprintf(stderr, format, args) : 0;
}

struct data {
	int nresults, fired, last_key, last_value, again;
	long results[64];
};

struct under_test {
	const char *name;
	struct bpf_object *obj;
	char *bss;
};

/* Places of the variables in .bss, by name. */
static void *variable(const struct under_test *t, const char *name)
{
	const struct btf *btf = bpf_object__btf(t->obj);
	int id = btf__find_by_name_kind(btf, ".bss", BTF_KIND_DATASEC);
	const struct btf_type *sec = btf__type_by_id(btf, (unsigned)id);
	const struct btf_var_secinfo *v = btf_var_secinfos(sec);

	for (int i = 0; i < btf_vlen(sec); i++)
		if (!strcmp(btf__name_by_offset(btf, btf__type_by_id(btf, v[i].type)->name_off), name))
			return t->bss + v[i].offset;
	abort();
}

static int number(const struct under_test *t, const char *name)
{
	return __atomic_load_n((int *)variable(t, name), __ATOMIC_ACQUIRE);
}

static bool open_object(struct under_test *t, const char *name)
{
	struct bpf_map *map;

	t->name = name;
	t->bss = NULL;
	t->obj = bpf_object__open_file(OBJECT_DIR "/values.bpf.o", NULL);
	if (!t->obj || bpf_object__load(t->obj))
		return false;
	bpf_object__for_each_map(map, t->obj)
		if (strstr(bpf_map__name(map), ".bss"))
			t->bss = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			              bpf_map__fd(map), 0);
	return t->bss && t->bss != MAP_FAILED;
}

static int run(const struct under_test *t, const char *prog)
{
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof(packet));

	return bpf_prog_test_run_opts(
		bpf_program__fd(bpf_object__find_program_by_name(t->obj, prog)), &o);
}

static int map_fd(const struct under_test *t, const char *name)
{
	return bpf_object__find_map_fd_by_name(t->obj, name);
}

struct locked {
	int lock, a;
	long b;
};

static void locks(const struct under_test *t, long *out)
{
	struct locked v;
	int key = 1;

	run(t, "locks");
	for (int i = 0; i < 2; i++) {
		int fd = map_fd(t, i ? "locked_hash" : "locked_array");

		memset(&v, 0x5a, sizeof(v));
		*out++ = bpf_map_lookup_elem_flags(fd, &key, &v, BPF_F_LOCK);
		*out++ = v.lock;
		*out++ = v.a;
		*out++ = v.b;
	}
}

static void *contender(void *arg)
{
	for (int i = 0; i < 200; i++)
		run(arg, "contend");
	return NULL;
}

static void contended(struct under_test *t)
{
	struct locked v = {0};
	pthread_t threads[3];
	int key = 2;
	bool whole = true;

	bpf_map_update_elem(map_fd(t, "locked_hash"), &key, &v, 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, contender, t);
	for (int i = 0; i < 1000; i++) {
		bpf_map_lookup_elem_flags(map_fd(t, i % 2 ? "locked_hash" : "locked_array"), &key, &v,
		                          BPF_F_LOCK);
		whole &= v.b == (long)v.a * (v.a + 1) / 2;
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	report(whole, t->name, "a reader with BPF_F_LOCK sees whole values");
	for (int i = 0; i < 2; i++) {
		bpf_map_lookup_elem(map_fd(t, i ? "locked_hash" : "locked_array"), &key, &v);
		report(v.a == 60000 && v.b == 60000l * 60001 / 2, t->name, "nothing is lost under a lock");
	}
}

/* Waits until `fired` is so many, a few seconds at most. */
static bool wait_fired(const struct under_test *t, int n)
{
	for (int i = 0; i < 5000 && number(t, "fired") < n; i++)
		usleep(1000);
	return number(t, "fired") >= n;
}

static void fires(const struct under_test *t, const char *prog, int key, int value)
{
	int before = number(t, "fired");
	char what[64];

	snprintf(what, sizeof(what), "%s fires with its element", prog);
	run(t, prog);
	report(wait_fired(t, before + 1) && number(t, "last_key") == key &&
	               number(t, "last_value") == value,
	       t->name, what);
}

static void timers(const struct under_test *t)
{
	int before;

	run(t, "timers_wrong");
	fires(t, "timer_hash", 3, 55);
	fires(t, "timer_array", 2, 77);
	fires(t, "timer_lru", 11, 88);
	fires(t, "timer_itself", 3, 100);
	before = number(t, "fired");
	run(t, "timer_periodic");
	report(wait_fired(t, before + 21), t->name, "a timer that starts itself again");
	before = number(t, "fired");
	run(t, "timer_gone");
	usleep(60000);
	report(number(t, "fired") == before, t->name, "timers go with their elements");
}

static bool try(struct under_test *t, const char *name, long answers[72])
{
	if (!open_object(t, name))
		return false;
	memset(answers, 0, 72 * sizeof(*answers));
	locks(t, answers + 64);
	contended(t);
	timers(t);
	usleep(10000);
	memcpy(answers, variable(t, "results"), 64 * sizeof(*answers));
	run(t, "timer_evicted");
	return true;
}

/* Closing everything ends timers that would run for hours, and nothing that they use stays. */
static void close_object(struct under_test *t)
{
	munmap(t->bss, 4096);
	bpf_object__close(t->obj);
}

static void nothing_is_left(struct skep *k)
{
	unsigned id = 0;
	int left = 1;

	for (int i = 0; i < 500 && left; i++) {
		usleep(10000);
		left = bpf_prog_get_next_id(0, &id) == 0 || bpf_map_get_next_id(0, &id) == 0;
	}
	report(!left, "skep", "programs and maps with timers end when nobody holds them");
	(void)k;
}

int main(void)
{
	struct skep_options o = {.size = sizeof(o), .trust_programs = 1};
	struct under_test t;
	long ours[72], theirs[72];
	struct skep *k;

	libbpf_set_print(quiet);
	for (int engine = 0; engine < 2; engine++) {
		o.engine = engine ? SKEP_ENGINE_INTERP : SKEP_ENGINE_AUTO;
		if (skep_new(&o, &k)) {
			printf("Bail out! no kernel\n");
			return 1;
		}
		skep_bpf_bind(k);
		if (!try(&t, engine ? "interpreter" : "skep", ours)) {
			printf("Bail out! the object does not load on Skep: %s\n", strerror(errno));
			return 1;
		}
		close_object(&t);
		nothing_is_left(k);
		skep_bpf_bind(NULL);
		skep_free(k);
	}
	if (try(&t, "kernel", theirs)) {
		for (int i = 0; i < 72; i++)
			if (ours[i] != theirs[i])
				printf("# answer %d is %ld, the kernel's %ld\n", i, ours[i], theirs[i]);
		report(!memcmp(ours, theirs, sizeof(ours)), "both", "the same answers");
		close_object(&t);
	} else {
		printf("ok %u - kernel # SKIP bpf(2) is not to be had\n", ++tests_run);
	}
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
