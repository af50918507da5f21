/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on loaded programs: test runs, binding of maps, information.
 */
#include <errno.h>
#include <string.h>

#include "core/btf.h"
#include "core/hook.h"
#include "core/map.h"
#include "core/prog.h"
#include "sys/bpf.h"
#include "sys/fd.h"
#include "sys/info.h"
#include "sys/prog.h"

enum {
	DATA_MAX = 1 << 20, /* more than any hook takes */
	CTX_MAX = 4096,
	GROWTH = 4096, /* by which a run may lengthen its data */
};

int prog_of_fd(struct call *call, uint32_t fd, struct prog **out)
{
	struct obj *o;
	int err = fd_resolve(call->k, call->c, (int)fd, OBJ_PROG, &o, NULL);

	if (!err)
		*out = prog_of(o);
	return err;
}

/* --- BPF_PROG_TEST_RUN -------------------------------------------------------------------- */

/* Copies what the run left behind to the caller; room is what it said it has, len what there is. */
static int copy_back(struct call *call, uint64_t to, uint32_t room, const void *from, uint32_t len,
                     size_t size_field)
{
	uint32_t n = len < room ? len : room;
	int err = 0;

	if (to)
		err = client_write(call->c, to, from, n);
	if (!err)
		err = call_answer(call, size_field, len);
	return err ? err : n < len ? -ENOSPC : 0;
}

static int test_run_answer(struct call *call, const struct test_run *t)
{
	const struct attr_test_run *a = &call->a.test_run;
	/* Without a size, data_out is as large as it needs to be. */
	uint32_t room = a->data_size_out ? a->data_size_out : t->data_size_out;
	int err, full;

	if (t->bare) {
		err = call_answer(call, offsetof(struct attr_test_run, retval), t->retval);
		return err || !t->ctx_back ? err : client_write(call->c, a->ctx_in, t->ctx_back,
		                                                a->ctx_size_in);
	}
	full = copy_back(call, a->data_out, room, t->data_out, t->data_size_out,
	                 offsetof(struct attr_test_run, data_size_out));
	if (full && full != -ENOSPC)
		return full;
	err = call_answer(call, offsetof(struct attr_test_run, retval), t->retval);
	if (!err)
		err = call_answer(call, offsetof(struct attr_test_run, duration), t->duration);
	if (err || full)
		return err ? err : full;
	if (!a->ctx_in && !a->ctx_out)
		return 0;
	return copy_back(call, a->ctx_out, a->ctx_size_out, t->ctx_out, t->ctx_size_out,
	                 offsetof(struct attr_test_run, ctx_size_out));
}

static int test_run_do(struct call *call, struct prog *p, uint8_t *block)
{
	const struct attr_test_run *a = &call->a.test_run;
	uint32_t room = a->data_size_in + GROWTH;
	bool back = a->ctx_in && p->hook->ctx_in_max;
	struct fault fault;
	struct test_run t = {
		.data_in = a->data_in ? block : NULL,
		.data_size_in = a->data_size_in,
		.data_out = a->data_out ? block + a->data_size_in : NULL,
		.data_size_out = a->data_out || a->data_in ? room : a->data_size_out,
		.ctx_in = a->ctx_in ? block + a->data_size_in + room : NULL,
		.ctx_size_in = a->ctx_size_in,
		/* That there is room for a context makes one, even where none came in. */
		.ctx_out = a->ctx_out ? block + a->data_size_in + room + a->ctx_size_in : NULL,
		.ctx_size_out = a->ctx_out ? CTX_MAX : 0,
		/* The context goes back to where it came from. */
		.ctx_back = back ? block + a->data_size_in + room : NULL,
		.duration = a->duration,
		.repeat = a->repeat,
		.flags = a->flags,
		.cpu = a->cpu,
		.batch_size = a->batch_size,
		.fault = &fault,
	};
	int err = client_read(call->c, block, a->data_in, a->data_size_in);

	if (!err && a->ctx_size_in)
		err = client_read(call->c, (void *)(uintptr_t)t.ctx_in, a->ctx_in, a->ctx_size_in);
	if (!err)
		err = p->hook->test_run(p, &t);
	if (t.faulted) {
		fault_report(call->k, &fault);
		return -EFAULT;
	}
	return err ? err : test_run_answer(call, &t);
}

