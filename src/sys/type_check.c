/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a program type of the embedder's sound? Each rule has a sentence that says what to change.
 *
 * The verifier and the engines rely on what is asked here as they rely on the built-in tables.
 */
#include <errno.h>
#include <string.h>

#include "sys/say.h"
#include "sys/type.h"

enum {
	CTX_MAX = 32767, /* an instruction's offset reaches no further */
	NAME_MAX_LEN = BPF_OBJ_NAME_LEN - 1,
	ACCESSES = SKEP_READ | SKEP_WRITE | SKEP_READ_PARTS | SKEP_WRITE_PARTS,
	FIELDS_MAX = 1024,
};

struct check {
	struct skep *k;
	const struct skep_type *t;
	char *message;
};

#define wrong(c, err, ...) say((c)->k, (c)->message, err, __VA_ARGS__)

static bool name_fine(const char *name)
{
	size_t n = 0;

	for (; name && name[n]; n++)
		if (!((name[n] | 32) >= 'a' && (name[n] | 32) <= 'z') &&
		    !(name[n] >= '0' && name[n] <= '9') && name[n] != '_')
			return false;
	return n && n <= NAME_MAX_LEN;
}

static int check_head(const struct check *c)
{
	const struct skep_type *t = c->t;
	const struct registry *reg = &c->k->reg;

	if (is_fork(c->k))
		return say_fork(c->k, c->message);
	if (!registry_open(c->k))
		return wrong(c, -EBUSY, "program types are added before the first program and map: move "
		                        "skep_type_add() right behind skep_new()");
	if (t->size != sizeof(*t) || t->abi != SKEP_HOOK_ABI)
		return wrong(c, -EINVAL,
		             "struct skep_type of %zu bytes, ABI %u, is not this library's (%zu bytes, ABI "
		             "%d): begin it with SKEP_TYPE_HEAD() and compile against the skep_hook.h of "
		             "libskep %s", t->size, t->abi, sizeof(*t), SKEP_HOOK_ABI, SKEP_VERSION);
	if (!name_fine(t->name))
		return wrong(c, -EINVAL, "program type 0x%x has no proper name: give it 1 to %d letters, "
		                         "digits or _", t->number, NAME_MAX_LEN);
	if (!user_number(t->number))
		return wrong(c, -EINVAL, "%s: number 0x%x may meet the kernel's: take one of 0x%x .. 0x%x",
		             t->name, t->number, USER_FIRST, USER_LAST);
	for (unsigned i = 0; i < reg->nhooks; i++) {
		if (reg->hooks[i]->prog_type == t->number)
			return wrong(c, -EEXIST, "%s: number 0x%x is already %s's: give one of them another",
			             t->name, t->number, reg->hooks[i]->name);
		if (!strcmp(reg->hooks[i]->name, t->name))
			return wrong(c, -EEXIST, "%s: there is a program type of this name: rename yours",
			             t->name);
	}
	return 0;
}

