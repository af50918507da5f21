/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wrong use of skep_hook.h: each is refused with an errno and a sentence that says what to change.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "skep_hook.h"

struct ctx {
	uint32_t a, b;
	uint64_t p;
	uint32_t data, end;
	uint32_t array[3];
	uint8_t tail;
};
struct real {
	uint32_t a;
	uint16_t b;
	void *p, *data, *end;
};

static unsigned tests, failed;
static char told[SKEP_MESSAGE];

static void tell(void *arg, const char *text)
{
	snprintf(told, sizeof(told), "%s", text);
}

static void expect(bool fine, const char *what, const char *message)
{
	failed += !fine;
	printf("%sok %u - %s\n", fine ? "" : "not ", ++tests, what);
	printf("# %s\n", message);
}

static struct skep *kernel(void)
{
	const struct skep_options o = {.size = sizeof(o), .diagnose = tell};
	struct skep *k = NULL;

	return skep_new(&o, &k) ? NULL : k;
}

static const struct skep_field good_fields[] = {
	SKEP_FIELD(struct ctx, a, SKEP_READ),
	SKEP_FIELD(struct ctx, b, SKEP_READ | SKEP_WRITE),
	{0},
};
static const struct skep_type good = {
	SKEP_TYPE_HEAD("good", SKEP_USER_FIRST + 1), .ctx_size = sizeof(struct ctx), .fields = good_fields,
};

/* The type must be refused so, and the sentence have both words. */
static void refuses(const struct skep_type *t, int want, const char *what, const char *change)
{
	char message[SKEP_MESSAGE] = "";
	struct skep *k = kernel();
	int err = skep_type_add(k, &good, NULL), got;

	got = skep_type_add(k, t, message);
	expect(!err && got == want && strstr(message, change) && !strcmp(message, told), what, message);
	skep_free(k);
}

static struct skep_type like(const char *name)
{
	struct skep_type t = good;

	t.name = name;
	t.number = SKEP_USER_FIRST + 2;
	return t;
}

#define FIELD_CASE(want, change, what, ...)                                                        \
	do {                                                                                       \
		const struct skep_field rows[] = {__VA_ARGS__, {0}};                               \
		struct skep_type t = like("t");                                                    \
		t.fields = rows;                                                                   \
		t.real_ctx_size = sizeof(struct real);                                             \
		refuses(&t, want, what, change);                                                   \
	} while (0)
#define ROW(name, off, size, access, kind, roff, rsize, mem) {name, off, size, access, kind, roff, rsize, mem}

static void fields(void)
{
	FIELD_CASE(-EINVAL, "outside of a context of", "field behind the context",
	           ROW("x", sizeof(struct ctx), 4, 1, 0, 0, 4, 0));
	FIELD_CASE(-EINVAL, "outside of a real context", "field behind the real context",
	           ROW("x", 0, 4, 1, 0, sizeof(struct real), 4, 0));
	FIELD_CASE(-EINVAL, "overlaps a", "overlapping fields", ROW("a", 0, 4, 1, 0, 0, 4, 0),
	           ROW("b", 2, 2, 1, 0, 4, 2, 0));
	FIELD_CASE(-EINVAL, "sorted by offset", "fields out of order", ROW("b", 4, 4, 1, 0, 0, 4, 0),
	           ROW("a", 0, 4, 1, 0, 4, 4, 0));
	FIELD_CASE(-EINVAL, "no multiple of 4: move", "misaligned field", ROW("a", 2, 4, 1, 0, 0, 4, 0));
	FIELD_CASE(-EINVAL, "access 0x0 is none", "field without access", ROW("a", 0, 4, 0, 0, 0, 4, 0));
	FIELD_CASE(-EINVAL, "access 0x40 is none", "unknown access", ROW("a", 0, 4, 64, 0, 0, 4, 0));
	FIELD_CASE(-EINVAL, "there is no kind 9", "unknown kind", ROW("a", 0, 4, 1, 9, 0, 4, 0));
	FIELD_CASE(-EINVAL, "make the real member as large", "real member that is larger",
	           ROW("a", 0, 4, 1, 0, 0, 8, 0));
	FIELD_CASE(-EINVAL, "SKEP_READ_PARTS", "array read as a whole", ROW("a", 0, 12, 1, 0, 0, 12, 0));
	FIELD_CASE(-EINVAL, "drop SKEP_WRITE_PARTS", "parts written of a smaller field",
	           ROW("a", 0, 4, 11, 0, 0, 2, 0));
	FIELD_CASE(-EINVAL, "change the member's type", "pointer of 4 bytes",
	           ROW("p", 0, 4, 1, SKEP_MEM, 8, 8, 16));
	FIELD_CASE(-EINVAL, "make its access SKEP_READ", "pointer that is written",
	           ROW("p", 8, 8, 3, SKEP_MEM, 8, 8, 16));
	FIELD_CASE(-EINVAL, "Set mem_size", "memory of no size", ROW("p", 8, 8, 1, SKEP_MEM, 8, 8, 0));
	FIELD_CASE(-EINVAL, "leave it 0", "size of a scalar's memory", ROW("a", 0, 4, 1, 0, 0, 4, 8));
	FIELD_CASE(-EINVAL, "add a field of SKEP_PACKET_END", "packet without an end",
	           ROW("data", 16, 4, 1, SKEP_PACKET, 16, 8, 0));
	FIELD_CASE(-EINVAL, "comes first", "end before the packet",
	           ROW("end", 16, 4, 1, SKEP_PACKET_END, 16, 8, 0),
	           ROW("data", 20, 4, 1, SKEP_PACKET, 24, 8, 0));
}

