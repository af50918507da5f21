/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf(2): BATCH commands and LOOKUP_AND_DELETE_ELEM, on Skep and on the kernel. */
#include <stdlib.h>
#include <sys/mman.h>

#include "place.h"

enum { TAKE = 21, LOOKUP_BATCH = 24, TAKE_BATCH, UPDATE_BATCH, DELETE_BATCH };
enum { N = 64 };

struct kind {
	const char *name;
	uint32_t type, key, value, n, flags;
	int take, lookup_batch, take_batch, update_batch, delete_batch; /* of an empty map */
};

static const struct kind kinds[] = {
	{"hash", BPF_MAP_TYPE_HASH, 4, 8, N, 0, -ENOENT, -ENOENT, -ENOENT, 0, 0},
	{"hash, wide", BPF_MAP_TYPE_HASH, 12, 100, N, BPF_F_NO_PREALLOC, -ENOENT, -ENOENT, -ENOENT,
	 0, 0},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 4, N, 0, -ENOENT, -ENOENT, -ENOENT, 0, 0},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, 8, 8, 2048, 0, -ENOENT, -ENOENT, -ENOENT, 0, 0},
	{"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 2048, 0, -ENOENT, -ENOENT, -ENOENT,
	 0, 0},
	{"array", BPF_MAP_TYPE_ARRAY, 4, 8, N, 0, -ENOTSUPP, 0, -ENOTSUPP, 0, -ENOTSUPP},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, N, 0, -ENOTSUPP, 0, -ENOTSUPP, 0,
	 -ENOTSUPP},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, N, BPF_F_NO_PREALLOC, -ENOTSUPP, -ENOENT,
	 -ENOTSUPP, 0, 0},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, N, 0, -ENOTSUPP, -ENOTSUPP, -ENOTSUPP,
	 -ENOTSUPP, -ENOTSUPP},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, 8, N, 0, -ENOENT, -ENOTSUPP, -ENOTSUPP, -ENOTSUPP,
	 -ENOTSUPP},
	{"stack", BPF_MAP_TYPE_STACK, 0, 8, N, 0, -ENOENT, -ENOTSUPP, -ENOTSUPP, -ENOTSUPP,
	 -ENOTSUPP},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, -ENOTSUPP, -ENOTSUPP, -ENOTSUPP, -ENOTSUPP,
	 -ENOTSUPP},
};

struct world {
	const struct place *p;
	const struct kind *k;
	uint32_t fd;
	uint8_t keys[4096 * 12], values[4096 * 128], keys2[4096 * 12], values2[4096 * 128];
	uint32_t token[4];
	size_t value_bytes;
};

static struct world w;

static void say(const char *what, long got, long want)
{
	char text[120];

	snprintf(text, sizeof(text), "%s: %s", w.k->name, what);
	report(w.p, got == want, text, got, want);
}

static union attr batch(uint32_t count)
{
	return (union attr){.batch = {.keys = ptr(w.keys), .values = ptr(w.values),
	                              .out_batch = ptr(w.token), .count = count, .map_fd = w.fd}};
}

static int call(int cmd, union attr *a)
{
	return bpf_at(w.p, cmd, a, 56);
}

/* Keys 0 ... n - 1 with values that tell of them; a prefix of 32 bits for a trie. */
static void fill(uint32_t n)
{
	memset(w.keys, 0, sizeof(w.keys));
	memset(w.values, 0, sizeof(w.values));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *key = w.keys + (size_t)i * w.k->key;
		uint32_t key32 = i, bits = 32;

		if (w.k->type == BPF_MAP_TYPE_LPM_TRIE) {
			memcpy(key, &bits, 4);
			key += 4;
		}
		memcpy(key, &key32, 4);
		key32 = i * 7 + 1;
		for (size_t at = 0; at < w.value_bytes; at += 8)
			memcpy(w.values + i * w.value_bytes + at, &key32, 4);
	}
}

/* Is the place in a walk a number? Else it is the latest key. */
static bool has_places(void)
{
	return w.k->type != BPF_MAP_TYPE_ARRAY && w.k->type != BPF_MAP_TYPE_LPM_TRIE &&
	       w.k->type != BPF_MAP_TYPE_PERCPU_ARRAY;
}

