/* SPDX-License-Identifier: BSD-2-Clause */
/* See vm.h. */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/btf.h"
#include "isa/text.h"
#include "kernel.h"
#include "sys/tables.h"
#include "verifier/verify.h"

static void die(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

void vm_init(struct vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	if (core_init(&vm->k, &mem_libc, &tables, 4))
		die("test kernel", "no memory");
	vm->engine = tables.checked;
}

void vm_drop_maps(struct vm *vm)
{
	while (vm->nmaps)
		obj_put(&vm->maps[--vm->nmaps]->obj);
}

void vm_exit(struct vm *vm)
{
	vm_drop_maps(vm);
	tables_release(&vm->k);
	core_exit(&vm->k);
}

struct map *vm_map(struct vm *vm, uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t n)
{
	struct map_attr attr = {
		.type = type, .key_size = key_size, .value_size = value_size, .max_entries = n};
	struct map *m;
	int err = map_create(&vm->k, &attr, &m);

	if (err)
		die("map", strerror(-err));
	return vm->maps[vm->nmaps++] = m;
}

struct map *vm_rodata(struct vm *vm, const void *value, uint32_t size)
{
	struct map *m = vm_map(vm, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), size, 1);
	uint32_t key = 0;

	map_update(m, &key, value, BPF_ANY);
	atomic_store(&m->frozen, true);
	return m;
}

static bool helper_id(void *arg, const char *name, size_t len, int32_t *id)
{
	for (unsigned i = 0; i < tables.nhelpers; i++) {
		const char *full = tables.helpers[i].name;

		if (strlen(full) == len && !memcmp(full, name, len)) {
			*id = (int32_t)i;
			return true;
		}
	}
	return false;
}

struct insn *vm_asm(const char *text, size_t *n)
{
	static const struct asm_names names = {.helper = helper_id};
	struct asm_error e;
	struct insn *insns;

	if (asm_program(text, strlen(text), &names, &insns, n, &e)) {
		printf("# %u:%u: %s\n# in: %s\n", e.line, e.column, e.text, text);
		die("program", "does not assemble");
	}
	return insns;
}

static int map_of_fd(void *arg, int32_t fd, struct map **out)
{
	struct vm *vm = arg;

	if (fd < 0 || (unsigned)fd >= vm->nmaps)
		return -EBADF;
	*out = vm->maps[fd];
	obj_get(&(*out)->obj);
	return 0;
}

/* The last line that is not about statistics. */
static void last_line(const struct buf *log, char *line, size_t size)
{
	const char *at = log->data ? log->data : "";

	line[0] = '\0';
	while (*at) {
		size_t len = strcspn(at, "\n");

		if (strncmp(at, "processed ", 10))
			snprintf(line, size, "%.*s", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

static void add_func_info(struct prog *p)
{
	uint32_t starts[MAX_FUNCS], size;
	const void *btf = small_btf(&size);
	uint8_t *bytes = mem_copy(&p->obj.k->mem, btf, size);

	if (btf_new(p->obj.k, bytes, size, NULL, &p->btf))
		abort();
	p->nfunc_infos = find_funcs(p->orig, p->norig, starts);
	p->func_infos =
		mem_zalloc_array(&p->obj.k->mem, p->nfunc_infos, sizeof(*p->func_infos));
	for (uint32_t f = 0; f < p->nfunc_infos; f++)
		p->func_infos[f] = (struct func_info){starts[f], f ? 4 : 3};
}

int vm_load(struct vm *vm, uint32_t type, bool gpl, const struct insn *insns, size_t n,
            struct prog **out)
{
	struct prog *p = prog_new(&vm->k);
	struct buf log = {0};
	struct verify_env env = {.arg = vm, .map_of_fd = map_of_fd, .log = &log, .log_level = 1,
	                         .trust = vm->trusted};
	int err;

	*out = NULL;
	if (!p)
		return -ENOMEM;
	p->type = type;
	p->expected_attach_type = vm->attach_type;
	p->flags = vm->flags;
	p->trusted = vm->trusted;
	p->hook = hook_find(&vm->k, type);
	p->gpl = gpl;
	p->orig = mem_copy(&vm->k.mem, insns, n * sizeof(*insns));
	p->norig = (uint32_t)n;
	if (vm->btf)
		add_func_info(p);
	err = p->orig ? verify(p, &env) : -ENOMEM;
	last_line(&log, vm->line, sizeof(vm->line));
	buf_free(&log);
	p->engine = vm->engine;
	if (!err)
		err = p->engine->prepare(p);
	if (err)
		obj_put(&p->obj);
	else
		*out = p;
	return err;
}
