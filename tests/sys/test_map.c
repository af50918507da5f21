/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf(2)'s commands on maps: attributes, access, elements, freezing, BTF of keys and values. */
#include <sys/mman.h>

#include "place.h"

static union attr map(uint32_t type, uint32_t key, uint32_t value, uint32_t n, uint32_t flags)
{
	return (union attr){.map_create = {.map_type = type, .key_size = key, .value_size = value,
	                                   .max_entries = n, .map_flags = flags}};
}

static int create(const struct place *p, union attr a)
{
	return bpf_at(p, MAP_CREATE, &a, sizeof(a));
}

static const union attr array = {.map_create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
                                                .value_size = 4, .max_entries = 1}};

static void creation(const struct place *p)
{
	union attr a = array;

#define WITH(what, want, ...)                                                                      \
	a = array;                                                                                 \
	__VA_ARGS__;                                                                               \
	expect(p, "create: " what, want, MAP_CREATE, a)
	WITH("an array", A_DESCRIPTOR, (void)0);
	WITH("type 0", -EINVAL, a.map_create.map_type = 0);
	WITH("type 999", -EINVAL, a.map_create.map_type = 999);
	WITH("no entries", -EINVAL, a.map_create.max_entries = 0);
	WITH("no value", -EINVAL, a.map_create.value_size = 0);
	WITH("key of 8 bytes", -EINVAL, a.map_create.key_size = 8);
	WITH("a name", A_DESCRIPTOR, strcpy(a.map_create.map_name, "a.b_C9"));
	WITH("a name with a blank", -EINVAL, strcpy(a.map_create.map_name, "a b"));
	WITH("a name without an end", -EINVAL, memset(a.map_create.map_name, 'x', 16));
	WITH("something behind a name", A_DESCRIPTOR, memcpy(a.map_create.map_name, "a\0b", 4));
	WITH("read-only and write-only", -EINVAL, a.map_create.map_flags = 24);
	WITH("read-only", A_DESCRIPTOR, a.map_create.map_flags = BPF_F_RDONLY);
	WITH("read-only to programs", A_DESCRIPTOR, a.map_create.map_flags = BPF_F_RDONLY_PROG);
	WITH("flags of hash maps", -EINVAL, a.map_create.map_flags = BPF_F_NO_PREALLOC);
	WITH("flags nobody knows", -EINVAL, a.map_create.map_flags = 1u << 31);
	WITH("a node without the flag", A_DESCRIPTOR, a.map_create.numa_node = 5);
	WITH("node 0", A_DESCRIPTOR, a.map_create.map_flags = BPF_F_NUMA_NODE);
	WITH("a node that is not there", -EINVAL, a.map_create.map_flags = BPF_F_NUMA_NODE,
	     a.map_create.numa_node = 900);
	WITH("map_extra", -EINVAL, a.map_create.map_extra = 1);
	WITH("a type of the kernel's BTF", -EINVAL, a.map_create.btf_vmlinux_value_type_id = 1);
	WITH("a type of key but not of value", -EINVAL, a.map_create.btf_key_type_id = 1);
	WITH("a device that is not there", -EINVAL, a.map_create.map_ifindex = 99999);
	WITH("an inner map it has no use for", A_DESCRIPTOR, a.map_create.inner_map_fd = 9999);
	WITH("BTF it does not use", A_DESCRIPTOR, a.map_create.btf_fd = 9999);
	WITH("BTF that is none", -EBADF, a.map_create.btf_fd = 9999,
	     a.map_create.btf_key_type_id = 1,
	     a.map_create.btf_value_type_id = 1);
	WITH("a hash of a program without its size", -EINVAL, a.map_create.excl_prog_hash = 8);
	WITH("a token without the flag", A_DESCRIPTOR, a.map_create.map_token_fd = 5);
#undef WITH
	expect(p, "create: hash, huge", -E2BIG, MAP_CREATE,
	       map(BPF_MAP_TYPE_HASH, 4, 4, 0x7fffffff, 0));
	expect(p, "create: hash with huge values", -E2BIG, MAP_CREATE,
	       map(BPF_MAP_TYPE_HASH, 4, 0x7fffffff, 1, 0));
	expect(p, "create: ring buffer of an odd size", -EINVAL, MAP_CREATE,
	       map(BPF_MAP_TYPE_RINGBUF, 0, 0, 5000, 0));
	expect(p, "create: ring buffer with keys", -EINVAL, MAP_CREATE,
	       map(BPF_MAP_TYPE_RINGBUF, 4, 0, 4096, 0));
}

