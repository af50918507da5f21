/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public API: typed calls over core/ and sys/. See skep.h for what they promise.
 *
 * A public handle is the internal struct under another name: struct skep_map is struct map, struct
 * skep_prog is struct prog, struct skep_cpu is struct cpu.
 */
#include "skep.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/caps.h"
#include "core/map.h"
#include "core/async.h"
#include "core/attach.h"
#include "core/helper.h"
#include "core/hook.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "core/vmlinux.h"
#include "exec/exec.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/handle.h"
#include "sys/say.h"
#include "sys/tables.h"
#include "sys/type.h"
#include "verifier/verify.h"

static_assert(offsetof(struct skep_xdp, data) == offsetof(struct xdp, pkt.data) &&
                      offsetof(struct skep_xdp, end) == offsetof(struct xdp, pkt.end) &&
                      offsetof(struct skep_xdp, meta) == offsetof(struct xdp, pkt.meta) &&
                      offsetof(struct skep_xdp, head) == offsetof(struct xdp, pkt.head) &&
                      offsetof(struct skep_xdp, limit) == offsetof(struct xdp, pkt.limit) &&
                      offsetof(struct skep_xdp, ingress_ifindex) ==
                              offsetof(struct xdp, ingress_ifindex) &&
                      sizeof(struct skep_xdp) == sizeof(struct xdp),
              "struct skep_xdp is struct xdp");
static_assert(sizeof(struct skep_skb_in) == sizeof(struct skb_in) &&
                      offsetof(struct skep_skb_in, protocol) == offsetof(struct skb_in, protocol),
              "struct skep_skb_in is struct skb_in");
static_assert((int)SKEP_HEADROOM == (int)PKT_HEADROOM && (int)SKEP_TAILROOM == (int)PKT_TAILROOM,
              "");

const char *skep_version(void)
{
	return SKEP_VERSION;
}

/* --- A kernel ----------------------------------------------------------------------------- */

