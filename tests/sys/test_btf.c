/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_BTF_LOAD: what is valid BTF, and the errno for everything else. */
#include <stdlib.h>

#include "place.h"

/* Offsets of the strings that every piece of BTF here has. */
enum { INT = 1, FOO = 5, BAR = 9, BAD = 13, DOT = 17 };
static const char strings[] = "\0int\0foo\0bar\0a b\0.x"; /* and the final NUL */

enum {
	K_INT = 1, K_PTR, K_ARRAY, K_STRUCT, K_UNION, K_ENUM, K_FWD, K_TYPEDEF, K_VOLATILE, K_CONST,
	K_RESTRICT, K_FUNC, K_PROTO, K_VAR, K_DATASEC, K_FLOAT, K_DECL_TAG, K_TYPE_TAG, K_ENUM64,
};

#define T(name, kind, vlen, third) name, (uint32_t)(kind) << 24 | (vlen), third
#define FLAG(name, kind, vlen, third) name, 1u << 31 | (uint32_t)(kind) << 24 | (vlen), third
#define INT4 T(INT, K_INT, 0, 4), 1 << 24 | 32
#define VAR4 INT4, T(FOO, K_VAR, 0, 1), 1
#define PROTO INT4, T(0, K_PROTO, 0, 1)
#define FUNC PROTO, T(FOO, K_FUNC, 0, 2)
#define STRUCT INT4, T(FOO, K_STRUCT, 1, 4), BAR, 1, 0
#define FWD T(FOO, K_FWD, 0, 0)