/* --- Elements ----------------------------------------------------------------------------- */

/*
 * What each command answers for a type: fine, again, unknown flags, bad addresses, no key, bad
 * index.
 */
struct answers {
	const char *name;
	uint32_t type, key, value, n, flags;
	int lookup, update, again, next, next_last, remove, remove_again, no_key;
	int lookup_far, update_far, remove_far;
};

static const struct answers types[] = {
	{"array", BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0, 0, 0, -EEXIST, 0, -ENOENT, -EINVAL, -EINVAL,
	 -EFAULT, -ENOENT, -E2BIG, -EINVAL},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1, 0, 0, 0, -EEXIST, 0, -ENOENT, -EINVAL,
	 -EINVAL, -EFAULT, -ENOENT, -E2BIG, -EINVAL},
	{"hash", BPF_MAP_TYPE_HASH, 4, 4, 4, 0, -ENOENT, 0, -EEXIST, 0, -ENOENT, 0, -ENOENT,
	 -EFAULT,
	 -ENOENT, 0, 0},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, 4, 4, 100, 0, -ENOENT, 0, -EEXIST, 0, -ENOENT, 0,
	 -ENOENT, -EFAULT, -ENOENT, 0, 0},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 8, 4, 4, BPF_F_NO_PREALLOC, -ENOENT, 0, -EEXIST, 0,
	 -ENOENT, 0, -ENOENT, -EFAULT, -ENOENT, -EINVAL, -EINVAL},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, -EINVAL, -EINVAL, -EINVAL, -ENOTSUPP,
	 -EINVAL, -EINVAL, -EINVAL, -ENOTSUPP, -EINVAL, -EINVAL, -EINVAL},
};

struct elements {
	const struct place *p;
	const struct answers *t;
	uint32_t fd;
	uint64_t key[4], value[64];
};

static void element(struct elements *e, const char *what, int want, int cmd, uint64_t key,
                    uint64_t value, uint64_t flags)
{
	union attr a = {.elem = {.map_fd = e->fd, .key = key, .value = value, .flags = flags}};
	char text[100];

	snprintf(text, sizeof(text), "%s: %s", e->t->name, what);
	expect(e->p, text, want, cmd, a);
}

