/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of the walk, as Linux 6.18 prints it: instructions with their source lines, and behind each
 * what it changed. At level 1 only the path that leads to the end stays; level 2 keeps everything,
 * comparisons and precision too. Tools read these lines: their spelling is an interface.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "core/btf.h"
#include "core/map.h"
#include "isa/text.h"
#include "verifier/path.h"

enum { LOG_COLUMN = 40, LOG_STEP = 8 };

bool log_wanted(const struct verifier *v, uint32_t levels)
{
	return v->env->log && v->env->log_level & levels;
}

void log_say(const struct verifier *v, const char *format, ...)
{
	va_list args;

	if (!v->env->log)
		return;
	va_start(args, format);
	buf_vprintf(v->env->log, format, args);
	va_end(args);
}

/* --- Registers ---------------------------------------------------------------------------- */

static void print_snum(struct buf *b, int64_t n)
{
	if (n >= INT16_MIN && n <= INT16_MAX)
		buf_printf(b, "%lld", (long long)n);
	else
		buf_printf(b, "%#llx", (unsigned long long)n);
}

static void print_unum(struct buf *b, uint64_t n)
{
	buf_printf(b, n <= UINT16_MAX ? "%llu" : "%#llx", (unsigned long long)n);
}

static const char *sep(bool *any)
{
	const char *s = *any ? "," : "";

	*any = true;
	return s;
}

static const char *const dynptr_names[] = {"unknown", "local", "ringbuf", "skb", "xdp", "skb_meta"};

static const char *type_name(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf ? btf_type(&btf->data, id) : NULL;
	const char *name = t ? btf_string(&btf->data, t->name) : NULL;

	return name ? name : "";
}

static void print_details(struct buf *b, const struct reg *r)
{
	bool any = false, is_map = r->kind == REG_MAP || r->kind == REG_MAP_KEY ||
	                           r->kind == REG_MAP_VALUE;

	if (r->id)
		buf_printf(b, "%sid=%u", sep(&any), r->id & ~SCALAR_DELTA);
	if (r->id & SCALAR_DELTA)
		buf_printf(b, "%+d", r->off);
	if (r->ref_id)
		buf_printf(b, "%sref_obj_id=%u", sep(&any), r->ref_id);
	if (r->flags & REG_NON_OWN)
		buf_printf(b, "%snon_own_ref", sep(&any));
	if (is_map && r->map->name[0])
		buf_printf(b, "%smap=%.*s", sep(&any), (int)sizeof(r->map->name), r->map->name);
	if (is_map)
		buf_printf(b, "%sks=%u,vs=%u", sep(&any), r->map->key_size, r->map->value_size);
	if (r->kind != REG_SCALAR && r->off) {
		buf_printf(b, "%soff=", sep(&any));
		print_snum(b, r->off);
	}
	if (reg_is_packet(r)) {
		buf_printf(b, "%sr=", sep(&any));
		print_unum(b, (uint64_t)(int64_t)r->range);
	}
	if (r->kind == REG_MEM) {
		buf_printf(b, "%ssz=", sep(&any));
		print_unum(b, r->mem_size);
	}
	if (r->kind == REG_DYNPTR)
		buf_printf(b, "%stype=%s", sep(&any), dynptr_names[r->dynptr.type % 6]);
	if (scalar_is_const(&r->s)) {
		if (r->s.var.value) {
			buf_printf(b, "%simm=", sep(&any));
			print_snum(b, (int64_t)r->s.var.value);
		}
		return;
	}
	scalar_print(b, &r->s, any ? "," : "");
}

static void print_reg(const struct verifier *v, const struct reg *r, unsigned frame)
{
	struct buf *b = v->env->log;
	char kind[64];

	if (r->kind == REG_SCALAR && (r->precise || !v->bpf_capable))
		buf_puts(b, "P");
	if (reg_is_const(r)) {
		print_snum(b, (int64_t)r->s.var.value);
		return;
	}
	buf_puts(b, reg_kind_name(r->kind, r->flags, kind, sizeof(kind)));
	if (r->kind == REG_ARENA)
		return;
	if (r->kind == REG_STACK) {
		if (r->frame != frame)
			buf_printf(b, "[%u]", r->frame);
		if (scalar_is_const(&r->s)) {
			print_snum(b, (int64_t)r->s.var.value + r->off);
			return;
		}
	}
	if (r->kind == REG_BTF_ID)
		buf_puts(b, type_name(r->btf, r->btf_id));
	buf_puts(b, "(");
	print_details(b, r);
	buf_puts(b, ")");
}

