/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a file an object for BPF? Asked before libbpf is, because its answers ("unsupported ELF machine") do
 * not tell people what to do.
 */
#include <elf.h>
#include <string.h>

#include "cli/cli.h"

#ifndef EM_BPF
#define EM_BPF 247
#endif

static const struct machine {
	uint16_t number;
	const char *name;
} machines[] = {
	{EM_386, "i386"},       {EM_X86_64, "x86-64"}, {EM_ARM, "ARM"},     {EM_AARCH64, "arm64"},
	{EM_RISCV, "RISC-V"},   {EM_S390, "s390"},     {EM_PPC64, "ppc64"}, {EM_MIPS, "MIPS"},
	{EM_NONE, "no machine"},
};

static const char *machine_name(uint16_t number)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].number == number)
			return machines[i].name;
	return "another machine";
}

/* Does every section lie within the file? */
static int check_sections(const char *path, const uint8_t *data, size_t len, const Elf64_Ehdr *head)
{
	uint64_t end = head->e_shoff + (uint64_t)head->e_shnum * sizeof(Elf64_Shdr);
	Elf64_Shdr section;

	if (head->e_shentsize != sizeof(section) || !head->e_shnum)
		return fail(EXIT_BAD_INPUT, "%s: an object without sections; compile with clang "
		            "-target bpf -c", file_name(path));
	if (head->e_shoff > len || end > len)
		return fail(EXIT_BAD_INPUT, "%s: truncated: its section table ends at byte %llu, the "
		            "file at %zu; build or copy it again", file_name(path),
		            (unsigned long long)end, len);
	for (unsigned i = 0; i < head->e_shnum; i++) {
		memcpy(&section, data + head->e_shoff + i * sizeof(section), sizeof(section));
		if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL)
			continue;
		if (section.sh_offset > len || section.sh_size > len - section.sh_offset)
			return fail(EXIT_BAD_INPUT, "%s: truncated: section %u ends at byte %llu, the "
			            "file at %zu; build or copy it again", file_name(path), i,
			            (unsigned long long)(section.sh_offset + section.sh_size), len);
	}
	return 0;
}

int elf_check(const char *path, const uint8_t *data, size_t len)
{
	const char *name = file_name(path);
	Elf64_Ehdr head;

	if (!len)
		return fail(EXIT_BAD_INPUT, "%s: empty; an object compiled with clang -target bpf is "
		            "wanted", name);
	if (len < SELFMAG || memcmp(data, ELFMAG, SELFMAG))
		return fail(EXIT_BAD_INPUT, "%s: not an ELF file; an object compiled with clang "
		            "-target bpf is wanted", name);
	if (len < sizeof(head))
		return fail(EXIT_BAD_INPUT, "%s: truncated within the ELF header (%zu bytes); build or "
		            "copy it again", name, len);
	memcpy(&head, data, sizeof(head));
	if (head.e_ident[EI_CLASS] != ELFCLASS64)
		return fail(EXIT_BAD_INPUT, "%s: a 32-bit object; compile with clang -target bpf", name);
	if (head.e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(EXIT_BAD_INPUT, "%s: a big-endian object, this machine is little-endian; "
		            "compile with clang -target bpfel", name);
	if (head.e_machine != EM_BPF)
		return fail(EXIT_BAD_INPUT, "%s: code for %s, not for BPF; compile with clang -target bpf",
		            name, machine_name(head.e_machine));
	if (head.e_type != ET_REL)
		return fail(EXIT_BAD_INPUT, "%s: not a relocatable object; compile with clang -target "
		            "bpf -c", name);
	return check_sections(path, data, len, &head);
}