static void elements_of(const struct place *p, const struct answers *t)
{
	struct elements e = {.p = p, .t = t,
	                     .fd = (uint32_t)create(p, map(t->type, t->key, t->value, t->n,
	                                                   t->flags))};
	uint64_t key = ptr(e.key), value = ptr(e.value);
	bool keyed = t->key != 0;
	int bad = keyed ? -EFAULT : -EINVAL;

	element(&e, "lookup", t->lookup, MAP_LOOKUP, key, value, 0);
	element(&e, "lookup under a lock it has not got", -EINVAL, MAP_LOOKUP, key, value,
	        BPF_F_LOCK);
	element(&e, "lookup with unknown flags", -EINVAL, MAP_LOOKUP, key, value, 8);
	element(&e, "lookup of a bad address", bad, MAP_LOOKUP, 8, value, 0);
	element(&e, "lookup without a key", t->no_key, MAP_LOOKUP, 0, value, 0);
	element(&e, "update", t->update, MAP_UPDATE, key, value, BPF_ANY);
	element(&e, "update of what is there", t->again, MAP_UPDATE, key, value, BPF_NOEXIST);
	element(&e, "update, only if there", t->update, MAP_UPDATE, key, value, BPF_EXIST);
	element(&e, "update with both", -EINVAL, MAP_UPDATE, key, value, BPF_EXIST | BPF_NOEXIST);
	element(&e, "update with unknown flags", -EINVAL, MAP_UPDATE, key, value, 8);
	element(&e, "update under a lock it has not got", -EINVAL, MAP_UPDATE, key, value,
	        BPF_F_LOCK);
	element(&e, "update from a bad address", bad, MAP_UPDATE, key, 8, BPF_ANY);
	if (keyed)
		element(&e, "lookup into a bad address", -EFAULT, MAP_LOOKUP, key, 8, 0);
	element(&e, "first key", t->next, MAP_NEXT_KEY, 0, value, 0);
	element(&e, "next key", t->next_last, MAP_NEXT_KEY, key, value, 0);
	element(&e, "next key with flags", -EINVAL, MAP_NEXT_KEY, key, value, 1);
	element(&e, "delete", t->remove, MAP_DELETE, key, 0, 0);
	element(&e, "delete again", t->remove_again, MAP_DELETE, key, 0, 0);
	element(&e, "delete with a value", -EINVAL, MAP_DELETE, key, 8, 0);
	e.key[0] = 0xffffffff;
	element(&e, "lookup far away", t->lookup_far, MAP_LOOKUP, key, value, 0);
	element(&e, "update far away", t->update_far, MAP_UPDATE, key, value, 0);
	element(&e, "delete far away", t->remove_far, MAP_DELETE, key, 0, 0);
	close((int)e.fd);
}

static void prog_arrays(const struct place *p)
{
	struct answers t = {.name = "prog_array"};
	struct elements e = {.p = p, .t = &t,
	                     .fd = (uint32_t)create(p, map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0))};
	static const uint64_t insns[] = {0xb7, 0x95};
	union attr a = {.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                              .insns = ptr(insns), .license = ptr("GPL")}};
	int prog = bpf_at(p, PROG_LOAD, &a, sizeof(a));
	uint64_t key = ptr(e.key), value = ptr(e.value);
	int32_t *fd = (int32_t *)e.value;

	element(&e, "lookup in an empty slot", -ENOENT, MAP_LOOKUP, key, value, 0);
	*fd = -1;
	element(&e, "no descriptor", -EBADF, MAP_UPDATE, key, value, 0);
	*fd = (int32_t)e.fd;
	element(&e, "a descriptor of something else", -EINVAL, MAP_UPDATE, key, value, 0);
	*fd = prog;
	element(&e, "only if there", -EINVAL, MAP_UPDATE, key, value, BPF_EXIST);
	element(&e, "a program", 0, MAP_UPDATE, key, value, 0);
	element(&e, "the same again", 0, MAP_UPDATE, key, value, 0);
	*fd = 0;
	element(&e, "lookup", 0, MAP_LOOKUP, key, value, 0);
	report(p, *fd > 0, "prog_array: the value read is an id", *fd, 1);
	element(&e, "delete", 0, MAP_DELETE, key, 0, 0);
	element(&e, "delete again", -ENOENT, MAP_DELETE, key, 0, 0);
	e.key[0] = 2;
	*fd = prog;
	element(&e, "update far away", -E2BIG, MAP_UPDATE, key, value, 0);
	element(&e, "delete far away", -E2BIG, MAP_DELETE, key, 0, 0);
	close(prog);
	close((int)e.fd);
}

/* --- Access ------------------------------------------------------------------------------- */

