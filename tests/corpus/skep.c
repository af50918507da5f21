/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The corpus in Skep: verified and translated, then run by one of the engines.
 *
 * A test's program is prefixed with two instructions that load what its registers hold at the start out of
 * the raw context: r1 the memory, r2 its length.
 */
#include "corpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/hook.h"
#include "core/map.h"
#include "exec/exec.h"
#include "sys/tables.h"
#include "verifier/verify.h"

enum { PROG_TYPE_RAW = 0x534b0000, PREFIX = 2 };

struct loaded {
	struct skep k;
	const struct test *t;
	struct map *maps[MAX_MAPS];
	struct prog *progs[MAX_PROGRAMS];
};

struct raw_ctx {
	void *mem;
	uint64_t len;
};

static int map_of_fd(void *arg, int32_t fd, struct map **out)
{
	struct loaded *l = arg;

	if (fd < 0 || (unsigned)fd >= l->t->nmaps)
		return -EBADF;
	obj_get(&l->maps[fd]->obj);
	*out = l->maps[fd];
	return 0;
}

static const struct engine *engine_of(const struct place *p)
{
	const struct engine *const engines[] = {tables.interp, tables.checked, tables.jit};

	return engines[p->engine];
}

static int load_program(const struct place *place, struct loaded *l, unsigned i, struct buf *log)
{
	static const char prefix[PREFIX * sizeof(struct insn)] =
		"\x79\x12\x08\x00\x00\x00\x00\x00"  /* r2 = *(u64 *)(r1 + 8) */
		"\x79\x11\x00\x00\x00\x00\x00\x00"; /* r1 = *(u64 *)(r1 + 0) */
	const struct test_program *from = &l->t->programs[i];
	const struct verify_env env = {.arg = l, .map_of_fd = map_of_fd, .log = log, .log_level = 1,
	                               .trust = true};
	size_t skip = i || l->t->bare || l->t->type ? 0 : PREFIX;
	struct prog *p = prog_new(&l->k);
	int err;

	if (!p)
		return -ENOMEM;
	l->progs[i] = p;
	p->type = l->t->type ? l->t->type : PROG_TYPE_RAW;
	p->hook = hook_find(&l->k, p->type);
	p->gpl = true;
	p->trusted = true;
	snprintf(p->name, sizeof(p->name), "program%u", i & 0xff);
	p->norig = (uint32_t)(from->n + skip);
	p->orig = mem_zalloc_array(&l->k.mem, p->norig, sizeof(p->orig[0]));
	p->func_infos = mem_zalloc_array(&l->k.mem, from->nfuncs, sizeof(p->func_infos[0]));
	if (!p->orig || !p->func_infos)
		return -ENOMEM;
	for (; p->nfunc_infos < from->nfuncs; p->nfunc_infos++) {
		uint32_t start = from->funcs[p->nfunc_infos];

		/* The type is not looked at: see kernel.c for the one that the kernel gets. */
		p->func_infos[p->nfunc_infos] = (struct func_info){start ? start + skip : 0, 3};
	}
	memcpy(p->orig, prefix, skip * sizeof(struct insn));
	memcpy(p->orig + skip, from->insns, from->n * sizeof(struct insn));
	err = verify(p, &env);
	if (err)
		return err;
	err = engine_of(place)->prepare(p);
	if (!err) {
		p->engine = engine_of(place);
		err = obj_publish(&p->obj);
	}
	if (err)
		buf_printf(log, "the engine cannot prepare it: %s", strerror(-err));
	return err;
}

