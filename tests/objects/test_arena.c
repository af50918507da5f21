/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: each program of bpf/arena.bpf.c is run on Skep, by each engine, and on the kernel; what it noted
 * and what its user finds in the arena must be the same. Then what needs no compiler: an access where all
 * registers are in use, an arena whose place is where its user has mapped it, a page that the user touched.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "skep.h"
#include "skep_bpf.h"

enum { ROOM = 2560, PAGES = 16, ARENA = 33, MMAPABLE = 1 << 10 };

static char *const start = (char *)0x100000000000;
static const char *const progs[] = {"allocation", "list", "sizes", "outside", "kept", "functions"};

struct answers {
	bool loaded;
	int ret;
	char bss[ROOM];
	char memory[PAGES * 4096];
};

enum { JIT, INTERP, CHECKED, KERNEL, WHERES };
static const char *const wheres[] = {"the JIT", "the interpreter", "the checked engine", "the kernel"};
static unsigned failed, count;

static void tap(bool fine, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tap(bool fine, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", fine ? "" : "not ", ++count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failed += !fine;
}

static int verbose(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("SKEP_TEST_VERBOSE") ? vfprintf(stderr, format, args) : 0;
}

/* Runs fn on a Skep with that engine, or on the kernel. */
static void at(unsigned where, void (*fn)(void *arg), void *arg)
{
	static const enum skep_engine engines[] = {SKEP_ENGINE_AUTO, SKEP_ENGINE_INTERP,
	                                           SKEP_ENGINE_CHECKED};
	struct skep_options o = {.size = sizeof(o)};
	struct skep *k = NULL;

	if (where != KERNEL) {
		o.engine = engines[where];
		if (skep_new(&o, &k))
			abort();
		skep_bpf_bind(k);
	}
	fn(arg);
	skep_bpf_bind(NULL);
	skep_free(k);
}

/* --- Objects ------------------------------------------------------------------------------ */

struct question {
	const char *prog;
	struct answers *out;
};

static void run_object(void *arg)
{
	const struct question *q = arg;
	struct bpf_object *obj = bpf_object__open_file(OBJECT_DIR "/arena.bpf.o", NULL);
	LIBBPF_OPTS(bpf_test_run_opts, o);
	struct bpf_program *p;
	struct bpf_map *map;
	int zero = 0;
	void *mem;

	memset(q->out, 0, sizeof(*q->out));
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), q->prog));
	bpf_map__set_map_extra(bpf_object__find_map_by_name(obj, "memory"), (uintptr_t)start);
	if (bpf_object__load(obj))
		goto out;
	q->out->loaded = true;
	q->out->ret = bpf_prog_test_run_opts(
		bpf_program__fd(bpf_object__find_program_by_name(obj, q->prog)), &o);
	q->out->ret = q->out->ret ? q->out->ret : (int)o.retval;
	bpf_object__for_each_map(map, obj)
		if (strstr(bpf_map__name(map), ".bss"))
			bpf_map_lookup_elem(bpf_map__fd(map), &zero, q->out->bss);
	map = bpf_object__find_map_by_name(obj, "memory");
	mem = mmap(start, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
	           bpf_map__fd(map), 0);
	if (mem == start) {
		memcpy(q->out->memory, mem, sizeof(q->out->memory));
		munmap(mem, PAGES * 4096);
	} else {
		q->out->ret = -errno;
	}
out:
	bpf_object__close(obj);
}

static void show(const struct answers *a, const char *who)
{
	const long *bss = (const long *)a->bss;

	printf("# %s: %s, %d:", who, a->loaded ? "loaded" : "refused", a->ret);
	for (int i = 0; i < 30; i++)
		printf(" %lx", bss[i]);
	printf("\n");
}

static bool same(const struct answers *a, const struct answers *b)
{
	return a->loaded && a->ret == b->ret && !memcmp(a->bss, b->bss, ROOM) &&
	       !memcmp(a->memory, b->memory, sizeof(a->memory));
}

static void test_object(const char *prog)
{
	static struct answers answers[WHERES];

	for (unsigned w = 0; w < WHERES; w++)
		at(w, run_object, &(struct question){prog, &answers[w]});
	for (unsigned w = 0; w < KERNEL; w++) {
		bool fine = same(&answers[w], answers[KERNEL].loaded ? &answers[KERNEL] : &answers[JIT]);

		tap(fine && !answers[w].ret, "%s: %s%s", prog, wheres[w],
		    answers[KERNEL].loaded ? "" : " # the kernel does not load it");
		if (!fine) {
			show(&answers[w], wheres[w]);
			show(&answers[KERNEL], "kernel");
		}
	}
}