static const struct {
	const char *name;
	int want;
	uint32_t types[40];
} cases[] = {
	{"kind 0", -EINVAL, {T(0, 0, 0, 0)}},
	{"kind 20", -EINVAL, {T(INT, 20, 0, 4)}},
	{"reserved bits of info, high", -EINVAL, {FOO, 1 << 29 | K_FWD << 24, 0}},
	{"reserved bits of info, low", -EINVAL, {FOO, 1 << 20 | K_FWD << 24, 0}},
	{"int", 1, {INT4}},
	{"int with kind flag", -EINVAL, {FLAG(INT, K_INT, 0, 4), 32}},
	{"int with vlen", -EINVAL, {T(INT, K_INT, 1, 4), 32}},
	{"int of 33 bits in 4 bytes", -EINVAL, {T(INT, K_INT, 0, 4), 33}},
	{"int that ends behind its size", -EINVAL, {T(INT, K_INT, 0, 4), 4 << 16 | 32}},
	{"int of 129 bits", -EINVAL, {T(INT, K_INT, 0, 20), 129}},
	{"int of two encodings", -ENOTSUPP, {T(INT, K_INT, 0, 4), 3 << 24 | 32}},
	{"int with unknown bits", -EINVAL, {T(INT, K_INT, 0, 4), 1 << 28 | 32}},
	{"int without a name", 1, {T(0, K_INT, 0, 4), 32}},
	{"int with a blank in its name", 1, {T(BAD, K_INT, 0, 4), 32}},
	{"int of 3 bytes", 1, {T(INT, K_INT, 0, 3), 24}},
	{"name outside of the strings", -EINVAL, {T(1000, K_INT, 0, 4), 32}},

	{"pointer to void", 1, {T(0, K_PTR, 0, 0)}},
	{"pointer with a name", -EINVAL, {INT4, T(INT, K_PTR, 0, 1)}},
	{"pointer to no type", -EINVAL, {T(0, K_PTR, 0, 9)}},
	{"pointer to itself", -EEXIST, {T(0, K_PTR, 0, 1)}},
	{"pointer to a function", 1, {FUNC, T(0, K_PTR, 0, 3)}},
	{"pointer to a prototype", 1, {PROTO, T(0, K_PTR, 0, 2)}},
	{"pointer to a variable", -EINVAL, {VAR4, T(0, K_PTR, 0, 2)}},
	{"typedef of itself", -EEXIST, {T(FOO, K_TYPEDEF, 0, 1)}},
	{"typedefs of each other", -EEXIST, {T(FOO, K_TYPEDEF, 0, 2), T(BAR, K_TYPEDEF, 0, 1)}},
	{"typedef of a struct that points to the typedef", 1,
	 {T(FOO, K_TYPEDEF, 0, 2), T(BAR, K_STRUCT, 1, 8), FOO, 3, 0, T(0, K_PTR, 0, 1)}},
	{"struct of a typedef that points to itself", -EEXIST,
	 {T(FOO, K_STRUCT, 1, 8), BAR, 2, 0, T(BAR, K_TYPEDEF, 0, 3), T(0, K_PTR, 0, 2)}},
	{"struct that contains itself by a typedef", -EEXIST,
	 {T(FOO, K_STRUCT, 1, 8), BAR, 2, 0, T(BAR, K_TYPEDEF, 0, 1)}},
	{"typedef without a name", -EINVAL, {INT4, T(0, K_TYPEDEF, 0, 1)}},
	{"typedef with a bad name", -EINVAL, {INT4, T(BAD, K_TYPEDEF, 0, 1)}},
	{"typedef with a dot", 1, {INT4, T(DOT, K_TYPEDEF, 0, 1)}},
	{"typedef of void", 1, {T(FOO, K_TYPEDEF, 0, 0)}},
	{"typedef of a function", 1, {FUNC, T(BAR, K_TYPEDEF, 0, 3)}},
	{"const with a name", -EINVAL, {INT4, T(INT, K_CONST, 0, 1)}},

	{"array", 1, {INT4, T(0, K_ARRAY, 0, 0), 1, 1, 4}},
	{"array with a name", -EINVAL, {INT4, T(INT, K_ARRAY, 0, 0), 1, 1, 4}},
	{"array with a size", -EINVAL, {INT4, T(0, K_ARRAY, 0, 4), 1, 1, 4}},
	{"array of void", -EINVAL, {INT4, T(0, K_ARRAY, 0, 0), 0, 1, 4}},
	{"array without an index type", -EINVAL, {INT4, T(0, K_ARRAY, 0, 0), 1, 0, 4}},
	{"array of itself", -EEXIST, {INT4, T(0, K_ARRAY, 0, 0), 2, 1, 4}},
	{"array larger than 4 GiB", -EINVAL, {INT4, T(0, K_ARRAY, 0, 0), 1, 1, 0xffffffff}},
	{"array indexed by pointers", -EINVAL,
	 {INT4, T(0, K_PTR, 0, 1), T(0, K_ARRAY, 0, 0), 1, 2, 4}},
	{"array cut short", -EINVAL, {INT4, T(0, K_ARRAY, 0, 0), 1}},

	{"struct", 1, {STRUCT}},
	{"struct without a name", 1, {INT4, T(0, K_STRUCT, 1, 4), BAR, 1, 0}},
	{"struct with a bad name", -EINVAL, {INT4, T(BAD, K_STRUCT, 1, 4), BAR, 1, 0}},
	{"struct in itself", -EEXIST, {INT4, T(FOO, K_STRUCT, 1, 4), BAR, 2, 0}},
	{"struct that points to itself", 1,
	 {INT4, T(FOO, K_STRUCT, 1, 8), BAR, 4, 0, T(0, K_CONST, 0, 2), T(0, K_PTR, 0, 3)}},
	{"member outside of its struct", -EINVAL, {INT4, T(FOO, K_STRUCT, 1, 4), BAR, 1, 8}},
	{"members out of order", -EINVAL,
	 {INT4, T(FOO, K_STRUCT, 2, 8), BAR, 1, 32, FOO, 1, 0}},
	{"member of type void", -EINVAL, {INT4, T(FOO, K_STRUCT, 1, 4), BAR, 0, 0}},
	{"member without a name", 1, {INT4, T(FOO, K_STRUCT, 1, 4), 0, 1, 0}},
	{"member with a bad name", -EINVAL, {INT4, T(FOO, K_STRUCT, 1, 4), BAD, 1, 0}},
	{"member between bytes", 1, {INT4, T(FOO, K_STRUCT, 1, 8), BAR, 1, 4}},
	{"member of unknown size", -EINVAL, {FWD, T(FOO, K_STRUCT, 1, 4), BAR, 1, 0}},
	{"member that is a prototype", -EINVAL, {PROTO, T(FOO, K_STRUCT, 1, 4), BAR, 2, 0}},
	{"members cut short", -EINVAL, {INT4, T(FOO, K_STRUCT, 3, 4), BAR, 1, 0}},
	{"union with an offset", -EINVAL, {INT4, T(FOO, K_UNION, 1, 8), BAR, 1, 32}},
	{"bit-field", 1, {INT4, FLAG(FOO, K_STRUCT, 1, 4), BAR, 1, 3 << 24 | 2}},
	{"bit-field outside", -EINVAL, {INT4, FLAG(FOO, K_STRUCT, 1, 4), BAR, 1, 3 << 24 | 30}},
	{"bit-field wider than its type", -EINVAL,
	 {INT4, FLAG(FOO, K_STRUCT, 1, 8), BAR, 1, 33 << 24}},

	{"enum", 1, {T(FOO, K_ENUM, 1, 4), BAR, 1}},
	{"enum, signed", 1, {FLAG(FOO, K_ENUM, 1, 4), BAR, 1}},
	{"enum without values", 1, {T(FOO, K_ENUM, 0, 4)}},
	{"enum of 3 bytes", -EINVAL, {T(FOO, K_ENUM, 1, 3), BAR, 1}},
	{"enum of 16 bytes", -EINVAL, {T(FOO, K_ENUM, 1, 16), BAR, 1}},
	{"enumerator without a name", -EINVAL, {T(FOO, K_ENUM, 1, 4), 0, 1}},
	{"enum64", 1, {T(FOO, K_ENUM64, 1, 8), BAR, 0, 0}},
	{"enum64 of 4 bytes", 1, {T(FOO, K_ENUM64, 1, 4), BAR, 0, 0}},
	{"enum64 of 3 bytes", -EINVAL, {T(FOO, K_ENUM64, 1, 3), BAR, 0, 0}},
	{"forward", 1, {FWD}},
	{"forward of a union", 1, {FLAG(FOO, K_FWD, 0, 0)}},
	{"forward without a name", -EINVAL, {T(0, K_FWD, 0, 0)}},
	{"forward with a type", -EINVAL, {T(FOO, K_FWD, 0, 1)}},
	{"forward with vlen", -EINVAL, {T(FOO, K_FWD, 1, 0)}},

	{"prototype", 1, {INT4, T(0, K_PROTO, 1, 1), FOO, 1}},
	{"prototype with ...", 1, {INT4, T(0, K_PROTO, 2, 1), FOO, 1, 0, 0}},
	{"prototype with ... first", -EINVAL, {INT4, T(0, K_PROTO, 2, 1), 0, 0, FOO, 1}},
	{"prototype with a name", -EINVAL, {INT4, T(FOO, K_PROTO, 0, 1)}},
	{"argument of unknown size", -EINVAL, {FWD, T(0, K_PROTO, 1, 0), FOO, 1}},
	{"argument of type void", -EINVAL, {INT4, T(0, K_PROTO, 2, 1), FOO, 0, FOO, 1}},
	{"argument with a bad name", -EINVAL, {INT4, T(0, K_PROTO, 1, 1), BAD, 1}},
	{"argument of no type", -EINVAL, {INT4, T(0, K_PROTO, 1, 1), FOO, 7}},
	{"argument that is a struct", 1, {STRUCT, T(0, K_PROTO, 1, 1), FOO, 2}},
	{"result of unknown size", -EINVAL, {FWD, T(0, K_PROTO, 0, 1)}},
	{"function", 1, {FUNC}},
	{"function of type int", -EINVAL, {INT4, T(FOO, K_FUNC, 0, 1)}},
	{"function without a name", -EINVAL, {PROTO, T(0, K_FUNC, 0, 2)}},
	{"function, global", 1, {PROTO, T(FOO, K_FUNC, 1, 2)}},
	{"function, extern", -EINVAL, {PROTO, T(FOO, K_FUNC, 2, 2)}},
	{"function with kind flag", -EINVAL, {PROTO, FLAG(FOO, K_FUNC, 0, 2)}},
	{"function with an argument without a name", -EINVAL,
	 {INT4, T(0, K_PROTO, 1, 1), 0, 1, T(FOO, K_FUNC, 0, 2)}},

	{"variable", 1, {VAR4}},
	{"variable, extern", -EINVAL, {INT4, T(FOO, K_VAR, 0, 1), 2}},
	{"variable of type void", -EINVAL, {INT4, T(FOO, K_VAR, 0, 0), 1}},
	{"variable without a name", -EINVAL, {INT4, T(0, K_VAR, 0, 1), 1}},
	{"variable of unknown size", -EINVAL, {FWD, T(FOO, K_VAR, 0, 1), 1}},
	{"variable of a variable", -EINVAL, {VAR4, T(FOO, K_VAR, 0, 2), 1}},
	{"section", 1, {VAR4, T(DOT, K_DATASEC, 1, 4), 2, 0, 4}},
	{"section with a blank in its name", 1, {VAR4, T(BAD, K_DATASEC, 1, 4), 2, 0, 4}},
	{"section without variables", 1, {VAR4, T(DOT, K_DATASEC, 0, 4)}},
	{"section before its variable", 1,
	 {INT4, T(DOT, K_DATASEC, 1, 4), 3, 0, 4, T(FOO, K_VAR, 0, 1), 1}},
	{"section of size 0", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 0), 2, 0, 4}},
	{"section without a name", -EINVAL, {VAR4, T(0, K_DATASEC, 1, 4), 2, 0, 4}},
	{"section with kind flag", -EINVAL, {VAR4, FLAG(DOT, K_DATASEC, 1, 4), 2, 0, 4}},
	{"variables that overlap", -EINVAL, {VAR4, T(DOT, K_DATASEC, 2, 8), 2, 0, 4, 2, 2, 4}},
	{"variable outside of its section", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 4), 2, 2, 4}},
	{"variable of size 0", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 4), 2, 0, 0}},
	{"variable larger than its type", 1, {VAR4, T(DOT, K_DATASEC, 1, 8), 2, 0, 8}},
	{"variable smaller than its type", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 8), 2, 0, 2}},
	{"section of a type", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 4), 1, 0, 4}},
	{"section of void", -EINVAL, {VAR4, T(DOT, K_DATASEC, 1, 4), 0, 0, 4}},
	{"section of a function", -EINVAL, {FUNC, T(DOT, K_DATASEC, 1, 4), 3, 0, 4}},

	{"float", 1, {T(FOO, K_FLOAT, 0, 4)}},
	{"float without a name", 1, {T(0, K_FLOAT, 0, 4)}},
	{"float of 3 bytes", -EINVAL, {T(FOO, K_FLOAT, 0, 3)}},
	{"float with vlen", -EINVAL, {T(FOO, K_FLOAT, 1, 4)}},
	{"tag of a variable", 1, {VAR4, T(FOO, K_DECL_TAG, 0, 2), (uint32_t)-1}},
	{"tag with a blank", 1, {VAR4, T(BAD, K_DECL_TAG, 0, 2), (uint32_t)-1}},
	{"tag with kind flag", 1, {VAR4, FLAG(FOO, K_DECL_TAG, 0, 2), (uint32_t)-1}},
	{"tag with vlen", -EINVAL, {VAR4, T(FOO, K_DECL_TAG, 1, 2), (uint32_t)-1}},
	{"tag without a text", -EINVAL, {VAR4, T(0, K_DECL_TAG, 0, 2), (uint32_t)-1}},
	{"tag of component -2", -EINVAL, {VAR4, T(FOO, K_DECL_TAG, 0, 2), (uint32_t)-2}},
	{"tag of a variable's component", -EINVAL, {VAR4, T(FOO, K_DECL_TAG, 0, 2), 0}},
	{"tag of an int", -EINVAL, {VAR4, T(FOO, K_DECL_TAG, 0, 1), (uint32_t)-1}},
	{"tag of void", -EINVAL, {VAR4, T(FOO, K_DECL_TAG, 0, 0), (uint32_t)-1}},
	{"tag of a typedef", 1,
	 {INT4, T(FOO, K_TYPEDEF, 0, 1), T(FOO, K_DECL_TAG, 0, 2), (uint32_t)-1}},
	{"tag of a member", 1, {STRUCT, T(FOO, K_DECL_TAG, 0, 2), 0}},
	{"tag of a member that is not there", -EINVAL, {STRUCT, T(FOO, K_DECL_TAG, 0, 2), 1}},
	{"type tag", 1, {INT4, T(FOO, K_TYPE_TAG, 0, 1)}},
	{"type tag without a text", -EINVAL, {INT4, T(0, K_TYPE_TAG, 0, 1)}},
	{"type tag with kind flag", 1, {INT4, FLAG(FOO, K_TYPE_TAG, 0, 1)}},
	{"type tag of const", 1, {INT4, T(0, K_CONST, 0, 1), T(FOO, K_TYPE_TAG, 0, 2)}},
};

