/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the program says of its functions: func_info and line_info must have a record for each, and
 * no func_info for anything else. Each record by itself was checked when it was read.
 *
 * Requires: subprogs[]. Provides: p->func_infos[i] belongs to subprogs[i], or there are none;
 * subprogs[]. is_global.
 */
#include "core/btf.h"
#include "verifier/state.h"

/*
 * Functions without BTF are static; the main program counts as global, which nobody may take the
 * address of.
 */
static bool is_global(const struct prog *p, uint32_t func)
{
	const struct btf_type *t;

	if (!func)
		return true;
	t = p->btf ? btf_type(&p->btf->data, p->func_infos[func].type_id) : NULL;
	return t && btf_vlen(t) != BTF_FUNC_STATIC;
}

static int match_funcs(struct verifier *v)
{
	const struct prog *p = v->p;

	if (p->nfunc_infos != v->nsubprogs)
		return reject(v, REJECT_FUNC_INFO_COUNT);
	for (uint32_t i = 0; i < v->nsubprogs; i++) {
		if (p->func_infos[i].insn_off != v->subprogs[i].start)
			return reject(v, REJECT_FUNC_INFO_LAYOUT);
		v->subprogs[i].is_global = is_global(p, i);
	}
	return 0;
}

static int match_lines(const struct verifier *v)
{
	const struct prog *p = v->p;
	uint32_t line = 0;

	for (uint32_t i = 0; i < v->nsubprogs; i++) {
		while (line < p->nlines && p->lines[line].insn_off < v->subprogs[i].start)
			line++;
		if (line == p->nlines)
			return reject(v, REJECT_LINE_INFO_FUNCS, v->nsubprogs - i, i);
		if (p->lines[line].insn_off != v->subprogs[i].start)
			return reject(v, REJECT_LINE_INFO_FUNC, i);
	}
	return 0;
}

int info_match(struct verifier *v)
{
	int err = v->p->nfunc_infos ? match_funcs(v) : 0;

	return !err && v->p->nlines ? match_lines(v) : err;
}
