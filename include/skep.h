/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep: the BPF system in user space.
 *
 * A `struct skep` is one BPF kernel: its own maps, programs, ids, CPUs. A process may hold as many
 * as it likes; there is no global state. Everything the Linux bpf(2) system call does is one call,
 * skep_bpf(); beside it stand typed calls for what programs that embed Skep do all day.
 *
 * Conventions
 *   - Calls that can fail answer 0 (or a descriptor, or a count) or a negative errno; outputs are
 *     untouched on failure.
 *   - Numbers (map types, program types, flags, commands, struct layouts) are those of
 *     <linux/bpf.h>, which this header does not include.
 *   - Every call may be made from any thread, but for calls that take a struct skep_cpu: that
 *     belongs to the thread that entered it.
 *   - An object obtained through this header (map, program) is a reference: give it back with its
 *     _put call. It stays alive until then, whatever happens to descriptors.
 */
#ifndef SKEP_H
#define SKEP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define SKEP_VERSION "0.1.0"

struct skep;
struct skep_map;
struct skep_prog;
struct skep_cpu;
struct skep_frame;

/* The version of the library that is loaded, as opposed to SKEP_VERSION of this header. */
const char *skep_version(void);

/* --- A kernel ----------------------------------------------------------------------------- */

enum skep_engine {
	SKEP_ENGINE_AUTO,    /* the JIT where there is one, else the interpreter */
	SKEP_ENGINE_JIT,     /* -ENOTSUP from skep_new() where there is none */
	SKEP_ENGINE_INTERP,
	SKEP_ENGINE_CHECKED, /* every memory access is checked: slow, finds bugs, needs no trust */
};

struct skep_options {
	size_t size; /* sizeof(struct skep_options): later versions add fields at the end */
	enum skep_engine engine;
	/*
	 * Until the verifier is complete, a program runs on the checked engine unless this is set:
	 * then it runs at full speed and its memory accesses are as trustworthy as those of a C
	 * function.
	 */
	int trust_programs;
	int blind_constants;   /* the JIT hides immediates that an attacker may have chosen */
	int publish_jit_names; /* /tmp/perf-PID.map and the GDB JIT interface */
	/*
	 * Allocation, for everything long-lived but the storage of large maps, which is mapped from
	 * the system and touched as it fills. Both or neither; NULL: malloc and free. They may be
	 * called from any thread and must not call back into Skep.
	 */
	void *(*alloc)(void *arg, size_t size);
	void (*free)(void *arg, void *block);
	void *alloc_arg;
	/*
	 * Lines of bpf_trace_printk(), without line end, from any thread. NULL: they are dropped.
	 */
	void (*trace)(void *arg, const char *line, size_t len);
	void *trace_arg;
	/*
	 * A directory that serves as the root of this kernel's bpffs: statfs() through libskep-bpf
	 * says so, and pins outside of it are refused. Pins that are left go with the kernel. NULL:
	 * no pins.
	 */
	const char *bpffs;
	/*
	 * A run by BPF_PROG_TEST_RUN that the checked engine ended answers -EFAULT, and this gets
	 * one line of what was wrong, from the thread that called. NULL: nobody is told. See
	 * skep_cpu_fault() for other runs.
	 */
	void (*fault)(void *arg, const char *text);
	void *fault_arg;
	/*
	 * The BTF of the kernel whose types and functions programs refer to: a file as
	 * /sys/kernel/btf/vmlinux, which NULL stands for. It is read when first needed. "": none.
	 */
	const char *vmlinux;
	/*
	 * Frames of test runs with BPF_F_TEST_XDP_LIVE_FRAMES that the program did not drop: to be
	 * carried on by whoever has devices. Valid during the call, from any thread. NULL: dropped.
	 */
	void (*frame)(void *arg, const struct skep_frame *frame);
	void *frame_arg;
	/*
	 * One sentence on what the embedder did wrong and what to change, whenever a call of this header or
	 * of skep_hook.h is refused for that. From any thread. NULL: dropped.
	 */
	void (*diagnose)(void *arg, const char *text);
	void *diagnose_arg;
};

