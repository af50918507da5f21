/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN of programs of the embedder's types: by the type's own function, or by its rows.
 *
 * The rows say where in the real context each public field is: what came in is spread by them, the
 * program runs, and what it left is collected again.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/prog.h"
#include "sys/type.h"

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void repeat(struct prog *p, void *ctx, struct test_run *t)
{
	uint32_t n = t->repeat ? t->repeat : 1;
	struct cpu *cpu = cpu_enter(p->obj.k);
	uint64_t start = now(), ret = 0;

	for (uint32_t i = 0; i < n && !t->faulted; i++) {
		ret = prog_run(p, ctx, cpu);
		t->faulted = cpu->fault;
	}
	if (t->faulted && t->fault)
		*t->fault = *cpu->fault;
	t->retval = (uint32_t)ret;
	t->duration = (uint32_t)((now() - start) / n);
	cpu_leave(cpu);
}

static bool has_memory(const struct hook *h)
{
	for (const struct ctx_field *f = h->fields; f->name; f++)
		if (f->mem_size)
			return true;
	return false;
}

static const struct ctx_field *field_of_kind(const struct hook *h, enum field_kind kind)
{
	for (const struct ctx_field *f = h->fields; f->name; f++)
		if (f->kind == kind)
			return f;
	return NULL;
}

/* Scalars between the public context and the real one; smaller ones keep their low bytes. */
static void spread(const struct hook *h, uint8_t *public, uint8_t *real, bool in)
{
	for (const struct ctx_field *f = h->fields; f->name; f++) {
		uint8_t *a = public + f->offset, *b = real + f->real_offset;

		if (f->kind != FIELD_SCALAR)
			continue;
		if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
			a += f->size - f->real_size;
		memcpy(in ? b : a, in ? a : b, f->real_size);
	}
}

static int put_back(const void *from, uint32_t size, void *to, uint32_t *room)
{
	uint32_t n = *room < size ? *room : size;

	if (to && n)
		memcpy(to, from, n);
	*room = size;
	return to && n < size ? -ENOSPC : 0;
}

/* public: the public context, and behind it the real one. */
static int by_rows(struct prog *p, struct test_run *t, uint8_t *public)
{
	const struct hook *h = p->hook;
	uint8_t *real = public + (h->ctx_size + 15) / 16 * 16;
	const struct ctx_field *data = field_of_kind(h, FIELD_PACKET);
	const struct ctx_field *end = field_of_kind(h, FIELD_PACKET_END);
	uint8_t *packet = t->data_out ? t->data_out : (uint8_t *)t->data_in;
	int err;

	if (t->ctx_size_in)
		memcpy(public, t->ctx_in, t->ctx_size_in);
	spread(h, public, real, true);
	if (data) {
		const uint8_t *behind = packet + t->data_size_in;

		if (t->data_out && t->data_size_in)
			memcpy(packet, t->data_in, t->data_size_in);
		memcpy(real + data->real_offset, &packet, sizeof(packet));
		memcpy(real + end->real_offset, &behind, sizeof(behind));
	}
	repeat(p, real, t);
	if (t->faulted)
		return 0;
	memset(public, 0, h->ctx_size);
	spread(h, public, real, false);
	err = data ? put_back(packet, t->data_size_in, packet, &t->data_size_out) : 0;
	if (!data)
		t->data_size_out = 0;
	return err ? err : put_back(public, h->ctx_size, t->ctx_out, &t->ctx_size_out);
}

static int by_type(struct prog *p, struct test_run *t)
{
	const struct skep_type *type = user_type_of(p->hook)->def;
	struct skep_test_run run = {
		.data_in = t->data_in, .data_size_in = t->data_size_in,
		.data_out = t->data_out, .data_size_out = t->data_size_out,
		.ctx_in = t->ctx_in, .ctx_size_in = t->ctx_size_in,
		.ctx_out = t->ctx_out, .ctx_size_out = t->ctx_size_out,
		.repeat = t->repeat ? t->repeat : 1,
	};
	int err = type->test_run(type->arg, (struct skep_prog *)p, &run);

	t->data_size_out = run.data_size_out;
	t->ctx_size_out = run.ctx_size_out;
	t->retval = run.retval;
	t->duration = run.duration;
	return err;
}

int user_test_run(struct prog *p, struct test_run *t)
{
	const struct hook *h = p->hook;
	const struct mem *mem = &p->obj.k->mem;
	uint8_t *block;
	int err;

	if (t->flags || t->cpu || t->batch_size || t->ctx_size_in > h->ctx_size)
		return -EINVAL;
	if (user_type_of(h)->def->test_run)
		return by_type(p, t);
	if (has_memory(h))
		return -ENOTSUPP;
	if (!field_of_kind(h, FIELD_PACKET) && t->data_size_in)
		return -EINVAL;
	block = mem_zalloc(mem, (h->ctx_size + 15) / 16 * 16 + h->real_size + 16);
	err = block ? by_rows(p, t, block) : -ENOMEM;
	mem_free(mem, block);
	return err;
}