static int make_maps(struct loaded *l, struct buf *log)
{
	for (unsigned i = 0; i < l->t->nmaps; i++) {
		const struct test_map *m = &l->t->maps[i];
		struct map_attr attr = {.type = m->type, .key_size = m->key_size};
		int err;

		attr.value_size = m->value_size;
		attr.max_entries = m->max_entries;
		err = map_create(&l->k, &attr, &l->maps[i]);
		if (err) {
			buf_printf(log, "map %s: %s", m->name, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int fill_prog_arrays(struct loaded *l, struct buf *log)
{
	for (unsigned i = 1; i < l->t->nprograms; i++) {
		const struct test_program *from = &l->t->programs[i];
		struct map *m = l->maps[from->map];
		int err;

		obj_get(&l->progs[i]->obj);
		err = m->ops->set(m, &from->index, &l->progs[i]->obj, 0);
		if (err) {
			obj_put(&l->progs[i]->obj);
			buf_printf(log, "a program cannot be put into %s: %s", m->name, strerror(-err));
			return err;
		}
	}
	return 0;
}

static void skep_unload(void *loaded)
{
	struct loaded *l = loaded;

	/* Prog arrays and programs refer to one another. */
	for (unsigned i = 0; i < l->t->nmaps; i++)
		if (l->maps[i] && l->maps[i]->ops->release_uref)
			l->maps[i]->ops->release_uref(l->maps[i]);
	for (unsigned i = 0; i < l->t->nprograms; i++)
		if (l->progs[i])
			obj_put(&l->progs[i]->obj);
	for (unsigned i = 0; i < l->t->nmaps; i++)
		if (l->maps[i])
			obj_put(&l->maps[i]->obj);
	jit_pool_free(&l->k);
	core_exit(&l->k);
	free(l);
}

static int skep_load(const struct place *place, const struct test *t, void **loaded, char *text,
                     size_t len)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct buf log = {0};
	int err = core_init(&l->k, &mem_libc, &tables, 1);

	l->t = t;
	l->k.trust = true;
	if (!err)
		l->k.cpus[0].fuel = t->fuel;
	if (!err)
		err = make_maps(l, &log);
	for (unsigned i = 0; !err && i < t->nprograms; i++)
		err = load_program(place, l, i, &log);
	if (!err)
		err = fill_prog_arrays(l, &log);
	snprintf(text, len, "%s", log.data ? log.data : "");
	buf_free(&log);
	if (err)
		skep_unload(l);
	else
		*loaded = l;
	return -err;
}

/* A program that takes a packet, run as BPF_PROG_TEST_RUN does it. */
static int run_packet(struct prog *p, uint8_t *memory, size_t len, uint64_t *r0)
{
	struct test_run run = {.data_in = memory, .data_size_in = (uint32_t)len};
	int err = p->hook->test_run ? p->hook->test_run(p, &run) : -ENOTSUPP;

	*r0 = run.retval;
	return err;
}

static bool skep_run(void *loaded, uint8_t *memory, uint64_t *r0, char *why, size_t len)
{
	struct loaded *l = loaded;
	struct raw_ctx ctx = {.mem = memory, .len = l->t->memory};
	struct cpu *cpu = &l->k.cpus[0]; /* the only one, so a test run takes it too */
	int err = 0;

	if (l->t->type)
		err = run_packet(l->progs[0], memory, l->t->memory, r0);
	else
		*r0 = prog_run(l->progs[0], &ctx, cpu);
	if (err)
		snprintf(why, len, "test run: %s", strerror(-err));
	else if (cpu->fault)
		snprintf(why, len, "%s", fault_text(cpu->fault));
	return !err && !cpu->fault;
}

static const char *skep_absent(const struct place *p, const struct test *t)
{
	const struct skep k = {.reg = tables};

	if (t->type && !hook_find(&k, t->type))
		return "Skep has not got this program type";
	return engine_of(p) ? NULL : "this host has no such engine";
}

#define SKEP_PLACE(text, number)                                                                   \
	{.name = text,                                                                             \
	 .engine = number,                                                                         \
	 .absent = skep_absent,                                                                    \
	 .load = skep_load,                                                                        \
	 .run = skep_run,                                                                          \
	 .unload = skep_unload}

const struct place place_interp = SKEP_PLACE("interp", 0);
const struct place place_checked = SKEP_PLACE("checked", 1);
const struct place place_jit = SKEP_PLACE("jit", 2);
