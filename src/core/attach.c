/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach points: see attach.h. A kernel's points are a list; one goes with its last program. */
#include "core/attach.h"

#include <errno.h>
#include <string.h>

#include "core/link.h"
#include "core/prog.h"

struct attach_point {
	struct attach_point *next;
	uint32_t type;
	uint64_t target;
	struct attach_list list;
};

/* k->attach. */
struct attach {
	struct lock lock;
	struct attach_point *points;
};

static const struct {
	uint8_t prog_type, rule;
} types[] = {
#define ATTACH(attach, prog, rule) [BPF_##attach] = {BPF_PROG_TYPE_##prog, ATTACH_##rule},
#include "core/attach.def"
#undef ATTACH
};

enum { NTYPES = sizeof(types) / sizeof(types[0]), NOT_SET = -1000 };

enum attach_rule attach_rule(uint32_t attach_type)
{
	return attach_type < NTYPES ? (enum attach_rule)types[attach_type].rule : ATTACH_NONE;
}

uint32_t attach_prog_type(uint32_t attach_type)
{
	return attach_type < NTYPES ? types[attach_type].prog_type : 0;
}

bool attach_fits(const struct prog *p, uint32_t attach_type)
{
	switch (p->type) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SK_LOOKUP:
		return p->expected_attach_type == attach_type;
	case BPF_PROG_TYPE_NETFILTER:
		return attach_type == BPF_NETFILTER;
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_TRACEPOINT:
		return attach_type == BPF_PERF_EVENT;
	}
	return attach_prog_type(attach_type) == p->type;
}

int attach_init(struct skep *k)
{
	k->attach = mem_zalloc(&k->mem, sizeof(*k->attach));
	return k->attach ? 0 : -ENOMEM;
}

void attach_exit(struct skep *k)
{
	struct attach *a = k->attach;

	if (!a)
		return;
	while (a->points) { /* what was attached without a link */
		struct attach_point *at = a->points;

		a->points = at->next;
		attach_list_put(&at->list);
		mem_free(&k->mem, at);
	}
	mem_free(&k->mem, a);
	k->attach = NULL;
}

/* --- Points; the lock is held ------------------------------------------------------------- */

static struct attach_point *find(struct skep *k, uint32_t type, uint64_t target)
{
	struct attach_point *at = k->attach->points;

	while (at && (at->type != type || at->target != target))
		at = at->next;
	return at;
}

static struct attach_point *find_or_make(struct skep *k, uint32_t type, uint64_t target)
{
	struct attach_point *at = find(k, type, target);

	if (at)
		return at;
	at = mem_zalloc(&k->mem, sizeof(*at));
	if (!at)
		return NULL;
	at->type = type;
	at->target = target;
	at->list.revision = 1;
	at->next = k->attach->points;
	k->attach->points = at;
	return at;
}

static void drop_if_empty(struct skep *k, struct attach_point *at)
{
	struct attach_point **link = &k->attach->points;

	/* The revision of a cgroup's list goes on when it is empty. */
	if (at->list.n || attach_rule(at->type) == ATTACH_CGROUP)
		return;
	while (*link != at)
		link = &(*link)->next;
	*link = at->next;
	mem_free(&k->mem, at);
}

static void insert(struct attach_list *l, int place, const struct attach_change *c)
{
	memmove(&l->entry[place + 1], &l->entry[place],
	        (l->n - (unsigned)place) * sizeof(l->entry[0]));
	obj_get(&c->prog->obj);
	l->entry[place] = (struct attach_entry){c->prog, c->link, c->flags};
	l->n++;
	l->revision++;
}

/* Answers the program that stood there, whose reference is the caller's now. */
static struct prog *take(struct attach_list *l, int place)
{
	struct prog *p = l->entry[place].prog;

	l->n--;
	memmove(&l->entry[place], &l->entry[place + 1],
	        (l->n - (unsigned)place) * sizeof(l->entry[0]));
	l->revision++;
	return p;
}

static struct prog *exchange(struct attach_list *l, int place, const struct attach_change *c)
{
	struct prog *old = l->entry[place].prog;

	obj_get(&c->prog->obj);
	l->entry[place].prog = c->prog;
	l->entry[place].link = c->link;
	l->revision++;
	return old;
}

static int place_of_link(const struct attach_list *l, const struct link *link)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->entry[i].link == link)
			return (int)i;
	return -ENOENT;
}

static int place_of_prog(const struct attach_list *l, const struct prog *p)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->entry[i].prog == p)
			return (int)i;
	return -ENOENT;
}

/* --- Ordered lists ------------------------------------------------------------------------ */

/* The place of exactly this: what a link holds is out of reach for others. */
static int place_exact(const struct attach_list *l, const struct prog *p, const struct link *link)
{
	int place = place_of_prog(l, p);

	if (place >= 0 && l->entry[place].link != link)
		return -EBUSY;
	return place;
}

/*
 * Where before, after and instead point to, as the index of the element in front of the gap (before) or
 * behind it (after); all that are given must agree. NOT_SET: none is given.
 */