/* --- Stack -------------------------------------------------------------------------------- */

static void print_iter(struct buf *b, const struct slot *s, int off)
{
	static const char *const states[] = {"<invalid>", "active", "drained"};
	const char *name = type_name(s->spilled.iter.btf, s->spilled.iter.btf_id);

	if (!s->spilled.ref_id)
		return;
	if (!strncmp(name, "bpf_iter_", 9))
		name += 9;
	buf_printf(b, " fp%d=iter_%s(ref_id=%u,state=%s,depth=%u)", off, name, s->spilled.ref_id,
	           states[s->spilled.iter.state % 3], s->spilled.iter.depth);
}

static void print_dynptr(struct buf *b, const struct slot *s, int off)
{
	const struct reg *r = &s->spilled;
	bool any = false;

	buf_printf(b, " fp%d=dynptr_%s(", off, dynptr_names[r->dynptr.type % 6]);
	if (r->id)
		buf_printf(b, "%sid=%u", sep(&any), r->id);
	if (r->ref_id)
		buf_printf(b, "%sref_id=%u", sep(&any), r->ref_id);
	buf_puts(b, ")");
}

static void print_slot(const struct verifier *v, const struct frame *f, unsigned n)
{
	struct buf *b = v->env->log;
	const struct slot *s = &f->stack[n];
	int off = -8 * (int)(n + 1);
	char text[9] = "";
	bool any = false;

	for (unsigned i = 0; i < 8; i++) {
		text[i] = "?rm0dif"[s->kind[i] % 7];
		any |= s->kind[i] != SLOT_INVALID;
	}
	if (!any)
		return;
	switch (s->kind[7]) {
	case SLOT_SPILL:
		text[strcspn(text, "r")] = '\0';
		buf_printf(b, " fp%d=%s", off, text);
		print_reg(v, &s->spilled, f->number);
		break;
	case SLOT_DYNPTR:
		/* Its description is that of the lower slot. */
		if (s->spilled.dynptr.first || n + 1 == f->nslots)
			print_dynptr(b, s, off);
		break;
	case SLOT_ITER:
		print_iter(b, s, off);
		break;
	default:
		buf_printf(b, " fp%d=%s", off, text);
	}
}

/* --- States ------------------------------------------------------------------------------- */

void log_state(struct verifier *v, const struct state *s, unsigned frame, bool all)
{
	const struct frame *f = s->frames[frame];
	struct buf *b = v->env->log;
	struct walk *w = v->walk;

	if (!b)
		return;
	if (f->number)
		buf_printf(b, " frame%u:", f->number);
	for (unsigned r = 0; r < NREGS; r++) {
		if (f->regs[r].kind == REG_NONE || !(all || w->scratched_regs >> r & 1))
			continue;
		buf_printf(b, " R%u=", r);
		print_reg(v, &f->regs[r], f->number);
	}
	for (unsigned n = 0; n < f->nslots; n++)
		if (all || w->scratched_slots >> n & 1)
			print_slot(v, f, n);
	for (uint32_t i = 0; i < s->nrefs; i++)
		buf_printf(b, i ? ",%u" : " refs=%u", s->refs[i].id);
	if (f->in_callback)
		buf_puts(b, " cb");
	if (f->in_async_callback)
		buf_puts(b, " async_cb");
	buf_puts(b, "\n");
	if (!all)
		scratch_none(v);
}

/* Behind the instruction when nothing was printed since, else on a line of its own. */
void log_insn_state(struct verifier *v, const struct state *s)
{
	struct buf *b = v->env->log;
	struct walk *w = v->walk;

	if (!b)
		return;
	if (w->log_insn && w->log_insn == b->len && b->len) {
		size_t width = w->log_insn_len + LOG_STEP / 2;

		width = width < LOG_COLUMN ? LOG_COLUMN : width;
		width = (width + LOG_STEP - 1) / LOG_STEP * LOG_STEP - w->log_insn_len - 1;
		b->len--;
		buf_printf(b, "%*c;", (int)width, ' ');
	} else {
		buf_printf(b, "%u:", v->pc);
	}
	log_state(v, s, s->cur, false);
}