/* See skep_options.frame. */
struct skep_frame {
	uint32_t verdict; /* XDP_PASS, XDP_TX, XDP_REDIRECT */
	uint32_t ifindex; /* where it came from; of XDP_REDIRECT without a map: where to */
	uint32_t map_id;  /* of XDP_REDIRECT by a map, else 0: the map, ... */
	uint32_t flags;   /* ... BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS ... */
	uint64_t key;     /* ... and the key in it */
	const void *data;
	size_t len;
};

/* options may be NULL. */
int skep_new(const struct skep_options *options, struct skep **out);
/*
 * Ends a kernel. No thread may be inside, and references (maps, programs) must have been given
 * back.
 */
void skep_free(struct skep *k);
/* The directory given as options.bpffs as an absolute path without symbolic links, or NULL. */
const char *skep_bpffs(const struct skep *k);

/*
 * bpf(2): cmd and attr as in <linux/bpf.h>. Answers what the system call would: 0, a descriptor, or
 * a negative errno. Descriptors are real ones of this process: close, dup, fork, SCM_RIGHTS work.
 */
int skep_bpf(struct skep *k, int cmd, void *attr, unsigned int size);
/*
 * The capabilities of whoever calls bpf(2) of this kernel from now on, by bit as in
 * <linux/capability.h>; all of them at first. It looks at CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and
 * CAP_SYS_ADMIN, which stands for the other three; a caller without CAP_BPF is an unprivileged user whom
 * kernel.unprivileged_bpf_disabled = 0 lets load programs.
 */
void skep_set_caps(struct skep *k, uint64_t caps);

/* --- CPUs: what a thread holds while it runs programs ------------------------------------- */

/*
 * Takes a CPU slot, waiting while all are held (there are as many as the host may have CPUs). Keep
 * it for many runs. A thread must not enter twice.
 */
struct skep_cpu *skep_cpu_enter(struct skep *k);
void skep_cpu_leave(struct skep_cpu *cpu);
/* The slot's number: what bpf_get_smp_processor_id() answers. */
unsigned int skep_cpu_id(const struct skep_cpu *cpu);

/* --- Programs ----------------------------------------------------------------------------- */

/* The program behind a descriptor. -EBADF, -EINVAL (no program of this kernel). */
int skep_prog_from_fd(struct skep *k, int fd, struct skep_prog **out);
void skep_prog_put(struct skep_prog *prog);
/*
 * BPF_PROG_LOAD of instructions, 8 bytes each. They refer to maps as to an fd_array (BPF_PSEUDO_MAP_IDX):
 * by their place in `maps`, which the program holds from then on.
 */
struct skep_load {
	size_t size; /* sizeof(struct skep_load) */
	uint32_t type, attach_type;
	const void *insns;
	uint32_t ninsns, flags; /* BPF_F_SLEEPABLE ... */
	struct skep_map *const *maps;
	uint32_t nmaps, log_level;
	const char *name, *license; /* NULL: none */
	char *log; /* the verifier's, or NULL */
	size_t log_size;
};
/* message (256 bytes, or NULL): why not, in one sentence. */
int skep_load(struct skep *k, const struct skep_load *load, struct skep_prog **out, char message[256]);
const char *skep_prog_name(const struct skep_prog *prog);
unsigned int skep_prog_type(const struct skep_prog *prog);
int skep_prog_from_id(struct skep *k, uint32_t id, struct skep_prog **out);
/* The first, by id, that has this name. -ENOENT. */
int skep_prog_from_name(struct skep *k, const char *name, struct skep_prog **out);
/* A new descriptor for it, to be closed by the caller. */
int skep_prog_fd(struct skep_prog *prog);
/*
 * The program at place `index` (0: it runs first) of an attach point: where a loader put it with a link
 * (BPF_LINK_CREATE) or BPF_PROG_ATTACH. attach_type: BPF_XDP, BPF_TCX_INGRESS, BPF_CGROUP_... ; target: a
 * device's index, the inode of a cgroup or of a network namespace. Whoever has the traffic runs them;
 * the answer is as of now, and a reference. -ENOENT: no such place.
 */
int skep_prog_attached(struct skep *k, uint32_t attach_type, uint64_t target, uint32_t index,
                       struct skep_prog **out);