static uint32_t index_of(const uint8_t *key)
{
	uint32_t i;

	memcpy(&i, key + (w.k->type == BPF_MAP_TYPE_LPM_TRIE ? 4 : 0), 4);
	return i;
}

/* What came back is right: each key once, the value that was put there. */
static void check_elements(const char *what, uint32_t n, uint32_t want)
{
	static uint8_t seen[4096];
	long bad = 0;

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = index_of(w.keys2 + (size_t)i * w.k->key), value;

		memcpy(&value, w.values2 + i * w.value_bytes, 4);
		bad += at >= 4096 || seen[at]++ || value != at * 7 + 1;
	}
	say(what, bad, 0);
	say("how many elements", n, want);
}

/* A walk with room for `step` elements at a time. */
static void walk(int cmd, uint32_t step, uint32_t want)
{
	uint32_t n = 0;
	int ret = 0;

	for (unsigned calls = 0; calls < 5000 && !ret; calls++) {
		union attr a = batch(step);

		a.batch.in_batch = calls ? ptr(w.token) : 0;
		a.batch.keys = ptr(w.keys2 + (size_t)n * w.k->key);
		a.batch.values = ptr(w.values2 + n * w.value_bytes);
		ret = call(cmd, &a);
		if (ret == -ENOSPC) {
			step *= 2;
			ret = 0;
			continue;
		}
		n += a.batch.count;
	}
	say("a walk ends with ENOENT", ret, -ENOENT);
	check_elements("elements of a walk", n, want);
}

static void single_take(void)
{
	union attr a = {.elem = {.map_fd = w.fd, .key = w.k->key ? ptr(w.keys) : 0,
	                         .value = ptr(w.values2)}};

#define TAKE_WITH(what, want, ...)                                                                 \
	do {                                                                                       \
		union attr b = a;                                                                  \
		__VA_ARGS__;                                                                       \
		say("take: " what, bpf_at(w.p, TAKE, &b, sizeof(b)), want);                        \
	} while (0)
	TAKE_WITH("empty map", w.k->take, (void)0);
	TAKE_WITH("unknown flags", -EINVAL, b.elem.flags = 1);
	TAKE_WITH("a lock that is not there", -EINVAL, b.elem.flags = BPF_F_LOCK);
	TAKE_WITH("a bad key", w.k->key ? -EFAULT : -EINVAL, b.elem.key = 8);
	TAKE_WITH("no descriptor", -EBADF, b.elem.map_fd = 9999);
#undef TAKE_WITH
}

static void errnos(void)
{
	static const struct {
		const char *name;
		int cmd;
		size_t want;
	} cmds[] = {
		{"lookup batch", LOOKUP_BATCH, offsetof(struct kind, lookup_batch)},
		{"take batch", TAKE_BATCH, offsetof(struct kind, take_batch)},
		{"update batch", UPDATE_BATCH, offsetof(struct kind, update_batch)},
		{"delete batch", DELETE_BATCH, offsetof(struct kind, delete_batch)},
	};

	for (unsigned i = 0; i < 4; i++) {
		int want = *(const int *)((const char *)w.k + cmds[i].want), there = want != -ENOTSUPP;
		bool places = has_places();
		char text[100];

#define BATCH_WITH(what, answer, ...)                                                              \
	do {                                                                                       \
		union attr a = batch(4);                                                           \
		int got;                                                                           \
		__VA_ARGS__;                                                                       \
		got = call(cmds[i].cmd, &a);                                                       \
		snprintf(text, sizeof(text), "%s: " what, cmds[i].name);                           \
		say(text, got, there ? answer : want);                                             \
	} while (0)
		BATCH_WITH("unknown element flags", -EINVAL, a.batch.elem_flags = 2);
		BATCH_WITH("a lock that is not there", -EINVAL, a.batch.elem_flags = BPF_F_LOCK);
		BATCH_WITH("nothing", 0, a.batch.count = 0);
		if (i < 2)
			BATCH_WITH("flags", places ? -EINVAL : want, a.batch.flags = 1);
		if (i < 2)
			BATCH_WITH("a bad place", -EFAULT, a.batch.in_batch = 8);
		if (i < 2 && places)
			BATCH_WITH("a place behind the end", -ENOENT,
			           w.token[0] = 0x7fffffff;
			           a.batch.in_batch = ptr(w.token));
		if (i >= 2)
			BATCH_WITH("bad keys", -EFAULT, a.batch.keys = 8);
		if (i == 2)
			BATCH_WITH("bad values", -EFAULT, a.batch.values = 8);
#undef BATCH_WITH
	}
	if (w.k->lookup_batch != -ENOTSUPP) {
		union attr a = batch(4);

		say("an empty map's walk", call(LOOKUP_BATCH, &a), w.k->lookup_batch);
	}
}

