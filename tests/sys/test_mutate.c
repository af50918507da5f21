/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes of bpf(2) that are wrong in one place: those of a valid call, one field of them
 * changed, must get the same errno from Skep and from the kernel of the host.
 *
 * Each 32-bit word of the attributes becomes 0, 1, all ones, one more, one less, and has each bit
 * turned over; words that hold a descriptor become one of each wrong kind, addresses ones that are
 * not mapped, not the process's, at a page's end; sizes go from 0 to past the end, what lies behind
 * is not zero. With an argument N, as many random pairs of such changes for each call too: which mistake is
 * told first.
 *
 * What is known to differ stands in known[], with the reason.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "place.h"

enum {
	TAKE = 21,
	LOOKUP_BATCH = 24,
	TAKE_BATCH,
	UPDATE_BATCH,
	DELETE_BATCH,
	PROG_ATTACH = 8,
	PROG_DETACH,
	PROG_QUERY = 16,
	RAW_TRACEPOINT_OPEN,
	LINK_CREATE = 28,
	LINK_UPDATE,
	LINK_FD_BY_ID,
	LINK_NEXT_ID,
	ENABLE_STATS,
	ITER_CREATE,
	LINK_DETACH,
	TOKEN_CREATE = 36,
	STREAM_READ,
	WORDS = ATTR_SIZE / 4,
	PAGE = 4096,
};

/* The objects that calls are about, made anew for each. */
struct objects {
	int array, hash, lpm, queue, ring, prog, skb, btf, plain, closed;
};

struct valid {
	const char *name;
	int cmd;
	void (*make)(const struct objects *o, union attr *a);
	int8_t fds[3];      /* words that hold a descriptor; 0 ends, -1 is word 0 */
	int8_t pointers[8]; /* the first of two words; likewise */
	uint64_t leave;     /* words that are not touched: bits */
};

static uint8_t *page; /* behind it nothing is mapped */
static const uint32_t btf_bytes[] = {
	0x1eb9f, 24, 0, 16, 16, 5, /* header */
	1, 1 << 24, 4, 1 << 24 | 32,
	0x746e6900, 0,
};
static const uint64_t insns[] = {0xb7, 0x95};
static uint32_t numbers[512]; /* keys, values, batches */
static uint8_t out[2][1 << 16];

/* --- Valid calls ------------------------------------------------------------------------- */

static void create(union attr *a, uint32_t type, uint32_t key, uint32_t value, uint32_t max,
                   uint32_t flags)
{
	a->map_create = (struct attr_map_create){.map_type = type, .key_size = key,
	                                         .value_size = value, .max_entries = max,
	                                         .map_flags = flags, .map_name = "name"};
}

static void make_array(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
}

static void make_typed(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_HASH, 4, 4, 4, 0);
	a->map_create.btf_fd = (uint32_t)o->btf;
	a->map_create.btf_key_type_id = a->map_create.btf_value_type_id = 1;
}

static void make_hash(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_HASH, 8, 8, 4, BPF_F_NO_PREALLOC);
}

static void make_lru(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_LRU_HASH, 8, 8, 100, 0);
}

static void make_percpu(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, 0);
}

static void make_lpm(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 4, BPF_F_NO_PREALLOC);
}

static void make_queue(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0);
}

static void make_ring(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
}

static void make_progs(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
}

static void make_maps(const struct objects *o, union attr *a)
{
	create(a, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 4, 0);
	a->map_create.inner_map_fd = (uint32_t)o->array;
}

static void element(union attr *a, int map)
{
	a->elem = (struct attr_map_elem){.map_fd = (uint32_t)map, .key = ptr(numbers),
	                                 .value = ptr(out[0])};
}

static void on_array(const struct objects *o, union attr *a)
{
	element(a, o->array);
}

static void on_hash(const struct objects *o, union attr *a)
{
	element(a, o->hash);
}

static void on_lpm(const struct objects *o, union attr *a)
{
	element(a, o->lpm);
}

