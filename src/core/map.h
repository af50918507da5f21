/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: the contract between a map type (one file in maps/) and everybody who uses maps.
 *
 * A type is a struct map_ops and one row in maps.def. An operation that a type has not got is NULL, and
 * only map_*() below turn that into the errno that bpf(2) gives.
 *
 * Two sides call a type:
 *  - programs, holding a CPU slot: lookup() answers the address of the live value, update() and
 *    delete() act on it. Values may be reused while a program still holds their address, exactly as in
 *    the kernel; they never become unmapped before the program's read section ends.
 *  - bpf(2) and skep.h, from any thread: copy_out() and copy_in() move whole values, which for
 *    per-CPU types is every CPU's, each rounded up to 8 bytes. NULL: map.c does it with lookup/update.
 * Both sides run at the same time on any number of threads. A frozen map refuses the second side's
 * writes here, in map_update() and map_delete(); whether a descriptor was opened for reading or writing
 * is sys/'s question, whether a program may write (map_prog_writes()) the verifier's.
 *
 * Source of rules and errnos: Linux 6.18, Documentation/bpf/map_*.rst and its behaviour.
 */
#ifndef SKEP_CORE_MAP_H
#define SKEP_CORE_MAP_H

#include "base/pages.h"
#include "core/helper.h"
#include "core/obj.h"

struct insn;
struct btf;
struct record;
struct host_id;
struct perf_sample;

/* What BPF_MAP_CREATE says, already copied, reserved fields checked. */
struct map_attr {
	uint32_t type, key_size, value_size, max_entries, flags;
	uint32_t numa_node;
	uint64_t extra;
	uint32_t kernel_type; /* of the value, in the kernel's BTF; 0: none */
	bool has_btf;      /* the types of key and value are given */
	struct map *inner; /* a map like those that will be in a map-in-map, or NULL; borrowed */
	char name[BPF_OBJ_NAME_LEN];
};

/* Does the creator want a certain memory node? Per-CPU types refuse that. */
static inline bool map_attr_wants_node(const struct map_attr *attr)
{
	return (attr->flags & BPF_F_NUMA_NODE) && attr->numa_node != UINT32_MAX;
}

struct map {
	struct obj obj;
	const struct map_ops *ops;
	uint32_t type, key_size, value_size, max_entries, flags;
	uint64_t extra;
	char name[BPF_OBJ_NAME_LEN];
	_Atomic bool frozen;
	struct lock lock; /* for the type's own use */
	struct btf *btf; /* referenced, or NULL */
	struct record *record; /* special fields of a value, or NULL: nothing is special */
	uint32_t btf_id, btf_key_type_id, btf_value_type_id;
	uint32_t kernel_type; /* of the value, in the kernel's BTF; 0: none */
	uint64_t memory; /* bytes of storage, where that does not change: see map_memory() */
	struct map_attr *inner; /* of a map-in-map: what the maps in it are like; else NULL */
	struct pages pages; /* storage that clients may map, or fd -1 */
	_Atomic uint32_t usercnt; /* descriptors and pins; a prog array empties when it falls to 0 */
	/* Entry points for calls from programs that know the map; NULL: go through ops. Set by ops.init. */
	helper_fn call_lookup, call_update, call_remove;
	_Atomic int event_fd; /* an eventfd + 1 for who waits until there is something to read; 0: nobody */
};

/* Part of an address space that a program may touch: see map_ops.region and hook.regions. */
struct region {
	uintptr_t start;
	size_t size;
	bool writable;
	const char *name; /* "stack", "ctx", "packet", "map value" ... */
};

/* Which of bpf(2)'s BATCH commands a type has. */
enum {
	MAP_BATCH_LOOKUP = 1,
	MAP_BATCH_UPDATE = 2,
	MAP_BATCH_DELETE = 4,
	MAP_BATCH_TAKE = 8, /* look up and delete */
	MAP_BATCH_ALL = 15,
};

