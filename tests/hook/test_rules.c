/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier enforces what a user-defined type says: for each rule a program that is refused with its
 * line, beside one that is not, which then answers the same on every engine.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/text.h"
#include "skep_hook.h"

struct seen {
	uint32_t ro, rw;
	uint64_t parts;
	uint32_t array[4];
	uint16_t small, unused;
	uint32_t wide;
	uint64_t page, note, maybe;
	uint32_t data, end;
};

/* Another layout on purpose: every access must be rewritten. */
struct real {
	uint8_t *data, *end;
	uint32_t array[4];
	uint8_t *maybe, *page, *note;
	uint64_t parts;
	uint32_t rw, ro;
	uint16_t wide; /* 4 bytes to programs */
	uint16_t small;
};

#define AT(member, access) SKEP_FIELD_AT(struct seen, member, struct real, member, access)
#define POINTER(member, kind, bytes)                                                               \
	SKEP_FIELD_OF(struct seen, member, struct real, member, SKEP_READ, kind, bytes)

static const struct skep_field fields[] = {
	AT(ro, SKEP_READ),
	AT(rw, SKEP_READ | SKEP_WRITE),
	AT(parts, SKEP_READ | SKEP_READ_PARTS | SKEP_WRITE),
	AT(array, SKEP_READ_PARTS | SKEP_WRITE_PARTS),
	AT(small, SKEP_READ | SKEP_WRITE),
	AT(wide, SKEP_READ | SKEP_WRITE),
	POINTER(page, SKEP_MEM_RDONLY, 64),
	POINTER(note, SKEP_MEM, 16),
	POINTER(maybe, SKEP_MEM_OR_NULL, 8),
	POINTER(data, SKEP_PACKET, 0),
	POINTER(end, SKEP_PACKET_END, 0),
	{0},
};

enum { FIRST = SKEP_USER_FIRST, ATTACH_A = SKEP_USER_FIRST + 0x10, ATTACH_B };

static const uint32_t attach_types[] = {ATTACH_A, ATTACH_B, 0};
static const struct skep_range returns[] = {{ATTACH_B, -3, -1}, {SKEP_ANY_ATTACH, 0, 7}};
static const char *const calls[] = {"t_sum", "t_fill", "t_ctx", "t_get", "t_sleep", "t_gpl", "t_key", "t_fixed", "t_const",
                                    "bpf_map_lookup_elem", "bpf_map_update_elem", NULL};
static const struct skep_type type = {
	SKEP_TYPE_HEAD("probe", FIRST), .ctx_size = sizeof(struct seen), .real_ctx_size = sizeof(struct real),
	.fields = fields, .attach_types = attach_types, .returns = returns, .calls = calls, .may_sleep = 1,
};
static const struct skep_type writes = {
	SKEP_TYPE_HEAD("probe_w", FIRST + 1), .ctx_size = sizeof(struct seen),
	.real_ctx_size = sizeof(struct real), .fields = fields, .packet_writes = 1,
};

#define FN(name)                                                                                   \
	static uint64_t name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,      \
	                     struct skep_cpu *cpu)

FN(t_sum)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < r2; i++)
		sum += ((const uint8_t *)r1)[i];
	return sum & 7;
}

FN(t_fill)
{
	memset((void *)r1, 1, r2);
	return 0;
}

FN(t_ctx)
{
	return r1 == (uint64_t)skep_cpu_ctx(cpu) ? 1 : 0;
}

FN(t_get)
{
	return r1 ? ((struct real *)skep_cpu_ctx(cpu))->note - (uint8_t *)0 : 0;
}

FN(t_none)
{
	return 0;
}

FN(t_key)
{
	uint64_t value = 0;

	return skep_map_lookup((struct skep_map *)r1, (const void *)r2, &value) == 0 ? value & 7 : 6;
}

FN(t_fixed)
{
	return *(const uint64_t *)r1 & 7;
}