static void life(void)
{
	union attr a;

	fill(N);
	a = batch(N);
	say("update", call(UPDATE_BATCH, &a), 0);
	say("count of an update", a.batch.count, N);
	a = batch(N);
	a.batch.keys = ptr(w.keys2);
	a.batch.values = ptr(w.values2);
	say("all at once", call(LOOKUP_BATCH, &a), has_places() ? -ENOENT : 0);
	check_elements("all at once: elements", a.batch.count, N);
	walk(LOOKUP_BATCH, 7, N);
	walk(LOOKUP_BATCH, 32, N);
	walk(LOOKUP_BATCH, N, N);
	walk(LOOKUP_BATCH, 3 * N, N);
	if (w.k->delete_batch != -ENOTSUPP) {
		a = batch(8);
		say("delete", call(DELETE_BATCH, &a), 0);
		say("count of a deletion", a.batch.count, 8);
		a = batch(N);
		say("delete what is not there", call(DELETE_BATCH, &a), -ENOENT);
		say("count then", a.batch.count, 0);
		walk(LOOKUP_BATCH, N, N - 8);
	}
	if (w.k->take_batch != -ENOTSUPP) {
		walk(TAKE_BATCH, 16, N - 8);
		a = batch(N);
		say("an empty map again", call(TAKE_BATCH, &a), -ENOENT);
		say("count of an empty map", a.batch.count, 0);
	}
}

/* The first half of an update's keys can be read: so many elements are in the map. */
static void bad_middle(void)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	                      0);
	union attr a = batch(20);

	munmap(pages + 4096, 4096);
	fill(20);
	memcpy(pages + 4096 - 10 * w.k->key, w.keys, 10 * w.k->key);
	a.batch.keys = ptr(pages + 4096 - 10 * w.k->key);
	say("update: keys end in the middle", call(UPDATE_BATCH, &a), -EFAULT);
	say("update: what came before counts", a.batch.count, 10);
	a = batch(20);
	a.batch.keys = ptr(pages + 4096 - 10 * w.k->key);
	say("lookup: room ends in the middle", call(LOOKUP_BATCH, &a),
	    has_places() ? -ENOENT : -EFAULT);
	a = batch(20);
	a.batch.values = 8;
	say("lookup: no room for values", call(LOOKUP_BATCH, &a), -EFAULT);
	say("lookup: then nothing was promised", a.batch.count, 0);
	a = batch(20);
	a.batch.out_batch = 0;
	say("lookup: nowhere for the place", call(LOOKUP_BATCH, &a), -EFAULT);
	munmap(pages, 4096);
}

static void no_space(void)
{
	union attr a;
	int ret;

	fill(N);
	a = batch(N);
	say("update", call(UPDATE_BATCH, &a), 0);
	/* Some bucket has more than one element, so room for one is not enough for ever. */
	for (unsigned i = 0; i <= N; i++) {
		a = batch(1);
		a.batch.in_batch = i ? ptr(w.token) : 0;
		ret = call(LOOKUP_BATCH, &a);
		if (ret)
			break;
	}
	say("room for one", ret == -ENOSPC || ret == -ENOENT, 1);
}

