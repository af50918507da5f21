/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists and red-black trees of objects: see object.h. Whoever calls holds the lock of the head or root.
 *
 * A node is claimed by its owner word alone, as others may try to put it elsewhere under another lock.
 *
 * The tree is the one of the textbooks (Cormen et al., ch. 13), with empty leaves, so that its shape, which
 * programs can see, is the kernel's.
 */
#include "core/object.h"

static bool claim(uint64_t *owner, const void *by)
{
	uint64_t old = __atomic_load_n(owner, __ATOMIC_RELAXED);

	return !node_owner(old) &&
	       __atomic_compare_exchange_n(owner, &old, old | (uintptr_t)by, false, __ATOMIC_ACQUIRE,
	                                   __ATOMIC_RELAXED);
}

static void disown(uint64_t *owner)
{
	uint64_t old = __atomic_load_n(owner, __ATOMIC_RELAXED);

	__atomic_store_n(owner, old & ~(((uint64_t)1 << NODE_OWNER_BITS) - 1), __ATOMIC_RELEASE);
}

/* --- Lists --------------------------------------------------------------------------------- */

bool list_push(struct list_head *h, struct list_node *n, bool back)
{
	if (!claim(&n->owner, h))
		return false;
	n->next = back ? NULL : h->first;
	n->prev = back ? h->last : NULL;
	if (n->prev)
		n->prev->next = n;
	else
		h->first = n;
	if (n->next)
		n->next->prev = n;
	else
		h->last = n;
	return true;
}

struct list_node *list_pop(struct list_head *h, bool back)
{
	struct list_node *n = back ? h->last : h->first;

	if (!n)
		return NULL;
	if (n->prev)
		n->prev->next = n->next;
	else
		h->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		h->last = n->prev;
	n->next = n->prev = NULL;
	disown(&n->owner);
	return n;
}

/* --- Trees --------------------------------------------------------------------------------- */

enum { BLACK = 1 };

static struct tree_node *parent(const struct tree_node *n)
{
	return (struct tree_node *)(n->parent & ~(uintptr_t)BLACK);
}

static bool is_black(const struct tree_node *n)
{
	return !n || n->parent & BLACK;
}

static void set_parent(struct tree_node *n, struct tree_node *p)
{
	n->parent = (uintptr_t)p | (n->parent & BLACK);
}

static void set_black(struct tree_node *n, bool black)
{
	n->parent = (n->parent & ~(uintptr_t)BLACK) | black;
}

/* Puts `by` (which may be NULL) where n hangs. */
static void replace(struct tree_root *root, struct tree_node *n, struct tree_node *by)
{
	struct tree_node *p = parent(n);

	if (!p)
		root->top = by;
	else if (p->left == n)
		p->left = by;
	else
		p->right = by;
	if (by)
		set_parent(by, p);
}

/* n's child on the other side takes its place, n goes down to this side. */
static void rotate(struct tree_root *root, struct tree_node *n, bool left)
{
	struct tree_node *up = left ? n->right : n->left;
	struct tree_node *middle = left ? up->left : up->right;

	replace(root, n, up);
	if (left) {
		n->right = middle;
		up->left = n;
	} else {
		n->left = middle;
		up->right = n;
	}
	if (middle)
		set_parent(middle, n);
	set_parent(n, up);
}

static void fix_added(struct tree_root *root, struct tree_node *n)
{
	while (!is_black(parent(n))) {
		struct tree_node *p = parent(n), *g = parent(p);
		bool left = g->left == p;
		struct tree_node *uncle = left ? g->right : g->left;

		if (!is_black(uncle)) {
			set_black(p, true);
			set_black(uncle, true);
			set_black(g, false);
			n = g;
			continue;
		}
		if (n == (left ? p->right : p->left)) {
			rotate(root, p, left);
			p = n;
		}
		set_black(p, true);
		set_black(g, false);
		rotate(root, g, !left);
		break;
	}
	set_black(root->top, true);
}

bool tree_add(struct tree_root *root, struct tree_node *n,
              bool (*less)(const struct tree_node *a, const struct tree_node *b, void *arg), void *arg)
{
	struct tree_node **link = &root->top, *p = NULL;
	bool first = true;

	if (!claim(&n->owner, root))
		return false;
	while (*link) {
		p = *link;
		if (less(n, p, arg)) {
			link = &p->left;
		} else {
			link = &p->right;
			first = false;
		}
	}
	n->parent = (uintptr_t)p;
	n->left = n->right = NULL;
	*link = n;
	if (first)
		root->first = n;
	fix_added(root, n);
	return true;
}

/* The side of p where n (NULL: an empty leaf) hangs has a black node too few. */
static void fix_removed(struct tree_root *root, struct tree_node *n, struct tree_node *p)
{
	while (p && is_black(n)) {
		bool left = p->left == n;
		struct tree_node *s = left ? p->right : p->left, *near, *far;

		if (!is_black(s)) {
			set_black(s, true);
			set_black(p, false);
			rotate(root, p, left);
			s = left ? p->right : p->left;
		}
		near = left ? s->left : s->right;
		far = left ? s->right : s->left;
		if (is_black(near) && is_black(far)) {
			set_black(s, false);
			n = p;
			p = parent(n);
			continue;
		}
		if (is_black(far)) {
			set_black(near, true);
			set_black(s, false);
			rotate(root, s, !left);
			far = s;
			s = near;
		}
		set_black(s, is_black(p));
		set_black(p, true);
		set_black(far, true);
		rotate(root, p, left);
		return;
	}
	if (n)
		set_black(n, true);
}

static struct tree_node *successor(const struct tree_node *n)
{
	struct tree_node *p;

	if (n->right) {
		for (p = n->right; p->left;)
			p = p->left;
		return p;
	}
	for (p = parent(n); p && p->right == n; p = parent(p))
		n = p;
	return p;
}

/* Takes out a node with two children: the one that follows it takes its place and colour. */
static void remove_inner(struct tree_root *root, struct tree_node *n)
{
	struct tree_node *s = successor(n), *child = s->right, *p = parent(s);
	bool black = is_black(s);

	if (p == n) {
		p = s;
	} else {
		replace(root, s, child);
		s->right = n->right;
		set_parent(s->right, s);
	}
	replace(root, n, s);
	s->left = n->left;
	set_parent(s->left, s);
	set_black(s, is_black(n));
	if (black)
		fix_removed(root, child, p);
}

bool tree_remove(struct tree_root *root, struct tree_node *n)
{
	if (node_owner(__atomic_load_n(&n->owner, __ATOMIC_RELAXED)) != (uintptr_t)root)
		return false;
	if (root->first == n)
		root->first = successor(n);
	if (n->left && n->right) {
		remove_inner(root, n);
	} else {
		struct tree_node *child = n->left ? n->left : n->right, *p = parent(n);

		replace(root, n, child);
		if (is_black(n))
			fix_removed(root, child, p);
	}
	n->parent = 0;
	n->left = n->right = NULL;
	disown(&n->owner);
	return true;
}