static const struct skep_helper helpers[] = {
	{SKEP_HELPER_HEAD("t_sum", FIRST, t_sum), .arg = {SKEP_ARG_MEM, SKEP_ARG_SIZE}},
	{SKEP_HELPER_HEAD("t_fill", FIRST + 1, t_fill), .arg = {SKEP_ARG_UNINIT_MEM, SKEP_ARG_SIZE_OR_ZERO}},
	{SKEP_HELPER_HEAD("t_ctx", FIRST + 2, t_ctx), .arg = {SKEP_ARG_CTX}},
	{SKEP_HELPER_HEAD("t_get", FIRST + 3, t_get), .arg = {SKEP_ARG_ANY}, .ret = SKEP_RET_MEM_OR_NULL,
	 .ret_size = 16},
	{SKEP_HELPER_HEAD("t_sleep", FIRST + 4, t_none), .flags = SKEP_HELPER_SLEEPS},
	{SKEP_HELPER_HEAD("t_gpl", FIRST + 5, t_none), .flags = SKEP_HELPER_GPL},
	{SKEP_HELPER_HEAD("t_key", FIRST + 6, t_key), .arg = {SKEP_ARG_MAP, SKEP_ARG_MAP_KEY}},
	{SKEP_HELPER_HEAD("t_fixed", FIRST + 7, t_fixed), .arg = {SKEP_ARG_FIXED_MEM | SKEP_ARG_BYTES(8)}},
	{SKEP_HELPER_HEAD("t_const", FIRST + 8, t_none), .arg = {SKEP_ARG_CONST}},
	{SKEP_HELPER_HEAD("t_stranger", FIRST + 9, t_none)},
};
enum { HELPERS = sizeof(helpers) / sizeof(helpers[0]) };

static unsigned tests, failed;

static void ok(bool fine, const char *what, const char *more)
{
	failed += !fine;
	printf("%sok %u - %s\n", fine ? "" : "not ", ++tests, what);
	if (!fine)
		printf("# %s\n", more);
}

/* --- Assembling and loading ------------------------------------------------------------------ */

static bool helper_id(void *arg, const char *name, size_t len, int32_t *id)
{
	static const char *const kernels[] = {[1] = "bpf_map_lookup_elem", [2] = "bpf_map_update_elem",
	                                      [5] = "bpf_ktime_get_ns"};

	for (unsigned i = 0; i < HELPERS; i++)
		if (strlen(helpers[i].name) == len && !memcmp(helpers[i].name, name, len))
			return *id = (int32_t)helpers[i].number, true;
	for (int i = 1; i < 6; i++)
		if (kernels[i] && strlen(kernels[i]) == len && !memcmp(kernels[i], name, len))
			return *id = i, true;
	return false;
}

static bool map_id(void *arg, const char *name, size_t len, int32_t *fd)
{
	*fd = 0;
	return len == 1 && *name == 'm';
}

static const struct skep_options *options(enum skep_engine engine)
{
	static struct skep_options o;

	o = (struct skep_options){.size = sizeof(o), .engine = engine};
	return &o;
}

static struct skep *kernel(enum skep_engine engine, struct skep_map **map)
{
	const struct skep_map_def def = {.type = 1, .key_size = 4, .value_size = 8, .max_entries = 4};
	char message[SKEP_MESSAGE] = "";
	struct skep *k = NULL;
	int err = skep_new(options(engine), &k);

	for (unsigned i = 0; !err && i < HELPERS; i++)
		err = skep_helper_add(k, &helpers[i], message);
	if (!err)
		err = skep_type_add(k, &type, message);
	if (!err)
		err = skep_type_add(k, &writes, message);
	if (!err)
		err = skep_map_new(k, &def, map);
	if (err) {
		printf("Bail out! %s\n", message);
		exit(1);
	}
	return k;
}

struct program {
	const char *text;
	uint32_t type, attach, flags;
	const char *license;
};

