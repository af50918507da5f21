#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the table explain.def of the texts *.txt beside this file.

    table.py OUT TEXT...

A text holds entries; this is all that there is:

    # a comment
    SK0105 What happened, as a sentence.       begins an entry; the code is one of verifier/reject.def
    needed What the verifier must know, and why.
      A line that begins with two blanks goes on with the one before.
    help What usually helps.
    then SK0565                                the log does not end with this line but with that code's
    only skep WHY, only kernel WHY             the examples hold there only
    without WHY                                there is no example, and why
    C                                          the examples are in C, not in assembler
    setup, refused, accepted                   the blocks of the examples: what follows, behind a tab.
                                               setup: directives (tests/corpus/corpus.h), or declarations

tests/cli/explain_test.c tries every example, on Skep and on the kernel.
"""
import re
import sys

TEXTS = ("needed", "help", "then", "only", "without")
BLOCKS = ("setup", "refused", "accepted")


class Bad(Exception):
    pass


def parse(path):
    entry = part = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        word, _, rest = line.partition(" ")
        try:
            if re.fullmatch(r"SK\d{4}", word):
                if entry:
                    yield entry
                entry, part = {"code": int(word[2:]), "title": rest, "language": "assembler"}, None
            elif part in BLOCKS and (line.startswith("\t") or not line):
                entry[part] += line[1:] + "\n"
            elif not line or line.startswith("#"):
                continue
            elif entry is None:
                raise Bad("an entry begins with its code")
            elif part in TEXTS and line.startswith("  "):
                entry[part] += " " + line.strip()
            elif line == "C":
                entry["language"] = line
            elif line in BLOCKS and line not in entry:
                part = line
                entry[part] = ""
            elif word in TEXTS and rest and word not in entry:
                part = word
                entry[part] = rest
            else:
                raise Bad(f"'{line}' is nothing that stands here, or stands twice")
        except Bad as e:
            sys.exit(f"{path}:{number}: {e}")
    if entry:
        yield entry


def check(entry, path, seen):
    wrong = []
    if entry["code"] in seen:
        wrong.append("a second time")
    wrong += [f"no '{k}'" for k in ("title", "needed", "help") if not entry.get(k)]
    if ("refused" in entry) != ("accepted" in entry) or ("refused" in entry) == ("without" in entry):
        wrong.append("both examples, or 'without' and why")
    if wrong:
        sys.exit(f"{path}: SK{entry['code']:04}: {', '.join(wrong)}")
    seen.add(entry["code"])


def quoted(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + text.replace("\n", '\\n"\n\t"') + '"'


def main():
    seen, rows = set(), []
    for path in sys.argv[2:]:
        for entry in parse(path):
            for block in BLOCKS:
                entry[block + "_"] = entry.get(block, "").strip("\n")
                if entry[block + "_"]:
                    entry[block + "_"] += "\n"
            check(entry, path, seen)
            rows.append(entry)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("/* Made by src/cli/explain/table.py. */\n")
        for e in sorted(rows, key=lambda e: e["code"]):
            then = int(e["then"][2:]) if "then" in e else 0
            texts = [e["title"], e["needed"], e["help"], e.get("only", ""), e.get("without", "")]
            blocks = [e[b + "_"] for b in BLOCKS]
            out.write(f"EXPLAIN({e['code']}, {then}, {'true' if e['language'] == 'C' else 'false'},\n\t")
            out.write(",\n\t".join(map(quoted, texts + blocks)) + ")\n")


main()
