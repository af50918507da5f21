/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which calls make a difference to a filter? One pass forward finds, for a given architecture and number,
 * the instructions that can be reached, and from which words of struct seccomp_data the value comes that is
 * compared there. The constants that a word is compared with, and their neighbours, are the values worth
 * trying; calls are all their combinations while those are few, else random ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/seccomp.h"

enum { ALL_MAX = 4096, TRIES = 4096, ANY_WORD = 0xffff };
enum { LD_WORD = 0x20, LD_IMM = 0x00, AND_K = 0x54, JA = 0x05, RET_K = 0x06, RET_A = 0x16 };

static void join(struct walk_at *to, const struct walk_at *from)
{
	if (!to->reached) {
		*to = *from;
		to->reached = true;
		return;
	}
	to->known = to->known && from->known && to->value == from->value;
	to->from |= from->from;
}

static int pool_add(struct walk *w, unsigned word, uint32_t value)
{
	uint32_t *grown;

	for (unsigned i = 0; i < w->npool[word]; i++)
		if (w->pool[word][i] == value)
			return 0;
	grown = reallocarray(w->pool[word], w->npool[word] + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	w->pool[word] = grown;
	grown[w->npool[word]++] = value;
	return 0;
}

/* A comparison of what is not known: the values on both sides of it. */
static int pool_compare(struct walk *w, const struct walk_at *s, const struct skep_cbpf_insn *i)
{
	bool bits = (i->code & 0xf0) == 0x40, equal = (i->code & 0xf0) == 0x10;
	int err = 0;

	for (unsigned word = 0; word < WORDS && !err; word++) {
		if (!(s->from >> word & 1))
			continue;
		err = pool_add(w, word, i->k);
		if (!err)
			err = pool_add(w, word, bits ? ~i->k : i->k + 1);
		if (!err && !bits && !equal)
			err = pool_add(w, word, i->k - 1);
	}
	return err;
}

/* What is known of A behind an instruction that is no jump. */
static struct walk_at behind(const struct skep_cbpf_insn *i, struct walk_at s, const uint32_t *nr,
                             const uint32_t *arch)
{
	unsigned class = i->code & 7;

	if (i->code == LD_WORD) {
		const uint32_t *given = i->k == 0 ? nr : i->k == 4 ? arch : NULL;

		s.known = given != NULL;
		s.value = given ? *given : 0;
		s.from = (uint16_t)(1u << i->k / 4);
	} else if (i->code == LD_IMM || i->code == 0x80) {
		s.known = true;
		s.value = i->code == LD_IMM ? i->k : 64;
		s.from = 0;
	} else if (i->code == AND_K) {
		s.value &= i->k;
	} else if (class == 4 || i->code == 0x87 || class == 0) {
		s.known = false; /* arithmetic, txa, M[] */
		s.from = class == 4 && !(i->code & 8) ? s.from : ANY_WORD;
	}
	return s;
}

static bool holds(const struct skep_cbpf_insn *i, uint32_t a)
{
	switch (i->code & 0xf0) {
	case 0x10: return a == i->k;
	case 0x20: return a > i->k;
	case 0x30: return a >= i->k;
	}
	return a & i->k;
}

int walk(const struct filter *f, const uint32_t *nr, const uint32_t *arch, struct walk *w)
{
	int err = 0;

	memset(w, 0, sizeof(*w));
	w->at = calloc(f->n, sizeof(*w->at));
	if (!w->at)
		return -ENOMEM;
	w->at[0].reached = true;
	w->at[0].known = true;
	for (size_t pc = 0; pc < f->n && !err; pc++) {
		const struct skep_cbpf_insn *i = &f->insns[pc];
		struct walk_at s = w->at[pc];
		bool by_x = i->code & 8;

		if (!s.reached || i->code == RET_K || i->code == RET_A)
			continue;
		if (i->code == JA) {
			join(&w->at[pc + 1 + i->k], &s);
		} else if ((i->code & 7) == 5) {
			if (!s.known || by_x || holds(i, s.value))
				join(&w->at[pc + 1 + i->jt], &s);
			if (!s.known || by_x || !holds(i, s.value))
				join(&w->at[pc + 1 + i->jf], &s);
			if (!s.known && !by_x)
				err = pool_compare(w, &s, i);
		} else {
			s = behind(i, s, nr, arch);
			join(&w->at[pc + 1], &s);
		}
	}
	for (unsigned word = 0; word < WORDS && !err; word++)
		err = word == WORD_NR && nr ? pool_add(w, word, *nr)
		      : word == WORD_ARCH && arch ? pool_add(w, word, *arch) : pool_add(w, word, 0);
	if (err)
		walk_free(w);
	return err;
}

int walk_join(struct walk *a, const struct walk *b)
{
	int err = 0;

	for (unsigned word = 0; word < WORDS; word++)
		for (unsigned i = 0; i < b->npool[word] && !err; i++)
			err = pool_add(a, word, b->pool[word][i]);
	return err;
}

void walk_free(struct walk *w)
{
	for (unsigned word = 0; word < WORDS; word++)
		free(w->pool[word]);
	free(w->at);
	memset(w, 0, sizeof(*w));
}

bool walk_call(const struct walk *w, unsigned i, struct call *c)
{
	uint64_t all = 1, seed = i * 0x9e3779b97f4a7c15ull + 1;
	bool random;

	for (unsigned word = 0; word < WORDS && all <= ALL_MAX; word++)
		all *= w->npool[word];
	random = all > ALL_MAX;
	if (i >= (random ? TRIES : all))
		return false;
	for (unsigned word = 0; word < WORDS; word++) {
		unsigned n = w->npool[word], at;

		if (random) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			at = (unsigned)(seed >> 33) % n;
		} else {
			at = i % n;
			i /= n;
		}
		/* Numbers and architectures that are given stand first and alone. */
		c->word[word] = w->pool[word][at];
	}
	return true;
}

uint32_t verdict(const struct filter *f, const struct call *c)
{
	struct skep_cbpf_packet p = {.data = (const uint8_t *)c, .len = sizeof(*c), .wire_len = sizeof(*c)};

	return skep_cbpf_run(f->insns, f->n, SKEP_CBPF_SECCOMP, &p);
}