static void access_modes(const struct place *p)
{
	static const int modes[][5] = {/* flags, lookup, take, update, delete */
		{BPF_F_RDONLY, -ENOENT, -EPERM, -EPERM, -EPERM},
		{BPF_F_WRONLY, -EPERM, -EPERM, 0, 0}};

	for (unsigned i = 0; i < 2; i++) {
		w.k = &kinds[0];
		union attr a = {.map_create = {.map_type = 1, .key_size = 4, .value_size = 8,
		                               .max_entries = N, .map_flags = (uint32_t)modes[i][0]}};

		w.fd = (uint32_t)bpf_at(p, MAP_CREATE, &a, sizeof(a));
		for (int cmd = 0; cmd < 4; cmd++) {
			char text[60];

			fill(2);
			a = batch(2);
			snprintf(text, sizeof(text), "mode %u command %d", i, LOOKUP_BATCH + cmd);
			say(text, call(LOOKUP_BATCH + cmd, &a), modes[i][1 + cmd]);
		}
		a = (union attr){.elem = {.map_fd = w.fd, .key = ptr(w.keys),
		                          .value = ptr(w.values)}};
		say("take in this mode", bpf_at(p, TAKE, &a, sizeof(a)), -EPERM);
		close((int)w.fd);
	}
}

/* Maps in a map: read as ids, written as descriptors. */
static void nested(const struct place *p, uint32_t type)
{
	static const struct kind kind[] = {{.name = "array_of_maps", .key = 4},
	                                   {.name = "hash_of_maps", .key = 4}};
	union attr a = {.map_create = {.map_type = 2, .key_size = 4, .value_size = 8,
	                               .max_entries = 1}};
	int inner = bpf_at(p, MAP_CREATE, &a, sizeof(a));
	bool hash = type == BPF_MAP_TYPE_HASH_OF_MAPS;
	uint32_t *keys = (uint32_t *)w.keys, *values = (uint32_t *)w.values;

	w.k = &kind[hash];
	a = (union attr){.map_create = {.map_type = type, .key_size = 4, .value_size = 4,
	                                .max_entries = 4, .inner_map_fd = (uint32_t)inner}};
	w.fd = (uint32_t)bpf_at(p, MAP_CREATE, &a, sizeof(a));
	for (uint32_t i = 0; i < 3; i++) {
		keys[i] = i;
		values[i] = (uint32_t)inner;
	}
	a = batch(3);
	say("update", call(UPDATE_BATCH, &a), 0);
	a = batch(4);
	say("lookup", call(LOOKUP_BATCH, &a), -ENOENT);
	say("count", a.batch.count, 3);
	say("ids are alike", values[0] == values[1] && values[1] == values[2] && values[0], 1);
	a = (union attr){.elem = {.map_fd = w.fd, .key = ptr(keys), .value = ptr(values)}};
	say("take", bpf_at(p, TAKE, &a, sizeof(a)), -ENOTSUPP);
	keys[0] = 0;
	keys[1] = 77;
	a = batch(2);
	say("delete", call(DELETE_BATCH, &a), hash ? -ENOENT : -ENOTSUPP);
	if (hash)
		say("count of a deletion", a.batch.count, 1);
	a = batch(4);
	say("take batch", call(TAKE_BATCH, &a), hash ? -ENOENT : -ENOTSUPP);
	if (hash)
		say("count of a take", a.batch.count, 2);
	close((int)w.fd);
	close(inner);
}

static void all(const struct place *p)
{
	w.p = p;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];
		union attr a = {.map_create = {.map_type = k->type, .key_size = k->key,
		                               .value_size = k->value, .max_entries = k->n,
		                               .map_flags = k->flags}};
		bool per_cpu = strncmp(k->name, "percpu", 6) == 0 || k->type == 10;
		long cpus = sysconf(_SC_NPROCESSORS_CONF);

		w.k = k;
		w.value_bytes = per_cpu ? (size_t)cpus * 8 : k->value;
		w.fd = (uint32_t)bpf_at(p, MAP_CREATE, &a, sizeof(a));
		fill(N);
		single_take();
		errnos();
		if (k->update_batch != -ENOTSUPP) {
			life();
			bad_middle();
		}
		if (k->take_batch != -ENOTSUPP)
			no_space();
		close((int)w.fd);
	}
	access_modes(p);
	nested(p, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	nested(p, BPF_MAP_TYPE_HASH_OF_MAPS);
}

int main(void)
{
	return run_places(NULL, all);
}