/* A part of a walk over a map: room for so many elements, and where to go on. */
struct map_batch {
	uint8_t *keys, *values; /* of key_size and map_value_size() each */
	uint32_t room, n;       /* elements; n: filled in */
	void *at;               /* map_token_size() bytes: see map_batch_read() */
	bool first;             /* at is not filled in yet */
	bool take;              /* delete what was copied */
	uint64_t flags;         /* BPF_F_LOCK */
};

struct map_ops {
	const char *name; /* "hash": as bpftool prints it */
	size_t size;      /* of the type's struct, which begins with struct map */
	size_t entry_size; /* bytes that follow the struct for each of max_entries */

	/* Is this a map that the kernel would create? 0, -EINVAL, -E2BIG, -EPERM ... Touches nothing. */
	int (*check)(const struct skep *k, const struct map_attr *attr);
	/* m is zeroed and its struct map filled in. On failure nothing is left allocated. */
	int (*init)(struct map *m, const struct map_attr *attr);
	void (*fini)(struct map *m);

	/* Programs' side. cpu is the slot number, < k->ncpus. */
	void *(*lookup)(struct map *m, const void *key, unsigned cpu);
	int (*update)(struct map *m, const void *key, const void *value, uint64_t flags, unsigned cpu);
	int (*remove)(struct map *m, const void *key);
	int (*push)(struct map *m, const void *value, uint64_t flags);
	int (*pop)(struct map *m, void *value);
	int (*peek)(struct map *m, void *value);
	void *(*lookup_percpu)(struct map *m, const void *key, unsigned cpu);
	/* Calls fn on every element until it answers non-zero; answers the number visited or -errno. */
	int64_t (*for_each)(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
	                    struct cpu *cpu);

	/* bpf(2)'s side. */
	int (*next_key)(struct map *m, const void *key, void *next); /* key NULL: the first */
	int (*copy_out)(struct map *m, const void *key, void *value, uint64_t flags);
	int (*copy_in)(struct map *m, const void *key, const void *value, uint64_t flags);
	/* Copies the value out and deletes the element, with nothing in between. */
	int (*copy_take)(struct map *m, const void *key, void *value, uint64_t flags);
	/*
	 * map_batch_read() where the place in a walk is a number, of 4 bytes at b->at; NULL: it is the
	 * latest key.
	 */
	int (*batch)(struct map *m, struct map_batch *b);
	uint8_t batches; /* MAP_BATCH_... */
	bool never_freezes;
	int (*copy_delete)(struct map *m, const void *key); /* for types whose remove is bpf(2)'s only */
	/*
	 * Types whose value is a descriptor to bpf(2) and an id when read (prog arrays, map-in-map).
	 * set() takes over the reference to o on success. -EINVAL for an object that does not fit.
	 */
	enum obj_kind fd_kind; /* meaningful when set or set_pair is not NULL */
	int fd_wrong; /* the errno for a descriptor of another kind; 0: EINVAL */
	/* What is wrong with key and flags: asked before the descriptor is looked at. */
	int (*set_ok)(const struct map *m, const void *key, uint64_t flags);
	int (*set)(struct map *m, const void *key, struct obj *o, uint64_t flags);
	/*
	 * Types whose value is a number and, where value_size is 8, a descriptor behind it (devmap,
	 * cpumap): o is its object, which the map takes over on success, NULL: none was given. A
	 * descriptor that is none of a program is the type's to refuse: bad.
	 */
	int (*set_pair)(struct map *m, const void *key, uint32_t number, struct obj *o, bool bad,
	                uint64_t flags);
	uint32_t (*get_id)(struct map *m, const void *key); /* 0: no such element */

	/*
	 * Of types whose values may have special fields (m->record). take_record() is called when a map
	 * gets its record, before anybody else knows it: 0 or -ENOMEM; NULL: nothing to do.
	 * each_value() calls fn for all values there ever were, also those of elements that are free.
	 */
	int (*take_record)(struct map *m);
	/* The key of the element that a value belongs to; *index: room for one that is not in memory. */
	const void *(*key_of)(struct map *m, const void *value, uint32_t *index);
	void (*each_value)(struct map *m, void (*fn)(void *value, void *arg), void *arg);