static void heads(void)
{
	struct skep_type t = like("t");
	static const uint32_t kernels[] = {37, 0}, taken[] = {SKEP_USER_FIRST + 1, 0}, none[] = {0};
	static const struct skep_range stranger[] = {{SKEP_USER_FIRST + 99, 0, 1}, {SKEP_ANY_ATTACH, 0, 0}},
	                               empty[] = {{SKEP_ANY_ATTACH, 1, 0}};
	static const char *const calls[] = {"bpf_map_lookup_elem", "bpf_make_coffee", NULL};

	t.number = good.number;
	refuses(&t, -EEXIST, "two types with one number", "give one of them another");
	t = like("good");
	refuses(&t, -EEXIST, "two types with one name", "rename yours");
	t = like("xdp");
	refuses(&t, -EEXIST, "a name of the kernel's", "rename yours");
	t = like("t");
	t.number = 6;
	refuses(&t, -EINVAL, "a number of the kernel's", "take one of 0x534b1000");
	t = like("no spaces");
	refuses(&t, -EINVAL, "a name with a space", "letters, digits or _");
	t = like("t");
	t.abi = 2;
	refuses(&t, -EINVAL, "another ABI version", "compile against the skep_hook.h of libskep");
	t = like("t");
	t.size = 8;
	refuses(&t, -EINVAL, "another size", "compile against the skep_hook.h");
	t = like("t");
	t.fields = NULL;
	refuses(&t, -EINVAL, "a context without fields", "list them");
	t = like("t");
	t.ctx_size = 40000;
	refuses(&t, -EINVAL, "a context that is too large", "point to what is larger");
	t = like("t");
	t.packet_writes = 1;
	refuses(&t, -EINVAL, "stores into no packet", "add fields of SKEP_PACKET");
	t = like("t");
	t.attach_types = kernels;
	refuses(&t, -EINVAL, "an attach type of the kernel's", "take one of");
	t.attach_types = taken;
	refuses(&t, -EEXIST, "an attach type of another type's", "give one of them another");
	t.attach_types = none;
	refuses(&t, -EINVAL, "no attach type", "leave it NULL");
	t = like("t");
	t.returns = stranger;
	refuses(&t, -EINVAL, "returns of an unknown attach type", "add it there");
	t.returns = empty;
	refuses(&t, -EINVAL, "returns of nothing", "exchange min and max");
	t = like("t");
	t.calls = calls;
	refuses(&t, -EINVAL, "a helper that is not there", "no helper or kernel function bpf_make_coffee");
}

static uint64_t fn(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct skep_cpu *cpu)
{
	return 0;
}

static void helper(struct skep_helper h, int want, const char *what, const char *change)
{
	static const struct skep_helper there = {SKEP_HELPER_HEAD("there", SKEP_USER_FIRST, fn)};
	char message[SKEP_MESSAGE] = "";
	struct skep *k = kernel();
	int err = skep_helper_add(k, &there, NULL), got = skep_helper_add(k, &h, message);

	expect(!err && got == want && strstr(message, change), what, message);
	skep_free(k);
}

#define HELPER(want, change, what, ...)                                                            \
	helper((struct skep_helper){SKEP_HELPER_HEAD("h", SKEP_USER_FIRST + 1, fn), __VA_ARGS__}, want, what,  \
	       change)