int cmd_prog_test_run(struct call *call)
{
	const struct attr_test_run *a = &call->a.test_run;
	struct prog *p;
	uint8_t *block;
	int err;

	if (!a->ctx_size_in != !a->ctx_in || !a->ctx_size_out != !a->ctx_out)
		return -EINVAL;
	err = prog_of_fd(call, a->prog_fd, &p);
	if (err)
		return err;
	if (!p->hook->test_run)
		err = -ENOTSUPP;
	else if (a->data_size_in > DATA_MAX)
		err = -ENOMEM;
	else if (a->ctx_size_in > CTX_MAX && !p->hook->ctx_in_max)
		err = -E2BIG;
	else if (p->hook->ctx_in_max && a->ctx_size_in > p->hook->ctx_in_max)
		err = -EINVAL;
	if (err)
		goto out;
	block = mem_zalloc(&call->k->mem,
	                   2 * (size_t)a->data_size_in + GROWTH + a->ctx_size_in + CTX_MAX);
	err = block ? test_run_do(call, p, block) : -ENOMEM;
	mem_free(&call->k->mem, block);
out:
	obj_put(&p->obj);
	return err;
}

/* --- BPF_PROG_STREAM_READ_BY_FD ----------------------------------------------------------- */

/* Piece by piece: what cannot be written to the caller is lost. */
static int stream_answer(struct call *call, struct stream *s, uint64_t to, uint32_t room)
{
	char part[1024];
	uint32_t done = 0, n;

	do {
		n = room - done < sizeof(part) ? room - done : (uint32_t)sizeof(part);
		n = stream_read(s, part, n);
		if (client_write(call->c, to + done, part, n))
			return done ? (int)done : -EFAULT;
		done += n;
	} while (n && done < room);
	return (int)done;
}

int cmd_prog_stream_read(struct call *call)
{
	const struct attr_stream_read *a = &call->a.stream_read;
	struct prog *p;
	int ret = prog_of_fd(call, a->prog_fd, &p);

	if (ret)
		return ret;
	if (a->stream_id != STREAM_STDOUT && a->stream_id != STREAM_STDERR)
		ret = -ENOENT;
	else
		ret = stream_answer(call, &p->streams[a->stream_id - STREAM_STDOUT], a->buf,
		                    a->buf_len);
	obj_put(&p->obj);
	return ret;
}

/* --- BPF_PROG_BIND_MAP -------------------------------------------------------------------- */

int cmd_prog_bind_map(struct call *call)
{
	const struct attr_bind_map *a = &call->a.bind_map;
	struct prog *p;
	struct obj *m;
	int ret;

	if (a->flags)
		return -EINVAL;
	ret = prog_of_fd(call, a->prog_fd, &p);
	if (ret)
		return ret;
	ret = fd_resolve(call->k, call->c, (int)a->map_fd, OBJ_MAP, &m, NULL);
	if (!ret) {
		ret = prog_bind_map(p, (struct map *)m);
		if (ret <= 0)
			obj_put(m);
	}
	obj_put(&p->obj);
	return ret < 0 ? ret : 0;
}

/* --- BPF_OBJ_GET_INFO_BY_FD --------------------------------------------------------------- */

enum { PSEUDO_MAP_FD = 1, PSEUDO_MAP_VALUE = 2, PSEUDO_FUNC = 4, PSEUDO_MAP_IDX = 5,
       PSEUDO_MAP_IDX_VALUE = 6, LDDW = 0x18 };