static void access_and_freezing(const struct place *p)
{
	uint32_t key = 0, value = 7;
	union attr e = {.elem = {.key = ptr(&key), .value = ptr(&value)}};
	union attr ro = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY);
	union attr wo = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_WRONLY);
	union attr pages = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_MMAPABLE);
	uint32_t fd;
	void *at;

	fd = e.elem.map_fd = (uint32_t)create(p, ro);
	expect(p, "read-only: lookup", 0, MAP_LOOKUP, e);
	expect(p, "read-only: update", -EPERM, MAP_UPDATE, e);
	expect(p, "read-only: freeze", -EPERM, MAP_FREEZE, (union attr){.elem = {.map_fd = fd}});
	close((int)fd);
	fd = e.elem.map_fd = (uint32_t)create(p, wo);
	expect(p, "write-only: lookup", -EPERM, MAP_LOOKUP, e);
	expect(p, "write-only: next key", -EPERM, MAP_NEXT_KEY, e);
	expect(p, "write-only: update", 0, MAP_UPDATE, e);
	close((int)fd);
	fd = e.elem.map_fd = (uint32_t)create(p, array);
	expect(p, "freeze", 0, MAP_FREEZE, (union attr){.elem = {.map_fd = fd}});
	expect(p, "freeze again", -EPERM, MAP_FREEZE, (union attr){.elem = {.map_fd = fd}});
	expect(p, "frozen: lookup", 0, MAP_LOOKUP, e);
	expect(p, "frozen: update", -EPERM, MAP_UPDATE, e);
	close((int)fd);
	fd = (uint32_t)create(p, pages);
	expect(p, "freeze shared pages", 0, MAP_FREEZE, (union attr){.elem = {.map_fd = fd}});
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	report(p, at == MAP_FAILED, "frozen: mmap for writing", 0, 0);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, (int)fd, 0);
	report(p, at != MAP_FAILED, "frozen: mmap for reading", 0, 0);
	close((int)fd);
	expect(p, "freeze what is no descriptor", -EBADF, MAP_FREEZE,
	       (union attr){.elem = {.map_fd = 9999}});
	expect(p, "freeze with a key", -EINVAL, MAP_FREEZE, (union attr){.elem = {.key = 1}});
}

/* --- BTF of keys and values --------------------------------------------------------------- */

#define T(name, kind, vlen, third) name, (uint32_t)(kind) << 24 | (vlen), third
enum { S_INT = 1, S_FOO = 5, S_BAR = 9 };

/*
 * Ids: 1 int, 2 struct of 4, 3 struct of 8, 4 variable, 5 section, 6 typedef, 7 pointer, 8 long, 9
 * forward
 */
static const uint32_t btf_types[] = {
	T(S_INT, 1, 0, 4), 1 << 24 | 32,
	T(S_FOO, 4, 1, 4), S_BAR, 1, 0,
	T(S_FOO, 4, 1, 8), S_BAR, 1, 0,
	T(S_FOO, 14, 0, 1), 1,
	T(S_BAR, 15, 1, 4), 4, 0, 4,
	T(S_FOO, 8, 0, 1),
	T(0, 2, 0, 1),
	T(S_INT, 1, 0, 8), 64,
	T(S_FOO, 7, 0, 0),
};

static int load_btf(const struct place *p)
{
	static struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, type_off, type_len, str_off, str_len;
		uint32_t types[sizeof(btf_types) / 4];
		char strings[13];
	} b = {0xeb9f, 1, 0, 24, 0, sizeof(btf_types), sizeof(btf_types), 13, {0},
	       "\0int\0foo\0bar"};
	union attr a = {.btf_load = {.btf = ptr(&b), .btf_size = 24 + sizeof(btf_types) + 13}};

	memcpy(b.types, btf_types, sizeof(btf_types));
	return bpf_at(p, BTF_LOAD, &a, sizeof(a));
}

