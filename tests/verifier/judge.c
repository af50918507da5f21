/* SPDX-License-Identifier: BSD-2-Clause */
/* See judge.h. */
#define _GNU_SOURCE
#include "judge.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corpus/corpus.h"
#include "skep.h"
#include "sys/attr.h"

enum { MAP_CREATE = 0, PROG_LOAD = 5, BTF_LOAD = 18 };

const char *const judge_names[JUDGES] = {"skep", "kernel"};

static int bpf_at(struct skep *k, int cmd, union attr *attr)
{
	long ret;

	if (k)
		return skep_bpf(k, cmd, attr, sizeof(*attr));
	ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	return ret < 0 ? -errno : (int)ret;
}

static uint64_t ptr(const void *at)
{
	return (uintptr_t)at;
}

const char *judge_absent(enum judge_who who)
{
	static const uint64_t insns[] = {0xb7, 0x95};
	static int fd = -ENOENT;
	union attr a = {.prog_load = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
	                              .insns = ptr(insns), .license = ptr("GPL")}};

	if (who == JUDGE_SKEP)
		return NULL;
	if (fd == -ENOENT) {
		fd = bpf_at(NULL, PROG_LOAD, &a);
		if (fd >= 0)
			close(fd);
	}
	return fd >= 0 ? NULL : "bpf(2) does not load programs here";
}

/* --- A program of the corpus ------------------------------------------------------------------ */

/* int; int (void); global function main; static function sub. */
static int load_btf(struct skep *k)
{
	static const struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, type_off, type_len, str_off, str_len;
		uint32_t types[4 + 3 + 3 + 3];
		char strings[16];
	} btf = {
		0xeb9f, 1, 0, 24, 0, 52, 52, 16,
		{
			1, 1 << 24, 4, 1 << 24 | 32,
			0, 13 << 24, 1,
			5, 12 << 24 | 1, 2,
			10, 12 << 24, 2,
		},
		"\0int\0main\0sub\0",
	};
	union attr a = {.btf_load = {.btf = ptr(&btf), .btf_size = 24 + 52 + 16}};

	return bpf_at(k, BTF_LOAD, &a);
}

static bool make_maps(struct skep *k, const struct test *t, int *maps, struct answer *out)
{
	for (unsigned i = 0; i < t->nmaps; i++) {
		const struct test_map *m = &t->maps[i];
		union attr a = {.map_create = {m->type, m->key_size, m->value_size, m->max_entries,
		                               m->flags}};

		/* A map of maps is made after the map before it, which is its inner map. */
		if (m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || m->type == BPF_MAP_TYPE_HASH_OF_MAPS)
			a.map_create.inner_map_fd = (uint32_t)maps[i - 1];
		a.map_create.map_extra = m->extra;
		maps[i] = bpf_at(k, MAP_CREATE, &a);
		if (maps[i] < 0) {
			out->err = -maps[i];
			snprintf(out->line, sizeof(out->line), "map %s: %s", m->name, strerror(-maps[i]));
			return false;
		}
	}
	return true;
}

/* Static where BTF says so; the caller's func_info holds as many as there are. */
static void make_func_info(const struct test_program *p, uint32_t (*info)[2])
{
	for (unsigned i = 0; i < p->nfuncs; i++) {
		info[i][0] = p->funcs[i];
		info[i][1] = p->funcs[i] ? 4 : 3;
	}
}

static void keep_caps(struct skep *k, uint64_t caps)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(caps >> 32 * i);
	if (k)
		skep_set_caps(k, caps);
	else
		syscall(SYS_capset, &head, data);
}

struct load {
	const struct test *t;
	unsigned log_level;
};

