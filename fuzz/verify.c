/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier on any program: it answers, leaves no memory behind, survives each allocation that fails,
 * and what it lets through keeps what engines rely on (prog.h): every instruction is one, functions cover
 * the program, jumps stay within them, calls lead to functions, references are resolved.
 *
 * Input: a byte for the type and flags, one for the allocation that fails, then instructions: four bytes
 * of choices each, or, after a 1, eight of the instruction's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/hook.h"
#include "core/map.h"
#include "core/prog.h"
#include "fuzz.h"
#include "sys/tables.h"
#include "verifier/verify.h"

enum { MAX_SLOTS = 400, MAPS = 4, MAX_FUNCS = 300 };

static const struct map_attr attrs[MAPS] = {
	{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 24, .max_entries = 1},
	{.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 5, .max_entries = 3},
	{.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 12, .max_entries = 2},
	{.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
};

/* Counts blocks; the one after `countdown` more fails. */
struct budget {
	long live, countdown;
};

static void *budget_alloc(void *arg, size_t size)
{
	struct budget *b = arg;
	void *block;

	if (b->countdown >= 0 && b->countdown-- == 0)
		return NULL;
	block = malloc(size);
	b->live += block != NULL;
	return block;
}

static void budget_free(void *arg, void *block)
{
	struct budget *b = arg;

	b->live -= block != NULL;
	free(block);
}

struct box {
	struct skep k;
	struct budget budget;
	struct map *maps[MAPS];
	struct insn code[MAX_SLOTS];
	uint32_t n;
};

static int map_of_fd(void *arg, int32_t fd, struct map **out)
{
	struct box *b = arg;

	if (fd < 0 || fd >= MAPS)
		return -EBADF;
	obj_get(&b->maps[fd]->obj);
	*out = b->maps[fd];
	return 0;
}

/* --- From bytes to a program ------------------------------------------------------------------ */

/* An operation with fields that it may have; jumps and calls are pointed somewhere later. */
static struct insn choose(const uint8_t *data)
{
	static const int16_t offs[] = {0, 4, 8, 12, 16, 24, 76, 80, -8, -16, -24, -512, -4, -1, -2, -520};
	static const int32_t imms[] = {0, 1, 2, 3, 5, 6, 7, 8, 12, 26, 181, -4, -8, -16, 64, 0x7fffffff};
	const struct insn_info *row = &insn_info[data[0] % OP_COUNT];
	struct insn i = {.code = row->code, .off = offs[data[2] % 16], .imm = imms[data[2] / 16]};

	if (row->group == GROUP_CALLX || row->group == GROUP_INTERNAL || (row->group == GROUP_LINUX && data[1] % 4) || row->cpu > data[1] % 8 ||
	    (data[1] % 8 && row->fields & (INSN_CALLS | INSN_END)))
		return (struct insn){.code = 0xbf, .dst = 6, .src = R1};
	i.dst = (row->fields & (INSN_RD | INSN_WD) ? data[1] % 10 : 0) & 15;
	i.src = (row->fields & (INSN_RS | INSN_WS) ? data[1] / 11 % 10 : 0) & 15;
	/* Memory is the stack, mostly in words, or the context. */
	if (row->fields & (INSN_LOAD | INSN_STORE)) {
		unsigned base = data[1] & 0x80 ? R10 : i.off >= 0 ? R1 : R6;

		if (row->fields & INSN_STORE)
			i.dst = (base == R6 ? R10 : base) & 15;
		else
			i.src = base & 15;
		if (base == R10 && i.off >= 0)
			i.off = -8;
	}
	if (strstr(row->name, "SH64_K") || strstr(row->name, "SH32_K"))
		i.imm &= 31;
	if (!(row->fields & INSN_OFF))
		i.off = row->key == KEY_OFF ? (int16_t)row->value : 0;
	if (!(row->fields & INSN_IMM))
		i.imm = row->key == KEY_IMM ? (int32_t)row->value : 0;
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	if (row->fields & INSN_WIDE && row->value)
		i.imm = row->value == 2 || row->value == 6 ? 0 : data[2] % MAPS;
	return i;
}

/* Where jumps and calls lead: mostly a little further down, to the start of an instruction. */
static void aim(struct box *b, const uint8_t *whole, const uint8_t *where)
{
	for (uint32_t pc = 0; pc < b->n; pc++) {
		enum op op = insn_op(&b->code[pc]);
		uint32_t target = where[pc] < 240 ? pc + 1 + where[pc] % 8 : where[pc] % b->n;

		if (op == OP_INVALID || !whole[pc])
			continue;
		target = target < b->n ? target : b->n - 1;
		while (!whole[target])
			target++;
		if (insn_info[op].fields & INSN_JOFF)
			b->code[pc].off = (int16_t)(target - pc - 1);
		else if (insn_info[op].fields & INSN_JIMM || op == OP_CALL_LOCAL || op == OP_LDDW_FUNC)
			b->code[pc].imm = (int32_t)(target - pc - 1);
	}
}

static void make(struct box *b, const uint8_t *data, size_t size)
{
	uint8_t whole[MAX_SLOTS] = {0}, where[MAX_SLOTS] = {0};

	b->n = 0;
	while (b->n + 3 < MAX_SLOTS && size >= 4) {
		bool raw = size >= 9 && data[0] == 1;
		struct insn i;

		where[b->n] = data[0];
		whole[b->n] = 1;
		if (raw)
			memcpy(&i, data + 1, sizeof(i));
		else
			i = choose(data + 1);
		b->code[b->n++] = i;
		if (i.code == 0x18 && data[0] != 2)
			b->code[b->n++] = (struct insn){.imm = data[0] > 128};
		data += raw ? 9 : 4;
		size -= raw ? 9 : 4;
	}
	b->code[b->n++] = (struct insn){.code = 0xb7};
	b->code[b->n++] = (struct insn){.code = 0x95};
	whole[b->n - 1] = whole[b->n - 2] = 1;
	aim(b, whole, where);
}

/* --- What engines rely on --------------------------------------------------------------------- */

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t func_of(const struct prog *p, uint32_t pc)
{
	uint32_t f = 0;

	while (f + 1 < p->nfuncs && p->funcs[f + 1].start <= pc)
		f++;
	return f;
}

static void check_insn(const struct prog *p, uint32_t pc, const struct func *f)
{
	const struct insn *i = &p->insns[pc];
	enum op op = insn_op(i);
	unsigned fields;

	check(op != OP_INVALID && insn_fields_ok(op, i));
	check(insn_info[op].group != GROUP_CALLX && op != OP_CALL_KFUNC && op != OP_ADDR_CAST);
	fields = insn_info[op].fields;
	if (fields & (INSN_JOFF | INSN_JIMM)) {
		int64_t target = insn_target(op, i, pc);

		check(target >= f->start && target < f->end);
	}
	if (op == OP_CALL)
		check(p->aux[pc].call || i->imm == HELPER_TAIL_CALL);
	if (op == OP_CALL_LOCAL) {
		check(p->aux[pc].func < p->nfuncs);
		check(p->funcs[p->aux[pc].func].start == pc + 1 + (uint32_t)i->imm);
	}
	if (op == OP_LDDW && p->orig[p->aux[pc].orig].src == 4)
		check(insn_imm64(i) == (uintptr_t)&p->funcs[p->aux[pc].func].cb);
	check(!(fields & INSN_WIDE) || op == OP_LDDW);
	check(p->aux[pc].orig < p->norig);
}

static void check_prog(const struct prog *p)
{
	static uint8_t second[MAX_SLOTS * MAP_INLINE_MAX];
	uint32_t at = 0;

	check(p->nfuncs && p->nfuncs <= MAX_FUNCS && p->ninsns <= sizeof(second));
	memset(second, 0, sizeof(second));
	for (uint32_t i = 0; i < p->nfuncs; i++) {
		check(p->funcs[i].start == at && p->funcs[i].end > at);
		check(p->funcs[i].stack <= STACK_SIZE && p->funcs[i].stack % 8 == 0);
		check(p->funcs[i].cb.prog == p && p->funcs[i].cb.func == i);
		at = p->funcs[i].end;
	}
	check(at == p->ninsns);
	for (uint32_t pc = 0; pc < p->ninsns; pc++) {
		check_insn(p, pc, &p->funcs[func_of(p, pc)]);
		if (insn_slots(insn_op(&p->insns[pc])) == 2)
			second[++pc] = 1;
	}
	for (uint32_t pc = 0; pc < p->ninsns; pc++) {
		enum op op = second[pc] ? OP_INVALID : insn_op(&p->insns[pc]);

		if (op != OP_INVALID && insn_info[op].fields & (INSN_JOFF | INSN_JIMM))
			check(!second[insn_target(op, &p->insns[pc], pc)]);
	}
}

static int load(struct box *b, uint8_t kind, struct buf *log, struct prog **out)
{
	struct verify_env env = {.arg = b, .map_of_fd = map_of_fd, .map_of_index = map_of_fd, .log = log};
	struct prog *p = prog_new(&b->k);
	int err;

	*out = NULL;
	if (!p)
		return -ENOMEM;
	p->hook = b->k.reg.hooks[kind % b->k.reg.nhooks];
	p->type = p->hook->prog_type;
	p->gpl = kind & 0x80;
	p->orig = mem_copy(&b->k.mem, b->code, b->n * sizeof(*b->code));
	p->norig = b->n;
	err = p->orig ? verify(p, &env) : -ENOMEM;
	if (err)
		obj_put(&p->obj);
	else
		*out = p;
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct box *b = calloc(1, sizeof(*b));
	struct mem mem = {budget_alloc, budget_free, &b->budget};
	struct buf log = {0};
	struct prog *p;
	int err;

	if (!b || size < 2)
		goto out;
	b->budget.countdown = -1;
	check(!core_init(&b->k, &mem, &tables, 2));
	for (int i = 0; i < MAPS; i++)
		check(!map_create(&b->k, &attrs[i], &b->maps[i]));
	make(b, data + 2, size - 2);
	b->budget.countdown = data[1] < 128 ? -1 : data[1] % 16;
	err = load(b, data[0], &log, &p);
	check(err || !log.len);
	check(!err || log.len || err == -ENOMEM);
	if (!err)
		check_prog(p);
	b->budget.countdown = -1;
	if (p)
		obj_put(&p->obj);
	for (int i = 0; i < MAPS; i++)
		obj_put(&b->maps[i]->obj);
	tables_release(&b->k);
	core_exit(&b->k);
	check(!b->budget.live);
	buf_free(&log);
out:
	free(b);
	return 0;
}
