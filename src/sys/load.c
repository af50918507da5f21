/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_LOAD: the life of a program from bytes to descriptor, as an ordered list of stages.
 *
 * Each stage answers 0 or the errno of the command, and the order is the kernel's: of two faults
 * the same one is reported. What a stage made belongs to the program and goes with it.
 *
 * Requires: the verifier, the engines. Provides: cmd_prog_load().
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/caps.h"
#include "core/btf.h"
#include "core/hook.h"
#include "core/map.h"
#include "sys/caps.h"
#include "sys/arena.h"
#include "sys/fd.h"
#include "sys/load.h"
#include "sys/target.h"
#include "verifier/verify.h"

enum {
	LICENSE_MAX = 128,
	MAPS_MAX = 64,
	MAX_INSNS_UNPRIVILEGED = 4096,
	FLAGS = BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT | BPF_F_TEST_RND_HI32 |
	        BPF_F_TEST_STATE_FREQ | BPF_F_SLEEPABLE | BPF_F_XDP_HAS_FRAGS |
	        BPF_F_XDP_DEV_BOUND_ONLY | BPF_F_TEST_REG_INVARIANTS,
};

int load_fail(struct load *l, int err, const char *format, ...)
{
	struct buf *text = log_text(&l->log);
	va_list args;

	va_start(args, format);
	if (text)
		buf_vprintf(text, format, args);
	va_end(args);
	return err;
}

/* --- Attributes and copies ---------------------------------------------------------------- */

static int check_attr(struct load *l)
{
	const struct attr_prog_load *a = l->a;
	uint64_t caps = l->call->c->caps;
	struct obj *o;
	int err;

	if (a->prog_flags & ~(uint32_t)FLAGS)
		return -EINVAL;
	if (!a->insn_cnt ||
	    a->insn_cnt > (uint32_t)(capable(caps, CAPABLE_BPF) ? MAX_INSNS : MAX_INSNS_UNPRIVILEGED))
		return -E2BIG;
	err = caps_check_prog(caps, a->prog_type);
	if (err)
		return err;
	if (a->signature)
		return -ENOTSUP;
	/* What is attached to other programs or to kernel functions comes with its hooks. */
	if (a->attach_fd && fd_resolve(l->call->k, l->call->c, (int)a->attach_fd, OBJ_BTF, &o,
	                               NULL) == 0) {
		bool kernel = ((struct btf *)o)->kernel;

		obj_put(o);
		return kernel ? -EINVAL : -ENOTSUPP;
	}
	return a->attach_btf_id || a->attach_fd ? -EINVAL : 0;
}

static int check_attach_type(struct load *l)
{
	const struct hook *hook = hook_find(l->call->k, l->a->prog_type);

	l->p->hook = hook;
	l->p->type = l->a->prog_type;
	l->p->expected_attach_type = l->a->expected_attach_type;
	l->p->flags = l->a->prog_flags;
	l->p->caps = l->call->c->caps;
	if (hook && !l->p->expected_attach_type)
		l->p->expected_attach_type = hook->default_attach_type;
	if (hook && hook->attach_types && !l->p->expected_attach_type)
		l->p->expected_attach_type = hook->attach_types[0];
	if (hook && !hook_attach_type_ok(hook, l->p->expected_attach_type))
		return -EINVAL;
	return 0;
}

static int copy_insns(struct load *l)
{
	void *insns;
	int err = client_copy(l->call->k, l->call->c, l->a->insns,
	                      l->a->insn_cnt * sizeof(struct insn), &insns);

	if (err)
		return err;
	l->p->orig = insns;
	l->p->norig = l->a->insn_cnt;
	return 0;
}

static int copy_license(struct load *l)
{
	static const char *const gpl[] = {"GPL", "GPL v2", "GPL and additional rights",
	                                  "Dual BSD/GPL",
	                                  "Dual MIT/GPL", "Dual MPL/GPL"};
	char license[LICENSE_MAX];
	int len = client_string(l->call->c, license, l->a->license, sizeof(license));

	if (len == -EFAULT)
		return len;
	for (size_t i = 0; i < sizeof(gpl) / sizeof(gpl[0]); i++)
		l->p->gpl |= strcmp(license, gpl[i]) == 0;
	return 0;
}

static int check_type(struct load *l)
{
	/* Programs that only a device could run: there is none. */
	if (l->a->prog_ifindex)
		return device_exists(l->call->k, l->a->prog_ifindex) &&
		                       (l->a->prog_type == BPF_PROG_TYPE_XDP ||
		                        l->a->prog_type == BPF_PROG_TYPE_SCHED_CLS)
		               ? -EOPNOTSUPP
		               : -EINVAL;
	return l->p->hook ? 0 : -EINVAL;
}

static int copy_name(struct load *l)
{
	memcpy(l->p->name, l->a->prog_name, sizeof(l->p->name));
	return name_check(l->a->prog_name);
}

static int check_log(struct load *l)
{
	return log_check(&l->log);
}

/* One of the maps that the program shall hold, used or not; BTF in the list is for kfuncs. */
static int bind_one(struct load *l, uint64_t addr)
{
	struct obj *o = NULL;
	int32_t fd;
	int err = client_read(l->call->c, &fd, addr, sizeof(fd));

	if (err)
		return err;
	err = fd_resolve_any(l->call->k, l->call->c, fd, &o, NULL);
	if (!err && o->kind == OBJ_MAP)
		err = prog_bind_map(l->p, (struct map *)o);
	else if (!err && o->kind != OBJ_BTF)
		err = -EINVAL;
	if (err != 1 && o)
		obj_put(o);
	if (err == -EBADF || err == -EINVAL)
		load_fail(l, err, "fd %d is not pointing to valid bpf_map or btf\n", fd);
	return err < 0 ? err : 0;
}