static void load_test(struct skep *k, const void *question, struct answer *out)
{
	const struct load *q = question;
	const struct test *t = q->t;
	const struct test_program *p = &t->programs[0];
	struct insn *insns = malloc(p->n * sizeof(*insns));
	uint32_t func_info[MAX_FUNCS][2];
	int maps[MAX_MAPS], ret;
	union attr a = {.prog_load = {.prog_type = t->type ? t->type : BPF_PROG_TYPE_SOCKET_FILTER}};

	if (!make_maps(k, t, maps, out))
		return;
	memcpy(insns, p->insns, p->n * sizeof(*insns));
	for (size_t pc = 0; pc < p->n; pc++) {
		enum op op = insn_op(&insns[pc]);

		if ((op == OP_LDDW_MAP_FD || op == OP_LDDW_MAP_VALUE) &&
		    (uint32_t)insns[pc].imm < t->nmaps)
			insns[pc].imm = maps[insns[pc].imm];
	}
	a.prog_load.insns = ptr(insns);
	a.prog_load.insn_cnt = (uint32_t)p->n;
	a.prog_load.license = ptr(t->license[0] ? t->license : "GPL");
	a.prog_load.log_level = q->log_level;
	a.prog_load.log_size = JUDGE_LOG;
	a.prog_load.log_buf = ptr(out->log);
	a.prog_load.prog_flags = t->flags;
	a.prog_load.expected_attach_type = t->attach;
	if (t->btf) {
		ret = load_btf(k);
		if (ret < 0) {
			out->err = -ret;
			snprintf(out->line, sizeof(out->line), "BTF: %s", strerror(-ret));
			return;
		}
		make_func_info(p, func_info);
		a.prog_load.prog_btf_fd = (uint32_t)ret;
		a.prog_load.func_info = ptr(func_info);
		a.prog_load.func_info_cnt = p->nfuncs;
		a.prog_load.func_info_rec_size = sizeof(func_info[0]);
	}
	if (t->caps)
		keep_caps(k, t->caps);
	out->asked = true;
	ret = bpf_at(k, PROG_LOAD, &a);
	out->err = ret < 0 ? -ret : 0;
}

/* --- Asking ----------------------------------------------------------------------------------- */

/* What the child writes and the parent reads. */
struct shared {
	struct answer answer;
	char log[JUDGE_LOG];
};

static struct shared *shared;

static void child(enum judge_who who, judge_fn fn, const void *question)
{
	struct skep_options options = {.size = sizeof(options)};
	struct skep *k = NULL;

	signal(SIGALRM, SIG_DFL);
	alarm(JUDGE_SECONDS);
	if (who == JUDGE_SKEP && skep_new(&options, &k))
		_exit(1);
	fn(k, question, &shared->answer);
	_exit(0);
}

static bool is_statistics(const char *line)
{
	return !strncmp(line, "processed ", 10) || !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12) || !strncmp(line, "mark_precise", 12);
}

/* Reads what the log says at its end. A line is copied before sscanf(), which looks for the end of all. */
static void digest(struct answer *a)
{
	const char *at = a->log, *next;
	char line[JUDGE_LINE];
	unsigned long long us;

	for (; *at; at = next) {
		const char *end = strchrnul(at, '\n');
		size_t len = (size_t)(end - at);

		next = end + (*end == '\n');
		if (!len || (!a->err && !is_statistics(at)))
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)(len < JUDGE_LINE ? len : JUDGE_LINE - 1), at);
		if (!is_statistics(line)) {
			strcpy(a->line, line);
			continue;
		}
		if (sscanf(line, "verification time %llu usec", &us) == 1)
			a->us = us;
		sscanf(line, "processed %u insns (limit %*u) max_states_per_insn %*u total_states %u "
		             "peak_states %u",
		       &a->processed, &a->states, &a->peak_states);
	}
}

void judge_ask(enum judge_who who, judge_fn fn, const void *question, struct answer *out)
{
	int status = 0;
	pid_t pid;

	if (!shared) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared == MAP_FAILED)
			abort();
	}
	shared->answer = (struct answer){.log = shared->log};
	shared->log[0] = '\0';
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(who, fn, question);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		abort();
	*out = shared->answer;
	if (WIFSIGNALED(status))
		out->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status))
		out->signal = SIGABRT; /* a sanitizer's way to die */
	if (out->asked && !out->signal)
		digest(out);
}

void judge_test(enum judge_who who, const struct test *t, unsigned log_level, struct answer *out)
{
	const struct load q = {t, log_level};

	judge_ask(who, load_test, &q, out);
}

const char *answer_differs(const struct answer *a, const struct answer *b)
{
	if (a->signal || b->signal)
		return "a crash";
	if (a->asked != b->asked)
		return "what the program needs";
	if (!a->err != !b->err)
		return "verdict";
	if (a->err != b->err)
		return "errno";
	return strcmp(a->line, b->line) ? "last line" : NULL;
}

const char *answer_text(const struct answer *a, char *buf, size_t size)
{
	const char *name = name_of(&names_errno, (uint32_t)a->err);

	if (a->signal == SIGALRM)
		snprintf(buf, size, "no answer in %d s", JUDGE_SECONDS);
	else if (a->signal)
		snprintf(buf, size, "died of signal %d", a->signal);
	else if (!a->asked)
		snprintf(buf, size, "not asked: %s", a->line);
	else if (!a->err)
		snprintf(buf, size, "accepted");
	else if (name)
		snprintf(buf, size, "%s %s", name, a->line);
	else
		snprintf(buf, size, "errno %d %s", a->err, a->line);
	return buf;
}
