/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/fdinfo of BPF descriptors, as the kernel writes it: a name, ":", a tab, a value a line.
 * Source: what Linux 6.18 prints.
 */
#include "sandbox/describe.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/link.h"
#include "core/map.h"
#include "core/prog.h"

struct text {
	char *at;
	size_t room;
};

__attribute__((format(printf, 2, 3))) static void line(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->at, t->room, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < t->room) {
		t->at += n;
		t->room -= (size_t)n;
	} else {
		t->room = 1; /* full: whole lines only */
		*t->at = '\0';
	}
}

static void describe_map(struct text *t, const struct map *m)
{
	line(t, "map_type:\t%u\n", m->type);
	line(t, "key_size:\t%u\n", m->key_size);
	line(t, "value_size:\t%u\n", m->value_size);
	line(t, "max_entries:\t%u\n", m->max_entries);
	line(t, "map_flags:\t%#x\n", m->flags);
	line(t, "map_extra:\t%#llx\n", (unsigned long long)m->extra);
	line(t, "memlock:\t%llu\n", (unsigned long long)map_memory(m));
	line(t, "map_id:\t%u\n", m->obj.id);
	line(t, "frozen:\t%u\n", (unsigned)m->frozen);
	if (m->type == BPF_MAP_TYPE_PROG_ARRAY) {
		const struct map_prog_array *a = (const struct map_prog_array *)m;

		if (a->owned) {
			line(t, "owner_prog_type:\t%u\n", a->owner_type);
			line(t, "owner_jited:\t%u\n", m->obj.k->engine == m->obj.k->reg.jit);
		}
	}
}

static void describe_prog(struct text *t, const struct prog *p)
{
	uint8_t tag[BPF_TAG_SIZE];

	prog_tag(p->orig, p->norig, tag);
	line(t, "prog_type:\t%u\n", p->type);
	line(t, "prog_jited:\t%u\n", p->code != NULL);
	line(t, "prog_tag:\t%02x%02x%02x%02x%02x%02x%02x%02x\n", tag[0], tag[1], tag[2], tag[3],
	     tag[4], tag[5], tag[6], tag[7]);
	line(t, "memlock:\t%u\n", 4096u);
	line(t, "prog_id:\t%u\n", p->obj.id);
	line(t, "run_time_ns:\t%llu\n", (unsigned long long)p->run_time_ns);
	line(t, "run_cnt:\t%llu\n", (unsigned long long)p->run_cnt);
	line(t, "recursion_misses:\t%llu\n", (unsigned long long)p->recursion_misses);
	line(t, "verified_insns:\t%u\n", p->verified_insns);
}

static void describe_link(struct text *t, const struct link *l)
{
	line(t, "link_type:\t%s\n", l->ops->name);
	line(t, "link_id:\t%u\n", l->obj.id);
	if (l->prog)
		line(t, "prog_id:\t%u\n", l->prog->obj.id);
}

int describe_fdinfo(struct obj *o, char *text, size_t size)
{
	struct text t = {text, size};

	*text = '\0';
	switch (o->kind) {
	case OBJ_MAP:
		describe_map(&t, (const struct map *)o);
		break;
	case OBJ_PROG:
		describe_prog(&t, prog_of(o));
		break;
	case OBJ_BTF:
		line(&t, "btf_id:\t%u\n", o->id);
		break;
	case OBJ_LINK:
		describe_link(&t, (const struct link *)o);
		break;
	default:
		break;
	}
	return (int)(t.at - text);
}
