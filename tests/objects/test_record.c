/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What BTF declares special: each row of record_cases.h is loaded, and a map of every type is made of it,
 * on Skep and on the kernel; the answers must be the same. What an answer does not show (a value with a
 * lock that is not one) an update with BPF_F_LOCK does.
 */
#include <bpf/btf.h>
#include <ctype.h>
#include <stdlib.h>

#include "../sys/place.h"

static const char *const cases[] = {
#include "record_cases.h"
};

enum { MAX_NAMES = 16 };

struct build {
	struct btf *btf;
	const char *at;
	int i32, i64;
	struct {
		char name[32];
		int id;
	} names[MAX_NAMES];
	int nnames;
	struct {
		char text[80];
		int member;
	} tags[16];
	int ntags;
};

static int named(struct build *b, const char *name)
{
	for (int i = b->nnames - 1; i >= 0; i--)
		if (!strcmp(b->names[i].name, name))
			return b->names[i].id;
	return -1;
}

static void word(struct build *b, char *to)
{
	while (isalnum((unsigned char)*b->at) || *b->at == '_' || *b->at == '.')
		*to++ = *b->at++;
	*to = '\0';
}

/* A struct of the kernel's name and size, made when first needed. */
static int special(struct build *b, const char *name, int size)
{
	int id = btf__find_by_name_kind(b->btf, name, BTF_KIND_STRUCT);

	return id > 0 ? id : btf__add_struct(b->btf, name, (unsigned)size);
}

static int pointer(struct build *b)
{
	static const char *const tags[128] = {['r'] = "kptr", ['u'] = "kptr_untrusted",
	                                      ['p'] = "percpu_kptr", ['z'] = "uptr",
	                                      ['q'] = "strange", ['d'] = "kptr", ['v'] = "kptr"};
	char kind = *b->at++, name[64];
	int id;

	word(b, name);
	id = !strcmp(name, "i") ? b->i32 : named(b, name);
	if (kind == 'd')
		id = btf__add_type_tag(b->btf, "kptr", id);
	if (tags[(int)kind])
		id = btf__add_type_tag(b->btf, tags[(int)kind], id);
	id = btf__add_ptr(b->btf, id);
	return kind == 'v' ? btf__add_volatile(b->btf, id) : id;
}

static int graph(struct build *b, const char *type, int member)
{
	char name[64];

	word(b, name);
	if (name[0]) {
		char *dot = strchr(name, '.');

		if (dot)
			*dot = ':';
		snprintf(b->tags[b->ntags].text, sizeof(b->tags[0].text), "contains:%s", name);
		b->tags[b->ntags++].member = member;
	}
	return special(b, type, 16);
}

static int type_of(struct build *b, int member)
{
	char name[64];
	int id;

	switch (*b->at++) {
	case 'i':
	case 'b': return b->i32;
	case 'l': return b->i64;
	case 'S': return special(b, "bpf_spin_lock", 4);
	case 'Q': return special(b, "bpf_res_spin_lock", 4);
	case 'T': return special(b, "bpf_timer", 16);
	case 'W': return special(b, "bpf_wq", 16);
	case 'K': return special(b, "bpf_task_work", 8);
	case 'N': return special(b, "bpf_list_node", 24);
	case 'B': return special(b, "bpf_rb_node", 32);
	case 'C': return special(b, "bpf_refcount", 4);
	case 'L': return graph(b, "bpf_list_head", member);
	case 'R': return graph(b, "bpf_rb_root", member);
	case 'P': return pointer(b);
	case '!': return btf__add_typedef(b->btf, "another_name", type_of(b, member));
	case '{':
		word(b, name);
		id = named(b, name);
		b->at++;
		return id;
	}
	abort();
}

struct member {
	char name[32];
	int type, offset, bits; /* of a bit field, which begins at bit 1 */
};

