#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the laws of the house (ARCHITECTURE.md) on the source tree; prints TAP.

Each law is a function that yields its violations as `file:line: what`.
"""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PEERS = ["verifier", "exec", "maps", "helpers", "hooks"]  # meet in core/, never include each other
MAY_INCLUDE = {
    "base": [], "isa": ["base"], "cbpf": ["base", "isa"], "btf": ["base", "isa"],
    "core": ["base", "isa", "cbpf", "btf"],
}
BELOW_SYS = ["base", "isa", "cbpf", "btf", "core"] + PEERS
for peer in PEERS:
    MAY_INCLUDE[peer] = ["base", "isa", "cbpf", "btf", "core"]
MAY_INCLUDE["sys"] = BELOW_SYS
MAY_INCLUDE["net"] = BELOW_SYS + ["sys"]
MAY_INCLUDE["sandbox"] = BELOW_SYS + ["sys", "net"]
MAY_INCLUDE["libbpf"] = BELOW_SYS + ["sys"]
CLI_MAY = ["cli", "net", "isa/text.h", "isa/insn.h", "base/buf.h"]
LIBSKEP = BELOW_SYS + ["sys"]


def sources(folders, endings=(".c", ".h", ".def")):
    for folder in folders:
        for at, _, names in os.walk(os.path.join(ROOT, "src", folder)):
            for name in sorted(names):
                if name.endswith(endings):
                    path = os.path.join(at, name)
                    with open(path) as f:
                        yield os.path.relpath(path, ROOT), f.read().splitlines()


def matches(folders, pattern, endings=(".c", ".h", ".def")):
    for path, lines in sources(folders, endings):
        for number, line in enumerate(lines, 1):
            m = re.search(pattern, line)
            if m:
                yield path, number, m


def law_folders_include_only_what_is_above():
    for folder, allowed in MAY_INCLUDE.items():
        for path, number, m in matches([folder], r'^\s*#\s*include\s+"([a-z_]+)/'):
            if m.group(1) != folder and m.group(1) not in allowed:
                if path != "src/sys/tables.c" or m.group(1) not in PEERS:
                    yield "%s:%d: %s/ may not include %s/" % (path, number, folder, m.group(1))


def law_registries_are_known_to_tables_only():
    registry = r'#\s*include\s+"(maps/maps|helpers/helpers|hooks/hooks|exec/exec)\.h"'
    for path, number, m in matches(["sys"], registry):
        if path not in ("src/sys/tables.c", "src/sys/skep.c"):
            yield "%s:%d: only tables.c knows the registries" % (path, number)


def law_cli_uses_public_headers():
    for path, number, m in matches(["cli"], r'^\s*#\s*include\s+"([^"]+)"'):
        name = m.group(1)
        if "/" in name and not any(name == a or name.startswith(a + "/") for a in CLI_MAY):
            yield "%s:%d: cli/ may not include %s" % (path, number, name)


def law_no_bpf_attr_below_sys():
    for path, number, _ in matches(BELOW_SYS, r"\bbpf_attr\b"):
        yield "%s:%d: bpf(2) attributes belong to sys/" % (path, number)


def law_no_kernel_bpf_header_in_libskep():
    for path, number, _ in matches(LIBSKEP, r"#\s*include\s+<linux/bpf"):
        yield "%s:%d: libskep uses core/uapi.h and sys/attr.h" % (path, number)


def law_no_sockets_or_tracing_in_libskep():
    for path, number, _ in matches(LIBSKEP, r"\b(socket|ptrace|seccomp)\s*\("):
        yield "%s:%d: sockets, ptrace and seccomp belong to net/ and sandbox/" % (path, number)


def law_files_are_of_a_readable_size():
    for path, lines in sources(os.listdir(os.path.join(ROOT, "src")), (".c", ".h")):
        if len(lines) > 850:
            yield "%s:1: %d lines: it wants to be two files" % (path, len(lines))


def law_sources_carry_the_licence():
    for path, lines in sources(os.listdir(os.path.join(ROOT, "src"))):
        if not lines or "SPDX-License-Identifier: BSD-2-Clause" not in lines[0]:
            yield "%s:1: no SPDX line" % path


def law_no_loose_ends():
    for path, number, _ in matches(os.listdir(os.path.join(ROOT, "src")), r"\b(TODO|FIXME|XXX)\b"):
        yield "%s:%d: a loose end without an issue" % (path, number)


def law_public_header_fits():
    for name, most in (("skep.h", 500),):
        with open(os.path.join(ROOT, "include", name)) as f:
            n = len(f.readlines())
        if n > most:
            yield "include/%s:1: %d lines, more than %d" % (name, n, most)


def main():
    laws = [(n[4:].replace("_", " "), f) for n, f in sorted(globals().items()) if n.startswith("law_")]
    print("1..%d" % len(laws))
    bad = 0
    for number, (name, law) in enumerate(laws, 1):
        found = list(law())
        print("%sok %d - %s" % ("not " if found else "", number, name))
        for line in found:
            print("# " + line)
        bad += bool(found)
    sys.exit(1 if bad else 0)


main()