static int gap(const struct attach_list *l, const struct attach_change *c, int place)
{
	int beside = c->beside ? place_of_prog(l, c->beside) : NOT_SET, wanted;

	if (beside >= 0 && c->beside_link && l->entry[beside].link != c->beside_link)
		beside = -ENOENT;
	if (beside == -ENOENT && c->flags & (ATTACH_F_BEFORE | ATTACH_F_AFTER))
		return -ENOENT;
	if (c->flags & ATTACH_F_BEFORE) {
		wanted = beside == NOT_SET ? -1 : beside - 1;
		if (place >= -1 && wanted != place)
			return -ERANGE;
		place = wanted;
	}
	if (c->flags & ATTACH_F_AFTER) {
		wanted = beside == NOT_SET ? (int)l->n : beside + 1;
		if (place >= -1 && wanted != place)
			return -ERANGE;
		place = wanted;
	}
	return place;
}

static int ordered_add(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	int place = NOT_SET;

	if (c->revision && c->revision != l->revision)
		return -ESTALE;
	if (place_of_prog(l, c->prog) >= 0)
		return -EEXIST;
	if (c->flags & ATTACH_F_REPLACE) {
		place = c->replace ? place_exact(l, c->replace, c->link) : -ENOENT;
		if (place < 0)
			return place;
	} else if (l->n == ATTACH_MAX) {
		return -ERANGE;
	}
	place = gap(l, c, place);
	if (place < -1 && place != NOT_SET)
		return place;
	if (place == NOT_SET) {
		if (c->beside || c->flags)
			return -EINVAL;
		place = (int)l->n;
	}
	if (c->flags & ATTACH_F_REPLACE)
		*old = exchange(l, place, c);
	else
		insert(l, c->flags & ATTACH_F_BEFORE ? place + 1 : place, c);
	return 0;
}

static int ordered_remove(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	int place = NOT_SET;

	if (c->revision && c->revision != l->revision)
		return -ESTALE;
	if (c->prog) {
		place = place_exact(l, c->prog, c->link);
		if (place < 0)
			return place;
	}
	place = gap(l, c, place);
	if (place < -1 && place != NOT_SET)
		return place;
	if (place == NOT_SET) {
		if (c->beside || c->flags)
			return -EINVAL;
		place = (int)l->n;
	}
	if (place < 0)
		place = 0;
	if (place >= (int)l->n)
		place = (int)l->n - 1;
	if (l->entry[place].link != c->link)
		return -EBUSY;
	*old = take(l, place);
	return 0;
}

/* --- Cgroups ------------------------------------------------------------------------------ */

static int cgroup_add(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	enum { MODES = ATTACH_F_OVERRIDE | ATTACH_F_MULTI };
	bool multi = c->flags & ATTACH_F_MULTI;
	int place;

	if ((c->flags & MODES) == MODES || (c->flags & ATTACH_F_REPLACE && !multi))
		return -EINVAL;
	if (c->revision && c->revision != l->revision)
		return -ESTALE;
	if (l->n && (l->flags & MODES) != (c->flags & MODES))
		return -EPERM;
	if (!multi && l->n) {
		if (l->entry[0].link || c->link)
			return -EEXIST;
		*old = exchange(l, 0, c);
		return 0;
	}
	if (place_of_prog(l, c->prog) >= 0)
		return -EINVAL;
	if (c->flags & ATTACH_F_REPLACE) {
		place = c->replace ? place_of_prog(l, c->replace) : -ENOENT;
		if (place < 0)
			return place;
		*old = exchange(l, place, c);
		return 0;
	}
	if (l->n == ATTACH_MAX)
		return -E2BIG;
	place = gap(l, c, NOT_SET);
	if (place < -1 && place != NOT_SET)
		return place;
	if (place == NOT_SET && c->beside)
		return -EINVAL;
	l->flags = c->flags & MODES;
	insert(l, place == NOT_SET ? (int)l->n : c->flags & ATTACH_F_BEFORE ? place + 1 : place, c);
	return 0;
}

static int cgroup_remove(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	int place;

	if (c->revision && c->revision != l->revision)
		return -ESTALE;
	if (c->link)
		place = place_of_link(l, c->link);
	else if (l->flags & ATTACH_F_MULTI)
		place = c->prog ? place_of_prog(l, c->prog) : -EINVAL;
	else
		place = l->n ? 0 : -ENOENT; /* whatever program was named */
	if (place >= 0 && l->entry[place].link != c->link)
		place = -ENOENT;
	if (place < 0)
		return place;
	*old = take(l, place);
	return 0;
}

/* --- All kinds ---------------------------------------------------------------------------- */

static int single_add(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	if (l->n && !c->link && !l->entry[0].link) { /* BPF_PROG_ATTACH replaces its like */
		if (l->entry[0].prog == c->prog)
			return -EINVAL;
		*old = exchange(l, 0, c);
		return 0;
	}
	if (l->n)
		return c->type == BPF_XDP ? -EBUSY : -EEXIST;
	insert(l, 0, c);
	return 0;
}