/* One struct; answers its size. */
static int structure(struct build *b)
{
	struct member m[16];
	int n = 0, size = 0, end = 0, id;
	bool is_union = *b->at == '^';
	char name[64];

	b->at += is_union;
	b->ntags = 0;
	word(b, name);
	b->at++; /* { */
	while (*b->at != '}') {
		word(b, m[n].name);
		b->at++; /* : */
		m[n].bits = *b->at == 'b' ? 3 : 0;
		m[n].type = type_of(b, n);
		if (*b->at == '[') {
			m[n].type = btf__add_array(b->btf, b->i32, m[n].type,
			                           (unsigned)strtol(b->at + 1, (char **)&b->at, 10));
			b->at++;
		}
		size = (int)btf__resolve_size(b->btf, (unsigned)m[n].type);
		m[n].offset = size % 8 ? (end + 3) & ~3 : (end + 7) & ~7;
		if (is_union)
			m[n].offset = 0;
		if (*b->at == '@')
			m[n].offset = (int)strtol(b->at + 1, (char **)&b->at, 10);
		if (m[n].offset + size > end)
			end = m[n].offset + size;
		n++;
		while (*b->at == ' ')
			b->at++;
	}
	b->at++;
	end = end % 8 ? (end + 7) & ~7 : end;
	id = is_union ? btf__add_union(b->btf, name, (unsigned)end)
	              : btf__add_struct(b->btf, name, (unsigned)end);
	for (int i = 0; i < n; i++)
		btf__add_field(b->btf, m[i].name, m[i].type,
		               (unsigned)(m[i].offset * 8 + !!m[i].bits), (unsigned)m[i].bits);
	for (int i = 0; i < b->ntags; i++)
		btf__add_decl_tag(b->btf, b->tags[i].text, id, b->tags[i].member);
	strcpy(b->names[b->nnames].name, name);
	b->names[b->nnames++].id = id;
	return end;
}

/*
 * A struct whose members name it must exist before: lists of oneself need the name only, so the order of
 * types does not matter to tags. Answers the value's type and *size.
 */
static int build(struct build *b, const char *text, int *size)
{
	bool section = false;
	int id;

	*b = (struct build){.btf = btf__new_empty(), .at = text};
	b->i32 = btf__add_int(b->btf, "int", 4, BTF_INT_SIGNED);
	b->i64 = btf__add_int(b->btf, "long", 8, BTF_INT_SIGNED);
	while (*b->at) {
		section |= *b->at == '%';
		b->at += *b->at == '%';
		*size = structure(b);
		while (*b->at == ' ')
			b->at++;
	}
	id = b->names[b->nnames - 1].id;
	if (!section)
		return id;
	id = btf__add_var(b->btf, "variable", BTF_VAR_GLOBAL_ALLOCATED, id);
	section = btf__add_datasec(b->btf, ".data", (unsigned)*size);
	btf__add_datasec_var_info(b->btf, id, 0, (unsigned)*size);
	return -(int)(btf__type_cnt(b->btf) - 1);
}

struct answer {
	int load;
	int create[BPF_MAP_TYPE_RHASH + 1];
	int locked[BPF_MAP_TYPE_RHASH + 1]; /* update with BPF_F_LOCK */
	uint64_t bytes[BPF_MAP_TYPE_RHASH + 1]; /* hash of what is read before and after an update */
};

static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{BPF_MAP_TYPE_HASH, "hash"},
	{BPF_MAP_TYPE_ARRAY, "array"},
	{BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash"},
	{BPF_MAP_TYPE_PERCPU_ARRAY, "percpu_array"},
	{BPF_MAP_TYPE_LRU_HASH, "lru_hash"},
	{BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash"},
	{BPF_MAP_TYPE_LPM_TRIE, "lpm_trie"},
	{BPF_MAP_TYPE_QUEUE, "queue"},
	{BPF_MAP_TYPE_RINGBUF, "ringbuf"},
};

static int load_btf(const struct place *p, const struct build *b)
{
	unsigned size;
	const void *bytes = btf__raw_data(b->btf, &size);
	union attr a = {.btf_load = {.btf = ptr(bytes), .btf_size = size}};

	return bpf_at(p, BTF_LOAD, &a, sizeof(a));
}

static uint8_t key[8], value[65536];

/* Reads the element and mixes it into *hash. */
static void look(const struct place *p, int fd, size_t size, uint64_t *hash)
{
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = ptr(key), .value = ptr(value)}};
	int err;

	memset(value, 0x5a, sizeof(value));
	err = bpf_at(p, MAP_LOOKUP, &a, sizeof(a));
	*hash = *hash * 31 + (uint64_t)-err;
	for (size_t i = 0; !err && i < size; i++)
		*hash = (*hash ^ value[i]) * 1099511628211u;
}