static void on_queue(const struct objects *o, union attr *a)
{
	element(a, o->queue);
	a->elem.key = 0;
}

static void key_of_hash(const struct objects *o, union attr *a)
{
	element(a, o->hash);
	a->elem.value = 0;
}

static void freeze(const struct objects *o, union attr *a)
{
	a->elem.map_fd = (uint32_t)o->array;
}

static void batch(union attr *a, int map)
{
	a->batch = (struct attr_map_batch){.out_batch = ptr(out[1]), .keys = ptr(numbers),
	                                   .values = ptr(out[0]), .count = 2,
	                                   .map_fd = (uint32_t)map};
}

static void batch_of_hash(const struct objects *o, union attr *a)
{
	batch(a, o->hash);
}

static void batch_of_array(const struct objects *o, union attr *a)
{
	batch(a, o->array);
}

static void program(union attr *a, uint32_t type)
{
	a->prog_load = (struct attr_prog_load){.prog_type = type, .insn_cnt = 2,
	                                       .insns = ptr(insns), .license = ptr("GPL"),
	                                       .prog_name = "name"};
}

static void load_xdp(const struct objects *o, union attr *a)
{
	program(a, BPF_PROG_TYPE_XDP);
}

static void load_logged(const struct objects *o, union attr *a)
{
	program(a, BPF_PROG_TYPE_SOCKET_FILTER);
	a->prog_load.log_level = 1;
	a->prog_load.log_size = sizeof(out[0]);
	a->prog_load.log_buf = ptr(out[0]);
}

static void run(union attr *a, int prog)
{
	a->test_run = (struct attr_test_run){.prog_fd = (uint32_t)prog, .data_in = ptr(out[0]),
	                                     .data_size_in = 64, .data_out = ptr(out[1]),
	                                     .data_size_out = 256};
}

static void run_xdp(const struct objects *o, union attr *a)
{
	run(a, o->prog);
}

static void run_skb(const struct objects *o, union attr *a)
{
	run(a, o->skb);
}

static void zero(const struct objects *o, union attr *a)
{
}

static void info(union attr *a, int fd)
{
	a->info = (struct attr_info){.bpf_fd = (uint32_t)fd, .info_len = 88, .info = ptr(out[0])};
}

static void map_info(const struct objects *o, union attr *a)
{
	info(a, o->hash);
}

static void prog_info(const struct objects *o, union attr *a)
{
	info(a, o->prog);
}

static void btf_info(const struct objects *o, union attr *a)
{
	info(a, o->btf);
}

static void btf_load(const struct objects *o, union attr *a)
{
	a->btf_load = (struct attr_btf_load){.btf = ptr(btf_bytes), .btf_size = 45};
}

static void bind(const struct objects *o, union attr *a)
{
	a->bind_map = (struct attr_bind_map){.prog_fd = (uint32_t)o->prog,
	                                     .map_fd = (uint32_t)o->hash};
}

/* These need more than a map or a program to succeed: the nearest to that. */
static void words(union attr *a, uint32_t w0, uint32_t w1, uint32_t w2)
{
	const uint32_t w[] = {w0, w1, w2};

	memcpy(a->bytes, w, sizeof(w));
}

static void attach(const struct objects *o, union attr *a)
{
	words(a, (uint32_t)o->plain, (uint32_t)o->skb, 0);
}

static void query(const struct objects *o, union attr *a)
{
	words(a, (uint32_t)o->plain, 0, 0);
}

static void open_tracepoint(const struct objects *o, union attr *a)
{
	words(a, 0, 0, (uint32_t)o->skb);
}

static void link_create(const struct objects *o, union attr *a)
{
	words(a, (uint32_t)o->skb, 0, 46); /* BPF_TCX_INGRESS, of no device */
}

static void link_update(const struct objects *o, union attr *a)
{
	words(a, (uint32_t)o->plain, (uint32_t)o->skb, 0);
}