static int load(struct skep *k, struct skep_map *map, const struct program *p, struct skep_prog **out,
                char *message)
{
	const struct asm_names names = {.helper = helper_id, .map = map_id};
	struct asm_error error;
	struct insn *insns;
	struct skep_load l;
	size_t n;
	int err;

	if (asm_program(p->text, strlen(p->text), &names, &insns, &n, &error)) {
		printf("Bail out! line %u: %s in\n%s\n", error.line, error.text, p->text);
		exit(1);
	}
	for (size_t i = 0; i < n; i++)
		if (insns[i].code == 0x18 && insns[i].src == 1)
			insns[i].src = 5; /* BPF_PSEUDO_MAP_IDX */
	l = (struct skep_load){.size = sizeof(l), .type = p->type, .attach_type = p->attach, .insns = insns,
	                       .ninsns = (uint32_t)n, .flags = p->flags, .maps = &map, .nmaps = 1,
	                       .license = p->license};
	err = skep_load(k, &l, out, message);
	free(insns);
	return err;
}

/* --- Rules ------------------------------------------------------------------------------------ */

static void refuse(const char *what, const char *line, struct program p)
{
	char message[SKEP_MESSAGE] = "accepted";
	struct skep_prog *prog = NULL;
	struct skep_map *map;
	struct skep *k = kernel(SKEP_ENGINE_AUTO, &map);
	int err = load(k, map, &p, &prog, message);

	ok(err < 0 && strstr(message, line), what, message);
	skep_prog_put(prog);
	skep_map_put(map);
	skep_free(k);
}

/* Accepted, and answers `want` on each engine, leaving the same context. */
static void accept(const char *what, uint64_t want, struct program p)
{
	static const enum skep_engine engines[] = {SKEP_ENGINE_INTERP, SKEP_ENGINE_AUTO, SKEP_ENGINE_CHECKED};
	struct real first = {0};
	char message[SKEP_MESSAGE] = "", why[SKEP_MESSAGE + 64] = "";
	bool fine = true;

	for (unsigned e = 0; fine && e < 3; e++) {
		uint8_t packet[16] = {1, 2, 3}, page[64] = {5, 6}, note[16] = {7}, maybe[8] = {4};
		struct real ctx;
		struct skep_prog *prog = NULL;
		struct skep_map *map;
		struct skep *k = kernel(engines[e], &map);
		struct skep_cpu *cpu = skep_cpu_enter(k);
		uint64_t ret;

		memset(&ctx, 0, sizeof(ctx)); /* padding is compared, too */
		ctx.data = packet, ctx.end = packet + sizeof(packet);
		ctx.page = page, ctx.note = note, ctx.maybe = maybe;
		ctx.ro = 3, ctx.rw = 4, ctx.parts = 0x1122334455667788;
		ctx.wide = 0x102, ctx.small = 6, ctx.array[1] = 2;
		if (load(k, map, &p, &prog, message) == 0) {
			ret = skep_run(prog, &ctx, cpu);
			ctx.data = ctx.end = ctx.page = ctx.note = ctx.maybe = NULL;
			if (!e)
				memcpy(&first, &ctx, sizeof(ctx));
			if ((uint32_t)ret != (uint32_t)want || memcmp(&first, &ctx, sizeof(ctx)) || skep_cpu_fault(cpu)) {
				fine = false;
				snprintf(why, sizeof(why), "engine %d: answered %llu, %s", engines[e],
				         (unsigned long long)ret,
				         skep_cpu_fault(cpu) ? skep_cpu_fault(cpu) : "or another context");
			}
		} else {
			fine = false;
			snprintf(why, sizeof(why), "%s", message);
		}
		skep_cpu_leave(cpu);
		skep_prog_put(prog);
		skep_map_put(map);
		skep_free(k);
	}
	ok(fine, what, why);
}

#define OF(...) (struct program){__VA_ARGS__}
#define EXIT "\nr0 = 0\nexit\n"