static void write_and_look(const struct place *p, int fd, size_t size, uint64_t *hash)
{
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = ptr(key), .value = ptr(value)}};

	look(p, fd, size, hash);
	for (int i = 0; i < 3; i++) {
		memset(value, 0xab + i, sizeof(value));
		*hash += (uint64_t)bpf_at(p, MAP_UPDATE, &a, sizeof(a));
		look(p, fd, size, hash);
	}
	*hash = *hash * 31 + (uint64_t)bpf_at(p, MAP_DELETE, &a, sizeof(a));
	look(p, fd, size, hash);
}

static void ask_map(const struct place *p, const char *text, const struct build *b, int btf, int type,
                    int size, uint32_t flags, uint32_t map_type, struct answer *to)
{
	union attr a = {.map_create = {.map_type = map_type,
	                               .key_size = 4,
	                               .value_size = (uint32_t)size,
	                               .max_entries = 1,
	                               .map_flags = flags,
	                               .btf_fd = (uint32_t)btf,
	                               .btf_key_type_id = type < 0 ? 0 : (uint32_t)b->i32,
	                               .btf_value_type_id = (uint32_t)abs(type)}};
	int fd;

	if (map_type == BPF_MAP_TYPE_LPM_TRIE)
		a.map_create.map_flags |= BPF_F_NO_PREALLOC, a.map_create.key_size = 8,
			a.map_create.btf_key_type_id = a.map_create.btf_value_type_id;
	if (map_type == BPF_MAP_TYPE_QUEUE || map_type == BPF_MAP_TYPE_RINGBUF)
		a.map_create.key_size = a.map_create.btf_key_type_id = 0;
	fd = bpf_at(p, MAP_CREATE, &a, sizeof(a));
	to->create[map_type] = fd < 0 ? fd : 1;
	memset(value, 0x77, sizeof(value));
	if (fd < 0)
		return;
	a = (union attr){.elem = {.map_fd = (uint32_t)fd, .key = ptr(key), .value = ptr(value),
	                          .flags = BPF_F_LOCK}};
	to->locked[map_type] = bpf_at(p, MAP_UPDATE, &a, sizeof(a));
	/* A list's head, empty, holds addresses on the kernel. */
	if (!strstr(text, ":L"))
		write_and_look(p, fd, (size_t)size, &to->bytes[map_type]);
	close(fd);
}

static void ask(const struct place *p, const char *text, uint32_t flags, struct answer *to)
{
	struct build b;
	int size = 0, type = build(&b, text, &size), btf;

	memset(to, 0, sizeof(*to));
	btf = load_btf(p, &b);
	to->load = btf < 0 ? btf : 1;
	for (size_t i = 0; btf >= 0 && i < sizeof(types) / sizeof(types[0]); i++)
		ask_map(p, text, &b, btf, type, size, flags, types[i].type, to);
	if (btf >= 0)
		close(btf);
	btf__free(b.btf);
}

static void print(const char *who, const struct answer *a)
{
	printf("# %s: load %d", who, a->load);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		printf(", %s %d/%d/%04x", types[i].name, a->create[types[i].type],
		       a->locked[types[i].type], (unsigned)a->bytes[types[i].type] & 0xffff);
	printf("\n");
}

static void compare(const struct place *skep, const struct place *host, const char *text,
                    uint32_t flags)
{
	struct answer ours, theirs;
	bool same;

	ask(skep, text, flags, &ours);
	ask(host, text, flags, &theirs);
	same = memcmp(&ours, &theirs, sizeof(ours)) == 0;
	tests_run++;
	tests_failed += !same;
	printf("%sok %u - %s, flags %#x\n", same ? "" : "not ", tests_run, text, flags);
	if (same && !getenv("SKEP_TEST_VERBOSE"))
		return;
	print("skep", &ours);
	print("kernel", &theirs);
}

int main(void)
{
	struct place skep = {.name = "skep"}, host = {.name = "kernel"};

	if (!kernel_is_there()) {
		printf("1..0 # SKIP bpf(2) is not to be had\n");
		return 0;
	}
	if (skep_new(NULL, &skep.k) != 0) {
		printf("Bail out! no kernel\n");
		return 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		compare(&skep, &host, cases[i], 0);
	compare(&skep, &host, "v{l:S x:i}", BPF_F_RDONLY_PROG);
	compare(&skep, &host, "v{l:S x:i}", BPF_F_RDONLY);
	skep_free(skep.k);
	printf("1..%u\n", tests_run);
	return tests_failed != 0;
}