static void of_link(const struct objects *o, union attr *a)
{
	words(a, (uint32_t)o->plain, 0, 0);
}

static void token_create(const struct objects *o, union attr *a)
{
	words(a, 0, (uint32_t)o->plain, 0);
}

static void read_stream(const struct objects *o, union attr *a)
{
	const uint64_t to = ptr(out[0]);

	memcpy(a->bytes, &to, 8);
	memcpy(a->bytes + 8, (uint32_t[]){64, 1, (uint32_t)o->skb}, 12);
}

static void pin(const struct objects *o, union attr *a)
{
	a->obj = (struct attr_obj){.pathname = ptr("/dev/null/nowhere"),
	                           .bpf_fd = (uint32_t)o->hash};
}

static void get(const struct objects *o, union attr *a)
{
	a->obj.pathname = ptr("/dev/null/nowhere");
}

static const struct valid valid[] = {
	{"MAP_CREATE array", MAP_CREATE, make_array, {5}, {28}, 0},
	{"MAP_CREATE hash with types", MAP_CREATE, make_typed, {12, 5}, {28}, 0},
	{"MAP_CREATE hash", MAP_CREATE, make_hash, {5}, {28}, 0},
	{"MAP_CREATE lru_hash", MAP_CREATE, make_lru, {5}, {28}, 0},
	{"MAP_CREATE percpu_array", MAP_CREATE, make_percpu, {5}, {28}, 0},
	{"MAP_CREATE lpm_trie", MAP_CREATE, make_lpm, {5}, {28}, 0},
	{"MAP_CREATE queue", MAP_CREATE, make_queue, {5}, {28}, 0},
	{"MAP_CREATE ringbuf", MAP_CREATE, make_ring, {5}, {28}, 0},
	{"MAP_CREATE prog_array", MAP_CREATE, make_progs, {5}, {28}, 0},
	{"MAP_CREATE array_of_maps", MAP_CREATE, make_maps, {5}, {28}, 0},
	{"LOOKUP array", MAP_LOOKUP, on_array, {-1}, {2, 4}, 0},
	{"LOOKUP hash", MAP_LOOKUP, on_hash, {-1}, {2, 4}, 0},
	{"LOOKUP lpm_trie", MAP_LOOKUP, on_lpm, {-1}, {2, 4}, 0},
	{"LOOKUP queue", MAP_LOOKUP, on_queue, {-1}, {2, 4}, 0},
	{"UPDATE array", MAP_UPDATE, on_array, {-1}, {2, 4}, 0},
	{"UPDATE hash", MAP_UPDATE, on_hash, {-1}, {2, 4}, 0},
	{"UPDATE lpm_trie", MAP_UPDATE, on_lpm, {-1}, {2, 4}, 0},
	{"UPDATE queue", MAP_UPDATE, on_queue, {-1}, {2, 4}, 0},
	{"DELETE hash", MAP_DELETE, key_of_hash, {-1}, {2, 4}, 0},
	{"NEXT_KEY hash", MAP_NEXT_KEY, on_hash, {-1}, {2, 4}, 0},
	{"NEXT_KEY array", MAP_NEXT_KEY, on_array, {-1}, {2, 4}, 0},
	{"LOOKUP_AND_DELETE hash", TAKE, on_hash, {-1}, {2, 4}, 0},
	{"LOOKUP_AND_DELETE queue", TAKE, on_queue, {-1}, {2, 4}, 0},
	{"FREEZE", MAP_FREEZE, freeze, {-1}, {0}, 0},
	{"LOOKUP_BATCH hash", LOOKUP_BATCH, batch_of_hash, {9}, {-1, 2, 4, 6}, 0},
	{"LOOKUP_BATCH array", LOOKUP_BATCH, batch_of_array, {9}, {-1, 2, 4, 6}, 0},
	{"LOOKUP_AND_DELETE_BATCH hash", TAKE_BATCH, batch_of_hash, {9}, {-1, 2, 4, 6}, 0},
	{"UPDATE_BATCH hash", UPDATE_BATCH, batch_of_hash, {9}, {-1, 2, 4, 6}, 0},
	{"UPDATE_BATCH array", UPDATE_BATCH, batch_of_array, {9}, {-1, 2, 4, 6}, 0},
	{"DELETE_BATCH hash", DELETE_BATCH, batch_of_hash, {9}, {-1, 2, 4, 6}, 0},
	{"PROG_LOAD xdp", PROG_LOAD, load_xdp, {19, 28}, {2, 4, 8, 22, 26, 32}, 0},
	{"PROG_LOAD with a log", PROG_LOAD, load_logged, {19, 28}, {2, 4, 8, 22, 26, 32}, 0},
	{"TEST_RUN xdp", PROG_TEST_RUN, run_xdp, {-1}, {4, 6, 12, 14}, 0},
	{"TEST_RUN skb", PROG_TEST_RUN, run_skb, {-1}, {4, 6, 12, 14}, 0},
	/* Which ids there are is each place's own affair. */
	{"PROG_GET_NEXT_ID", PROG_NEXT_ID, zero, {0}, {0}, 1},
	{"MAP_GET_NEXT_ID", MAP_NEXT_ID, zero, {0}, {0}, 1},
	{"BTF_GET_NEXT_ID", BTF_NEXT_ID, zero, {0}, {0}, 1},
	{"PROG_GET_FD_BY_ID", PROG_FD_BY_ID, zero, {0}, {0}, 1},
	{"MAP_GET_FD_BY_ID", MAP_FD_BY_ID, zero, {0}, {0}, 1},
	{"BTF_GET_FD_BY_ID", BTF_FD_BY_ID, zero, {0}, {0}, 1},
	{"INFO map", OBJ_INFO, map_info, {-1}, {2}, 0},
	{"INFO prog", OBJ_INFO, prog_info, {-1}, {2}, 0},
	{"INFO btf", OBJ_INFO, btf_info, {-1}, {2}, 0},
	{"BTF_LOAD", BTF_LOAD, btf_load, {0}, {-1, 2}, 0},
	{"PROG_BIND_MAP", BIND_MAP, bind, {-1, 1}, {0}, 0},
	{"ENABLE_STATS", ENABLE_STATS, zero, {0}, {0}, 0},
	{"OBJ_PIN", OBJ_PIN, pin, {2, 4}, {-1}, 0},
	{"OBJ_GET", OBJ_GET, get, {4}, {-1}, 0},
	{"PROG_ATTACH", PROG_ATTACH, attach, {-1, 1, 4}, {0}, 0},
	{"PROG_DETACH", PROG_DETACH, attach, {-1, 1, 4}, {0}, 0},
	{"PROG_QUERY", PROG_QUERY, query, {-1}, {4, 8, 10, 12}, 0},
	{"RAW_TRACEPOINT_OPEN", RAW_TRACEPOINT_OPEN, open_tracepoint, {2}, {-1}, 0},
	{"LINK_CREATE", LINK_CREATE, link_create, {-1}, {0}, 2},
	{"LINK_UPDATE", LINK_UPDATE, link_update, {-1, 1, 3}, {0}, 0},
	{"LINK_DETACH", LINK_DETACH, of_link, {-1}, {0}, 0},
	{"LINK_GET_NEXT_ID", LINK_NEXT_ID, zero, {0}, {0}, 1},
	{"LINK_GET_FD_BY_ID", LINK_FD_BY_ID, zero, {0}, {0}, 1},
	{"ITER_CREATE", ITER_CREATE, of_link, {-1}, {0}, 0},
	{"TOKEN_CREATE", TOKEN_CREATE, token_create, {1}, {0}, 0},
	{"PROG_STREAM_READ_BY_FD", STREAM_READ, read_stream, {4}, {-1}, 0},
};
enum { NVALID = sizeof(valid) / sizeof(valid[0]) };

