/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of compiled code for perf and for debuggers.
 *
 * perf reads /tmp/perf-PID.map: a line `address size name` for each function; lines are only ever added.
 *
 * Debuggers follow the GDB JIT interface: a linked list of object files in memory, whose head and whose
 * notification function have fixed global names. Each image gets a minimal ELF object: an empty .text at
 * the address of the code, and a symbol for each function. The list is the process's, not a kernel's:
 * together with its lock it is the only global state of libskep, and only used when names are asked for.
 *
 * Names follow the kernel's: bpf_prog_<tag>_<name>, and an appended _F<n> for subprogram n.
 *
 * Requires: a placed image. Provides: jit_names_add(), jit_names_remove().
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "exec/jit.h"

/* --- The GDB JIT interface: names and layout are given --------------------------------------------- */

enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

struct jit_code_entry {
	struct jit_code_entry *next_entry, *prev_entry;
	const char *symfile_addr;
	uint64_t symfile_size;
};

struct jit_descriptor {
	uint32_t version, action_flag;
	struct jit_code_entry *relevant_entry, *first_entry;
};

void __jit_debug_register_code(void);
extern struct jit_descriptor __jit_debug_descriptor;

struct jit_descriptor __jit_debug_descriptor = {.version = 1};
static struct lock debug_lock;

/* The debugger has a breakpoint here. */
__attribute__((noinline)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory");
}

static void debug_notify(struct jit_code_entry *e, uint32_t action)
{
	__jit_debug_descriptor.relevant_entry = e;
	__jit_debug_descriptor.action_flag = action;
	__jit_debug_register_code();
}

static void debug_register(struct jit_code_entry *e)
{
	struct jit_descriptor *d = &__jit_debug_descriptor;

	lock_take(&debug_lock);
	e->next_entry = d->first_entry;
	if (e->next_entry)
		e->next_entry->prev_entry = e;
	d->first_entry = e;
	debug_notify(e, JIT_REGISTER_FN);
	lock_release(&debug_lock);
}

static void debug_unregister(struct jit_code_entry *e)
{
	lock_take(&debug_lock);
	if (e->prev_entry)
		e->prev_entry->next_entry = e->next_entry;
	else
		__jit_debug_descriptor.first_entry = e->next_entry;
	if (e->next_entry)
		e->next_entry->prev_entry = e->prev_entry;
	debug_notify(e, JIT_UNREGISTER_FN);
	lock_release(&debug_lock);
}

/* --- Functions and their names --------------------------------------------------------------------- */

static uint32_t func_pos(const struct jit *j, uint32_t n)
{
	return j->frags[j->funcs[n].entry].pos;
}

/* Up to where function n goes: the next one, or the end of the code. */
static uint32_t func_size(const struct jit *j, uint32_t n)
{
	return (n + 1 < j->p->nfuncs ? func_pos(j, n + 1) : j->size) - func_pos(j, n);
}

static void put_name(struct buf *b, const struct prog *p, uint32_t n)
{
	uint8_t tag[BPF_TAG_SIZE];

	prog_tag(p->orig, p->norig, tag);
	buf_puts(b, "bpf_prog_");
	for (unsigned i = 0; i < BPF_TAG_SIZE; i++)
		buf_printf(b, "%02x", tag[i]);
	if (p->name[0])
		buf_printf(b, "_%s", p->name);
	if (n)
		buf_printf(b, "_F%u", n);
}

/* --- ELF ------------------------------------------------------------------------------------------- */

enum { SECTION_TEXT = 1, SECTION_SYMTAB, SECTION_STRTAB, SECTIONS };

static const char section_names[] = "\0.text\0.symtab\0.strtab";

enum { NAME_TEXT = 1, NAME_SYMTAB = 7, NAME_STRTAB = 15 };

#ifdef __x86_64__
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_NONE };
#endif

