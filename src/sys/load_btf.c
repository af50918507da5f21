/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program says of itself in BTF: func_info (a type for each function) and line_info (a
 * source line for some instructions).
 *
 * Records are those of a caller's time: a longer one may have nothing but zeros behind what we
 * know. Both kinds are sorted by instruction; what they must be like otherwise is what Linux 6.18
 * asks for.
 */
#include <errno.h>
#include <string.h>

#include "core/btf.h"
#include "sys/fd.h"
#include "sys/load.h"

enum { REC_MAX = 252, LINES_MAX = INT32_MAX / sizeof(struct line_info) };

static int take_btf(struct load *l)
{
	struct obj *o;
	int err;

	if (l->p->btf)
		return 0;
	err = fd_resolve(l->call->k, l->call->c, (int)l->a->prog_btf_fd, OBJ_BTF, &o, NULL);
	if (!err)
		l->p->btf = (struct btf *)o;
	return err;
}

/* Copies n records of rec bytes each, of which we know `known`. */
static int copy_records(struct load *l, uint64_t addr, uint32_t n, uint32_t rec, uint32_t known,
                        size_t rec_field, const char *what, void **out)
{
	struct call *call = l->call;
	uint8_t *to = mem_zalloc_array(&call->k->mem, n, known);
	int err = 0;

	if (!to)
		return -ENOMEM;
	*out = to; /* the program's now */
	if (rec == known)
		return client_read(call->c, to, addr, (size_t)n * known);
	for (uint32_t i = 0; !err && i < n; i++, addr += rec) {
		err = client_zero(call->c, addr + known, rec - known);
		if (err == -E2BIG) {
			load_fail(l, err, "nonzero tailing record in %s", what);
			return call_answer(call, rec_field, known) ? -EFAULT : err;
		}
		if (!err)
			err = client_read(call->c, to + (size_t)i * known, addr, known);
	}
	return err;
}

static int check_func_info(struct load *l, const struct func_info *f, uint32_t i)
{
	const struct btf_type *t = btf_type(&l->p->btf->data, f->type_id);

	if (!i && f->insn_off)
		return load_fail(l, -EINVAL, "nonzero insn_off %u for the first func info record",
		            f->insn_off);
	if (i && f->insn_off <= f[-1].insn_off)
		return load_fail(l, -EINVAL,
		            "same or smaller insn offset (%u) than previous func info record (%u)",
		            f->insn_off, f[-1].insn_off);
	if (!t || btf_kind(t) != BTF_FUNC)
		return load_fail(l, -EINVAL, "invalid type id %u in func info", f->type_id);
	return 0;
}

int load_func_info(struct load *l)
{
	const struct attr_prog_load *a = l->a;
	uint32_t rec = a->func_info_rec_size;
	int err;

	if (!a->func_info_cnt)
		return 0;
	if (rec < sizeof(struct func_info) || rec > REC_MAX || rec % 4)
		return load_fail(l, -EINVAL, "invalid func info rec size %u\n", rec);
	err = take_btf(l);
	if (err)
		return err;
	if (a->func_info_cnt > a->insn_cnt) /* at most one for each */
		return load_fail(l, -EINVAL,
		            "number of funcs in func_info doesn't match number of subprogs\n");
	err = copy_records(l, a->func_info, a->func_info_cnt, rec, sizeof(struct func_info),
	                   offsetof(struct attr_prog_load, func_info_rec_size), "func info",
	                   (void **)&l->p->func_infos);
	for (uint32_t i = 0; !err && i < a->func_info_cnt; i++)
		err = check_func_info(l, &l->p->func_infos[i], i);
	l->p->nfunc_infos = a->func_info_cnt;
	return err;
}

static int check_line_info(struct load *l, const struct line_info *line, uint32_t i)
{
	const struct prog *p = l->p;
	uint32_t before = i ? line[-1].insn_off : 0;

	if ((i && line->insn_off <= before) || line->insn_off >= p->norig)
		return load_fail(l, -EINVAL,
		            "Invalid line_info[%u].insn_off:%u (prev_offset:%u prog->len:%u)\n", i,
		            line->insn_off, before, p->norig);
	if (!p->orig[line->insn_off].code)
		return load_fail(l, -EINVAL, "Invalid insn code at line_info[%u].insn_off\n", i);
	if (!btf_string(&p->btf->data, line->line_off) ||
	    !btf_string(&p->btf->data, line->file_name_off))
		return load_fail(l, -EINVAL, "Invalid line_info[%u].line_off or .file_name_off\n", i);
	return 0;
}

int load_line_info(struct load *l)
{
	const struct attr_prog_load *a = l->a;
	uint32_t rec = a->line_info_rec_size;
	int err;

	if (!a->line_info_cnt)
		return 0;
	if (a->line_info_cnt > LINES_MAX || rec < sizeof(struct line_info) || rec > REC_MAX ||
	    rec % 4)
		return -EINVAL;
	err = take_btf(l);
	if (err)
		return err;
	if (a->line_info_cnt > a->insn_cnt)
		return load_fail(l, -EINVAL, "more line_info records than instructions\n");
	err = copy_records(l, a->line_info, a->line_info_cnt, rec, sizeof(struct line_info),
	                   offsetof(struct attr_prog_load, line_info_rec_size), "line_info",
	                   (void **)&l->p->lines);
	for (uint32_t i = 0; !err && i < a->line_info_cnt; i++)
		err = check_line_info(l, &l->p->lines[i], i);
	l->p->nlines = a->line_info_cnt;
	return err;
}