static void contexts(void)
{
	accept("a field is read where it is", 3, OF("r0 = *(u32 *)(r1 + 0)\nr0 &= 7\nexit\n", FIRST));
	accept("a field is written where it is", 0, OF("r2 = 77\n*(u32 *)(r1 + 4) = r2" EXIT, FIRST));
	refuse("a read-only field is not written", "invalid bpf_context access off=0 size=4",
	       OF("r2 = 1\n*(u32 *)(r1 + 0) = r2" EXIT, FIRST));
	refuse("no part of a field without SKEP_READ_PARTS", "invalid bpf_context access off=0 size=2",
	       OF("r0 = *(u16 *)(r1 + 0)" EXIT, FIRST));
	accept("a part of a field with it", 2, OF("r0 = *(u8 *)(r1 + 14)\nr0 &= 7\nexit\n", FIRST));
	refuse("no part is written without SKEP_WRITE_PARTS", "invalid bpf_context access off=8 size=1",
	       OF("r2 = 1\n*(u8 *)(r1 + 8) = r2" EXIT, FIRST));
	accept("a part of an array is written", 0, OF("r2 = 9\n*(u16 *)(r1 + 22) = r2" EXIT, FIRST));
	refuse("no more than the array", "invalid bpf_context access off=28 size=8",
	       OF("r0 = *(u64 *)(r1 + 28)" EXIT, FIRST));
	refuse("nothing between fields", "invalid bpf_context access off=34 size=2",
	       OF("r0 = *(u16 *)(r1 + 34)" EXIT, FIRST));
	refuse("nothing across fields", "invalid bpf_context access off=0 size=8",
	       OF("r0 = *(u64 *)(r1 + 0)" EXIT, FIRST));
	refuse("nothing behind the context", "invalid bpf_context access off=72 size=4",
	       OF("r0 = *(u32 *)(r1 + 72)" EXIT, FIRST));
	refuse("nothing before it", "invalid bpf_context access off=-4 size=4",
	       OF("r0 = *(u32 *)(r1 - 4)" EXIT, FIRST));
	accept("a smaller real member is widened", 2, OF("r0 = *(u32 *)(r1 + 36)\nr0 &= 7\nexit\n", FIRST));
	refuse("no variable offset", "variable ctx access", OF("r2 = *(u32 *)(r1 + 0)\nr2 &= 4\nr1 += r2\nr0 = *(u32 *)(r1 + 0)" EXIT, FIRST));
}

static void memory(void)
{
	accept("fixed memory needs no comparison", 5,
	       OF("r2 = *(u64 *)(r1 + 40)\nr0 = *(u8 *)(r2 + 0)\nr0 &= 7\nexit\n", FIRST));
	refuse("but has an end", "R2 min value is outside of the allowed memory range",
	       OF("r2 = *(u64 *)(r1 + 40)\nr0 = *(u32 *)(r2 + 61)" EXIT, FIRST));
	refuse("read-only memory is not written", "cannot write into",
	       OF("r2 = *(u64 *)(r1 + 40)\n*(u8 *)(r2 + 0) = 1" EXIT, FIRST));
	accept("other memory is", 0, OF("r2 = *(u64 *)(r1 + 48)\n*(u8 *)(r2 + 15) = 1" EXIT, FIRST));
	refuse("to its end", "R2 min value is outside of the allowed memory range",
	       OF("r2 = *(u64 *)(r1 + 48)\n*(u8 *)(r2 + 16) = 1" EXIT, FIRST));
	refuse("memory that may be absent must be compared", "invalid mem access 'mem_or_null'",
	       OF("r2 = *(u64 *)(r1 + 56)\nr0 = *(u8 *)(r2 + 0)" EXIT, FIRST));
	accept("and then is there", 4,
	       OF("r0 = 0\nr2 = *(u64 *)(r1 + 56)\nif r2 == 0 goto +2\nr0 = *(u8 *)(r2 + 0)\nr0 &= 7\nexit\n", FIRST));
	refuse("a pointer is read as a whole", "invalid bpf_context access off=40 size=4",
	       OF("r2 = *(u32 *)(r1 + 40)" EXIT, FIRST));
	refuse("a pointer is not written", "invalid bpf_context access off=40 size=8",
	       OF("r2 = 1\n*(u64 *)(r1 + 40) = r2" EXIT, FIRST));
}

