/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs (random_prog.h), judged by Skep and by the kernel. Prints TAP.
 *
 *   generated [-n PROGRAMS] [-s SEED] [-k KIND] [-v] [-a]
 *
 * Shown:
 *   - what Skep accepts runs in the checked engine on random inputs without a fault;
 *   - each register of a program of numbers lies inside the state that Skep's log prints (states.h), and
 *     how often inside the kernel's: it has faults of its own, which are counted and shown;
 * and with -a that both judges agree (verdict, errno, last line). -v prints programs that fail, and -s with
 * -n 1 makes one of them again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "corpus/corpus.h"
#include "judge.h"
#include "random_prog.h"
#include "skep.h"
#include "states.h"
#include "sys/attr.h"
#include "tap.h"

enum { MAP_CREATE = 0, MAP_UPDATE = 2, PROG_LOAD = 5, TEST_RUN = 10, RUNS = 4, INPUTS = 6, SHOWN = 5 };

static const char *const kind_names[RANDOM_KINDS] = {"scalars", "values", "stack", "packet", "lookups"};

static struct {
	uint64_t programs, accepted[JUDGES], faults, outside[JUDGES], states, disagree;
	bool verbose, agree;
} all;

static bool parse(struct buf *text, struct test *t)
{
	struct corpus_file f = {.path = "random", .at = text->data, .text = text->data};

	return corpus_next(&f, t);
}

static uint64_t ptr(const void *at)
{
	return (uintptr_t)at;
}

/* --- Running in the checked engine ------------------------------------------------------------- */

struct run {
	const struct test *t;
	uint64_t seed;
};

static void on_fault(void *arg, const char *text)
{
	struct answer *out = arg;

	snprintf(out->line, sizeof(out->line), "%s", text);
}

/* The value of m: what all numbers of a program come from. */
static void fill(struct skep *k, int fd, uint64_t *state)
{
	uint32_t key = 0, value[16];
	union attr a = {.elem = {.map_fd = (uint32_t)fd, .key = ptr(&key), .value = ptr(value)}};

	for (int i = 0; i < 16; i++)
		value[i] = random_below(state, 2) ? random_below(state, 70)
		                                  : random_below(state, 0x40000000) * 7u;
	skep_bpf(k, MAP_UPDATE, &a, sizeof(a));
}

/* In a child: k is not used, because the fault must come to us. */
static void run_checked(struct skep *unused, const void *question, struct answer *out)
{
	const struct run *q = question;
	struct skep_options options = {.size = sizeof(options), .engine = SKEP_ENGINE_CHECKED,
	                               .fault = on_fault, .fault_arg = out};
	const struct test_program *p = &q->t->programs[0];
	struct insn insns[4096];
	uint64_t state = q->seed | 1;
	uint8_t packet[64];
	int maps[MAX_MAPS], fd;
	struct skep *k;
	union attr a;

	if (skep_new(&options, &k) || p->n > 4096)
		return;
	for (unsigned i = 0; i < q->t->nmaps; i++) {
		const struct test_map *m = &q->t->maps[i];

		a = (union attr){.map_create = {m->type, m->key_size, m->value_size, m->max_entries}};
		maps[i] = skep_bpf(k, MAP_CREATE, &a, sizeof(a));
	}
	memcpy(insns, p->insns, p->n * sizeof(*insns));
	for (size_t pc = 0; pc < p->n; pc++)
		if (insn_op(&insns[pc]) == OP_LDDW_MAP_FD || insn_op(&insns[pc]) == OP_LDDW_MAP_VALUE)
			insns[pc].imm = maps[insns[pc].imm];
	a = (union attr){.prog_load = {.prog_type = q->t->type, .insn_cnt = (uint32_t)p->n, .insns = ptr(insns),
	                               .license = ptr("GPL")}};
	fd = skep_bpf(k, PROG_LOAD, &a, sizeof(a));
	out->asked = true;
	for (int i = 0; fd >= 0 && i < RUNS && !out->err; i++) {
		for (unsigned b = 0; b < sizeof(packet); b++)
			packet[b] = (uint8_t)random_below(&state, 256);
		fill(k, maps[0], &state);
		a = (union attr){.test_run = {.prog_fd = (uint32_t)fd, .data_in = ptr(packet),
		                              .data_size_in = 14 + random_below(&state, 51)}};
		out->err = -skep_bpf(k, TEST_RUN, &a, sizeof(a));
	}
}

/* --- A program -------------------------------------------------------------------------------- */

