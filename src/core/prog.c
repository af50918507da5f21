/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's birth and end: see prog.h. */
#include "core/prog.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/btf.h"
#include "core/caps.h"
#include "core/map.h"

static void prog_free(struct obj *o)
{
	struct prog *p = prog_of(o);
	struct skep *k = o->k;

	/* A prog array may have let go of it while another thread was about to jump to it. */
	if (atomic_load(&p->shared))
		rcu_synchronize(&k->rcu);
	if (p->engine && p->engine->release)
		p->engine->release(p);
	for (uint32_t i = 0; i < p->nmaps; i++)
		obj_put(&p->maps[i]->obj);
	for (uint32_t i = 0; i < p->nbound; i++)
		obj_put(&p->bound[i]->obj);
	if (p->btf)
		obj_put(&p->btf->obj);
	for (int i = 0; i < STREAMS; i++)
		stream_fini(&p->streams[i], &k->mem);
	mem_free(&k->mem, p->maps);
	mem_free(&k->mem, p->bound);
	mem_free(&k->mem, p->orig);
	mem_free(&k->mem, p->insns);
	mem_free(&k->mem, p->aux);
	mem_free(&k->mem, p->funcs);
	mem_free(&k->mem, p->lines);
	mem_free(&k->mem, p->line_code);
	mem_free(&k->mem, p->func_infos);
	mem_free(&k->mem, p);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t prog_run_counted(const struct prog *p, void *ctx, struct cpu *cpu)
{
	struct prog *counted = (struct prog *)p;
	uint64_t start = now_ns(), ret = prog_run_plain(p, ctx, cpu);

	atomic_fetch_add_explicit(&counted->run_time_ns, now_ns() - start, memory_order_relaxed);
	atomic_fetch_add_explicit(&counted->run_cnt, 1, memory_order_relaxed);
	return ret;
}

struct prog *prog_new(struct skep *k)
{
	struct prog *p = mem_zalloc(&k->mem, sizeof(*p));

	if (!p)
		return NULL;
	obj_init(&p->obj, k, OBJ_PROG, prog_free);
	p->caps = CAPS_ALL;
	return p;
}

bool prog_uses_map(const struct prog *p, const struct map *m)
{
	for (uint32_t i = 0; i < p->nmaps; i++)
		if (p->maps[i] == m)
			return true;
	return false;
}

int prog_bind_map(struct prog *p, struct map *m)
{
	struct skep *k = p->obj.k;
	struct map **wider;
	int ret = prog_uses_map(p, m) ? 0 : 1;

	lock_take(&k->lock);
	for (uint32_t i = 0; i < p->nbound; i++)
		if (p->bound[i] == m)
			ret = 0;
	if (ret) {
		wider = mem_zalloc_array(&k->mem, p->nbound + 1, sizeof(*wider));
		if (wider) {
			if (p->nbound)
				memcpy(wider, p->bound, p->nbound * sizeof(*wider));
			mem_free(&k->mem, p->bound);
			wider[p->nbound++] = m;
			p->bound = wider;
		} else {
			ret = -ENOMEM;
		}
	}
	lock_release(&k->lock);
	return ret;
}

int prog_line(const struct prog *p, uint32_t orig)
{
	uint32_t low = 0, high = p->nlines;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (p->lines[mid].insn_off <= orig)
			low = mid + 1;
		else
			high = mid;
	}
	return (int)low - 1;
}