	/* Of a map-in-map: calls fn for the maps in it until it answers true; did it? In a read section. */
	bool (*any_inner)(struct map *m, bool (*fn)(struct map *inner, void *arg), void *arg);

	/* Can this region of memory be touched by programs? True and *r filled in when it holds addr. */
	bool (*region)(struct map *m, uintptr_t addr, struct region *r);
	/* Address of the byte `offset` of the storage (lddw map_value). -EINVAL outside, NULL: -ENOTSUPP */
	int (*direct_value)(struct map *m, uint32_t offset, uintptr_t *addr);
	/* BPF instructions for bpf_map_lookup_elem(r1 = m, r2 = key), result in r0, clobbering r1-r5 only. */
	unsigned (*inline_lookup)(const struct map *m, struct insn *out); /* <= MAP_INLINE_MAX; 0: none */
	/*
	 * bpf_redirect_map(): is there something at key? Fills in *to but for map and flags. NULL:
	 * nobody redirects to such a map. redirect_flags: what it takes beside an action.
	 */
	bool (*redirect)(struct map *m, uint64_t key, struct redirect *to);
	uint32_t redirect_flags;
	/* Ring buffers, for programs: output, reserve and query answer what their helpers do. */
	int64_t (*ring_output)(struct map *m, const void *data, uint64_t size, uint64_t flags);
	void *(*ring_reserve)(struct map *m, uint64_t size, uint64_t flags);
	/* Submits or discards a record of this ring; false: the record belongs to another. */
	bool (*ring_finish)(struct map *m, void *record, uint64_t flags, bool discard);
	uint64_t (*ring_query)(const struct map *m, uint64_t what);
	/* For user space: see skep_ringbuf_consume(). fn is called with no lock held. */
	int64_t (*ring_consume)(struct map *m, int (*fn)(void *arg, const void *data, size_t len),
	                        void *arg);

	/* bpf_user_ringbuf_drain(): calls fn(dynptr, arg) for each record. */
	int64_t (*user_ring_drain)(struct map *m, struct callback *fn, uint64_t arg, uint64_t flags,
	                           struct cpu *cpu);
	/* bpf_perf_event_output(): see core/perf.h. */
	int64_t (*perf_output)(struct map *m, uint64_t index, const struct perf_sample *sample,
	                       struct cpu *cpu);
	/* Notes a stack, innermost address first: its number. -EEXIST, -ENOMEM */
	int64_t (*stack_id)(struct map *m, const uint64_t *addrs, uint32_t n, uint64_t flags);
	/* The id of a control group by its place. -E2BIG, -EAGAIN: there is none */
	int (*cgroup_id)(struct map *m, uint64_t index, uint64_t *id);
	/* bpf_get_local_storage(): the value of the program that runs. */
	void *(*local_storage)(struct map *m, unsigned cpu);
	/* Local storages: value (or NULL: zeros) is what a new one begins with, if flags ask for one. */
	void *(*storage_get)(struct map *m, const struct host_id *id, const void *value,
	                     uint64_t flags);
	int (*storage_delete)(struct map *m, const struct host_id *id);
	/* Ring buffers and the like. A file position and length that a client may map; -EPERM otherwise. */
	int (*mmap_ok)(const struct map *m, uint64_t offset, uint64_t len, bool write);
	uint64_t (*memory)(const struct map *m); /* where it depends on what is in it */
	bool (*readable)(const struct map *m); /* something to consume */
	/* Frees what it holds of other objects once no descriptor or pin is left (usercnt 0). */
	void (*release_uref)(struct map *m);
	const struct arena_ops *arena; /* of arenas: arena.h */
	bool no_inner;    /* may not be in a map-in-map: -ENOTSUPP */
	bool per_cpu;     /* copy_out and copy_in move ncpus values */
	bool asks_by_value; /* copy_out reads the value that it is given: is this one there? */
	bool prog_rdonly; /* BPF_F_RDONLY_PROG is always set: programs never write values */
	bool takes_extra; /* map_extra means something; elsewhere it must be 0 */
};

