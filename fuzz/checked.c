/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine on hostile programs: whatever passes the structural checks may run, on a packet, with
 * maps and helpers, and must neither crash nor touch memory that is not its own (AddressSanitizer sees
 * that), and must end.
 *
 * The input chooses the program type and, six bytes each, instructions whose fields are then made valid.
 * A fixed prologue leaves pointers in r6 to r9, so that programs reach memory, and go wrong there.
 */
#include <stdlib.h>
#include <string.h>

#include "core/hook.h"
#include "core/map.h"
#include "core/pkt.h"
#include "exec/exec.h"
#include "fuzz.h"
#include "sys/tables.h"
#include "verifier/verify.h"

enum { MAX_SLOTS = 200, MAPS = 6, PACKET = 64, FUEL = 20000, PROG_TYPE_RAW = 0x534b0000 };

static const struct map_attr attrs[MAPS] = {
	{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 24, .max_entries = 1},
	{.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 5, .max_entries = 3},
	{.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 12, .max_entries = 2},
	{.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
	{.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
	{.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 8, .value_size = 16, .max_entries = 4},
};

struct box {
	struct skep k;
	struct map *maps[MAPS];
	struct insn code[MAX_SLOTS];
	uint32_t n;
};

static int map_of_fd(void *arg, int32_t fd, struct map **out)
{
	struct box *b = arg;

	if (fd < 0 || fd >= MAPS)
		return -1;
	obj_get(&b->maps[fd]->obj);
	*out = b->maps[fd];
	return 0;
}

static void add(struct box *b, struct insn i)
{
	b->code[b->n++] = i;
}

static void add_wide(struct box *b, unsigned dst, unsigned src, int32_t imm, int32_t imm2)
{
	struct insn i = {.code = 0x18, .imm = imm};

	i.dst = dst & 15;
	i.src = src & 15;
	add(b, i);
	add(b, (struct insn){.imm = imm2});
}

/* r6 the context, r7 the packet, r8 the array's value, r9 the stack, r1 - r5 the map and numbers. */
static void prologue(struct box *b, uint32_t type)
{
	add(b, (struct insn){.code = 0xbf, .dst = R6, .src = R1});
	if (type == PROG_TYPE_RAW)
		add(b, (struct insn){.code = 0x79, .dst = R7, .src = R1});
	else if (type == BPF_PROG_TYPE_XDP)
		add(b, (struct insn){.code = 0x61, .dst = R7, .src = R1});
	else
		add(b, (struct insn){.code = 0xb7, .dst = R7, .imm = 3});
	add_wide(b, R8, 2, 0, 8);
	add(b, (struct insn){.code = 0xbf, .dst = R9, .src = R10});
	add(b, (struct insn){.code = 0x07, .dst = R9, .imm = -16});
	for (unsigned r = R2; r <= R5; r++) {
		struct insn i = {.code = 0xbf, .src = R9};

		i.dst = r & 15;
		add(b, i);
	}
	add(b, (struct insn){.code = 0xb7});
}

/* A helper that there is. */
static int32_t helper_id(unsigned n)
{
	for (;; n++) {
		const struct helper *h = &tables.helpers[n % tables.nhelpers];

		if (h->fn || h->flags & HELPER_INLINE)
			return (int32_t)(n % tables.nhelpers);
	}
}

/* An instruction from six bytes; jumps and calls go to slots below limit. */
static void add_from(struct box *b, const uint8_t in[6], uint32_t limit)
{
	const struct insn_info *row = &insn_info[in[0] % OP_COUNT];
	enum op op = (enum op)(row - insn_info);
	unsigned f = row->fields;
	struct insn i = {.code = row->code};

	if (f & (INSN_RD | INSN_WD))
		i.dst = (f & INSN_WD ? in[1] % R10 : in[1] % NREGS) & 15;
	if (f & INSN_RS)
		i.src = (f & INSN_WS ? in[2] % R10 : in[2] % NREGS) & 15;
	if (f & INSN_OFF)
		i.off = in[3] >= 0xe0 ? (int16_t)(in[3] << 8 | in[4]) : in[4] % 24 & ~(in[3] & 7);
	if (f & INSN_IMM)
		i.imm = in[3] & 0x40 ? (int8_t)in[5] : (in[3] & 7) * 1000003 + in[4] * in[5];
	if (f & INSN_JOFF)
		i.off = (int16_t)(in[4] % limit - (int)b->n - 1);
	if (f & INSN_JIMM || op == OP_CALL_LOCAL || op == OP_LDDW_FUNC)
		i.imm = (int32_t)(in[4] % limit - b->n - 1);
	if (op == OP_CALL)
		i.imm = helper_id(in[4]);
	if (row->key == KEY_OFF)
		i.off = (int16_t)row->value;
	if (row->key == KEY_IMM)
		i.imm = (int32_t)row->value;
	if (row->key == KEY_SRC)
		i.src = row->value & 15;
	if (op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_VALUE)
		i.imm = in[5] % MAPS;
	add(b, i);
	if (f & INSN_WIDE)
		add(b, (struct insn){.imm = f & INSN_IMM2 ? in[5] % 32 : 0});
}

/* A call with arguments that may fit: r1 a map or the context, the others memory or small numbers. */
static void add_call(struct box *b, const uint8_t in[6])
{
	static const uint8_t sources[4] = {R9, R8, R7, R6};
	struct insn i;

	if (in[1] & 1)
		add_wide(b, R1, 1, in[1] / 2 % MAPS, 0);
	else
		add(b, (struct insn){.code = 0xbf, .dst = R1, .src = R6});
	for (unsigned r = R2; r <= R5; r++) {
		bool number = in[2] >> r & 1;

		i = (struct insn){.code = number ? 0xb7 : 0xbf, .imm = number ? in[3] >> r : 0};
		i.dst = r & 15;
		i.src = number ? 0 : sources[in[4] >> (2 * (r - R2)) & 3] & 15;
		add(b, i);
	}
	add(b, (struct insn){.code = 0x85, .imm = helper_id(in[5])});
}

static void build(struct box *b, const uint8_t *data, size_t size, uint32_t type)
{
	uint32_t limit;

	prologue(b, type);
	limit = b->n + (uint32_t)(size / 6) + 1;
	for (; size >= 6 && b->n < MAX_SLOTS - 9; size -= 6, data += 6) {
		if (data[0] >= 0xe0)
			add_call(b, data);
		else
			add_from(b, data, limit < MAX_SLOTS ? limit : MAX_SLOTS);
	}
	add(b, (struct insn){.code = 0x95});
}

static struct prog *load(struct box *b, uint32_t type)
{
	const struct verify_env env = {.arg = b, .map_of_fd = map_of_fd};
	const struct mem *m = &b->k.mem;
	struct prog *p = prog_new(&b->k);

	if (!p)
		abort();
	p->type = type;
	p->hook = hook_find(&b->k, type);
	p->gpl = true;
	p->norig = b->n;
	p->orig = mem_copy(m, b->code, b->n * sizeof(b->code[0]));
	p->func_infos = mem_zalloc_array(m, 1, sizeof(p->func_infos[0]));
	p->nfunc_infos = 1; /* allows tail calls and callbacks anywhere */
	if (!p->orig || !p->func_infos || !p->hook)
		abort();
	if (verify(p, &env) || engine_checked.prepare(p)) {
		obj_put(&p->obj);
		return NULL;
	}
	p->engine = &engine_checked;
	if (obj_publish(&p->obj))
		abort();
	return p;
}

static void run(struct box *b, struct prog *p)
{
	uint8_t *packet = calloc(1, PACKET);
	union {
		struct {
			void *mem;
			uint64_t len;
		} raw;
		struct xdp xdp;
		struct skb skb;
	} ctx;
	const struct pkt pkt = {packet + 16, packet + 48, packet + 16, packet, packet + PACKET};
	struct cpu *cpu = &b->k.cpus[0];

	memset(&ctx, 0, sizeof(ctx));
	if (p->type == PROG_TYPE_RAW) {
		ctx.raw.mem = packet;
		ctx.raw.len = PACKET;
	} else if (p->type == BPF_PROG_TYPE_XDP) {
		ctx.xdp.pkt = pkt;
	} else {
		skb_init(&ctx.skb, &pkt);
		ctx.skb.mem = &b->k.mem;
		if (p->type == BPF_PROG_TYPE_SOCKET_FILTER)
			skb_pull_link(&ctx.skb);
	}
	cpu->fuel = FUEL;
	if (prog_run(p, &ctx, cpu) && cpu->fault)
		abort(); /* a fault answers 0 */
	if (cpu->checked)
		abort();
	if (p->type == BPF_PROG_TYPE_SOCKET_FILTER || p->type == BPF_PROG_TYPE_SCHED_CLS)
		skb_fini(&ctx.skb);
	free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = {PROG_TYPE_RAW, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SOCKET_FILTER,
	                                 BPF_PROG_TYPE_SCHED_CLS};
	struct box *b = calloc(1, sizeof(*b));
	uint32_t key = 0, type = types[size ? data[0] % 4 : 0];
	struct prog *p;

	if (!b || core_init(&b->k, &mem_libc, &tables, 1))
		abort();
	for (unsigned i = 0; i < MAPS; i++)
		if (map_create(&b->k, &attrs[i], &b->maps[i]))
			abort();
	build(b, data + (size > 0), size - (size > 0), type);
	p = load(b, type);
	if (p) {
		obj_get(&p->obj);
		if (b->maps[4]->ops->set(b->maps[4], &key, &p->obj, 0))
			obj_put(&p->obj);
		run(b, p);
		b->maps[4]->ops->release_uref(b->maps[4]);
		obj_put(&p->obj);
	}
	for (unsigned i = 0; i < MAPS; i++)
		obj_put(&b->maps[i]->obj);
	core_exit(&b->k);
	free(b);
	return 0;
}