/*
 * An array of the answer: *room elements fit at addr, *room becomes what there is. Nothing is
 * copied where the caller has no room.
 */
static int answer_array(struct call *call, uint64_t addr, uint32_t *room, const void *from,
                        uint32_t n,
                        size_t each)
{
	uint32_t fit = *room < n ? *room : n;

	*room = n;
	return client_write(call->c, addr, from, fit * each);
}

/* Ids of used maps, then of bound ones. */
static int answer_map_ids(struct call *call, struct prog *p, struct prog_info *info)
{
	uint32_t *ids, n = 0;
	int err;

	lock_take(&call->k->lock);
	ids = mem_zalloc_array(&call->k->mem, p->nmaps + p->nbound, sizeof(*ids));
	for (uint32_t i = 0; ids && i < p->nmaps; i++)
		ids[n++] = p->maps[i]->obj.id;
	for (uint32_t i = 0; ids && i < p->nbound; i++)
		if (!prog_uses_map(p, p->bound[i]))
			ids[n++] = p->bound[i]->obj.id;
	lock_release(&call->k->lock);
	if (!ids)
		return -ENOMEM;
	err = answer_array(call, info->map_ids, &info->nr_map_ids, ids, n, sizeof(*ids));
	mem_free(&call->k->mem, ids);
	return err;
}

static const struct map *map_at(const struct prog *p, uint64_t value, unsigned src)
{
	for (uint32_t i = 0; i < p->nmaps; i++) {
		const struct map *m = p->maps[i];
		uintptr_t first;

		if (src == PSEUDO_MAP_FD && value == (uintptr_t)m)
			return m;
		if (src == PSEUDO_MAP_VALUE && m->ops->direct_value &&
		    m->ops->direct_value((struct map *)m, 0, &first) == 0 && value >= first &&
		    value - first < (uint64_t)m->value_size * m->max_entries)
			return m;
	}
	return NULL;
}

/* Addresses of ours become again what the loader wrote, with the id of a map for its descriptor. */
static void hide_addresses(const struct prog *p, struct insn *insns)
{
	for (uint32_t i = 0; i + 1 < p->ninsns; i++) {
		struct insn *in = &insns[i];
		const struct insn *orig = &p->orig[p->aux[i].orig];
		unsigned src = orig->src;
		const struct map *m;

		if (in->code != LDDW)
			continue;
		if (orig->code == LDDW && src) {
			src = src == PSEUDO_MAP_IDX ? PSEUDO_MAP_FD
			      : src == PSEUDO_MAP_IDX_VALUE ? PSEUDO_MAP_VALUE : src;
			m = map_at(p, insn_imm64(in), src);
			in->src = src & 15;
			in->imm = m ? (int32_t)m->obj.id : orig->imm;
			in[1].imm = src == PSEUDO_MAP_VALUE ? orig[1].imm : 0;
		}
		i++;
	}
}

static int answer_xlated(struct call *call, const struct prog *p, struct prog_info *info)
{
	size_t bytes = p->ninsns * sizeof(struct insn);
	struct insn *insns;
	int err;

	if (!info->xlated_prog_len) {
		info->xlated_prog_len = (uint32_t)bytes;
		return 0;
	}
	insns = mem_copy(&call->k->mem, p->insns, bytes);
	if (!insns)
		return -ENOMEM;
	hide_addresses(p, insns);
	/* Whole instructions only. */
	info->xlated_prog_len &= ~7u;
	err = answer_array(call, info->xlated_prog_insns, &info->xlated_prog_len, insns,
	                   (uint32_t)bytes, 1);
	mem_free(&call->k->mem, insns);
	return err;
}