/* --- By hand ------------------------------------------------------------------------------ */

static int arena(uint64_t extra)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = MMAPABLE, .map_extra = extra);

	return bpf_map_create((enum bpf_map_type)ARENA, "memory", 0, 0, PAGES, &o);
}

#define I(c, d, s, o, i) ((struct bpf_insn){.code = c, .dst_reg = d, .src_reg = s, .off = o, .imm = i})

/* Loads and runs n instructions whose first is `r1 = map fd ll`. r0 or a negative errno. */
static int run(const struct bpf_insn *insns, unsigned n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o, .prog_flags = 1 << 4 /* BPF_F_SLEEPABLE */);
	LIBBPF_OPTS(bpf_test_run_opts, t);
	static char log[1 << 16];
	int fd, err;

	o.log_buf = log;
	o.log_size = sizeof(log);
	o.log_level = 1;
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "hand", "GPL", insns, n, &o);
	if (fd < 0) {
		if (getenv("SKEP_TEST_VERBOSE"))
			printf("# %s\n", log);
		return -errno;
	}
	err = bpf_prog_test_run_opts(fd, &t);
	close(fd);
	return err ? err : (int)t.retval;
}

/* r1 is replaced by what it points to, and a value added to memory, while all else is needed. */
static void busy(void *arg)
{
	struct bpf_insn p[64];
	unsigned n = 0;
	int fd = arena((uintptr_t)start);
	char *mem = mmap(start, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
	                 fd, 0);

	*(int *)arg = -1;
	if (fd < 0 || mem != start)
		return;
	mem[16] = 100;
	p[n++] = I(0x18, 1, 1, 0, fd);
	p[n++] = I(0, 0, 0, 0, 0);
	for (int r = 0; r < 10; r++)
		p[n++] = I(0xb7, r, 0, 0, r == 1 ? 16 : r);
	p[n++] = I(0xbf, 1, 1, 1, 1);       /* r1 = addr_space_cast(r1, 0, 1) */
	p[n++] = I(0x71, 1, 1, 0, 0);       /* r1 = *(u8 *)(r1 + 0) */
	p[n++] = I(0x7b, 10, 1, -8, 0);     /* *(u64 *)(r10 - 8) = r1 */
	p[n++] = I(0xb7, 1, 0, 0, 8);
	p[n++] = I(0xbf, 1, 1, 1, 1);
	p[n++] = I(0x7b, 1, 2, 0, 0);       /* *(u64 *)(r1 + 0) = r2 */
	p[n++] = I(0xdb, 1, 3, 0, 1);       /* r3 = atomic_fetch_add((u64 *)(r1 + 0), r3) */
	p[n++] = I(0xbf, 1, 1, 1, 1 << 16); /* r1 = addr_space_cast(r1, 1, 0) */
	p[n++] = I(0x77, 1, 0, 0, 32);      /* r1 >>= 32 */
	for (int r = 1; r < 10; r++)
		p[n++] = I(0x0f, 0, r, 0, 0);
	p[n++] = I(0x79, 1, 10, -8, 0);
	p[n++] = I(0x0f, 0, 1, 0, 0);
	p[n++] = I(0x95, 0, 0, 0, 0);
	*(int *)arg = run(p, n);
	/* 2 was stored, 3 added; r3 is 2 now, r1 the upper half of start. */
	if (*(uint64_t *)(mem + 8) != 5)
		*(int *)arg = -2;
	munmap(mem, PAGES * 4096);
	close(fd);
}