static int plain_remove(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	int place = c->link ? place_of_link(l, c->link) : place_of_prog(l, c->prog);

	if (place >= 0 && l->entry[place].link != c->link)
		place = -EINVAL;
	if (place < 0)
		return place;
	*old = take(l, place);
	return 0;
}

static int list_add(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	(void)old;
	if (l->n == ATTACH_MAX)
		return -E2BIG;
	insert(l, (int)l->n, c);
	return 0;
}

typedef int (*change_fn)(struct attach_list *, const struct attach_change *, struct prog **);

static const struct {
	change_fn add, remove;
} rules[] = {
	[ATTACH_ORDERED] = {ordered_add, ordered_remove},
	[ATTACH_CGROUP] = {cgroup_add, cgroup_remove},
	[ATTACH_SINGLE] = {single_add, plain_remove},
	[ATTACH_LIST] = {list_add, plain_remove},
};

int attach_add(struct skep *k, const struct attach_change *c)
{
	change_fn add = rules[attach_rule(c->type)].add;
	struct attach_point *at;
	struct prog *old = NULL;
	int err = -EINVAL;

	if (!add)
		return err;
	lock_take(&k->attach->lock);
	at = find_or_make(k, c->type, c->target);
	err = at ? add(&at->list, c, &old) : -ENOMEM;
	if (at)
		drop_if_empty(k, at);
	lock_release(&k->attach->lock);
	if (old)
		obj_put(&old->obj);
	return err;
}

int attach_remove(struct skep *k, const struct attach_change *c)
{
	change_fn remove = rules[attach_rule(c->type)].remove;
	struct attach_point *at;
	struct prog *old = NULL;
	int err = -ENOENT;

	if (!remove)
		return -EINVAL;
	lock_take(&k->attach->lock);
	at = find(k, c->type, c->target);
	if (at) {
		err = remove(&at->list, c, &old);
		drop_if_empty(k, at);
	} else if (attach_rule(c->type) == ATTACH_CGROUP && c->revision > 1) {
		err = -ESTALE;
	}
	lock_release(&k->attach->lock);
	if (old)
		obj_put(&old->obj);
	return err;
}

int attach_update(struct skep *k, const struct attach_change *c)
{
	struct attach_point *at;
	struct prog *old = NULL;
	int place = -ENOENT;

	lock_take(&k->attach->lock);
	at = find(k, c->type, c->target);
	if (at)
		place = place_of_link(&at->list, c->link);
	if (place >= 0)
		old = exchange(&at->list, place, c);
	lock_release(&k->attach->lock);
	if (old)
		obj_put(&old->obj);
	return place < 0 ? place : 0;
}

/* What attach_xdp() does at its point: the lock is held. */
static int xdp_set(struct attach_list *l, const struct attach_change *c, struct prog **old)
{
	struct attach_entry *now = l->n ? &l->entry[0] : NULL;
	uint32_t mode = c->flags & ATTACH_XDP_MODES;
	bool other = now && now->flags != mode;

	if (now && now->link)
		return -EBUSY;
	if (c->flags & ATTACH_XDP_REPLACE && (now && !other ? now->prog : NULL) != c->replace)
		return -EEXIST;
	if (c->prog && other)
		return -EEXIST;
	if (c->prog && now && c->flags & ATTACH_XDP_NOEXIST)
		return -EBUSY;
	if (now && !other)
		*old = take(l, 0);
	if (c->prog) {
		struct attach_change in = {.prog = c->prog, .flags = mode};

		insert(l, 0, &in);
	}
	return 0;
}

int attach_xdp(struct skep *k, uint32_t ifindex, struct prog *p, uint32_t flags,
               struct prog *expected)
{
	struct attach_change c = {.type = BPF_XDP, .target = ifindex, .prog = p, .flags = flags,
	                          .replace = expected};
	struct attach_point *at;
	struct prog *old = NULL;
	int err;

	lock_take(&k->attach->lock);
	at = find_or_make(k, BPF_XDP, ifindex);
	err = at ? xdp_set(&at->list, &c, &old) : -ENOMEM;
	if (at)
		drop_if_empty(k, at);
	lock_release(&k->attach->lock);
	if (old)
		obj_put(&old->obj);
	return err;
}

bool attach_any(struct skep *k, uint32_t type, uint64_t target)
{
	bool any;

	lock_take(&k->attach->lock);
	any = find(k, type, target) != NULL;
	lock_release(&k->attach->lock);
	return any;
}

void attach_list(struct skep *k, uint32_t type, uint64_t target, struct attach_list *out)
{
	const struct attach_point *at;

	lock_take(&k->attach->lock);
	at = find(k, type, target);
	out->n = 0;
	out->flags = 0;
	out->revision = 1;
	if (at)
		*out = at->list;
	for (uint32_t i = 0; i < out->n; i++)
		obj_get(&out->entry[i].prog->obj);
	lock_release(&k->attach->lock);
}

void attach_list_put(struct attach_list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		obj_put(&list->entry[i].prog->obj);
}