static const char *helper_text(void *arg, int32_t id)
{
	const struct verifier *v = arg;
	const struct helper *h = helper_find(v->p->obj.k, id);

	return h ? h->name : NULL;
}

static const char *map_text(void *arg, int32_t imm, unsigned src)
{
	(void)arg;
	(void)imm;
	(void)src;
	return NULL;
}

static void log_insn_body(struct verifier *v, uint32_t pc)
{
	struct disasm_names names = {.arg = v, .kernel = true, .helper = helper_text, .map = map_text};
	struct buf *b = v->env->log;
	const struct insn *i = &v->insns[pc];

	buf_printf(b, "(%02x) ", i->code);
	if (v->op[pc] == OP_CALL)
		buf_printf(b, "call %s#%d", helper_text(v, i->imm) ? helper_text(v, i->imm) : "unknown",
		           i->imm);
	else if (v->op[pc] == OP_CALL_LOCAL)
		buf_printf(b, "call pc%+d", i->imm);
	else
		disasm_insn(b, v->insns, pc, v->n, &names);
	buf_puts(b, "\n");
}

void log_insn_text(struct verifier *v, uint32_t pc)
{
	log_say(v, "%u: ", pc);
	log_insn_body(v, pc);
}

void log_insn(struct verifier *v, uint32_t pc)
{
	struct walk *w = v->walk;
	size_t start = v->env->log->len;

	log_insn_text(v, pc);
	w->log_insn_len = v->env->log->len - start;
	w->log_insn = v->env->log->len;
}

/* The source line of an instruction, when it is another than that of the last. */
void log_line(struct verifier *v, uint32_t pc, const char *prefix)
{
	const struct prog *p = v->p;
	const struct line_info *l;
	const char *text, *file;
	int line;

	if (!log_wanted(v, 3) || !p->nlines || !p->btf)
		return;
	line = prog_line(p, pc);
	if (line < 0 || (uint32_t)line == v->walk->last_line)
		return;
	v->walk->last_line = (uint32_t)line;
	l = &p->lines[line];
	text = btf_string(&p->btf->data, l->line_off);
	while (text && (*text == ' ' || *text == '\t'))
		text++;
	log_say(v, "%s%s", prefix, text ? text : "");
	file = l->file_name_off ? btf_string(&p->btf->data, l->file_name_off) : NULL;
	if (file && *file) {
		const char *slash = strrchr(file, '/');

		log_say(v, " @ %s:%u", slash ? slash + 1 : file, l->line_col >> 10);
	}
	log_say(v, "\n");
}

/* What level 2 tells before the walk: the functions, and which registers each instruction needs. */
void log_program(struct verifier *v)
{
	if (!log_wanted(v, 2))
		return;
	for (uint32_t f = 0; f < v->nsubprogs; f++)
		log_say(v, "func#%u @%u\n", f, v->subprogs[f].start);
	log_say(v, "Live regs before insn:\n");
	for (uint32_t pc = 0; pc < v->n; pc++) {
		if (v->mark[pc] & MARK_SECOND)
			continue;
		if (v->notes[pc].scc)
			log_say(v, "%3u ", v->notes[pc].scc);
		else
			log_say(v, "    ");
		log_say(v, "%3u: ", pc);
		for (unsigned r = 0; r < R10; r++)
			log_say(v, v->notes[pc].live >> r & 1 ? "%u" : ".", r);
		log_say(v, " ");
		log_insn_body(v, pc);
	}
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void log_start(struct verifier *v)
{
	v->started = now();
}

/* The lines that end every log, which tools look for. */
void log_stats(struct verifier *v)
{
	static const struct walk none;
	const struct walk *w = v->walk ? v->walk : &none;

	if (!v->env->log || !v->env->log_level)
		return;
	if (v->env->log_level & 4) {
		log_say(v, "verification time %llu usec\n",
		         (unsigned long long)((now() - v->started) / 1000));
		log_say(v, "stack depth ");
		for (uint32_t f = 0; f < v->nsubprogs; f++)
			log_say(v, f ? "+%d" : "%d", -v->subprogs[f].touched);
		log_say(v, "\n");
	}
	log_say(v, "processed %u insns (limit %d) max_states_per_insn %u total_states %u "
	            "peak_states %u mark_read %u\n", w->insns, BUDGET_INSNS, w->max_states,
	         w->total_states, w->peak_states, 0);
}