static void btf_of_maps(const struct place *p)
{
	static const struct {
		const char *what;
		uint32_t type, key_size, entries, key, value;
		int want;
	} cases[] = {
		{"array of int", BPF_MAP_TYPE_ARRAY, 4, 1, 1, 1, A_DESCRIPTOR},
		{"array of structs", BPF_MAP_TYPE_ARRAY, 4, 1, 1, 2, A_DESCRIPTOR},
		{"array of larger structs than it has", BPF_MAP_TYPE_ARRAY, 4, 1, 1, 3, -EINVAL},
		{"array by a typedef of int", BPF_MAP_TYPE_ARRAY, 4, 1, 6, 1, A_DESCRIPTOR},
		{"array by a variable", BPF_MAP_TYPE_ARRAY, 4, 1, 4, 1, A_DESCRIPTOR},
		{"array by a struct", BPF_MAP_TYPE_ARRAY, 4, 1, 2, 1, -EINVAL},
		{"array by a pointer", BPF_MAP_TYPE_ARRAY, 4, 1, 7, 1, -EINVAL},
		{"array of a forward", BPF_MAP_TYPE_ARRAY, 4, 1, 1, 9, -EINVAL},
		{"array of no type", BPF_MAP_TYPE_ARRAY, 4, 1, 1, 99, -EINVAL},
		{"a section of data", BPF_MAP_TYPE_ARRAY, 4, 1, 0, 5, A_DESCRIPTOR},
		{"two sections of data", BPF_MAP_TYPE_ARRAY, 4, 2, 0, 5, -EINVAL},
		{"array without a key type", BPF_MAP_TYPE_ARRAY, 4, 1, 0, 1, -EINVAL},
		{"hash without a key type", BPF_MAP_TYPE_HASH, 4, 1, 0, 5, -EINVAL},
		{"hash by a struct", BPF_MAP_TYPE_HASH, 4, 1, 2, 1, A_DESCRIPTOR},
		{"hash by too large a struct", BPF_MAP_TYPE_HASH, 4, 1, 3, 1, -EINVAL},
		{"hash by a pointer", BPF_MAP_TYPE_HASH, 8, 1, 7, 1, A_DESCRIPTOR},
		{"hash by a long", BPF_MAP_TYPE_HASH, 8, 1, 8, 1, A_DESCRIPTOR},
		{"trie by a struct", BPF_MAP_TYPE_LPM_TRIE, 8, 1, 3, 1, A_DESCRIPTOR},
		{"trie by a long", BPF_MAP_TYPE_LPM_TRIE, 8, 1, 8, 1, -EINVAL},
		{"bloom filter of ints", BPF_MAP_TYPE_BLOOM_FILTER, 0, 1, 0, 1, A_DESCRIPTOR},
		{"bloom filter by an int", BPF_MAP_TYPE_BLOOM_FILTER, 0, 1, 1, 1, -EINVAL},
		{"queue of ints", BPF_MAP_TYPE_QUEUE, 0, 1, 0, 1, -EINVAL},
		{"perf events by an int", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 1, 1, 1, -ENOTSUPP},
		{"perf events by nothing", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 1, 0, 1, -ENOTSUPP},
		{"devices by an int", BPF_MAP_TYPE_DEVMAP, 4, 1, 1, 1, -ENOTSUPP},
		{"reuseport array by an int", BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 1, 1, 1,
		 A_DESCRIPTOR},
		{"tasks by an int", BPF_MAP_TYPE_TASK_STORAGE, 4, 0, 1, 1, A_DESCRIPTOR},
		{"tasks by a struct", BPF_MAP_TYPE_TASK_STORAGE, 4, 0, 2, 1, -EINVAL},
		{"tasks by nothing", BPF_MAP_TYPE_TASK_STORAGE, 4, 0, 0, 1, -EINVAL},
		{"sockets by an int", BPF_MAP_TYPE_SK_STORAGE, 4, 0, 1, 2, A_DESCRIPTOR},
	};
	int btf = load_btf(p);

	report(p, btf >= 0, "btf: loads", btf, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union attr a = map(cases[i].type, cases[i].key_size, 4, cases[i].entries,
		                   cases[i].type == BPF_MAP_TYPE_LPM_TRIE || !cases[i].entries
		                           ? BPF_F_NO_PREALLOC
		                           : 0);
		char what[80];

		a.map_create.btf_fd = (uint32_t)btf;
		a.map_create.btf_key_type_id = cases[i].key;
		a.map_create.btf_value_type_id = cases[i].value;
		snprintf(what, sizeof(what), "btf: %s", cases[i].what);
		expect(p, what, cases[i].want, MAP_CREATE, a);
	}
	close(btf);
}