enum { MAP_INLINE_MAX = 16 };

/* A type under a number of the embedder's: see core/registry.h. */
struct user_map {
	uint32_t type;
	const struct map_ops *ops;
};

/* The operations of a map type, or NULL. */
const struct map_ops *map_ops_find(const struct skep *k, uint32_t type);

/*
 * A prog array, which every engine knows by its layout: a tail call loads slot[index] (acquire), index
 * < map.max_entries. Programs in it are referenced; one that is taken out lives on until no reader can
 * have seen it.
 *
 * All programs in it and all that use it are of one kind, set by the first: a tail call must not find a
 * context of another layout.
 */
struct map_prog_array {
	struct map map;
	bool owned; /* the following hold; under map.lock */
	uint32_t owner_type, owner_attach_type, owner_flags;
	_Atomic(struct prog *) slot[];
};

/*
 * Creates a map of attr with one reference; map_create() publishes it as well. Checks what all types
 * share (access flags, NUMA node, map_extra), then asks the type. -EINVAL, -E2BIG, -ENOMEM, -EPERM ...
 */
/* What map_new() would refuse of the attributes alone: 0 or -EINVAL ... */
int map_attr_check(const struct skep *k, const struct map_attr *attr);
int map_new(struct skep *k, const struct map_attr *attr, struct map **out);
int map_create(struct skep *k, const struct map_attr *attr, struct map **out);

/* bpf(2)'s side, with the kernel's errnos for what a type cannot do. Sizes: map_value_size(). */
int map_lookup(struct map *m, const void *key, void *value, uint64_t flags);
int map_update(struct map *m, const void *key, const void *value, uint64_t flags);
int map_delete(struct map *m, const void *key);
int map_take(struct map *m, const void *key, void *value, uint64_t flags); /* look up and delete */
int map_next_key(struct map *m, const void *key, void *next);
/* As map_lookup(), but of types with get_id() the id, in 4 bytes. */
int map_lookup_id(struct map *m, const void *key, void *value, uint64_t flags);
/*
 * Copies the next elements of a walk. 0: the room is full, or elements are left which do not fit any
 * more; -ENOENT: these were the last; -ENOSPC: the first to come do not fit, there must be more room.
 * b->n says how many came, b->at where to go on.
 */
int map_batch_read(struct map *m, struct map_batch *b);
size_t map_token_size(const struct map *m);
/* From now on bpf(2) changes nothing in it; programs may. -EBUSY: it is frozen already. */
int map_freeze(struct map *m);

/* May programs read, write values? (BPF_F_WRONLY_PROG, BPF_F_RDONLY_PROG) */
static inline bool map_prog_reads(const struct map *m)
{
	return !(m->flags & BPF_F_WRONLY_PROG);
}

static inline bool map_prog_writes(const struct map *m)
{
	return !(m->flags & BPF_F_RDONLY_PROG);
}

/* No client has a descriptor or pin of it any more: types, timers and the like let go. */
void map_release_uref(struct map *m);

/* Is fn true of one of these maps, or of a map in one of them? In a read section. */
bool map_any(struct map *const *maps, uint32_t n, bool (*fn)(struct map *m, void *arg), void *arg);

/* May p be in this prog array, or use it? Makes it p's kind when it has none yet. */
bool map_prog_array_fits(struct map *m, const struct prog *p);

/* A type calls this whenever the kernel would wake those who poll the map's descriptor. */
void map_wake(struct map *m);
/* The eventfd that map_wake() writes to, made at the first call; it stays the map's. Or -errno. */
int map_event_fd(struct map *m);
/* Makes the eventfds of all maps readable where there is something to read, and only there. */
void map_events_settle(struct skep *k);

/* Bytes that the map takes: `memlock`. What is laid out but has never been touched does not count. */
uint64_t map_memory(const struct map *m);

/* Bytes of a value as bpf(2) moves it: value_size, or for per-CPU types 8-rounded times CPUs. */
size_t map_value_size(const struct map *m);

#endif
