/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code in object files: sections, functions, references. See code.h.
 *
 * Reads ELF by itself: what is wanted (names of everything, nothing loaded) is less than what
 * libelf or libbpf give. Every index and offset of the file is checked where it is used; records
 * are copied out, so alignment does not matter.
 */
#include "cli/code.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RELOC_64_64 = 1, RELOC_64_32 = 10 }; /* R_BPF_64_64 (lddw), R_BPF_64_32 (call) */

struct func_symbol {
	unsigned section;
	uint64_t start; /* slot */
	const char *name;
};

/* The file, once its tables are found. */
struct elf {
	const uint8_t *data;
	size_t len;
	Elf64_Shdr *sections;
	unsigned nsections;
	struct code_bytes symbols, strings, section_names;
	struct func_symbol *funcs;
	size_t nfuncs;
	size_t read; /* bytes of code and relocations so far: see account() */
	const char *why;
};

static int broken(struct elf *e, const char *why)
{
	e->why = why;
	return -EINVAL;
}

/* A string of a string table; "" where there is none. */
static const char *string_at(struct code_bytes table, uint32_t at)
{
	if (at >= table.len || !memchr(table.data + at, 0, table.len - at))
		return "";
	return (const char *)table.data + at;
}

static struct code_bytes section_bytes(const struct elf *e, const Elf64_Shdr *s)
{
	if (s->sh_type == SHT_NOBITS || s->sh_offset > e->len || s->sh_size > e->len - s->sh_offset)
		return (struct code_bytes){0};
	return (struct code_bytes){e->data + s->sh_offset, s->sh_size};
}

static const char *section_name(const struct elf *e, unsigned index)
{
	return index < e->nsections ? string_at(e->section_names, e->sections[index].sh_name) : "";
}

/* index < nsections */
static bool is_code(const struct elf *e, unsigned index)
{
	const Elf64_Shdr *s = e->sections + index;

	return s->sh_type == SHT_PROGBITS && s->sh_flags & SHF_EXECINSTR && s->sh_size;
}

static bool symbol_at(const struct elf *e, size_t index, Elf64_Sym *out)
{
	if (index >= e->symbols.len / sizeof(*out))
		return false;
	memcpy(out, e->symbols.data + index * sizeof(*out), sizeof(*out));
	return true;
}

static int find_tables(struct elf *e)
{
	Elf64_Ehdr head;

	if (e->len < sizeof(head))
		return broken(e, "no ELF header");
	memcpy(&head, e->data, sizeof(head));
	if (head.e_shoff > e->len || head.e_shnum > (e->len - head.e_shoff) / sizeof(Elf64_Shdr))
		return broken(e, "the section table does not lie in the file");
	e->nsections = head.e_shnum;
	e->sections = malloc(e->nsections * sizeof(*e->sections) + 1);
	if (!e->sections)
		return -ENOMEM;
	memcpy(e->sections, e->data + head.e_shoff, e->nsections * sizeof(*e->sections));
	if (head.e_shstrndx < e->nsections)
		e->section_names = section_bytes(e, &e->sections[head.e_shstrndx]);
	for (unsigned i = 0; i < e->nsections; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_type != SHT_SYMTAB)
			continue;
		e->symbols = section_bytes(e, s);
		if (s->sh_link < e->nsections)
			e->strings = section_bytes(e, &e->sections[s->sh_link]);
	}
	return 0;
}

/* --- functions ------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct func_symbol *f = a, *g = b;

	if (f->section != g->section)
		return f->section < g->section ? -1 : 1;
	return f->start < g->start ? -1 : f->start > g->start;
}

/* All functions of the object, by section and start; one for each place. */
static int find_func_symbols(struct elf *e)
{
	size_t n = 0, kept = 0;
	struct func_symbol *f = calloc(e->symbols.len / sizeof(Elf64_Sym) + 1, sizeof(*f));
	Elf64_Sym sym;

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; symbol_at(e, i, &sym); i++) {
		if (ELF64_ST_TYPE(sym.st_info) == STT_FUNC &&
		    sym.st_value % sizeof(struct insn) == 0)
			f[n++] = (struct func_symbol){sym.st_shndx,
			                              sym.st_value / sizeof(struct insn),
			                              string_at(e->strings, sym.st_name)};
	}
	qsort(f, n, sizeof(*f), by_place);
	for (size_t i = 0; i < n; i++) {
		if (!kept || by_place(&f[kept - 1], &f[i]))
			f[kept++] = f[i];
	}
	e->funcs = f;
	e->nfuncs = kept;
	return 0;
}