#define PACKET "r2 = *(u32 *)(r1 + 64)\nr3 = *(u32 *)(r1 + 68)\n"

static void packets(void)
{
	accept("a packet after a comparison", 1,
	       OF(PACKET "r4 = r2\nr4 += 8\nr0 = 0\nif r4 > r3 goto +2\nr0 = *(u8 *)(r2 + 0)\nr0 &= 7\nexit\n", FIRST));
	refuse("not without one", "R2 offset is outside of the packet", OF(PACKET "r0 = *(u8 *)(r2 + 0)" EXIT, FIRST));
	refuse("not beyond it", "R2 offset is outside of the packet",
	       OF(PACKET "r4 = r2\nr4 += 8\nr0 = 0\nif r4 > r3 goto +1\nr0 = *(u8 *)(r2 + 8)\nexit\n", FIRST));
	refuse("no stores where the type has none", "cannot write into packet",
	       OF(PACKET "r4 = r2\nr4 += 8\nif r4 > r3 goto +1\n*(u8 *)(r2 + 0) = 1" EXIT, FIRST));
	accept("stores where it has", 0,
	       OF(PACKET "r4 = r2\nr4 += 8\nif r4 > r3 goto +1\n*(u8 *)(r2 + 0) = 1" EXIT, FIRST + 1));
}

static void ends(void)
{
	refuse("what programs return is bounded", "At program exit the register R0 has", OF("r0 = 8\nexit\n", FIRST));
	refuse("by attach type", "should have been in [-3, -1]", OF("r0 = 0\nexit\n", FIRST, ATTACH_B));
	accept("within the bounds", (uint64_t)-2, OF("r0 = -2\nexit\n", FIRST, ATTACH_B));
	refuse("an unknown attach type", "name it in the type's attach_types", OF("r0 = 0\nexit\n", FIRST, FIRST));
	refuse("an unknown type", "add it first", OF("r0 = 0\nexit\n", FIRST + 0x100));
	accept("sleepable, where the type says so", 0, OF("call t_sleep" EXIT, FIRST, 0, 1 << 4));
	refuse("not where it does not", "can be sleepable", OF("r0 = 0\nexit\n", FIRST + 1, 0, 1 << 4));
}