static int bind_maps(struct load *l)
{
	uint32_t n = l->a->fd_array_cnt;
	int err = 0;

	if (n >= UINT32_MAX / sizeof(int32_t))
		return load_fail(l, -EINVAL, "fd_array_cnt is too big (%u)\n", n);
	for (uint32_t i = 0; !err && i < n; i++) {
		err = bind_one(l, l->a->fd_array + (uint64_t)i * sizeof(int32_t));
		if (!err && l->p->nbound > MAPS_MAX)
			err = load_fail(l, -E2BIG,
			                "The total number of maps per program has reached the "
			                "limit of %d\n", MAPS_MAX);
	}
	return err;
}

static int check_sleepable(struct load *l)
{
	const struct hook *h = l->p->hook;
	bool sleeps = l->a->prog_flags & BPF_F_SLEEPABLE;

	if (h->must_sleep && !sleeps)
		return load_fail(l, -EINVAL, "Syscall programs can only be sleepable\n");
	if (!sleeps || (h->may_sleep && h->may_sleep(l->p->expected_attach_type)))
		return 0;
	return load_fail(l, -EINVAL, "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and "
	                             "struct_ops programs can be sleepable\n");
}

/* Relocations that the kernel's loader would apply, which looks at them only with line_info. */
static int check_relocations(struct load *l)
{
	const struct attr_prog_load *a = l->a;

	if (!a->core_relo_cnt || !(a->func_info_cnt || a->line_info_cnt))
		return 0;
	return load_fail(l, -EINVAL,
	                 "CO-RE relocation at load is not there: let libbpf do it\n");
}

/* --- Verification ------------------------------------------------------------------------- */

static int load_map_of_fd(void *arg, int32_t fd, struct map **out)
{
	const struct load *l = arg;
	struct obj *o;
	int err = fd_resolve(l->call->k, l->call->c, fd, OBJ_MAP, &o, NULL);

	if (err)
		return err;
	*out = (struct map *)o;
	arena_find_user(l->call->c, *out);
	return 0;
}

static int load_map_of_index(void *arg, int32_t index, struct map **out)
{
	const struct load *l = arg;
	int32_t fd;
	int err;

	if (!l->a->fd_array)
		return -EPROTO;
	err = client_read(l->call->c, &fd, l->a->fd_array + (uint64_t)index * sizeof(fd),
	                  sizeof(fd));
	return err ? err : load_map_of_fd(arg, fd, out);
}

/*
 * Is a light look enough? The user vouches for programs, or the checked engine watches every access;
 * and of the context of a raw program nobody knows what it is.
 */
static bool light(const struct load *l)
{
	const struct skep *k = l->call->k;

	return k->trust || k->engine == k->reg.checked ||
	       l->p->hook->type_bit == PROG_TYPE_BIT_RAW;
}

static int run_verifier(struct load *l)
{
	const struct verify_env env = {
		.arg = l,
		.map_of_fd = load_map_of_fd,
		.map_of_index = load_map_of_index,
		.log = log_text(&l->log),
		.log_level = l->a->log_level,
		.trust = light(l),
	};

	return verify(l->p, &env);
}

/* --- From verified to running ------------------------------------------------------------- */

static int choose_engine(struct load *l)
{
	const struct skep *k = l->call->k;

	l->p->trusted |= k->trust;
	l->p->engine = l->p->trusted ? k->engine : k->reg.checked;
	return 0;
}

static int describe(struct load *l)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	l->p->load_time = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	l->p->uid = l->call->c->uid;
	return 0;
}

static int prepare(struct load *l)
{
	return l->p->engine->prepare(l->p);
}

static int publish(struct load *l)
{
	int err = obj_publish(&l->p->obj);

	if (err)
		return err;
	l->fd = fd_install(l->call->c, &l->p->obj, ACCESS_RW);
	return l->fd < 0 ? l->fd : 0;
}

static int (*const until_verified[])(struct load *) = {
	check_attach_type,
	copy_insns,
	copy_license,
	check_type,
	copy_name,
	check_log,
	bind_maps,
	load_func_info,
	load_line_info,
	check_relocations,
	check_sleepable,
	run_verifier,
};

static int (*const once_verified[])(struct load *) = {
	choose_engine,
	describe,
	prepare,
	publish,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int run(struct load *l, int (*const *stage)(struct load *), size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = stage[i](l);
	return err;
}

int cmd_prog_load(struct call *call)
{
	const struct attr_prog_load *a = &call->a.prog_load;
	struct load l = {
		.call = call,
		.a = a,
		.log = {
			.addr = a->log_buf,
			.level = a->log_level,
			.size = a->log_size,
			.true_size_field = offsetof(struct attr_prog_load, log_true_size),
		},
	};
	int err = check_attr(&l);

	if (err)
		return err;
	l.p = prog_new(call->k);
	if (!l.p)
		return -ENOMEM;
	/* The log is written before there is a descriptor: after that nothing may fail. */
	err = log_finish(&l.log, call, run(&l, until_verified, COUNT(until_verified)));
	if (!err)
		err = run(&l, once_verified, COUNT(once_verified));
	obj_put(&l.p->obj);
	return err ? err : l.fd;
}
