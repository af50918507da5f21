/* SPDX-License-Identifier: BSD-2-Clause */
/* See lossy.h. */
#include "lossy.h"

#include <errno.h>
#include <string.h>

#include "side_sys.h"

enum { GONE = -1 }; /* certainly not there */

struct model {
	const struct test_case *c;
	int16_t value[KEYS]; /* the one it has, if it is there at all */
	int last;            /* this key was the last to be put in; -1: none, or it is gone again */
};

/* Keys may occur more than once in the material: the first of the equal ones. */
static unsigned key_of(const struct test_case *c, const struct op *op)
{
	for (unsigned i = 0;; i++)
		if (!memcmp(c->material.keys[i], c->material.keys[op->key], c->shape.key))
			return i;
}

static bool update_allowed(struct model *m, const struct op *op, unsigned key, int64_t ret)
{
	bool gone = m->value[key] == GONE;

	if (op->flags == 3 || op->flags > 3)
		return ret == -EINVAL;
	if (op->flags) /* room is made before it is known whether it is needed */
		m->last = -1;
	if (ret == -EEXIST && op->flags == 1)
		return !gone;
	if (ret == -ENOENT && op->flags == 2) {
		m->value[key] = GONE;
		return true;
	}
	if (ret != 0 || (op->flags == 2 && gone))
		return false;
	m->value[key] = op->value;
	m->last = (int)key;
	return true;
}

static bool lookup_allowed(struct model *m, const struct op *op, unsigned key,
                           const struct result *r)
{
	bool sys = op->name == OP_SYS_LOOKUP, found = sys ? r->ret == 0 : r->ret == 1;
	uint64_t want;

	if (sys && op->flags)
		return r->ret == -EINVAL;
	if (!found) {
		m->value[key] = GONE;
		return r->ret == (sys ? -ENOENT : 0) && (int)key != m->last;
	}
	if (m->value[key] == GONE)
		return false;
	want = digest(m->c->material.values[m->value[key]], m->c->shape.value);
	return sys || r->digest == want;
}

static bool delete_allowed(struct model *m, unsigned key, int64_t ret)
{
	bool gone = m->value[key] == GONE;

	m->value[key] = GONE;
	if (ret == -ENOENT)
		return (int)key != m->last;
	if ((int)key == m->last)
		m->last = -1;
	return ret == 0 && !gone;
}

unsigned lossy_check(const struct test_case *c, const struct result *results)
{
	struct model m = {.c = c, .last = -1};
	bool readable = !(c->shape.flags & 1u << 4), writable = !(c->shape.flags & 1u << 3);
	unsigned i;

	memset(m.value, 0xff, sizeof(m.value));
	for (i = 0; i < c->n; i++) {
		const struct op *op = &c->ops[i];
		bool sys = !op_is_program(op), write = op->name != OP_SYS_LOOKUP &&
		                                       op->name != OP_SYS_WALK;
		unsigned key;

		if (sys && (op->key == NO_KEY || (write ? !writable : !readable)))
			continue;
		key = key_of(c, op);
		switch ((enum op_name)op->name) {
		case OP_UPDATE:
		case OP_SYS_UPDATE:
			if (!update_allowed(&m, op, key, results[i].ret))
				return i;
			break;
		case OP_LOOKUP:
		case OP_SYS_LOOKUP:
			if (!lookup_allowed(&m, op, key, &results[i]))
				return i;
			break;
		case OP_DELETE:
		case OP_SYS_DELETE:
			if (sys && op->flags)
				break;
			if (!delete_allowed(&m, key, results[i].ret))
				return i;
			break;
		default: /* a walk */
			if (results[i].ret > c->shape.max)
				return i;
		}
	}
	return i;
}
