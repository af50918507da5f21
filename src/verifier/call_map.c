/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program may use which map (specials in its values), and which helper may be called with which:
 * map_calls.def, asked from both sides.
 */
#include "core/uapi.h"
#include "verifier/arena.h"
#include "verifier/call.h"

enum { OF_MAP = 1, OF_HELPER = 2 };

static const struct {
	uint16_t type, helper;
	uint8_t of;
} pairs[] = {
#define MAP(type, helper) {BPF_MAP_TYPE_##type, helper, OF_MAP},
#define ONLY(helper, type) {BPF_MAP_TYPE_##type, helper, OF_HELPER},
#define BOTH(type, helper) {BPF_MAP_TYPE_##type, helper, OF_MAP | OF_HELPER},
#include "verifier/map_calls.def"
#undef MAP
#undef ONLY
#undef BOTH
};

int call_map_fits(struct verifier *v, const struct call *c)
{
	bool map_chooses = false, map_takes = false, helper_chooses = false, helper_takes = false;

	if (!c->map)
		return 0;
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool type = pairs[i].type == c->map->type, helper = pairs[i].helper == c->id;

		map_chooses |= type && pairs[i].of & OF_MAP;
		map_takes |= type && helper && pairs[i].of & OF_MAP;
		helper_chooses |= helper && pairs[i].of & OF_HELPER;
		helper_takes |= helper && type && pairs[i].of & OF_HELPER;
	}
	if (map_chooses == map_takes && helper_chooses == helper_takes)
		return 0;
	return reject(v, REJECT_CALL_MAP, c->map->type, c->h->name, c->id);
}

static bool is_tracer(const struct verifier *v)
{
	switch (v->p->type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return true;
	default:
		return false;
	}
}

/* Maps whose elements a sleeping program may hold. */
static bool sleeper_may(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_ARENA:
	case BPF_MAP_TYPE_INSN_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
		return true;
	default:
		return false;
	}
}

int map_usable(struct verifier *v, struct map *m)
{
	static const struct {
		uint32_t mask;
		const char *name;
	} not_traced[] = {
		{SPECIAL_ROOTS, "bpf_{list_head,rb_root}"},
		{SPECIAL_LOCKS, "bpf_spin_lock"},
		{SPECIAL_BIT(SPECIAL_TIMER), "bpf_timer"},
		{SPECIAL_BIT(SPECIAL_WORKQUEUE), "bpf_wq"},
	};
	uint32_t has = m->record ? m->record->mask : 0;

	if (has & SPECIAL_LOCKS && v->p->type == BPF_PROG_TYPE_SOCKET_FILTER)
		return reject(v, REJECT_MAP_FILTER);
	for (unsigned i = 0; is_tracer(v) && i < sizeof(not_traced) / sizeof(not_traced[0]); i++)
		if (has & not_traced[i].mask)
			return reject(v, REJECT_MAP_TRACER, not_traced[i].name);
	if (v->p->flags & BPF_F_SLEEPABLE && !sleeper_may(m->type))
		return reject(v, REJECT_MAP_SLEEPABLE);
	if (m->ops->arena)
		return arena_use(v, m);
	return m->type == BPF_MAP_TYPE_STRUCT_OPS ? reject(v, REJECT_MAP_STRUCT_OPS) : 0;
}