static int answer_tags(struct call *call, const struct prog *p, struct prog_info *info)
{
	uint32_t room = info->nr_prog_tags;
	int err = 0;

	info->nr_prog_tags = p->nfuncs;
	for (uint32_t i = 0; !err && i < room && i < p->nfuncs; i++) {
		uint32_t first = p->aux[p->funcs[i].start].orig;
		uint32_t next = p->funcs[i].end;
		uint32_t end = next < p->ninsns ? p->aux[next].orig : p->norig;
		uint8_t tag[BPF_TAG_SIZE];

		prog_tag(p->orig + first, end - first, tag);
		err = client_write(call->c, info->prog_tags + i * sizeof(tag), tag, sizeof(tag));
	}
	return err;
}

/* An address for each element of an array that holds offsets in the code, `stride` bytes apart. */
static int answer_addresses(struct call *call, const struct prog *p, uint64_t array, uint32_t *room,
                            const uint32_t *offsets, size_t stride, uint32_t n)
{
	uint32_t fit = *room < n ? *room : n;
	int err = 0;

	*room = n;
	for (uint32_t i = 0; !err && i < fit; i++) {
		uint32_t at = *(const uint32_t *)((const uint8_t *)offsets + i * stride);
		uint64_t address = (uintptr_t)p->code + at;

		err = client_write(call->c, array + i * sizeof(address), &address, sizeof(address));
	}
	return err;
}

static int answer_code(struct call *call, const struct prog *p, struct prog_info *info)
{
	uint32_t funcs = p->code ? p->nfuncs : 0, room = info->nr_jited_func_lens;
	int err = answer_array(call, info->jited_prog_insns, &info->jited_prog_len, p->code,
	                       p->code ? p->code_size : 0, 1);

	if (!err)
		err = answer_addresses(call, p, info->jited_ksyms, &info->nr_jited_ksyms,
		                       &p->funcs[0].code_at, sizeof(p->funcs[0]), funcs);
	info->nr_jited_func_lens = funcs;
	for (uint32_t i = 0; !err && i < funcs && i < room; i++)
		err = client_write(call->c, info->jited_func_lens + i * sizeof(uint32_t),
		                   &p->funcs[i].code_size, sizeof(uint32_t));
	if (!err)
		err = answer_addresses(call, p, info->jited_line_info, &info->nr_jited_line_info,
		                       p->line_code, sizeof(uint32_t), p->line_code ? p->nlines : 0);
	return err;
}

int prog_info_answer(struct call *call, struct obj *o)
{
	struct prog *p = prog_of(o);
	struct prog_info info = {0};
	int err = info_begin(call, &info, sizeof(info));

	if (err)
		return err;
	info.type = p->type;
	info.id = p->obj.id;
	prog_tag(p->orig, p->norig, info.tag);
	info.load_time = p->load_time;
	info.created_by_uid = p->uid;
	memcpy(info.name, p->name, sizeof(info.name));
	info.ifindex = 0;
	info.gpl_compatible = p->gpl;
	info.netns_dev = info.netns_ino = 0;
	info.btf_id = p->btf ? p->btf->obj.id : 0;
	info.func_info_rec_size = sizeof(struct func_info);
	info.line_info_rec_size = sizeof(struct line_info);
	info.jited_line_info_rec_size = sizeof(uint64_t);
	info.run_time_ns = atomic_load(&p->run_time_ns);
	info.run_cnt = atomic_load(&p->run_cnt);
	info.recursion_misses = atomic_load(&p->recursion_misses);
	info.verified_insns = p->verified_insns;
	info.attach_btf_obj_id = info.attach_btf_id = 0;
	err = answer_map_ids(call, p, &info);
	if (!err)
		err = answer_xlated(call, p, &info);
	if (!err)
		err = answer_code(call, p, &info);
	if (!err)
		err = answer_tags(call, p, &info);
	if (!err)
		err = answer_array(call, info.func_info, &info.nr_func_info, p->func_infos,
		                   p->nfunc_infos, sizeof(struct func_info));
	if (!err)
		err = answer_array(call, info.line_info, &info.nr_line_info, p->lines, p->nlines,
		                   sizeof(struct line_info));
	return err ? err : info_end(call, &info, sizeof(info));
}