struct header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

/* What is made of some types: header, types, strings. */
struct blob {
	struct header h;
	uint8_t rest[2048];
	uint32_t len;
};

static struct blob blob_make(const uint32_t *types, uint32_t words)
{
	struct blob b = {.h = {.magic = 0xeb9f, .version = 1, .hdr_len = sizeof(struct header)}};

	b.h.type_len = b.h.str_off = words * 4;
	b.h.str_len = sizeof(strings);
	memcpy(b.rest, types, words * 4);
	memcpy(b.rest + words * 4, strings, sizeof(strings));
	b.len = (uint32_t)sizeof(b.h) + words * 4 + b.h.str_len;
	return b;
}

static union attr load_of(const struct blob *b)
{
	return (union attr){.btf_load = {.btf = ptr(b), .btf_size = b->len}};
}

static void load(const struct place *p, const char *what, int want, struct blob b)
{
	expect(p, what, want, BTF_LOAD, load_of(&b));
}

/* Words up to the last that is not 0; a piece that ends in zeros says so by its kind's size. */
static uint32_t count_words(const uint32_t *w, uint32_t max)
{
	static const uint8_t fixed[32] = {[K_INT] = 1, [K_ARRAY] = 3, [K_VAR] = 1,
	                                  [K_DECL_TAG] = 1};
	static const uint8_t each[32] = {[K_STRUCT] = 3, [K_UNION] = 3, [K_ENUM] = 2,
	                                 [K_PROTO] = 2,  [K_DATASEC] = 3, [K_ENUM64] = 3};
	uint32_t used = max, at = 0;

	while (used && !w[used - 1])
		used--;
	while (at < used) {
		uint32_t kind = w[at + 1] >> 24 & 31;

		at += 3 + fixed[kind] + each[kind] * (w[at + 1] & 0xffff);
	}
	return at;
}