/* "jit", "interp" or "checked". */
const char *skep_prog_engine(const struct skep_prog *prog);
/* Machine code of a JIT-compiled program, or NULL. It stays valid as long as the program. */
const void *skep_prog_code(const struct skep_prog *prog, size_t *size);
/* The program as the engines run it, 8 bytes an instruction. */
const void *skep_prog_xlated(const struct skep_prog *prog, size_t *size);

/*
 * Runs a program once. ctx is what its type takes: struct skep_xdp for XDP ... The answer is r0, of
 * which most types use the low 32 bits.
 */
uint64_t skep_run(const struct skep_prog *prog, void *ctx, struct skep_cpu *cpu);
uint64_t skep_prog_run(const struct skep_prog *prog, void *ctx, struct skep_cpu *cpu); /* the same */
/*
 * The same for n contexts, `stride` bytes apart, in one go; answers go to ret[n] (NULL: nowhere). Programs
 * that another thread replaces or frees in between stay until the end.
 */
void skep_run_batch(const struct skep_prog *prog, void *ctxs, size_t stride, size_t n, uint64_t *ret,
                    struct skep_cpu *cpu);

/*
 * Runs are counted while statistics are on: by this (as often off as on), or by BPF_ENABLE_STATS.
 */
struct skep_prog_stats {
	uint64_t runs, run_time_ns;
	uint64_t recursion_misses;
	uint64_t load_time_ns; /* since boot, when it was loaded */
	uint32_t id, verified_insns;
};
void skep_stats_enable(struct skep *k, int on);
void skep_prog_stats(const struct skep_prog *prog, struct skep_prog_stats *out);

/*
 * What the checked engine found in the latest run on this CPU: text of one line, or NULL when the
 * run was clean. Such a run answers 0. Valid until the next run on the CPU.
 */
const char *skep_cpu_fault(struct skep_cpu *cpu);
/* The checked engine ends a run after so many instructions; 0, the default, is never. */
void skep_cpu_set_fuel(struct skep_cpu *cpu, uint64_t instructions);
/*
 * Every reason for which a program is refused has a number that stays: shown as SK0101. That of a line of
 * a verifier's log, Skep's or the real kernel's, or 0; and the message of a number as a printf format, NULL
 * when there is no such number.
 */
unsigned int skep_reject_code(const char *line);
const char *skep_reject_format(unsigned int code);
/* The name of a helper function ("bpf_map_lookup_elem"), whether Skep has it or not, or NULL. */
const char *skep_helper_name(int32_t id);
/* The name of a return code for a program's type ("XDP_DROP"), or NULL. */
const char *skep_verdict_name(const struct skep_prog *prog, int32_t code);

/* --- Packets ------------------------------------------------------------------------------ */

/*
 * The context of an XDP program: a packet in a buffer of the caller's.
 *
 *   head       meta      data             end          limit
 *    | headroom | metadata | packet bytes  |  tailroom  |
 *
 * Programs move data, end and meta within head..limit. Set meta = data before each run; XDP
 * programs expect SKEP_HEADROOM bytes before data, and at least SKEP_TAILROOM behind end to grow
 * into.
 */
struct skep_xdp {
	uint8_t *data, *end, *meta;
	uint8_t *head, *limit;
	uint32_t ingress_ifindex, rx_queue_index, egress_ifindex;
	uint32_t reserved; /* 0 */
};

enum { SKEP_HEADROOM = 256, SKEP_TAILROOM = 320 };

/*
 * A program type for bare bytecode (conformance suites, experiments): r1 points to this, any value
 * may be returned, every helper that needs no packet may be called.
 */
enum { SKEP_PROG_TYPE_RAW = 0x534b0000 };

struct skep_raw {
	void *mem;
	uint64_t len;
};

/* The same for socket filters and tc classifiers: see skep_skb_run(). */
struct skep_skb_in {
	uint32_t ifindex, mark, priority;
	uint32_t protocol; /* ethertype in network order; 0: taken from the packet */
};

/*
 * Runs a program of an skb type (socket_filter, sched_cls, sched_act ...; no other) on an Ethernet
 * frame in p, its ifindex fields ignored, which it may change. Answers r0.
 */
uint64_t skep_skb_run(const struct skep_prog *prog, struct skep_xdp *p,
                      const struct skep_skb_in *in,
                      struct skep_cpu *cpu);

/* --- A network for helpers to look things up in ------------------------------------------- */

