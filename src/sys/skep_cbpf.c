/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters in a kernel: the half of include/skep_cbpf.h that needs one. A filter becomes a tc classifier
 * over packets in one piece, or a program over struct seccomp_data, loaded as any other.
 */
#include "skep_cbpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cbpf/cbpf.h"
#include "core/pkt.h"
#include "core/prog.h"
#include "skep.h"
#include "sys/attr.h"

enum { PROG_LOAD = 5, LOG_SIZE = 1 << 16, SLEEPABLE = 1 << 4 /* BPF_F_SLEEPABLE */ };

struct skep_filter {
	struct skb skb; /* what the program sees; most of it stays as it is */
	struct skep_prog *prog;
	enum skep_cbpf_kind kind;
	uint32_t link_type;
	bool asks; /* for more than bytes and length */
};

/*
 * Does it ask for headers or extensions? Then each packet must be looked at first. Headers are reached by
 * packet load instructions only, which the translation has where nothing else will do.
 */
static bool asks(const struct skep_cbpf_insn *insns, size_t n, const struct insn *code, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (cbpf_ext(&insns[i]) != EXT_NONE && cbpf_ext(&insns[i]) != EXT_XOR_X)
			return true;
	for (size_t i = 0; i < len; i++)
		if (code[i].code && !(code[i].code & CLASS_MASK) && code[i].code != insn_info[OP_LDDW].code)
			return true;
	return false;
}

/* The line of a log that says why. */
static void last_word(char *log, struct skep_cbpf_error *error)
{
	char *line = strtok(log, "\n"), *why = line;

	for (; line; line = strtok(NULL, "\n"))
		if (strncmp(line, "processed ", 10))
			why = line;
	cbpf_fail(error, -1, 0, 0, "the verifier: %.140s", why ? why : "no reason given");
}

static int load(struct skep *k, const void *insns, size_t n, bool seccomp, struct skep_prog **out,
                struct skep_cbpf_error *error)
{
	char *log = calloc(1, LOG_SIZE);
	struct attr_prog_load attr = {
		.prog_type = seccomp ? BPF_PROG_TYPE_SYSCALL : BPF_PROG_TYPE_SCHED_CLS,
		.prog_flags = seccomp ? SLEEPABLE : 0,
		.insns = (uintptr_t)insns, .insn_cnt = (uint32_t)n, .license = (uintptr_t)"GPL",
		.log_level = 1, .log_size = LOG_SIZE, .log_buf = (uintptr_t)log, .prog_name = "filter",
	};
	int fd, err;

	if (!log)
		return -ENOMEM;
	fd = skep_bpf(k, PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		last_word(log, error);
	free(log);
	if (fd < 0)
		return fd;
	err = skep_prog_from_fd(k, fd, out);
	close(fd);
	return err;
}

int skep_filter_new(struct skep *k, const struct skep_cbpf_insn *insns, size_t n,
                    enum skep_cbpf_kind kind, uint32_t link_type, struct skep_filter **out,
                    struct skep_cbpf_error *error)
{
	bool seccomp = kind == SKEP_CBPF_SECCOMP;
	struct skep_cbpf_packet none;
	struct skep_filter *f;
	void *code;
	size_t len;
	int err;

	skep_cbpf_packet_init(&none, "", 0, 0, link_type);
	err = skep_cbpf_translate(insns, n, seccomp ? SKEP_CBPF_TO_SECCOMP : SKEP_CBPF_TO_LINEAR,
	                          none.hatype, &code, &len, error);
	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	err = f ? load(k, code, len, seccomp, &f->prog, error) : -ENOMEM;
	if (!err)
		f->asks = !seccomp && asks(insns, n, code, len);
	free(code);
	if (err) {
		free(f);
		return err;
	}
	f->kind = kind;
	f->link_type = link_type;
	f->skb.ifindex = 1;
	*out = f;
	return 0;
}

void skep_filter_free(struct skep_filter *f)
{
	if (f)
		skep_prog_put(f->prog);
	free(f);
}

const struct skep_prog *skep_filter_prog(const struct skep_filter *f)
{
	return f->prog;
}

/* The packet stays the caller's, and nothing writes to it: filters only read. */
static inline void set_bytes(struct skb *skb, const void *data, uint32_t len, uint32_t wire_len)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)data;

	skb->pkt = (struct pkt){bytes, bytes + len, bytes, bytes, bytes + len};
	skb->len = wire_len < len ? len : wire_len;
}