static void types(const struct place *p)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t words = count_words(cases[i].types, 40);

		/* "cut short" means just that. */
		if (strstr(cases[i].name, "cut short"))
			words = 8;
		load(p, cases[i].name, cases[i].want, blob_make(cases[i].types, words ? words : 3));
	}
}

static void headers(const struct place *p)
{
	static const uint32_t types[] = {INT4};
	const struct blob good = blob_make(types, 4);
	struct blob b;

#define BROKEN(what, want, change)                                                                 \
	b = good;                                                                                  \
	change;                                                                                    \
	load(p, what, want, b)
	BROKEN("header as it should be", 1, (void)0);
	BROKEN("other magic", -EINVAL, b.h.magic = 1);
	BROKEN("version 2", -ENOTSUPP, b.h.version = 2);
	BROKEN("flags", -ENOTSUPP, b.h.flags = 1);
	BROKEN("short header", -EINVAL, b.h.hdr_len = 20);
	BROKEN("types not at the start", -EINVAL, b.h.type_off = 4);
	BROKEN("gap behind the types", -EINVAL, b.h.type_len = 4);
	BROKEN("strings among the types", -EINVAL, b.h.str_off = 1);
	BROKEN("strings cut", -EINVAL, b.h.str_len = 4);
	BROKEN("no strings", -EINVAL, b.h.str_len = 0);
	BROKEN("more than it says", -EINVAL, b.len++);
	BROKEN("less than it says", -EINVAL, b.len = 30);
	BROKEN("3 bytes", -EINVAL, b.len = 3);
	BROKEN("nothing", -EINVAL, b.len = 0);
	BROKEN("strings without a first NUL", -EINVAL, b.rest[b.h.str_off] = 'a');
	BROKEN("strings without a last NUL", -EINVAL, b.rest[b.h.str_off + b.h.str_len - 1] = 'a');
	b = blob_make(types, 0);
	load(p, "no types", -EINVAL, b);
}