static void helpers(void)
{
	helper((struct skep_helper){SKEP_HELPER_HEAD("h", SKEP_USER_FIRST, fn)}, -EEXIST,
	       "two helpers with one number", "give one of them another");
	helper((struct skep_helper){SKEP_HELPER_HEAD("h", 1, fn)}, -EINVAL, "a helper with a kernel's number",
	       "take one of");
	helper((struct skep_helper){SKEP_HELPER_HEAD("bpf_loop", SKEP_USER_FIRST + 1, fn)}, -EEXIST,
	       "a helper with a kernel's name", "rename yours");
	helper((struct skep_helper){SKEP_HELPER_HEAD("h", SKEP_USER_FIRST + 1, NULL)}, -EINVAL,
	       "a helper without a function", "name the function");
	helper((struct skep_helper){.name = "h", .number = SKEP_USER_FIRST + 1, .fn = fn}, -EINVAL,
	       "a helper without SKEP_HELPER_HEAD", "begin it with SKEP_HELPER_HEAD()");
	HELPER(-EINVAL, "let SKEP_ARG_SIZE follow", "memory without a length", .arg = {SKEP_ARG_MEM});
	HELPER(-EINVAL, "put the memory before it", "a length without memory", .arg = {SKEP_ARG_SIZE});
	HELPER(-EINVAL, "SKEP_ARG_BYTES()", "fixed memory of no size", .arg = {SKEP_ARG_FIXED_MEM});
	HELPER(-EINVAL, "Put SKEP_ARG_MAP before it", "a key of no map", .arg = {SKEP_ARG_MAP_KEY});
	HELPER(-EINVAL, "of no kind that there is", "an unknown kind of argument", .arg = {77});
	HELPER(-EINVAL, "Set btf (skep_btf_add())", "an object without BTF", .arg = {SKEP_ARG_OBJECT});
	HELPER(-EINVAL, "Set btf (skep_btf_add())", "an answered object without BTF",
	       .ret = SKEP_RET_OBJECT_OR_NULL);
	HELPER(-EINVAL, "Give it a SKEP_ARG_MAP", "a value of no map", .ret = SKEP_RET_MAP_VALUE_OR_NULL);
	HELPER(-EINVAL, "ret_size", "memory of no size", .ret = SKEP_RET_MEM_OR_NULL);
	HELPER(-EINVAL, "of no kind that there is", "an unknown kind of answer", .ret = 77);
	HELPER(-EINVAL, "drop SKEP_HELPER_RELEASES", "a release of a number", .arg = {SKEP_ARG_ANY},
	       .flags = SKEP_HELPER_RELEASES);
	HELPER(-EINVAL, "drop SKEP_HELPER_ACQUIRES", "a number that is acquired",
	       .flags = SKEP_HELPER_ACQUIRES);
	HELPER(-EINVAL, "enum skep_helper_flags", "unknown flags", .flags = 1 << 30);
}

static void points(void)
{
	char message[SKEP_MESSAGE] = "";
	struct skep_point *a, *b;
	struct skep *k = kernel();

	expect(skep_point_new(k, good.number, 0, 0, &a, message) == -ENOENT && strstr(message, "add it first"),
	       "a point of a type that is not there", message);
	skep_type_add(k, &good, NULL);
	expect(skep_point_new(k, good.number, 1234, 0, &a, message) == -EINVAL &&
	               strstr(message, "name it in the type's attach_types"),
	       "a point of an unknown attach type", message);
	skep_point_new(k, good.number, 0, 0, &a, NULL);
	expect(skep_point_new(k, good.number, 0, 0, &b, message) == -EEXIST &&
	               strstr(message, "take another target"), "two points at one target", message);
	skep_point_free(a);
	skep_free(k);
}

static struct skep_prog *load(struct skep *k, char *message)
{
	static const uint64_t nothing[] = {0xb7, 0x95};
	const struct skep_load l = {.size = sizeof(l), .type = good.number, .insns = nothing, .ninsns = 2,
	                            .name = "nothing"};
	struct skep_prog *p = NULL;

	skep_load(k, &l, &p, message);
	return p;
}

static void late(void)
{
	struct skep_type t = like("late");
	char message[SKEP_MESSAGE] = "";
	struct skep *k = kernel();
	struct skep_prog *p;

	skep_type_add(k, &good, NULL);
	p = load(k, message);
	expect(p && skep_type_add(k, &t, message) == -EBUSY && strstr(message, "right behind skep_new()"),
	       "a type after the first program", message);
	told[0] = '\0';
	skep_free(k);
	expect(strstr(told, "skep_prog_put()"), "a kernel freed before its programs", told);
	k = kernel();
	skep_type_add(k, &good, NULL);
	told[0] = '\0';
	{
		struct skep_cpu *cpu = skep_cpu_enter(k);

		skep_free(k);
		expect(strstr(told, "skep_cpu_leave()"), "a kernel freed with a thread inside", told);
		skep_cpu_leave(cpu);
	}
	skep_free(k);
}

static void forked(void)
{
	char message[SKEP_MESSAGE] = "";
	struct skep *k = kernel();
	int status = 1;

	skep_type_add(k, &good, NULL);
	if (fork() == 0) {
		struct skep_prog *p = load(k, message);

		_exit(!p && strstr(message, "a fork of the process") ? 0 : 1);
	}
	wait(&status);
	expect(status == 0, "a call from a fork", "(said in the child)");
	skep_free(k);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	fields();
	heads();
	helpers();
	points();
	late();
	forked();
	printf("1..%u\n", tests);
	return failed != 0;
}
