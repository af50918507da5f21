/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: the filters of tcpdump, SO_ATTACH_FILTER, seccomp and xt_bpf, with the semantics of Linux.
 *
 * A filter is an array of struct skep_cbpf_insn, which is struct sock_filter of <linux/filter.h> and struct
 * bpf_insn of libpcap: arrays of these may be cast. Its machine has an accumulator A, an index register X
 * and sixteen words M[] of scratch memory; it jumps forward only, and its answer says how many bytes of a
 * packet are wanted (0: none), or what becomes of a system call.
 *
 *   text and numbers  <-- skep_cbpf_read() --  array  -- skep_cbpf_write() -->  the same forms
 *   skep_cbpf_check()      would the kernel take it?
 *   skep_cbpf_run()        the reference interpreter; skep_cbpf_step() is one instruction of it
 *   skep_cbpf_translate()  eBPF; skep_cbpf_load() loads that into a kernel, skep_filter_run() runs it
 *
 * Only the last two need a struct skep. All functions may be called from any thread.
 */
#ifndef SKEP_CBPF_H
#define SKEP_CBPF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct skep;
struct skep_cpu;
struct skep_prog;

struct skep_cbpf_insn {
	uint16_t code;
	uint8_t jt, jf; /* of conditional jumps: instructions to skip when true, when false */
	uint32_t k;
};

enum { SKEP_CBPF_MAX_INSNS = 4096, SKEP_CBPF_WORDS = 16 };

/* What a filter is for: it decides which instructions there are and what loads from the packet mean. */
enum skep_cbpf_kind {
	SKEP_CBPF_SOCKET,  /* packets: numbers in network order; SKF_AD_OFF, SKF_NET_OFF, SKF_LL_OFF */
	SKEP_CBPF_SECCOMP, /* struct seccomp_data: aligned 32-bit words in the order of the host */
};

struct skep_cbpf_error {
	unsigned line, column; /* in the text, from 1; 0: not known */
	int insn;              /* the instruction, from 0; -1: not one */
	char text[160];        /* what is wrong and why, without position; one line */
};

/* --- Checking -------------------------------------------------------------------------------- */

/* Would the kernel take it? 0, or -EINVAL with the first reason; error may be NULL. */
int skep_cbpf_check(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                    struct skep_cbpf_error *error);

/* --- Forms ----------------------------------------------------------------------------------- */

enum skep_cbpf_form {
	SKEP_CBPF_ASM,     /* `ldh [12]`, labels: the kernel's bpf_asm, netsniff-ng's bpfc */
	SKEP_CBPF_LIST,    /* tcpdump -d */
	SKEP_CBPF_C,       /* tcpdump -dd: { 0x28, 0, 0, 0x0000000c }, */
	SKEP_CBPF_DECIMAL, /* tcpdump -ddd */
	SKEP_CBPF_MACROS,  /* BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), */
	SKEP_CBPF_XT,      /* one line, for xt_bpf: what nfbpf_compile prints */
	SKEP_CBPF_RAW,     /* the bytes of the array: what libseccomp exports */
	SKEP_CBPF_FORMS,
	SKEP_CBPF_ANY = SKEP_CBPF_FORMS, /* reading: whichever it looks like */
};

/*
 * Reads a filter in a form; it need not pass skep_cbpf_check(). *out is malloc()ed, 1..65535
 * instructions. -EINVAL with error filled in, -ENOMEM.
 */
int skep_cbpf_read(const void *text, size_t len, enum skep_cbpf_form form, struct skep_cbpf_insn **out,
                   size_t *n, struct skep_cbpf_error *error);
/*
 * The same to text: malloc()ed, *len bytes and a NUL. SKEP_CBPF_LIST shows no unused fields and no unknown
 * instructions; a k that is not used (`tax`) is lost in this and in SKEP_CBPF_ASM. All else reads back. -ENOMEM.
 */
int skep_cbpf_write(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_form form, char **out,
                    size_t *len);
/* Instruction i as in SKEP_CBPF_ASM, jumps to l0, l1 ...: snprintf()'s answer. */
int skep_cbpf_insn_text(const struct skep_cbpf_insn *insns, size_t n, size_t i, char *to, size_t room);
/* The form that text looks like. */
enum skep_cbpf_form skep_cbpf_guess(const void *text, size_t len);

/* --- Running --------------------------------------------------------------------------------- */