static void attributes(const struct place *p)
{
	static const uint32_t types[] = {INT4}, bad[] = {T(0, 0, 0, 0)};
	const struct blob good = blob_make(types, 4), wrong = blob_make(bad, 3);
	char log[256];
	union attr a = load_of(&good);

	a.btf_load.btf_flags = 1;
	expect(p, "unknown flags", -EINVAL, BTF_LOAD, a);
	a = load_of(&good);
	a.btf_load.btf = 8;
	expect(p, "bad address", -EFAULT, BTF_LOAD, a);
	a.btf_load.btf_size = 17 << 20;
	expect(p, "too large", -E2BIG, BTF_LOAD, a);
	a = load_of(&good);
	a.btf_load.log_level = 16;
	expect(p, "unknown log level", -EINVAL, BTF_LOAD, a);
	a.btf_load.log_level = 0;
	a.btf_load.log_buf = ptr(log);
	a.btf_load.log_size = sizeof(log);
	expect(p, "log of level 0", -EINVAL, BTF_LOAD, a);
	a = load_of(&wrong);
	a.btf_load.log_level = 1;
	a.btf_load.log_buf = ptr(log);
	a.btf_load.log_size = 8;
	expect(p, "log too small", -ENOSPC, BTF_LOAD, a);
	a.btf_load.log_size = sizeof(log);
	expect(p, "log", -EINVAL, BTF_LOAD, a);
	report(p, strstr(log, "[1] Invalid kind:0") != NULL, "the log says why", 0, 0);
}