uint32_t skep_filter_run_packet(struct skep_filter *f, const struct skep_cbpf_packet *p,
                                struct skep_cpu *cpu)
{
	struct skb *skb = &f->skb;

	if (f->kind == SKEP_CBPF_SECCOMP)
		return (uint32_t)skep_prog_run(f->prog, (void *)(uintptr_t)p->data, cpu);
	set_bytes(skb, p->data, p->len, p->wire_len);
	skb->mac = skb->pkt.data + p->link;
	skb->network = skb->pkt.data + p->network;
	skb->protocol = htons(p->protocol);
	skb->pkt_type = p->pkt_type;
	skb->ifindex = p->ifindex;
	skb->mark = p->mark;
	skb->queue_mapping = (uint16_t)p->queue;
	skb->hash = p->hash;
	skb->vlan_tci = p->vlan_tci;
	skb->vlan_present = p->vlan_present;
	skb->vlan_proto = htons(p->vlan_tpid);
	memcpy(skb->cb, &p->payload, sizeof(p->payload));
	return (uint32_t)prog_run((const struct prog *)f->prog, skb, (struct cpu *)cpu);
}

/* For filters that look at bytes and length only, the rest of the context stays as it is. */
static inline void set_plain(struct skb *skb, const void *data, uint32_t len, uint32_t wire_len)
{
	skb->pkt.data = (uint8_t *)(uintptr_t)data;
	skb->pkt.end = skb->pkt.data + len;
	skb->len = wire_len < len ? len : wire_len;
}

uint32_t skep_filter_run(struct skep_filter *f, const void *data, uint32_t len, uint32_t wire_len,
                         struct skep_cpu *cpu)
{
	struct skep_cbpf_packet p;

	if (f->kind == SKEP_CBPF_SECCOMP)
		return (uint32_t)skep_prog_run(f->prog, (void *)(uintptr_t)data, cpu);
	if (f->asks) {
		skep_cbpf_packet_init(&p, data, len, wire_len, f->link_type);
		return skep_filter_run_packet(f, &p, cpu);
	}
	set_plain(&f->skb, data, len, wire_len);
	return (uint32_t)prog_run((const struct prog *)f->prog, &f->skb, (struct cpu *)cpu);
}

/* Entering and leaving the CPU slot costs as much as most filters: here it is done once. */
void skep_filter_run_many(struct skep_filter *f, const struct skep_filter_item *items, size_t n,
                          uint32_t *ret, struct skep_cpu *slot)
{
	const struct prog *p = (const struct prog *)f->prog;
	struct cpu *cpu = (struct cpu *)slot;
	const prog_entry entry = p->entry;
	struct skb *skb = &f->skb;

	if (!n)
		return;
	ret[0] = skep_filter_run(f, items[0].data, items[0].len, items[0].wire_len, slot);
	if (f->asks || f->kind == SKEP_CBPF_SECCOMP || atomic_load_explicit(&cpu->k->stats, memory_order_relaxed) ||
	    p->engine == cpu->k->reg.checked) {
		for (size_t i = 1; i < n; i++)
			ret[i] = skep_filter_run(f, items[i].data, items[i].len, items[i].wire_len, slot);
		return;
	}
	rcu_read_enter(&cpu->k->rcu, &cpu->rcu);
	for (size_t i = 1; i < n; i++) {
		set_plain(skb, items[i].data, items[i].len, items[i].wire_len);
		ret[i] = (uint32_t)entry(skb, cpu, p);
	}
	rcu_read_leave(&cpu->rcu);
}