static void calls_of(void)
{
	accept("own helpers get what they ask for", 4,
	       OF("*(u64 *)(r10 - 8) = 0x01010101\nr1 = r10\nr1 += -8\nr2 = 8\ncall t_sum\nr0 &= 7\nexit\n",
	          FIRST));
	refuse("memory that is too long", "invalid read from stack",
	       OF("*(u64 *)(r10 - 8) = 1\nr1 = r10\nr1 += -8\nr2 = 9\ncall t_sum" EXIT, FIRST));
	refuse("a length that may be 0", "invalid zero-sized read",
	       OF("*(u64 *)(r10 - 8) = 1\nr2 = *(u32 *)(r1 + 0)\nr2 &= 7\nr1 = r10\nr1 += -8\ncall t_sum" EXIT, FIRST));
	refuse("a length without bounds", "R2 min value is negative",
	       OF("*(u64 *)(r10 - 8) = 1\nr2 = *(u64 *)(r1 + 8)\nr1 = r10\nr1 += -8\ncall t_sum" EXIT, FIRST));
	refuse("a number for memory", "R1 type=scalar expected=fp", OF("r1 = 5\nr2 = 8\ncall t_sum" EXIT, FIRST));
	refuse("read-only memory for memory that is written", "R1 type=rdonly_mem expected=",
	       OF("r1 = *(u64 *)(r1 + 40)\nr2 = 8\ncall t_fill" EXIT, FIRST));
	accept("memory of a context's for memory that is read", 3,
	       OF("r1 = *(u64 *)(r1 + 40)\nr2 = 64\ncall t_sum\nr0 &= 7\nexit\n", FIRST));
	accept("memory that need not be initialised", 1,
	       OF("r1 = r10\nr1 += -8\nr2 = 8\ncall t_fill\nr0 = *(u8 *)(r10 - 3)\nr0 &= 7\nexit\n", FIRST));
	accept("the context", 1, OF("call t_ctx\nr0 &= 7\nexit\n", FIRST));
	refuse("something else for the context", "R1 type=fp expected=ctx",
	       OF("r1 = r10\ncall t_ctx" EXIT, FIRST));
	refuse("a context that was moved", "dereference of modified ctx ptr",
	       OF("r1 += 8\ncall t_ctx" EXIT, FIRST));
	refuse("answered memory must be compared", "invalid mem access 'mem_or_null'",
	       OF("r1 = 1\ncall t_get\nr0 = *(u8 *)(r0 + 0)" EXIT, FIRST));
	accept("answered memory", 7, OF("r1 = 1\ncall t_get\nif r0 == 0 goto +1\nr0 = *(u8 *)(r0 + 0)\nr0 &= 7\nexit\n",
	                                FIRST));
	refuse("has an end", "R0 min value is outside of the allowed memory range",
	       OF("r1 = 1\ncall t_get\nif r0 == 0 goto +1\nr0 = *(u8 *)(r0 + 16)" EXIT, FIRST));
	refuse("a helper that sleeps", "helper call might sleep in a non-sleepable prog",
	       OF("call t_sleep" EXIT, FIRST));
	refuse("a GPL helper", "cannot call GPL-restricted function", OF("call t_gpl" EXIT, FIRST));
	accept("a GPL helper, under the GPL", 0, OF("call t_gpl" EXIT, FIRST, 0, 0, "GPL"));
	refuse("a helper that is not among the type's calls", "program of this type cannot use helper t_stranger",
	       OF("call t_stranger" EXIT, FIRST));
	refuse("a kernel's helper that is not", "program of this type cannot use helper bpf_ktime_get_ns",
	       OF("call bpf_ktime_get_ns" EXIT, FIRST));
	refuse("an own helper for types that do not name it", "program of this type cannot use helper t_ctx",
	       OF("call t_ctx" EXIT, FIRST + 1));
	refuse("an own helper for built-in types", "program of this type cannot use helper t_ctx",
	       OF("call t_ctx" EXIT, 6));
	refuse("a helper that nobody has", "invalid func unknown",
	       OF("call 0x534bfff0" EXIT, FIRST));
	accept("all helpers of all types, where calls is NULL", 0, OF("call bpf_ktime_get_ns" EXIT, FIRST + 1));
	refuse("a number for a map", "R1 type=scalar expected=map_ptr",
	       OF("r1 = 0\nr2 = r10\nr2 += -4\ncall t_key" EXIT, FIRST));
	refuse("a key that is not there", "R2 type=scalar expected=fp",
	       OF("r1 = map[m]\nr2 = 4\ncall t_key" EXIT, FIRST));
	accept("a map and its key", 6,
	       OF("*(u32 *)(r10 - 4) = 0\nr1 = map[m]\nr2 = r10\nr2 += -4\ncall t_key\nr0 &= 7\nexit\n", FIRST));
	refuse("fixed memory that is too short", "invalid read from stack",
	       OF("*(u32 *)(r10 - 4) = 0\nr1 = r10\nr1 += -4\ncall t_fixed" EXIT, FIRST));
	accept("fixed memory", 5, OF("*(u64 *)(r10 - 8) = 5\nr1 = r10\nr1 += -8\ncall t_fixed\nr0 &= 7\nexit\n", FIRST));
	refuse("a number that must be known", "R1 is not a known constant",
	       OF("r1 = *(u32 *)(r1 + 0)\ncall t_const" EXIT, FIRST));
	refuse("what follows a call's arguments is gone", "R1 !read_ok",
	       OF("call t_ctx\nr0 = *(u32 *)(r1 + 0)" EXIT, FIRST));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	contexts();
	memory();
	packets();
	ends();
	calls_of();
	printf("1..%u\n", tests);
	return failed != 0;
}