/* --- Information -------------------------------------------------------------------------- */

static void information(const struct place *p)
{
	union attr a = map(BPF_MAP_TYPE_HASH, 12, 20, 30, BPF_F_NO_PREALLOC);
	struct {
		struct map_info m;
		uint64_t more;
	} info = {0};
	uint32_t fd, id;

	strcpy(a.map_create.map_name, "a_name");
	fd = (uint32_t)create(p, a);
	a = (union attr){.info = {.bpf_fd = fd, .info_len = sizeof(info.m), .info = ptr(&info)}};
	expect(p, "info", 0, OBJ_INFO, a);
	report(p, info.m.type == BPF_MAP_TYPE_HASH && info.m.key_size == 12 &&
	       info.m.value_size == 20 &&
	                  info.m.max_entries == 30 && info.m.map_flags == BPF_F_NO_PREALLOC,
	       "info: what the map was made with", 0, 0);
	report(p, strcmp(info.m.name, "a_name") == 0, "info: name", 0, 0);
	id = info.m.id;
	a.info.info_len = sizeof(info);
	expect_size(p, "info: longer than it is", 0, OBJ_INFO, &a, sizeof(a));
	report(p, a.info.info_len == sizeof(info.m), "info: answers its length", a.info.info_len,
	       0);
	info.more = 1;
	a.info.info_len = sizeof(info);
	expect(p, "info: longer, and not zero", -E2BIG, OBJ_INFO, a);
	a.info.info_len = 4;
	info.m.id = 0;
	expect(p, "info: 4 bytes of it", 0, OBJ_INFO, a);
	report(p, info.m.id == 0, "info: not more", info.m.id, 0);
	a.info.info = 8;
	expect(p, "info: bad address", -EFAULT, OBJ_INFO, a);
	a.info.bpf_fd = 9999;
	expect(p, "info: bad descriptor", -EBADFD, OBJ_INFO, a);

	expect(p, "id: descriptor", A_DESCRIPTOR, MAP_FD_BY_ID, (union attr){.id = {.id = id}});
	expect(p, "id: nobody's", -ENOENT, MAP_FD_BY_ID, (union attr){.id = {.id = 0x7ffffffe}});
	expect(p, "id: unknown flags", -EINVAL, MAP_FD_BY_ID,
	       (union attr){.id = {.id = id, .open_flags = 1}});
	expect(p, "id: next of the last", -ENOENT, MAP_NEXT_ID,
	       (union attr){.id = {.id = 0x7ffffffe}});
	expect(p, "id: next, too high", -EINVAL, MAP_NEXT_ID,
	       (union attr){.id = {.id = 0x7fffffff}});
	a = (union attr){.id = {.id = id - 1}};
	expect_size(p, "id: next", 0, MAP_NEXT_ID, &a, sizeof(a));
	report(p, a.id.next_id == id, "id: is the map's", a.id.next_id, id);
	close((int)fd);
	expect(p, "id: of a map that is gone", -ENOENT, MAP_FD_BY_ID,
	       (union attr){.id = {.id = id}});
}

static void all(const struct place *p)
{
	creation(p);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		elements_of(p, &types[i]);
	prog_arrays(p);
	access_and_freezing(p);
	btf_of_maps(p);
	information(p);
}

int main(void)
{
	return run_places(NULL, all);
}