static void show(uint64_t seed, enum random_kind kind, const char *what, const char *why, const struct buf *text)
{
	printf("# -s %llu -k %s: %s: %s\n", (unsigned long long)seed, kind_names[kind], what, why);
	if (all.verbose)
		printf("%s\n", text->data);
}

static void check_run(uint64_t seed, enum random_kind kind, const struct test *t, const struct buf *text)
{
	const struct run q = {t, seed};
	struct answer got;

	judge_ask(JUDGE_KERNEL, run_checked, &q, &got);
	if ((got.err || got.signal) && all.faults++ < SHOWN)
		show(seed, kind, "accepted, but", got.signal ? "the run died" : got.line[0] ? got.line : "it cannot run",
		     text);
}

static void check_states(enum judge_who who, uint64_t seed, enum random_kind kind, const struct test *t,
                         const char *log, const struct buf *text)
{
	uint64_t state = seed | 1;
	char why[1024];

	for (int i = 0; i < INPUTS; i++)
		if (!states_hold(t->programs[0].insns, t->programs[0].n, log, &state, &all.states, why,
		                 sizeof(why))) {
			if (all.outside[who]++ < SHOWN)
				show(seed, kind, judge_names[who], why, text);
			return;
		}
}

static void check(uint64_t seed, enum random_kind kind)
{
	struct answer got[JUDGES];
	struct buf text = {0};
	const char *differs;
	bool accepted = false;
	struct test t;

	random_program(seed, kind, &text);
	if (!parse(&text, &t)) {
		printf("Bail out! seed %llu makes no program:\n%s\n", (unsigned long long)seed, text.data);
		exit(1);
	}
	all.programs++;
	for (int who = 0; who < JUDGES; who++) {
		if (judge_absent(who))
			continue;
		judge_test(who, &t, kind == RANDOM_SCALARS ? 2 : 1, &got[who]);
		if (got[who].err || got[who].signal)
			continue;
		accepted |= who == JUDGE_SKEP;
		all.accepted[who]++;
		if (kind == RANDOM_SCALARS)
			check_states(who, seed, kind, &t, got[who].log, &text);
	}
	if (accepted)
		check_run(seed, kind, &t, &text);
	if (!judge_absent(JUDGE_KERNEL)) {
		differs = answer_differs(&got[JUDGE_KERNEL], &got[JUDGE_SKEP]);
		if (differs) {
			char a[600], b[600], both[1300];

			snprintf(both, sizeof(both), "%s: kernel %s; skep %s", differs,
			         answer_text(&got[JUDGE_KERNEL], a, sizeof(a)),
			         answer_text(&got[JUDGE_SKEP], b, sizeof(b)));
			if (all.disagree++ < SHOWN && all.agree)
				show(seed, kind, "they differ", both, &text);
		}
	}
	test_free(&t);
	buf_free(&text);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, n = 2000;
	int option, only = -1;

	while ((option = getopt(argc, argv, "n:s:k:va")) != -1) {
		if (option == 'n')
			n = strtoull(optarg, NULL, 0);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'v')
			all.verbose = true;
		else if (option == 'a')
			all.agree = true;
		else if (option == 'k')
			for (only = 0; only < RANDOM_KINDS - 1 && strcmp(optarg, kind_names[only]);)
				only++;
		else
			return 2;
	}
	for (uint64_t i = 0; i < n; i++)
		check(seed + i, only < 0 ? (seed + i) % RANDOM_KINDS : (enum random_kind)only);
	printf("# %llu programs; accepted by skep %llu, by the kernel %llu; %llu differ; %llu values in states\n",
	       (unsigned long long)all.programs, (unsigned long long)all.accepted[JUDGE_SKEP],
	       (unsigned long long)all.accepted[JUDGE_KERNEL], (unsigned long long)all.disagree,
	       (unsigned long long)all.states);
	if (all.outside[JUDGE_KERNEL])
		printf("# %llu programs have values outside of the kernel's states: faults of its own\n",
		       (unsigned long long)all.outside[JUDGE_KERNEL]);
	tap(!all.faults, "what is accepted runs without a fault");
	tap(!all.outside[JUDGE_SKEP], "every value lies inside its state");
	if (!all.agree)
		tap(true, "agreement is not asked for");
	else if (judge_absent(JUDGE_KERNEL))
		tap_skip(judge_absent(JUDGE_KERNEL), "skep and the kernel agree");
	else
		tap(!all.disagree, "skep and the kernel agree");
	return tap_end();
}