/* Without map_extra: mapped by its user, whose address is the map's value. */
static void anywhere(void *arg)
{
	int fd = arena(0);
	struct bpf_insn p[] = {
		I(0x18, 1, 2, 0, fd), I(0, 0, 0, 0, 4096), /* r1 = map[fd][4096] */
		I(0xbf, 2, 1, 0, 0),
		I(0xbf, 1, 1, 1, 1),
		I(0x7b, 1, 2, 8, 0), /* *(u64 *)(r1 + 8) = r2 */
		I(0xb7, 0, 0, 0, 0),
		I(0x95, 0, 0, 0, 0),
	};
	/* A place that does not cross a border: the kernel's mmap() sees to that. */
	char *at = (char *)0x200000010000, *mem;
	int *ok = arg;

	*ok = run(p, 7) == -EINVAL;
	mem = mmap(at, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (mem == at)
		mem[4096] = 0; /* a page that is not there takes no stores in the kernel */
	*ok = *ok && mem == at && run(p, 7) == 0 && *(char **)(mem + 4096 + 8) == mem + 4096;
	if (mem == at)
		munmap(mem, PAGES * 4096);
	close(fd);
}

/* A page that its user touched is his: a program is given another. */
static void touched(void *arg)
{
	static struct answers a;
	struct bpf_object *obj = bpf_object__open_file(OBJECT_DIR "/arena.bpf.o", NULL);
	struct bpf_program *p;
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "memory");
	LIBBPF_OPTS(bpf_test_run_opts, o);
	uint64_t *got = arg;
	int zero = 0;
	char *mem;

	bpf_map__set_map_extra(map, (uintptr_t)start);
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), "kept"));
	if (bpf_object__load(obj))
		goto out;
	mem = mmap(start, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
	           bpf_map__fd(map), 0);
	if (mem != start)
		goto out;
	mem[4096] = 1;
	bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(obj, "kept")), &o);
	bpf_object__for_each_map(map, obj)
		if (strstr(bpf_map__name(map), ".bss"))
			bpf_map_lookup_elem(bpf_map__fd(map), &zero, a.bss);
	memcpy(got, a.bss, sizeof(*got));
	munmap(mem, PAGES * 4096);
out:
	bpf_object__close(obj);
}

/* What bpf(2) says of elements, and of arenas that cannot be. */
static void refused(void *arg)
{
	static const struct {
		uint32_t key, value, entries, flags;
		uint64_t extra;
	} bad[] = {
		{4, 0, 4, MMAPABLE, 0}, {0, 8, 4, MMAPABLE, 0}, {0, 0, 0, MMAPABLE, 0}, {0, 0, 4, 0, 0},
		{0, 0, 4, MMAPABLE | 1, 0}, {0, 0, 4, MMAPABLE, 4097}, {0, 0, 1 << 20, MMAPABLE, 4096},
		{0, 0, (1 << 20) + 1, MMAPABLE, 0}, {0, 0, 4, MMAPABLE, 0xfffff000},
	};
	int *errs = arg, fd = arena((uintptr_t)start), n = 0;
	char bytes[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = bad[i].flags, .map_extra = bad[i].extra);
		int got = bpf_map_create((enum bpf_map_type)ARENA, "bad", bad[i].key, bad[i].value, bad[i].entries, &o);

		errs[n++] = got < 0 ? errno : 0;
		if (got >= 0)
			close(got);
	}
	errs[n++] = bpf_map_lookup_elem(fd, bytes, bytes) ? errno : 0;
	errs[n++] = bpf_map_update_elem(fd, bytes, bytes, 0) ? errno : 0;
	errs[n++] = bpf_map_delete_elem(fd, bytes) ? errno : 0;
	errs[n++] = bpf_map_get_next_key(fd, NULL, bytes) ? errno : 0;
	close(fd);
}

static void test_by_hand(bool kernel)
{
	uint64_t page = 0;
	int got[WHERES] = {0}, errs[2][16] = {{0}};

	for (unsigned w = 0; w < (kernel ? WHERES : KERNEL); w++) {
		at(w, busy, &got[w]);
		tap(got[w] == 0 + 2 + 2 + 4 + 5 + 6 + 7 + 8 + 9 + 0x1000 + 100,
		    "an access where no register is free: %s", wheres[w]);
		if (got[w] < 0)
			printf("# %d\n", got[w]);
		at(w, anywhere, &got[w]);
		tap(got[w], "an arena where its user wants it: %s", wheres[w]);
		at(w, touched, &page);
		tap(page == (uintptr_t)start + 2 * 4096, "pages that the user has touched are his: %s",
		    wheres[w]);
	}
	if (!kernel)
		return;
	at(JIT, refused, errs[0]);
	at(KERNEL, refused, errs[1]);
	tap(!memcmp(errs[0], errs[1], sizeof(errs[0])), "what cannot be done with an arena");
	for (int i = 0; i < 13; i++)
		if (errs[0][i] != errs[1][i])
			printf("# %d: %d, the kernel %d\n", i, errs[0][i], errs[1][i]);
}

static void probe(void *arg)
{
	int fd = arena((uintptr_t)start);

	*(bool *)arg = fd >= 0;
	close(fd);
}

int main(int argc, char **argv)
{
	bool kernel;

	libbpf_set_print(verbose);
	at(KERNEL, probe, &kernel);
	for (size_t i = 0; i < sizeof(progs) / sizeof(progs[0]); i++)
		if (argc < 2 || !strcmp(argv[1], progs[i]))
			test_object(progs[i]);
	test_by_hand(kernel);
	printf("1..%u\n", count);
	return failed != 0;
}