/* A packet, or struct seccomp_data in data. What is not known may be 0. */
struct skep_cbpf_packet {
	const uint8_t *data;
	uint32_t len;           /* bytes there are */
	uint32_t wire_len;      /* what LEN answers: bytes there were */
	uint32_t link, network; /* where SKF_LL_OFF and SKF_NET_OFF count from, in data */
	uint16_t protocol;      /* ethertype, in host order */
	uint16_t vlan_tpid, vlan_tci;
	uint8_t vlan_present, pkt_type;
	uint32_t ifindex; /* 0: no device; loads that ask for one end the run with A */
	uint32_t hatype, mark, queue, hash, cpu, payload;
	uint32_t random;  /* state of the generator */
};

/*
 * Fills in what follows from the bytes of a frame of a pcap link type: link, network, protocol, pkt_type,
 * hatype, payload; the rest is 0. wire_len below len counts as len.
 */
void skep_cbpf_packet_init(struct skep_cbpf_packet *p, const void *data, uint32_t len, uint32_t wire_len,
                           uint32_t link_type);

/* The machine between two instructions. All zero: before the first. */
struct skep_cbpf_state {
	uint32_t pc, a, x;
	uint32_t m[SKEP_CBPF_WORDS];
	uint32_t steps; /* made so far */
	uint32_t ret;   /* once done */
	uint32_t at, size; /* bytes of data that the last step read; size 0: none */
	uint8_t done;   /* 1: a return; 2: a load of what is not there; 3: division by zero */
};

/* One instruction of a filter that passed skep_cbpf_check(). 1, or 0 when it was done before. */
int skep_cbpf_step(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                   struct skep_cbpf_packet *p, struct skep_cbpf_state *s);
/* All of it: what it returns. */
uint32_t skep_cbpf_run(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_kind kind,
                       struct skep_cbpf_packet *p);

/* --- eBPF ------------------------------------------------------------------------------------ */

enum skep_cbpf_target {
	SKEP_CBPF_TO_SOCKET,  /* BPF_PROG_TYPE_SOCKET_FILTER: packet loads (LD_ABS, LD_IND) */
	SKEP_CBPF_TO_TC,      /* BPF_PROG_TYPE_SCHED_CLS: direct loads, packet loads where these fail */
	SKEP_CBPF_TO_LINEAR,  /* the same where packets are in one piece: no packet loads for these */
	SKEP_CBPF_TO_SECCOMP, /* BPF_PROG_TYPE_SYSCALL: the context is struct seccomp_data */
};

/*
 * Translates a filter that passes skep_cbpf_check() into eBPF (8 bytes an instruction, malloc()ed) that
 * answers the same for every packet. hatype is the type of the device (ARPHRD_*), which no context of eBPF
 * has; the offset of the payload is taken from the context's cb[0]. -EINVAL with error: the check failed,
 * -ENOMEM.
 */
int skep_cbpf_translate(const struct skep_cbpf_insn *insns, size_t n, enum skep_cbpf_target target,
                        uint32_t hatype, void **out, size_t *out_n, struct skep_cbpf_error *error);

/*
 * A filter in a kernel: checked, translated, verified, compiled. It holds its program until it is freed.
 * log, which may be NULL, gets what the verifier says. -EINVAL with error, -EACCES and the like with log.
 */
struct skep_filter;

int skep_filter_new(struct skep *k, const struct skep_cbpf_insn *insns, size_t n,
                    enum skep_cbpf_kind kind, uint32_t link_type, struct skep_filter **out,
                    struct skep_cbpf_error *error);
void skep_filter_free(struct skep_filter *f);
/* The program, for its code; not a new reference. */
const struct skep_prog *skep_filter_prog(const struct skep_filter *f);

/*
 * What the filter says of a packet of its link type, or of struct seccomp_data (link type and wire_len are
 * then nobody's). The filter must not be run by two threads at a time.
 */
uint32_t skep_filter_run(struct skep_filter *f, const void *data, uint32_t len, uint32_t wire_len,
                         struct skep_cpu *cpu);
/* The same for many packets at once, which is faster: ret[i] is what it says of items[i]. */
struct skep_filter_item {
	const void *data;
	uint32_t len, wire_len;
};
void skep_filter_run_many(struct skep_filter *f, const struct skep_filter_item *items, size_t n,
                          uint32_t *ret, struct skep_cpu *cpu);
/* The same with all that is known of the packet. */
uint32_t skep_filter_run_packet(struct skep_filter *f, const struct skep_cbpf_packet *p,
                                struct skep_cpu *cpu);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