/* Chains of references may be 32 long, if they have to be followed at once. */
static void chains(const struct place *p)
{
	static const struct {
		const char *name;
		uint32_t kind, n;
		int want;
	} chain[] = {
		{"32 modifiers", K_CONST, 32, A_DESCRIPTOR},
		{"33 modifiers", K_CONST, 33, -E2BIG},
		{"40 pointers", K_PTR, 40, -E2BIG},
	};

	for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
		uint32_t words[200], n = 0;

		for (uint32_t id = 1; id <= chain[i].n; id++) {
			words[n++] = 0;
			words[n++] = chain[i].kind << 24;
			words[n++] = id + 1;
		}
		memcpy(words + n, (uint32_t[]){INT4}, 16);
		load(p, chain[i].name, chain[i].want, blob_make(words, n + 4));
	}
}

static void info(const struct place *p)
{
	static const uint32_t types[] = {INT4};
	const struct blob good = blob_make(types, 4);
	union attr a = load_of(&good);
	struct btf_info in = {0};
	uint8_t copy[300];
	char name[4] = "xxx";
	int fd = bpf_at(p, BTF_LOAD, &a, sizeof(a));

	in.btf = ptr(copy);
	in.btf_size = sizeof(copy);
	in.name = ptr(name);
	in.name_len = sizeof(name);
	a = (union attr){.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(in),
	                          .info = ptr(&in)}};
	expect(p, "info", 0, OBJ_INFO, a);
	report(p, in.btf_size == good.len, "size", in.btf_size, good.len);
	report(p, memcmp(copy, &good, good.len) == 0, "bytes", 0, 0);
	report(p, in.id != 0, "id", in.id, 0);
	report(p, !name[0] && !in.name_len, "no name", name[0], 0);
	in.name_len = 0;
	expect(p, "a name without a length", -EINVAL, OBJ_INFO, a);
	in = (struct btf_info){.btf = 8, .btf_size = 10};
	expect(p, "bad address for the bytes", -EFAULT, OBJ_INFO, a);
	a.info.info_len = 4097;
	expect(p, "info longer than a page", -E2BIG, OBJ_INFO, a);
	expect(p, "pin", -EINVAL, OBJ_PIN,
	       (union attr){.obj = {.bpf_fd = (uint32_t)fd, .pathname = ptr("/nowhere/x")}});
	close(fd);
}