/* --- Objects ----------------------------------------------------------------------------- */

static int made(const struct place *p, int cmd, union attr *a)
{
	int fd = bpf_at(p, cmd, a, sizeof(*a));

	if (fd < 0) {
		printf("Bail out! %s: command %d answered %d\n", p->name, cmd, fd);
		exit(1);
	}
	return fd;
}

static int made_by(const struct place *p, int cmd, void (*make)(const struct objects *,
                                                                 union attr *))
{
	union attr a = {0};

	make(NULL, &a);
	return made(p, cmd, &a);
}

static void objects_open(const struct place *p, struct objects *o)
{
	union attr a = {0};

	o->array = made_by(p, MAP_CREATE, make_array);
	create(&a, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	o->hash = made(p, MAP_CREATE, &a);
	o->lpm = made_by(p, MAP_CREATE, make_lpm);
	o->queue = made_by(p, MAP_CREATE, make_queue);
	o->prog = made_by(p, PROG_LOAD, load_xdp);
	a = (union attr){0};
	program(&a, BPF_PROG_TYPE_SCHED_CLS);
	o->skb = made(p, PROG_LOAD, &a);
	o->btf = made_by(p, BTF_LOAD, btf_load);
	o->plain = open("/dev/null", O_RDWR);
	o->closed = 1 << 20;
	a = (union attr){0};
	element(&a, o->hash);
	made(p, MAP_UPDATE, &a);
	a.elem.map_fd = (uint32_t)o->queue;
	a.elem.key = 0;
	made(p, MAP_UPDATE, &a);
}

static void objects_close(const struct objects *o)
{
	const int fds[] = {o->array, o->hash, o->lpm, o->queue, o->prog, o->skb, o->btf, o->plain};

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

/* --- Changes ----------------------------------------------------------------------------- */

/* One change of attributes: the same on both sides, though descriptors differ. */
struct change {
	enum { WORD, FLIP, ADD, FD, POINTER, SIZE, BYTE, NOTHING } what;
	unsigned at;
	uint64_t value;
};

enum { FD_KINDS = 10, POINTER_KINDS = 8 };

static int wrong_fd(const struct objects *o, uint64_t kind)
{
	const int fds[FD_KINDS] = {o->array, o->hash, o->prog, o->btf, o->plain,
	                           o->closed, -1, INT32_MIN, o->queue, o->skb};

	return fds[kind];
}

static uint64_t wrong_pointer(uint64_t kind)
{
	const uint64_t pointers[POINTER_KINDS] = {
		0, 8, ptr(page) + PAGE, ptr(page) + PAGE - 2, 0xffff888000000000, UINT64_MAX,
		1ull << 62, ptr(numbers) + 1,
	};

	return pointers[kind];
}

static uint32_t *word_of(union attr *a, unsigned at)
{
	return (uint32_t *)(void *)(a->bytes + at * 4);
}

static void apply(const struct change *c, const struct objects *o, union attr *a, unsigned *size)
{
	uint64_t wide;

	switch (c->what) {
	case WORD:
		*word_of(a, c->at) = (uint32_t)c->value;
		break;
	case FLIP:
		*word_of(a, c->at) ^= 1u << c->value;
		break;
	case ADD:
		*word_of(a, c->at) += (uint32_t)c->value;
		break;
	case FD:
		*word_of(a, c->at) = (uint32_t)wrong_fd(o, c->value);
		break;
	case POINTER:
		wide = wrong_pointer(c->value);
		memcpy(word_of(a, c->at), &wide, 8);
		break;
	case SIZE:
		*size = (unsigned)c->value;
		break;
	case BYTE:
		a->bytes[c->at] = 1;
		break;
	default:
		break;
	}
}

static const char *change_text(const struct change *c, char *to, size_t size)
{
	static const char *const what[] = {"becomes", "has a bit turned over:", "grows by",
	                                   "becomes wrong descriptor",
	                                   "becomes wrong address", "", "becomes 1", ""};

	if (c->what == SIZE)
		snprintf(to, size, "size %" PRIu64, c->value);
	else if (c->what == NOTHING)
		snprintf(to, size, "nothing changed");
	else
		snprintf(to, size, "byte %u %s %" PRId64, c->what == BYTE ? c->at : c->at * 4,
		         what[c->what], (int64_t)(int32_t)c->value);
	return to;
}

/* What the real kernel had better not be asked for. */
static bool too_much(const struct valid *v, const union attr *a)
{
	const struct attr_map_create *m = &a->map_create;
	uint64_t each = (uint64_t)m->key_size + m->value_size * 2ull + 64;

	if (v->cmd == MAP_CREATE)
		return each * m->max_entries > 4 << 20 && m->max_entries;
	if (v->cmd == PROG_TEST_RUN)
		return a->test_run.repeat > 100 || a->test_run.batch_size > 256 ||
		       a->test_run.flags & 2; /* frames that live */
	if (v->cmd >= LOOKUP_BATCH && v->cmd <= DELETE_BATCH)
		return a->batch.count > 400 && a->batch.count < 1 << 30;
	return false;
}

/*
 * Words that are changed as a whole only: a descriptor's number means another file in each place,
 * and where a pointer into our memory with another low half points to would be written to.
 */
static bool whole(const struct valid *v, unsigned word)
{
	for (int i = 0; i < 3 && v->fds[i]; i++)
		if (word == (v->fds[i] < 0 ? 0 : (unsigned)v->fds[i]))
			return true;
	for (int i = 0; i < 8 && v->pointers[i]; i++) {
		unsigned at = v->pointers[i] < 0 ? 0 : (unsigned)v->pointers[i];

		if (word == at || word == at + 1)
			return true;
	}
	return false;
}

/* --- Comparing --------------------------------------------------------------------------- */

/* Differences with a reason: all of this call, or of one byte of its attributes. */
static const struct known {
	const char *call;
	int byte; /* -1: any */
	const char *why;
} known[] = {
	{"MAP_CREATE", 44, "which devices there are changes while tests run"},
	{"MAP_CREATE", 0, "types that are not there yet"},
	{"PROG_LOAD", 64, "there are no devices that take over programs"},
	{"MAP_CREATE", 80, "maps of one program are refused before the hash is read"},
	{"MAP_CREATE", 84, "maps of one program are refused before the hash is read"},
	{"MAP_CREATE", 88, "maps of one program are refused before the hash is read"},
	{"PROG_LOAD", 152, "signatures are refused before anything else is read"},
	{"PROG_LOAD", 156, "signatures are refused before anything else is read"},
	{"BTF_GET_FD_BY_ID", 12, "tokens: there are none that could be the wrong one"},
	{"TEST_RUN", 8, "a size too large, and too few bytes: which is told first"},
	{NULL, 0, NULL},
};

static bool is_known(const struct valid *v, const struct change *c)
{
	int byte = c->what == SIZE ? -2 : c->what == BYTE ? (int)c->at : (int)c->at * 4;

	for (const struct known *k = known; k->why; k++)
		if (!strncmp(v->name, k->call, strlen(k->call)) &&
		    (k->byte < 0 || byte == k->byte))
			return true;
	return false;
}

static struct place places[2];
static unsigned long compared, excused, found;

static int answer(const struct place *p, const struct valid *v, const struct change *c, unsigned n,
                  bool *skip)
{
	struct {
		union attr a;
		uint8_t more[PAGE];
	} big = {0};
	unsigned size = sizeof(big.a);
	struct objects o;
	int ret;

	objects_open(p, &o);
	memset(out, 0, sizeof(out));
	memset(numbers, 0, sizeof(numbers));
	v->make(&o, &big.a);
	for (unsigned i = 0; i < n; i++)
		apply(&c[i], &o, &big.a, &size);
	*skip = too_much(v, &big.a);
	ret = *skip ? 0 : bpf_at(p, v->cmd, &big, size);
	objects_close(&o);
	if (ret > 0) {
		close(ret);
		ret = 0;
	}
	return ret;
}

static void compare(const struct valid *v, const struct change *c, unsigned n)
{
	bool skip = false;
	int mine = answer(&places[0], v, c, n, &skip), theirs;
	char text[2][100];

	if (skip)
		return;
	theirs = answer(&places[1], v, c, n, &skip);
	compared++;
	if (mine == theirs)
		return;
	if (is_known(v, &c[0]) || (n > 1 && is_known(v, &c[1]))) {
		excused++;
		return;
	}
	if (found++ < 60)
		printf("# %s: %s%s%s: Skep %d, the kernel %d\n", v->name,
		       change_text(&c[0], text[0], sizeof(text[0])), n > 1 ? ", " : "",
		       n > 1 ? change_text(&c[1], text[1], sizeof(text[1])) : "", mine, theirs);
}

/* All changes of one call, each given to fn. */
static unsigned changes_of(const struct valid *v, struct change *to)
{
	static const int64_t words[] = {0, 1, 2, 3, 64, 1000, -1, INT32_MAX};
	unsigned n = 0;

	to[n++] = (struct change){NOTHING, 0, 0};
	for (unsigned w = 0; w < WORDS; w++) {
		if (v->leave >> w & 1 || whole(v, w))
			continue;
		for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			to[n++] = (struct change){WORD, w, (uint64_t)words[i]};
		for (unsigned bit = 0; bit < 32; bit++)
			to[n++] = (struct change){FLIP, w, bit};
		to[n++] = (struct change){ADD, w, 1};
		to[n++] = (struct change){ADD, w, UINT32_MAX};
	}
	for (int i = 0; i < 3 && v->fds[i]; i++)
		for (unsigned kind = 0; kind < FD_KINDS; kind++)
			to[n++] = (struct change){FD, v->fds[i] < 0 ? 0 : (unsigned)v->fds[i],
			                          kind};
	for (int i = 0; i < 8 && v->pointers[i]; i++)
		for (unsigned kind = 0; kind < POINTER_KINDS; kind++)
			to[n++] = (struct change){POINTER,
			                          v->pointers[i] < 0 ? 0 : (unsigned)v->pointers[i],
			                          kind};
	for (unsigned size = 0; size <= ATTR_SIZE + 8; size++)
		to[n++] = (struct change){SIZE, 0, size};
	to[n++] = (struct change){SIZE, 0, PAGE};
	to[n++] = (struct change){SIZE, 0, PAGE + 1};
	to[n++] = (struct change){SIZE, 0, UINT32_MAX};
	return n;
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*state >> 33) % n;
}

int main(int argc, char **argv)
{
	static struct change changes[WORDS * 44 + 400];
	unsigned long pairs = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	uint64_t seed = 1;

	places[0].name = "skep";
	places[1].name = "kernel";
	if (!kernel_is_there()) {
		printf("1..0 # SKIP bpf(2) is not to be had\n");
		return 0;
	}
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (skep_new(NULL, &places[0].k) || page == MAP_FAILED || munmap(page + PAGE, PAGE))
		return 1;
	printf("1..%d\n", NVALID);
	for (unsigned i = 0; i < NVALID; i++) {
		const struct valid *v = &valid[i];
		unsigned n = changes_of(v, changes);

		compared = excused = found = 0;
		for (unsigned c = 0; c < n; c++)
			compare(v, &changes[c], 1);
		for (unsigned long c = 0; c < pairs; c++) {
			struct change pair[2] = {changes[random_below(&seed, n)],
			                         changes[random_below(&seed, n)]};

			compare(v, pair, 2);
		}
		printf("%sok %u - %s: %lu calls, %lu differ, %lu more for known reasons\n",
		       found ? "not " : "", i + 1, v->name, compared, found, excused);
		fflush(stdout);
		tests_failed += found != 0;
	}
	skep_free(places[0].k);
	return tests_failed != 0;
}