/* Options of a caller built with an older header are shorter, with a newer one perhaps longer. */
static int options_copy(const struct skep_options *from, struct skep_options *to)
{
	const unsigned char *bytes = (const unsigned char *)from;

	*to = (struct skep_options){0};
	if (!from)
		return 0;
	if (from->size < sizeof(from->size))
		return -EINVAL;
	for (size_t i = sizeof(*to); i < from->size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	return !to->alloc != !to->free ? -EINVAL : 0;
}

static int choose_engine(struct skep *k, enum skep_engine wanted)
{
	const struct registry *reg = &k->reg;

	switch (wanted) {
	case SKEP_ENGINE_AUTO:
		k->engine = reg->jit ? reg->jit : reg->interp;
		return 0;
	case SKEP_ENGINE_JIT:
		k->engine = reg->jit;
		return reg->jit ? 0 : -ENOTSUP;
	case SKEP_ENGINE_INTERP:
		k->engine = reg->interp;
		return 0;
	case SKEP_ENGINE_CHECKED:
		k->engine = reg->checked;
		return 0;
	}
	return -EINVAL;
}

/* A live frame, as skep.h shows it. */
static void hand_on(struct skep *k, const struct live_frame *f)
{
	const struct skep_frame frame = {
		.verdict = f->verdict,
		.ifindex = f->map ? 0 : f->ifindex,
		.map_id = f->map ? f->map->obj.id : 0,
		.flags = f->flags,
		.key = f->key,
		.data = f->data,
		.len = f->len,
	};

	k->user_frame(k->frame_arg, &frame);
}

int skep_new(const struct skep_options *options, struct skep **out)
{
	struct skep_options o;
	struct mem mem = mem_libc;
	struct skep *k;
	int err = options_copy(options, &o);

	if (err)
		return err;
	if (o.alloc)
		mem = (struct mem){.alloc = o.alloc, .free = o.free, .arg = o.alloc_arg};
	k = mem_zalloc(&mem, sizeof(*k));
	if (!k)
		return -ENOMEM;
	err = core_init(k, &mem, &tables, cpus_possible());
	if (err)
		goto fail_core;
	err = choose_engine(k, o.engine);
	if (!err)
		err = vmlinux_init(k, o.vmlinux);
	if (!err)
		err = attach_init(k);
	if (!err)
		err = fd_init(k, o.bpffs);
	if (err)
		goto fail;
	k->uid = getuid();
	k->pid = getpid();
	k->caps = CAPS_ALL;
	k->trust = o.trust_programs;
	k->blind = o.blind_constants;
	k->jit_names = o.publish_jit_names;
	k->trace = o.trace;
	k->trace_arg = o.trace_arg;
	k->diagnose = o.diagnose;
	k->diagnose_arg = o.diagnose_arg;
	k->on_fault = o.fault;
	k->fault_arg = o.fault_arg;
	k->bpf = skep_bpf;
	k->user_frame = o.frame;
	k->frame_arg = o.frame_arg;
	if (o.frame)
		k->on_frame = hand_on;
	*out = k;
	return 0;
fail:
	attach_exit(k);
	vmlinux_exit(k);
	core_exit(k);
fail_core:
	mem_free(&mem, k);
	return err;
}

/* Is somebody in a run, or about to be? */
static bool threads_inside(const struct skep *k)
{
	for (unsigned i = 0; i < k->ncpus; i++)
		if (atomic_load(&k->cpus[i].held))
			return true;
	return false;
}

void skep_free(struct skep *k)
{
	struct mem mem;

	if (!k)
		return;
	mem = k->mem;
	async_exit(k);
	if (threads_inside(k)) {
		say(k, NULL, 0, "the kernel stays: a thread is in it, and may run a program; let it call "
		                "skep_cpu_leave() before skep_free()");
		return;
	}
	fd_exit(k);
	user_points_exit(k);
	if (k->ids[OBJ_PROG].used || k->ids[OBJ_MAP].used) {
		say(k, NULL, 0, "the kernel's memory stays: %u programs and %u maps are still held; give them "
		                "back with skep_prog_put() and skep_map_put() before skep_free()",
		    k->ids[OBJ_PROG].used, k->ids[OBJ_MAP].used);
		return;
	}
	attach_exit(k);
	async_free(k);
	vmlinux_exit(k);
	tables_release(k);
	user_types_exit(k);
	core_exit(k);
	mem_free(&mem, k);
}

const char *skep_bpffs(const struct skep *k)
{
	return fd_bpffs(k);
}

void skep_set_caps(struct skep *k, uint64_t caps)
{
	k->caps = caps;
}

int skep_bpf(struct skep *k, int cmd, void *attr, unsigned int size)
{
	struct client c = client_self(k);

	return bpf_command(k, &c, cmd, (uintptr_t)attr, size);
}

/* --- CPUs --------------------------------------------------------------------------------- */

struct skep_cpu *skep_cpu_enter(struct skep *k)
{
	return (struct skep_cpu *)cpu_enter(k);
}

void skep_cpu_leave(struct skep_cpu *cpu)
{
	cpu_leave((struct cpu *)cpu);
}

unsigned int skep_cpu_id(const struct skep_cpu *cpu)
{
	return ((const struct cpu *)cpu)->id;
}

void skep_cpu_set_fuel(struct skep_cpu *cpu, uint64_t instructions)
{
	((struct cpu *)cpu)->fuel = instructions;
}

/* --- Programs ----------------------------------------------------------------------------- */

int skep_prog_from_fd(struct skep *k, int fd, struct skep_prog **out)
{
	struct obj *o;
	int err = handle_from_fd(k, fd, OBJ_PROG, &o);

	if (!err)
		*out = (struct skep_prog *)prog_of(o);
	return err;
}

void skep_prog_put(struct skep_prog *prog)
{
	if (prog)
		obj_put(&((struct prog *)prog)->obj);
}

int skep_prog_from_id(struct skep *k, uint32_t id, struct skep_prog **out)
{
	struct obj *o = obj_by_id(k, OBJ_PROG, id);

	if (o)
		*out = (struct skep_prog *)prog_of(o);
	return o ? 0 : -ENOENT;
}

static const char *prog_name_of(const struct obj *o)
{
	return prog_of((struct obj *)o)->name;
}

int skep_prog_from_name(struct skep *k, const char *name, struct skep_prog **out)
{
	struct obj *o = handle_from_name(k, OBJ_PROG, name, prog_name_of);

	if (o)
		*out = (struct skep_prog *)prog_of(o);
	return o ? 0 : -ENOENT;
}

int skep_prog_attached(struct skep *k, uint32_t attach_type, uint64_t target, uint32_t index,
                       struct skep_prog **out)
{
	struct attach_list list;
	int err = -ENOENT;

	fd_sweep(k); /* links that nobody holds any more */
	attach_list(k, attach_type, target, &list);
	if (index < list.n) {
		obj_get(&list.entry[index].prog->obj);
		*out = (struct skep_prog *)list.entry[index].prog;
		err = 0;
	}
	attach_list_put(&list);
	return err;
}

int skep_prog_fd(struct skep_prog *prog)
{
	return handle_fd(&((struct prog *)prog)->obj);
}

void skep_stats_enable(struct skep *k, int on)
{
	if (on)
		atomic_fetch_add(&k->stats, 1);
	else
		atomic_fetch_sub(&k->stats, 1);
}

void skep_prog_stats(const struct skep_prog *prog, struct skep_prog_stats *out)
{
	const struct prog *p = (const struct prog *)prog;

	*out = (struct skep_prog_stats){
		.runs = atomic_load(&p->run_cnt),
		.run_time_ns = atomic_load(&p->run_time_ns),
		.recursion_misses = atomic_load(&p->recursion_misses),
		.load_time_ns = p->load_time,
		.id = p->obj.id,
		.verified_insns = p->verified_insns,
	};
}

const char *skep_prog_name(const struct skep_prog *prog)
{
	return ((const struct prog *)prog)->name;
}

unsigned int skep_prog_type(const struct skep_prog *prog)
{
	return ((const struct prog *)prog)->type;
}

const char *skep_prog_engine(const struct skep_prog *prog)
{
	return ((const struct prog *)prog)->engine->name;
}

const void *skep_prog_code(const struct skep_prog *prog, size_t *size)
{
	const struct prog *p = (const struct prog *)prog;

	*size = p->code ? p->code_size : 0;
	return p->code;
}

const void *skep_prog_xlated(const struct skep_prog *prog, size_t *size)
{
	const struct prog *p = (const struct prog *)prog;

	*size = p->ninsns * sizeof(struct insn);
	return p->insns;
}

uint64_t skep_prog_run(const struct skep_prog *prog, void *ctx, struct skep_cpu *cpu)
{
	return prog_run((const struct prog *)prog, ctx, (struct cpu *)cpu);
}

uint64_t skep_run(const struct skep_prog *prog, void *ctx, struct skep_cpu *cpu)
{
	return prog_run((const struct prog *)prog, ctx, (struct cpu *)cpu);
}

void skep_run_batch(const struct skep_prog *prog, void *ctxs, size_t stride, size_t n, uint64_t *ret,
                    struct skep_cpu *c)
{
	struct cpu *cpu = (struct cpu *)c;

	rcu_read_enter(&cpu->k->rcu, &cpu->rcu);
	for (size_t i = 0; i < n; i++) {
		uint64_t r = prog_run((const struct prog *)prog, (uint8_t *)ctxs + i * stride, cpu);

		if (ret)
			ret[i] = r;
	}
	rcu_read_leave(&cpu->rcu);
}

unsigned int skep_reject_code(const char *line)
{
	return reject_code(line);
}

const char *skep_reject_format(unsigned int code)
{
	return reject_format(code);
}

const char *skep_helper_name(int32_t id)
{
	return id > 0 && (uint32_t)id < tables.nhelpers ? tables.helpers[id].name : NULL;
}

const char *skep_verdict_name(const struct skep_prog *prog, int32_t code)
{
	return hook_ret_name(((const struct prog *)prog)->hook, code);
}

void fault_report(struct skep *k, struct fault *f)
{
	if (k->on_fault)
		k->on_fault(k->fault_arg, fault_text(f));
}

const char *skep_cpu_fault(struct skep_cpu *cpu)
{
	struct fault *f = ((struct cpu *)cpu)->fault;

	return f ? fault_text(f) : NULL;
}

uint64_t skep_skb_run(const struct skep_prog *prog, struct skep_xdp *p,
                      const struct skep_skb_in *in,
                      struct skep_cpu *cpu)
{
	const struct prog *pr = (const struct prog *)prog;

	return pr->hook->run_frame(pr, (struct pkt *)p, (const struct skb_in *)in,
	                           (struct cpu *)cpu);
}