/* Ehdr, Shdr[SECTIONS], Sym[1 + functions], strings. */
static void put_elf(struct buf *out, const struct jit *j, const struct jit_image *image)
{
	uint32_t nsyms = 1 + j->p->nfuncs;
	size_t symtab = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);
	size_t strtab = symtab + nsyms * sizeof(Elf64_Sym);
	struct buf strings = {0};
	Elf64_Ehdr head = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
	                    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
	                    EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = MACHINE,
		.e_version = EV_CURRENT,
		.e_shoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = SECTION_STRTAB,
	};
	Elf64_Shdr sections[SECTIONS] = {
		[SECTION_TEXT] = {.sh_name = NAME_TEXT, .sh_type = SHT_NOBITS,
	                          .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = (uintptr_t)image->base + j->shift,
	                          .sh_size = j->size, .sh_addralign = 16},
		[SECTION_SYMTAB] = {.sh_name = NAME_SYMTAB, .sh_type = SHT_SYMTAB, .sh_offset = symtab,
	                            .sh_size = nsyms * sizeof(Elf64_Sym), .sh_link = SECTION_STRTAB,
	                            .sh_info = 1, .sh_entsize = sizeof(Elf64_Sym)},
		[SECTION_STRTAB] = {.sh_name = NAME_STRTAB, .sh_type = SHT_STRTAB, .sh_offset = strtab},
	};
	struct buf syms = {0};

	buf_append(&strings, section_names, sizeof(section_names));
	buf_append(&syms, &(Elf64_Sym){0}, sizeof(Elf64_Sym));
	for (uint32_t n = 0; n < j->p->nfuncs; n++) {
		Elf64_Sym sym = {
			.st_name = (Elf64_Word)strings.len,
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = SECTION_TEXT,
			.st_value = func_pos(j, n),
			.st_size = func_size(j, n),
		};

		put_name(&strings, j->p, n);
		buf_append(&strings, "", 1);
		buf_append(&syms, &sym, sizeof(sym));
	}
	sections[SECTION_STRTAB].sh_size = strings.len;
	buf_append(out, &head, sizeof(head));
	buf_append(out, sections, sizeof(sections));
	buf_append(out, syms.data, syms.len);
	buf_append(out, strings.data, strings.len);
	out->failed |= strings.failed || syms.failed;
	buf_free(&strings);
	buf_free(&syms);
}

static void add_for_debugger(const struct jit *j, struct jit_image *image)
{
	struct jit_code_entry *e;
	struct buf elf = {0};

	put_elf(&elf, j, image);
	e = elf.failed ? NULL : mem_zalloc(j->mem, sizeof(*e) + elf.len);
	if (e) {
		memcpy(e + 1, elf.data, elf.len);
		e->symfile_addr = (const char *)(e + 1);
		e->symfile_size = elf.len;
		debug_register(e);
		image->names = e;
	}
	buf_free(&elf);
}

static void add_for_perf(const struct jit *j, const struct jit_image *image)
{
	struct buf lines = {0};
	char path[32];
	int fd;

	for (uint32_t n = 0; n < j->p->nfuncs; n++) {
		buf_printf(&lines, "%lx %x ", (unsigned long)((uintptr_t)image->base + j->shift + func_pos(j, n)),
		           func_size(j, n));
		put_name(&lines, j->p, n);
		buf_puts(&lines, "\n");
	}
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	fd = lines.failed ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0) {
		/* One write, so that lines of several threads do not mix; perf can do without them. */
		ssize_t written = write(fd, lines.data, lines.len);

		(void)written;
		close(fd);
	}
	buf_free(&lines);
}

void jit_names_add(const struct jit *j, struct jit_image *image)
{
	add_for_perf(j, image);
	add_for_debugger(j, image);
}

void jit_names_remove(struct skep *k, struct jit_image *image)
{
	if (!image->names)
		return;
	debug_unregister(image->names);
	mem_free(&k->mem, image->names);
	image->names = NULL;
}