/*
 * What bpf_fib_lookup(), bpf_check_mtu() and bpf_sk_lookup_*() find. There is one device to begin
 * with: lo, index 1. Rows are copied and stay as long as the kernel; addresses are in network
 * order, an IPv4 address in the first 4 bytes with zeros behind it; family is AF_INET or AF_INET6.
 * All answer 0, -EINVAL, -ENOMEM, or -EEXIST for a device that is there.
 */
struct skep_device {
	uint32_t ifindex, mtu;
	uint8_t mac[6];
	uint8_t forwards; /* 1: packets that arrive there are routed */
};

enum skep_route_kind {
	SKEP_ROUTE_UNICAST, SKEP_ROUTE_BLACKHOLE, SKEP_ROUTE_UNREACHABLE, SKEP_ROUTE_PROHIBIT,
	SKEP_ROUTE_LOCAL,
};

struct skep_route {
	uint8_t family, prefix, kind;     /* kind: enum skep_route_kind */
	uint8_t has_gateway, has_source;  /* whether these addresses are there */
	uint32_t table;                   /* 0: main */
	uint32_t ifindex, metric, mtu;    /* mtu 0: the device's */
	uint8_t dst[16], gateway[16], source[16];
};

struct skep_neigh {
	uint8_t family, mac[6];
	uint32_t ifindex;
	uint8_t addr[16];
};

struct skep_socket {
	uint8_t family, protocol;         /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t state;                    /* TCP_LISTEN ...: <netinet/tcp.h> */
	uint16_t local_port, remote_port; /* host order; remote_port 0: it takes from anybody */
	uint8_t local[16], remote[16];    /* all zero: any */
	uint32_t ifindex, mark, priority;
	uint64_t cookie;
};

int skep_add_device(struct skep *k, const struct skep_device *device);
int skep_add_route(struct skep *k, const struct skep_route *route);
int skep_add_neigh(struct skep *k, const struct skep_neigh *neigh);
int skep_add_socket(struct skep *k, const struct skep_socket *socket);

/* --- Maps --------------------------------------------------------------------------------- */

struct skep_map_info {
	uint32_t id, type, key_size, value_size, max_entries, flags;
	uint64_t memory; /* bytes it takes at present; what was never touched does not count */
	size_t value_bytes; /* as lookup and update move it: per-CPU types have one value a CPU */
	const char *name;      /* valid while the map is held */
	const char *type_name; /* "lru_hash" */
};

/* What a new map is like: BPF_MAP_CREATE. */
struct skep_map_def {
	uint32_t type, key_size, value_size, max_entries, flags;
	const char *name; /* NULL: none; up to 15 letters, digits, _ and . */
};

int skep_map_new(struct skep *k, const struct skep_map_def *def, struct skep_map **out);
int skep_map_from_fd(struct skep *k, int fd, struct skep_map **out);
/* -ENOENT: there is none. */
int skep_map_from_id(struct skep *k, uint32_t id, struct skep_map **out);
/* The first, by id, that has this name. -ENOENT. */
int skep_map_from_name(struct skep *k, const char *name, struct skep_map **out);
/* A new descriptor for it, to be closed by the caller: for loaders of programs. */
int skep_map_fd(struct skep_map *map);
void skep_map_put(struct skep_map *map);
void skep_map_info(const struct skep_map *map, struct skep_map_info *out);

/*
 * Are keys and values as large as these types? Once this holds, &key and &value may be given to the
 * calls below. (Of per-CPU types, the value is an array: value_bytes of skep_map_info.)
 */
#define SKEP_MAP_HAS_TYPES(map, key_type, value_type)                                             \
	skep_map_has_sizes(map, sizeof(key_type), sizeof(value_type))
int skep_map_has_sizes(const struct skep_map *map, size_t key_size, size_t value_bytes);

/*
 * As the commands of bpf(2): -ENOENT, -EEXIST, -E2BIG, -524 (ENOTSUPP) ... A queue or a stack has no
 * keys: NULL; update is push, lookup is peek, take is pop. Flags: BPF_NOEXIST, BPF_EXIST.
 */
