/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings by name: bpf_strlen() and its family. Strings may be anywhere, and need not be there: -EFAULT.
 * One that does not end within 65536 bytes is too long: -E2BIG; what is not found: -ENOENT.
 */
#include <errno.h>
#include <stdbool.h>

#include "helpers/kfuncs.h"
#include "helpers/probe.h"

enum { STRING_MAX = 65536, WINDOW = 64, LOWEST = 65536 };

/* A string that is read a piece at a time. */
struct text {
	uint64_t at;    /* of window[0] */
	uint32_t have;  /* bytes in it */
	bool used;
	char window[WINDOW];
};

static struct text text_at(uint64_t at)
{
	return (struct text){.at = at};
}

/* The byte at i, or -EFAULT; where no memory ever is, -ERANGE. Pieces end where pages do, so that nothing behind the string is read. */
static int byte_at(struct text *t, uint64_t base, uint64_t i)
{
	uint64_t addr = base + i;

	if (!t->used || addr - t->at >= t->have) {
		uint32_t have = WINDOW - (uint32_t)(addr % WINDOW);

		if (probe_memory(t->window, have, addr))
			return addr < LOWEST ? -ERANGE : -EFAULT;
		t->at = addr;
		t->have = have;
		t->used = true;
	}
	return (unsigned char)t->window[addr - t->at];
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static int64_t compare(uint64_t a, uint64_t b, bool fold)
{
	struct text ta = text_at(a), tb = text_at(b);

	for (uint64_t i = 0; i < STRING_MAX; i++) {
		int x = byte_at(&ta, a, i), y = byte_at(&tb, b, i);

		if (x < 0 || y < 0)
			return x < 0 ? x : y;
		if (fold) {
			x = lower(x);
			y = lower(y);
		}
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
	return -E2BIG;
}

KFUNC_FN(bpf_strcmp)
{
	return (uint64_t)compare(r1, r2, false);
}

KFUNC_FN(bpf_strcasecmp)
{
	return (uint64_t)compare(r1, r2, true);
}

/* Where a character is first within n bytes; the end of the string counts as 0. */
static int64_t find(uint64_t s, uint64_t n, int c, bool or_end)
{
	struct text t = text_at(s);

	for (uint64_t i = 0; i < n && i < STRING_MAX; i++) {
		int x = byte_at(&t, s, i);

		if (x < 0)
			return x;
		if (x == c || (!x && or_end))
			return (int64_t)i;
		if (!x)
			return -ENOENT;
	}
	return n < STRING_MAX ? -ENOENT : -E2BIG;
}

KFUNC_FN(bpf_strchr)
{
	return (uint64_t)find(r1, STRING_MAX, (uint8_t)r2, false);
}

KFUNC_FN(bpf_strnchr)
{
	return (uint64_t)find(r1, r2, (uint8_t)r3, false);
}

KFUNC_FN(bpf_strchrnul)
{
	return (uint64_t)find(r1, STRING_MAX, (uint8_t)r2, true);
}

KFUNC_FN(bpf_strrchr)
{
	struct text t = text_at(r1);
	int64_t last = -ENOENT;

	for (uint64_t i = 0; i < STRING_MAX; i++) {
		int x = byte_at(&t, r1, i);

		if (x < 0)
			return (uint64_t)x;
		if (x == (uint8_t)r2)
			last = (int64_t)i;
		if (!x)
			return (uint64_t)last;
	}
	return (uint64_t)-E2BIG;
}

KFUNC_FN(bpf_strlen)
{
	return (uint64_t)find(r1, STRING_MAX, 0, true);
}

KFUNC_FN(bpf_strnlen)
{
	int64_t n = find(r1, r2, 0, true);

	return (uint64_t)(n == -ENOENT ? (int64_t)r2 : n);
}

/* How long the beginning is whose characters are all (in) or none of them (not in) in the other string. */
static int64_t span(uint64_t s, uint64_t set, bool in)
{
	struct text t = text_at(s);

	for (uint64_t i = 0; i < STRING_MAX; i++) {
		int x = byte_at(&t, s, i);
		int64_t at;

		if (x < 0)
			return x;
		if (!x)
			return (int64_t)i;
		at = find(set, STRING_MAX, x, false);
		if (at < 0 && at != -ENOENT)
			return at;
		if ((at >= 0) != in)
			return (int64_t)i;
	}
	return -E2BIG;
}

KFUNC_FN(bpf_strspn)
{
	return (uint64_t)span(r1, r2, true);
}

KFUNC_FN(bpf_strcspn)
{
	return (uint64_t)span(r1, r2, false);
}

/* Where the second string is first in the first n bytes of the other. */
static int64_t search(uint64_t s, uint64_t sub, uint64_t n)
{
	struct text t = text_at(s), u = text_at(sub);

	for (uint64_t i = 0; i < STRING_MAX; i++) {
		uint64_t j = 0;

		for (; j < STRING_MAX; j++) {
			int y = byte_at(&u, sub, j), x;

			if (y <= 0)
				return y < 0 ? y : (int64_t)i;
			if (i + j >= n)
				return -ENOENT;
			x = byte_at(&t, s, i + j);
			if (x < 0)
				return x;
			if (!x)
				return -ENOENT;
			if (x != y)
				break;
		}
		if (j == STRING_MAX)
			return -E2BIG;
	}
	return -E2BIG;
}

KFUNC_FN(bpf_strstr)
{
	return (uint64_t)search(r1, r2, STRING_MAX * 2);
}

KFUNC_FN(bpf_strnstr)
{
	return (uint64_t)search(r1, r2, r3);
}