static bool is_power(unsigned n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

static bool is_mem(const struct skep_field *f)
{
	return f->kind >= SKEP_MEM && f->kind <= SKEP_MEM_RDONLY_OR_NULL;
}

static uint32_t real_size_of(const struct skep_type *t)
{
	return t->real_ctx_size ? t->real_ctx_size : t->ctx_size;
}

/* A pointer: where it is, how it is read. */
static int check_pointer(const struct check *c, const struct skep_field *f)
{
	unsigned size = is_mem(f) ? 8 : 4;

	if (f->size != size || f->real_size != sizeof(void *))
		return wrong(c, -EINVAL, "%s.%s: %s is %u bytes to programs and %zu in the real context, not "
		                         "%u and %u: change the member's type", c->t->name, f->name,
		             is_mem(f) ? "a pointer to memory" : "a packet pointer", size, sizeof(void *),
		             f->size, f->real_size);
	if (f->access != SKEP_READ)
		return wrong(c, -EINVAL, "%s.%s: a pointer is read as a whole and not written: make its "
		                         "access SKEP_READ", c->t->name, f->name);
	if (is_mem(f) != !!f->mem_size)
		return wrong(c, -EINVAL, is_mem(f) ? "%s.%s: how much memory is behind the pointer? Set "
		                                     "mem_size"
		                                   : "%s.%s: only memory has a mem_size: leave it 0",
		             c->t->name, f->name);
	return 0;
}

static int check_scalar(const struct check *c, const struct skep_field *f)
{
	if (f->mem_size)
		return wrong(c, -EINVAL, "%s.%s: only memory has a mem_size: leave it 0", c->t->name, f->name);
	if (is_power(f->size) ? !is_power(f->real_size) || f->real_size > f->size
	                      : f->real_size != f->size)
		return wrong(c, -EINVAL, "%s.%s: %u bytes to programs cannot be %u in the real context: make "
		                         "the real member as large, or a smaller one of 1, 2 or 4",
		             c->t->name, f->name, f->size, f->real_size);
	if (!is_power(f->size) && (f->size % 4 || f->access & (SKEP_READ | SKEP_WRITE)))
		return wrong(c, -EINVAL, "%s.%s: %u bytes cannot be loaded at once: an array is a multiple of "
		                         "4 bytes, and its access SKEP_READ_PARTS, SKEP_WRITE_PARTS",
		             c->t->name, f->name, f->size);
	if (f->real_size < f->size && f->access & SKEP_WRITE_PARTS)
		return wrong(c, -EINVAL, "%s.%s: parts of a field that is smaller in the real context cannot "
		                         "be written: drop SKEP_WRITE_PARTS or widen the real member",
		             c->t->name, f->name);
	return 0;
}

static int check_field(const struct check *c, const struct skep_field *f, uint32_t end)
{
	const struct skep_type *t = c->t;
	uint32_t align = is_power(f->size) ? f->size : 4;

	if (!f->size || (uint32_t)f->offset + f->size > t->ctx_size)
		return wrong(c, -EINVAL, "%s.%s: bytes %u .. %u lie outside of a context of %u bytes: correct "
		                         "the field or ctx_size", t->name, f->name, f->offset,
		             f->offset + f->size, t->ctx_size);
	if (f->offset < end)
		return wrong(c, -EINVAL, "%s.%s: it overlaps %s, or comes before it: fields are sorted by "
		                         "offset, and no byte is in two of them",
		             t->name, f->name, f == t->fields ? "nothing" : f[-1].name);
	if (f->offset % align)
		return wrong(c, -EINVAL, "%s.%s: offset %u is no multiple of %u: move the field", t->name,
		             f->name, f->offset, align);
	if ((uint32_t)f->real_offset + f->real_size > real_size_of(t))
		return wrong(c, -EINVAL, "%s.%s: bytes %u .. %u lie outside of a real context of %u bytes: "
		                         "correct the field or real_ctx_size", t->name, f->name,
		             f->real_offset, f->real_offset + f->real_size, real_size_of(t));
	if (!f->access || f->access & ~ACCESSES)
		return wrong(c, -EINVAL, "%s.%s: access 0x%x is none: SKEP_READ, SKEP_WRITE, SKEP_READ_PARTS, "
		                         "SKEP_WRITE_PARTS or several of them", t->name, f->name, f->access);
	if (f->kind > SKEP_MEM_RDONLY_OR_NULL)
		return wrong(c, -EINVAL, "%s.%s: there is no kind %u: see enum skep_field_kind", t->name,
		             f->name, f->kind);
	return f->kind == SKEP_SCALAR ? check_scalar(c, f) : check_pointer(c, f);
}

static int check_fields(const struct check *c)
{
	const struct skep_type *t = c->t;
	unsigned packets = 0, ends = 0, n = 0;
	uint32_t end = 0;

	if (t->ctx_size > CTX_MAX || real_size_of(t) > CTX_MAX)
		return wrong(c, -EINVAL, "%s: a context is at most %d bytes: point to what is larger "
		                         "(SKEP_MEM)", t->name, CTX_MAX);
	if (!t->fields && t->ctx_size)
		return wrong(c, -EINVAL, "%s: a context of %u bytes without fields: list them, or make "
		                         "ctx_size 0", t->name, t->ctx_size);
	for (const struct skep_field *f = t->fields; f && f->name; f++) {
		int err = ++n > FIELDS_MAX ? wrong(c, -EINVAL, "%s: more than %d fields: end them with a row "
		                                               "without a name", t->name, FIELDS_MAX)
		                           : check_field(c, f, end);

		if (err)
			return err;
		end = (uint32_t)f->offset + f->size;
		packets += f->kind == SKEP_PACKET;
		ends += f->kind == SKEP_PACKET_END;
		if (ends > packets || packets > 1)
			return wrong(c, -EINVAL, "%s.%s: one SKEP_PACKET comes first, its SKEP_PACKET_END "
			                         "behind it", t->name, f->name);
	}
	if (packets != ends)
		return wrong(c, -EINVAL, "%s: a packet without an end: add a field of SKEP_PACKET_END",
		             t->name);
	if (t->packet_writes && !packets)
		return wrong(c, -EINVAL, "%s: packet_writes without a packet: add fields of SKEP_PACKET and "
		                         "SKEP_PACKET_END", t->name);
	return 0;
}

static int check_attach_types(const struct check *c)
{
	const uint32_t own[2] = {c->t->number};
	const uint32_t *list = c->t->attach_types ? c->t->attach_types : own;

	if (!list[0])
		return wrong(c, -EINVAL, "%s: attach_types is empty: leave it NULL, or name one", c->t->name);
	for (const uint32_t *a = list; *a; a++) {
		const struct user_type *other = user_type_by_attach(c->k, *a);

		if (!user_number(*a))
			return wrong(c, -EINVAL, "%s: attach type 0x%x may meet the kernel's: take one of 0x%x "
			                         ".. 0x%x", c->t->name, *a, USER_FIRST, USER_LAST);
		if (other)
			return wrong(c, -EEXIST, "%s: attach type 0x%x is already %s's: give one of them "
			                         "another", c->t->name, *a, other->def->name);
	}
	return 0;
}

static int check_returns(const struct check *c)
{
	const struct skep_range *r = c->t->returns;

	for (; r && r->attach_type != SKEP_ANY_ATTACH; r++) {
		const uint32_t *a = c->t->attach_types;

		while (a && *a && *a != r->attach_type)
			a++;
		if (!a || !*a)
			return wrong(c, -EINVAL, "%s: returns speak of attach type 0x%x, which is not one of "
			                         "attach_types: add it there, or end returns with a row of "
			                         "SKEP_ANY_ATTACH", c->t->name, r->attach_type);
	}
	for (r = c->t->returns; r; r++) {
		if (r->min > r->max)
			return wrong(c, -EINVAL, "%s: programs may return %d .. %d: that is nothing; exchange "
			                         "min and max", c->t->name, r->min, r->max);
		if (r->attach_type == SKEP_ANY_ATTACH)
			break;
	}
	return 0;
}

static bool call_known(const struct skep *k, const char *name)
{
	for (unsigned i = 1; i < k->reg.nhelpers; i++)
		if (!strcmp(k->reg.helpers[i].name, name))
			return true;
	for (unsigned i = 0; i < k->reg.nuser_helpers; i++)
		if (!strcmp(k->reg.user_helpers[i].row.name, name))
			return true;
	return kfunc_find(k, name);
}

static int check_calls(const struct check *c)
{
	for (const char *const *name = c->t->calls; name && *name; name++)
		if (!call_known(c->k, *name))
			return wrong(c, -EINVAL, "%s: there is no helper or kernel function %s: correct its "
			                         "name, or add it before the type (skep_helper_add())",
			             c->t->name, *name);
	return 0;
}

int user_type_check(struct skep *k, const struct skep_type *t, char *message)
{
	static int (*const rules[])(const struct check *) = {
		check_head, check_fields, check_attach_types, check_returns, check_calls,
	};
	const struct check c = {.k = k, .t = t, .message = message};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(rules) / sizeof(rules[0]); i++)
		err = rules[i](&c);
	return err;
}