/* The kernel's own types: number 1, where there is a file of them. */
static void kernel_types(const struct place *p)
{
	char name[16] = "xxxxxxxxxxxxxxx";
	struct btf_info in = {.name = ptr(name), .name_len = sizeof(name)};
	union attr a = {0};
	int fd;

	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
		printf("ok %u - %s: vmlinux # SKIP no file\n", ++tests_run, p->name);
		return;
	}
	expect(p, "vmlinux: next id", 0, BTF_NEXT_ID, a);
	bpf_at(p, BTF_NEXT_ID, &a, sizeof(a));
	report(p, a.id.next_id == 1, "vmlinux: its id", a.id.next_id, 1);
	a = (union attr){.id = {.id = 1}};
	fd = bpf_at(p, BTF_FD_BY_ID, &a, sizeof(a));
	a = (union attr){.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(in), .info = ptr(&in)}};
	expect(p, "vmlinux: info", 0, OBJ_INFO, a);
	report(p, in.id == 1 && in.kernel_btf == 1, "vmlinux: id and kernel_btf", in.kernel_btf, 1);
	report(p, strcmp(name, "vmlinux") == 0, "vmlinux: name", name[0], 'v');
	report(p, in.name_len == 7, "vmlinux: length of the name", in.name_len, 7);
	report(p, in.btf_size > 100000, "vmlinux: size", in.btf_size, 100000);
	in = (struct btf_info){.name = ptr(name), .name_len = 4};
	expect(p, "vmlinux: name without room", -ENOSPC, OBJ_INFO, a);
	report(p, strcmp(name, "vml") == 0, "vmlinux: what fits", name[3], 0);
	report(p, in.name_len == 7, "vmlinux: length where it does not fit", in.name_len, 7);
	in = (struct btf_info){.name = 8, .name_len = 20};
	expect(p, "vmlinux: bad address for the name", -EFAULT, OBJ_INFO, a);
	close(fd);
}

static void all(const struct place *p)
{
	kernel_types(p);
	types(p);
	headers(p);
	attributes(p);
	chains(p);
	info(p);
}

int main(void)
{
	return run_places(NULL, all);
}