int skep_map_lookup(struct skep_map *map, const void *key, void *value);
int skep_map_update(struct skep_map *map, const void *key, const void *value, uint64_t flags);
int skep_map_delete(struct skep_map *map, const void *key);
int skep_map_next_key(struct skep_map *map, const void *key, void *next); /* key NULL: the first */
/* Copies the value and deletes the element, with nothing in between. */
int skep_map_take(struct skep_map *map, const void *key, void *value);

/*
 * Where the live value of an array (BPF_MAP_TYPE_ARRAY, _PERCPU_ARRAY: that of one CPU) is: readable
 * and writable, 8-byte aligned, as long as the map is held. NULL: no such element, or a type whose
 * elements come and go. Programs see each aligned word of up to 8 bytes change at once.
 */
void *skep_map_pointer(struct skep_map *map, const void *key, unsigned int cpu);

/*
 * Many at once. *n elements, one behind the other (values: value_bytes each); *n becomes how many were
 * done before the first that failed. 0 or that one's -errno.
 */
int skep_map_update_batch(struct skep_map *map, const void *keys, const void *values, uint32_t *n,
                          uint64_t flags);
int skep_map_delete_batch(struct skep_map *map, const void *keys, uint32_t *n);

/*
 * A walk over a map. What is in a hash map or an array all the while is met exactly once, whatever else
 * comes and goes.
 *
 *     struct skep_walk *w;
 *     const void *key, *value;
 *
 *     if (skep_walk_new(map, 0, &w) == 0) {
 *         while (skep_walk_next(w, &key, &value) == 1)
 *             ...
 *         skep_walk_free(w);
 *     }
 */
struct skep_walk;
enum { SKEP_WALK_TAKE = 1 }; /* what is met is deleted: hash maps only, else -524 */
/* -524: a type that has no elements to walk over. The walk does not hold the map. */
int skep_walk_new(struct skep_map *map, uint32_t flags, struct skep_walk **out);
void skep_walk_free(struct skep_walk *w);
/* 1: copies of the next element, until the next call; 0: there is no more; -ENOMEM. */
int skep_walk_next(struct skep_walk *w, const void **key, const void **value);
/* Up to room elements at once, into arrays of the caller's. How many; 0 is the end; -ENOSPC: more room. */
int64_t skep_walk_read(struct skep_walk *w, void *keys, void *values, uint32_t room);

/*
 * Consumes what programs wrote to a ring buffer: fn for every record, in order, until it answers
 * other than 0. Answers the number of records, or what fn answered when negative. One thread at a
 * time.
 */
int64_t skep_ringbuf_consume(struct skep_map *map, int (*fn)(void *arg, const void *data,
                                                             size_t len),
                             void *arg);
/*
 * An eventfd that becomes readable when a program writes to the map and the kernel would wake those
 * who wait for it. It belongs to the map and goes with it. It stays readable until
 * skep_events_settle(), which belongs before each wait: afterwards those of a kernel's maps are
 * readable that have something to read.
 */
int skep_map_event_fd(struct skep_map *map);
void skep_events_settle(struct skep *k);

/*
 * Perf rings: what bpf_perf_event_output() writes to. skep_perf_open() makes a ring of size bytes (a
 * power of two, whole pages, at most 16 MiB) for what programs on CPU slot `index` put out, and puts it
 * in that place of a perf event array. Samples are padded to 8 bytes less 4, as perf buffers have them.
 * lost (may be NULL) gets the number of samples for which there was no room. One thread at a time.
 */
struct skep_perf;
int skep_perf_open(struct skep_map *map, uint32_t index, size_t size, struct skep_perf **out);
void skep_perf_close(struct skep_perf *perf); /* the map keeps it until it is replaced */
int64_t skep_perf_consume(struct skep_perf *perf,
                          int (*sample)(void *arg, const void *data, size_t size),
                          void (*lost)(void *arg, uint64_t n), void *arg);
int skep_perf_event_fd(struct skep_perf *perf); /* see skep_map_event_fd() */

/*
 * For doors: perf_event_open(2) of a software event "BPF output", its ioctl()s (-ENOTTY: not an event of
 * ours), and the eventfd of what is behind a descriptor, map or event.
 */
int skep_perf_event_open(struct skep *k, const void *attr, int pid, int cpu, int group,
                         unsigned long flags);
int skep_perf_event_ioctl(struct skep *k, int fd, unsigned long request);
int skep_fd_event_fd(struct skep *k, int fd);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