/* The first function of a section at or behind a slot, or the end of the list. */
static const struct func_symbol *func_from(const struct elf *e, unsigned section, uint64_t slot)
{
	const struct func_symbol key = {section, slot, NULL};
	size_t low = 0, high = e->nfuncs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_place(&e->funcs[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &e->funcs[low];
}

static const char *func_name_at(const struct elf *e, unsigned section, uint64_t byte)
{
	const struct func_symbol key = {section, byte / sizeof(struct insn), NULL};
	const struct func_symbol *f = func_from(e, section, key.start);

	return f < e->funcs + e->nfuncs && !by_place(f, &key) ? f->name : "";
}

/* Functions cover the section: each ends where the next begins, and slot 0 begins one. */
static int find_funcs(struct elf *e, struct code_section *s)
{
	const struct func_symbol *first = func_from(e, s->index, 0),
				 *end = func_from(e, s->index, s->n);
	struct code_func *f = calloc((size_t)(end - first) + 1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	s->funcs = f;
	if (first == end || first->start)
		f[s->nfuncs++] = (struct code_func){.name = ""};
	for (; first < end; first++)
		f[s->nfuncs++] =
			(struct code_func){.name = first->name, .start = (uint32_t)first->start};
	for (size_t i = 0; i < s->nfuncs; i++)
		f[i].n = (uint32_t)((i + 1 < s->nfuncs ? f[i + 1].start : s->n) - f[i].start);
	return 0;
}

/* --- references ------------------------------------------------------------------------------ */

static bool is_map_section(const char *name)
{
	return !strcmp(name, ".maps") || !strcmp(name, "maps");
}

/* What the symbol of a lddw stands for; gives the instruction the kind of libbpf. */
static struct code_ref refer_address(const struct elf *e, struct insn *i, const Elf64_Sym *sym)
{
	const char *section = section_name(e, sym->st_shndx);
	struct code_ref ref = {.name = string_at(e->strings, sym->st_name), .section = section};
	uint64_t at = sym->st_value + (uint32_t)i->imm;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= e->nsections) {
		ref.kind = REF_EXTERN;
	} else if (is_code(e, sym->st_shndx)) {
		ref.kind = REF_FUNC;
		ref.name = func_name_at(e, sym->st_shndx, at);
		i->src = insn_info[OP_LDDW_FUNC].value & 15;
		i->imm = -1;
	} else if (is_map_section(section)) {
		ref.kind = REF_MAP;
		i->src = insn_info[OP_LDDW_MAP_FD].value & 15;
		i->imm = 0;
	} else {
		ref.kind = REF_DATA;
		i->src = insn_info[OP_LDDW_MAP_VALUE].value & 15;
		i[1].imm = (int32_t)at;
		i->imm = 0;
	}
	return ref;
}

static struct code_ref refer_call(const struct elf *e, struct insn *i, const Elf64_Sym *sym)
{
	struct code_ref ref = {.kind = REF_FUNC};
	/* The linker's distance counts from the next slot. */
	uint64_t at = sym->st_value + ((uint64_t)(int64_t)i->imm + 1) * sizeof(*i);

	if (sym->st_shndx == SHN_UNDEF) {
		ref.kind = REF_EXTERN;
		ref.name = string_at(e->strings, sym->st_name);
		i->src = insn_info[OP_CALL_KFUNC].value & 15;
		i->imm = 0;
	} else {
		ref.name = func_name_at(e, sym->st_shndx, at);
		i->imm = -1;
	}
	return ref;
}

/* -EINVAL: the relocation does not fit what it stands at. */
static int refer(struct elf *e, struct code_section *s, const Elf64_Rel *rel)
{
	uint64_t slot = rel->r_offset / sizeof(struct insn);
	struct code_ref ref;
	struct insn *i;
	Elf64_Sym sym;

	if (rel->r_offset % sizeof(struct insn) || slot >= s->n)
		return broken(e, "a relocation points outside of its section");
	if (!symbol_at(e, ELF64_R_SYM(rel->r_info), &sym))
		return broken(e, "a relocation names a symbol that is not there");
	i = &s->insns[slot];
	if (ELF64_R_TYPE(rel->r_info) == RELOC_64_64 && insn_op(i) == OP_LDDW && slot + 1 < s->n)
		ref = refer_address(e, i, &sym);
	else if (ELF64_R_TYPE(rel->r_info) == RELOC_64_32 && i->code == insn_info[OP_CALL].code)
		ref = refer_call(e, i, &sym);
	else
		return broken(e, "a relocation stands at an instruction that cannot have one");
	ref.slot = (uint32_t)slot;
	s->refs[s->nrefs++] = ref;
	return 0;
}

/* Counts what is read, so that sections which overlap cannot make it grow beyond all bounds. */
static int account(struct elf *e, size_t bytes)
{
	e->read += bytes;
	return e->read > e->len ? broken(e, "its sections overlap") : 0;
}

static int by_slot(const void *a, const void *b)
{
	const struct code_ref *f = a, *g = b;

	return f->slot < g->slot ? -1 : f->slot > g->slot;
}

static int find_refs(struct elf *e, struct code_section *s)
{
	for (unsigned k = 0; k < e->nsections; k++) {
		struct code_bytes table = section_bytes(e, &e->sections[k]);
		size_t n = table.len / sizeof(Elf64_Rel);
		struct code_ref *refs;
		int err;

		if (e->sections[k].sh_type != SHT_REL || e->sections[k].sh_info != s->index || !n)
			continue;
		err = account(e, table.len);
		if (err)
			return err;
		refs = realloc(s->refs, (s->nrefs + n) * sizeof(*refs));
		if (!refs)
			return -ENOMEM;
		s->refs = refs;
		for (size_t r = 0; r < n && !err; r++) {
			Elf64_Rel rel;

			memcpy(&rel, table.data + r * sizeof(rel), sizeof(rel));
			err = refer(e, s, &rel);
		}
		if (err)
			return err;
	}
	if (s->nrefs)
		qsort(s->refs, s->nrefs, sizeof(*s->refs), by_slot);
	return 0;
}

const struct code_ref *code_ref_at(const struct code_section *s, size_t slot)
{
	const struct code_ref key = {.slot = (uint32_t)slot};

	return s->nrefs ? bsearch(&key, s->refs, s->nrefs, sizeof(key), by_slot) : NULL;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int read_section(struct elf *e, unsigned index, struct code_section *s)
{
	struct code_bytes bytes = section_bytes(e, &e->sections[index]);
	int err;

	s->name = section_name(e, index);
	s->index = index;
	if (!bytes.data || bytes.len % sizeof(struct insn))
		return broken(e, "a section of code does not consist of whole instructions");
	s->n = bytes.len / sizeof(struct insn);
	s->insns = malloc(bytes.len);
	if (!s->insns)
		return -ENOMEM;
	memcpy(s->insns, bytes.data, bytes.len);
	err = account(e, bytes.len);
	if (!err)
		err = find_funcs(e, s);
	return err ? err : find_refs(e, s);
}

static struct code_bytes section_called(const struct elf *e, const char *name)
{
	for (unsigned i = 0; i < e->nsections; i++) {
		if (!strcmp(section_name(e, i), name))
			return section_bytes(e, &e->sections[i]);
	}
	return (struct code_bytes){0};
}

int code_read(const uint8_t *data, size_t len, struct code *out, const char **why)
{
	struct elf e = {.data = data, .len = len};
	struct code c = {0};
	int err = find_tables(&e);

	if (!err)
		err = find_func_symbols(&e);
	if (!err) {
		c.sections = calloc(e.nsections + 1, sizeof(*c.sections));
		err = c.sections ? 0 : -ENOMEM;
	}
	for (unsigned i = 0; i < e.nsections && !err; i++) {
		if (is_code(&e, i))
			err = read_section(&e, i, &c.sections[c.n++]);
	}
	if (!err)
		err = code_lines(&c, section_called(&e, ".BTF"), section_called(&e, ".BTF.ext"));
	free(e.funcs);
	free(e.sections);
	if (err) {
		*why = e.why;
		code_free(&c);
		return err;
	}
	*out = c;
	return 0;
}

void code_free(struct code *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->sections[i].insns);
		free(c->sections[i].funcs);
		free(c->sections[i].refs);
		free(c->sections[i].lines);
	}
	free(c->sections);
	*c = (struct code){0};
}
