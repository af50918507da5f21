/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory a checked program may touch, and the record of what it did wrong.
 *
 * The regions are: the stacks of the run's frames, what the hook says about its context, and what the
 * program's maps say about an address. Answers are kept in a few slots, at fixed places by origin, so that
 * a step's hint (the slot that it used last, possibly in an earlier run) is nearly always right.
 *
 * Requires: checked.h, hook.regions, map_ops.region.
 */
#include <stdio.h>
#include <string.h>

#include "core/hook.h"
#include "core/net.h"
#include "exec/checked.h"

void run_init(struct run *run, struct cpu *cpu)
{
	memset(run->slot, 0, sizeof(run->slot));
	run->hook_known = false;
	run->cpu = cpu;
	run->area = NULL;
	run->nesting = 0;
	run->fuel = cpu->fuel ? cpu->fuel : UINT64_MAX;
	run->helper = 0;
	run->map = NULL;
}

void run_set_slot(struct run *run, unsigned slot, const struct region *r)
{
	size_t fast = r->size >= 8 ? r->size - 7 : 0;

	run->slot[slot] = (struct slot){r->start, fast, r->writable ? fast : 0, r->size};
	run->name[slot] = r->name;
	run->writable[slot] = r->writable;
}

void run_enter_area(struct run *run, struct area *area, uintptr_t high)
{
	*area = (struct area){.low = high, .high = high, .outer = run->area};
	run->area = area;
	run->name[SLOT_STACK] = "stack";
	run->writable[SLOT_STACK] = true;
}

void run_leave_area(struct run *run)
{
	run->area = run->area->outer;
	run->slot[SLOT_OUTER] = (struct slot){0};
	if (run->area)
		run_set_stack(run, run->area->low);
}

void run_forget_hook(struct run *run)
{
	memset(&run->slot[SLOT_HOOK], 0, HOOK_REGIONS * sizeof(run->slot[0]));
	run->hook_known = false;
}

static bool inside(const struct slot *slot, uintptr_t addr, uint64_t size)
{
	uintptr_t off = addr - slot->start;

	return off < slot->size && size <= slot->size - off;
}

static int find_slot(const struct run *run, uintptr_t addr, uint64_t size)
{
	for (int i = 0; i < SLOTS; i++)
		if (inside(&run->slot[i], addr, size))
			return i;
	return -1;
}

static bool ask_hook(struct run *run, const struct prog *p)
{
	struct region r[HOOK_REGIONS];
	unsigned n;

	if (run->hook_known || !p->hook)
		return false;
	run->hook_known = true;
	n = hook_regions(p->hook, run->cpu->ctx, r, HOOK_REGIONS);
	for (unsigned i = 0; i < n; i++)
		run_set_slot(run, SLOT_HOOK + i, &r[i]);
	return true;
}

static void ask_stacks(struct run *run, uintptr_t addr)
{
	for (const struct area *a = run->area ? run->area->outer : NULL; a; a = a->outer)
		if (addr - a->low < a->high - a->low)
			run_set_slot(run, SLOT_OUTER,
			             &(struct region){a->low, a->high - a->low, true, "stack"});
}

static void ask_maps(struct run *run, const struct prog *p, uintptr_t addr)
{
	struct region r;

	for (uint32_t i = 0; i < p->nmaps; i++) {
		struct map *m = p->maps[i];

		if (m->ops->region && m->ops->region(m, addr, &r)) {
			run_set_slot(run, SLOT_MAP + i % MAP_SLOTS, &r);
			return;
		}
	}
}

static void ask_socks(struct run *run, const struct prog *p, uintptr_t addr)
{
	struct region r;

	if (net_region(p->obj.k, addr, &r))
		run_set_slot(run, SLOT_SOCK, &r);
}

int run_resolve(struct run *run, const struct prog *p, uintptr_t addr, uint64_t size, bool write,
                const char **why)
{
	int slot = find_slot(run, addr, size);

	if (slot < 0 && ask_hook(run, p))
		slot = find_slot(run, addr, size);
	if (slot < 0) {
		ask_stacks(run, addr);
		ask_maps(run, p, addr);
		ask_socks(run, p, addr);
		slot = find_slot(run, addr, size);
	}
	if (slot >= 0 && (!write || run->writable[slot]))
		return slot;
	if (slot >= 0)
		*why = "write to read-only memory";
	else if (find_slot(run, addr, 1) >= 0)
		*why = write ? "write past the end of a region" : "read past the end of a region";
	else
		*why = write ? "write outside of every region" : "read outside of every region";
	return -1;
}

bool run_reach(struct run *run, const struct prog *p, const struct step *s, uintptr_t addr,
               unsigned size, bool write)
{
	unsigned hint = atomic_load_explicit(&s->hint, memory_order_relaxed);
	const char *why;
	int slot;

	if (inside(&run->slot[hint], addr, size) && (!write || run->writable[hint]))
		return true;
	slot = run_resolve(run, p, addr, size, write, &why);
	if (slot < 0) {
		run_fault_at(run, p, s, why, addr, size, write);
		return false;
	}
	if ((unsigned)slot != hint)
		atomic_store_explicit(&((struct step *)s)->hint, (uint8_t)slot, memory_order_relaxed);
	return true;
}

/* Says which known region is closest to addr, and how far it is. */
static void describe_near(const struct run *run, uintptr_t addr, char *text, size_t len)
{
	enum { FAR = 65536 };
	uintptr_t best = FAR;

	text[0] = '\0';
	for (int i = 0; i < SLOTS; i++) {
		const struct slot *slot = &run->slot[i];
		uintptr_t before = slot->start - addr;
		uintptr_t behind = addr - (slot->start + slot->size);

		if (!slot->size)
			continue;
		if (addr - slot->start < slot->size) {
			snprintf(text, len, "offset %zu of %.20s (%zu bytes)",
			         (size_t)(addr - slot->start), run->name[i], slot->size);
			return;
		}
		if (before < best) {
			best = before;
			snprintf(text, len, "%zu bytes before %.20s (%zu bytes)", (size_t)before,
			         run->name[i], slot->size);
		} else if (behind < best) {
			best = behind;
			snprintf(text, len, "%zu bytes behind the end of %.20s (%zu bytes)",
			         (size_t)behind, run->name[i], slot->size);
		}
	}
}

void run_fault_at(struct run *run, const struct prog *p, const struct step *s, const char *what,
                  uintptr_t addr, uint64_t size, bool write)
{
	struct cpu *cpu = run->cpu;
	struct fault *f = &cpu->k->faults[cpu->id];

	if (cpu->fault)
		return;
	*f = (struct fault){.prog = p, .insn = s->insn, .what = what, .addr = addr, .write = write};
	f->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	if (size)
		describe_near(run, addr, f->near, sizeof(f->near));
	cpu->fault = f;
}

void run_fault(struct run *run, const struct prog *p, const struct step *s, const char *what)
{
	run_fault_at(run, p, s, what, 0, 0, false);
}
