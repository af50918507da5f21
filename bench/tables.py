#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts the figures of a run of the bench into the tables of docs/performance.md.

    bench/tables.py build/bench.json docs/performance.md [NAME ...]

Text between `<!-- bench: NAME -->` and `<!-- bench end -->` is replaced by what the function table_NAME()
makes of the JSON document, of all or those named; everything else is left as it is.
"""
import json
import re
import sys

MAPS = {
    "array_lookup": "array: look up (inlined)",
    "percpu_lookup": "per-CPU array: look up (inlined)",
    "hash_lookup": "hash: look up",
    "hash_miss": "hash: look up what is not there",
    "lru_lookup": "LRU hash: look up",
    "lpm_lookup": "LPM trie: look up, 1024 /24 prefixes",
    "array_update": "array: update",
    "hash_update": "hash: update",
    "lru_update": "LRU hash: update",
    "hash_insert": "hash: insert and delete",
    "lru_insert": "LRU hash: insert into a full map",
    "ringbuf_output": "ring buffer: output 8 bytes",
    "ringbuf_reserve": "ring buffer: reserve and submit 8 bytes",
}
MAPS_64K = {
    "half_hot": "hash: look up, 256 hot keys",
    "half_lookup": "hash: look up, half full",
    "full_lookup": "hash: look up, full",
    "half_miss": "hash: look up what is not there, half full",
    "full_miss": "hash: look up what is not there, full",
    "half_update_hot": "hash: update, 256 hot keys",
    "half_update": "hash: update, half full",
    "full_update": "hash: update, full",
    "half_insert": "hash: insert and delete",
    "lazy_insert": "hash, no prealloc: insert and delete",
    "percpu_hash_lookup": "per-CPU hash: look up",
    "lru_big_lookup": "LRU hash: look up",
    "lru_big_update": "LRU hash: update",
    "lru_big_insert": "LRU hash: insert and evict",
    "lpm_1k_lookup": "LPM trie of 1 k prefixes: look up",
    "lpm_64k_lookup": "LPM trie of 64 k prefixes: look up",
}
HELPERS = {
    "queue_push_pop": "queue: push and pop",
    "bloom_hit": "bloom filter: test",
    "lock_pair": "`bpf_spin_lock` and `bpf_spin_unlock`",
    "ktime": "`bpf_ktime_get_ns`",
    "prandom": "`bpf_get_prandom_u32`",
    "csum_diff_20": "`bpf_csum_diff`, 20 bytes",
    "csum_diff_64": "`bpf_csum_diff`, 64 bytes",
    "loop_steps": "`bpf_loop`, a step",
}
COSTS = {
    "empty": "entering an empty program",
    "helper_call": "helper call (`bpf_xdp_get_buff_len`)",
    "local_call": "bpf-to-bpf call",
    "tail_call": "tail call, index not constant",
}


def number(value, decimals=0):
    return "n/a" if value is None else "{:,.{}f}".format(value, decimals).replace(",", " ")


def ratio(a, b, decimals=2):
    return "n/a" if a is None or not b else "%.*f" % (decimals, a / b)


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)] + rows
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def table_programs(doc):
    places = ["native", "jit", "interp", "checked", "kernel"]
    ratios = ["jit/kernel", "jit/native", "interp/native", "checked/interp"]
    rows = []
    for p in doc["programs"][1:]:
        decimals = 1 if p["native_ns"] < 100 else 0
        rows.append([p["name"]] + [number(p[place + "_ns"], decimals) for place in places] +
                    [number(p[r], 2) for r in ratios])
    means = doc["program_means"][0]
    rows.append(["**mean**"] + [""] * len(places) + ["**%s**" % number(means[r], 2) for r in ratios])
    return table(["ns per run"] + places + ratios, rows)


def table_sizes(doc):
    jit, kernel = (sum(p.get(place + "_bytes", 0) for p in doc["programs"][1:])
                   for place in ("jit", "kernel"))
    return "Code size: %s bytes for all programs together, of the kernel's JIT %s: %s of it." % (
        number(jit), number(kernel), ratio(jit, kernel))


def prices(rows, names):
    return table(["ns each", "JIT", "interpreter", "kernel", "jit/kernel"],
                 [[names[r["name"]], number(r["jit"], 2), number(r["interp"], 2),
                   number(r["kernel"], 2), ratio(r["jit"], r["kernel"])]
                  for r in rows if r["name"] in names])


def table_costs(doc):
    return prices(doc["costs"], COSTS) + \
        "\n\nIn the same run a C function that does nothing, called by pointer: %s ns." % number(
            doc["c_call"][0]["ns"], 2)


def table_maps(doc):
    return prices(doc["maps"], MAPS)


def table_maps64k(doc):
    return prices(doc["maps64k"], MAPS_64K)


def table_helpers(doc):
    return prices(doc["helpers"], HELPERS)


def beside(doc, section, head, decimals):
    return table([head, "Skep", "kernel", "ratio"],
                 [[r["name"], number(r["skep"], decimals), number(r["kernel"], decimals),
                   ratio(r["skep"], r["kernel"])] for r in doc[section]])


def table_user(doc):
    return beside(doc, "user", "ns each, from C", 1)


def table_memory(doc):
    return beside(doc, "memory", "bytes per element", 1)


def table_threads(doc):
    rows = []
    for r in doc["threads"]:
        row = [r["name"]]
        for place in ("jit", "kernel"):
            alone, two = r[place + "_alone"], r[place + "_beside"]
            row += [number(alone, 1), number(two, 1), ratio(two, alone)]
        rows.append(row)
    return table(["ns each, for a thread", "Skep, alone", "beside another", "ratio", "kernel, alone",
                  "beside another", "ratio"], rows)


def table_packets(doc):
    smallest, ddos = doc["packets"][0], doc["ddos"][0]
    rows = [["the smallest XDP program, packets of a capture in memory", smallest],
            ["`examples/ddos`, 24 packets of its capture, each over and over", ddos]]
    return table(["ns per packet", "Skep", "kernel", "ratio"],
                 [[name, number(r["jit_ns"], 1), number(r["kernel_ns"], 1),
                   ratio(r["jit_ns"], r["kernel_ns"])] for name, r in rows]) + \
        "\n\nOver its whole capture the example takes %s ns per packet in Skep in this run." % number(
            ddos["jit_whole_capture_ns"])


def table_load(doc):
    return table(["instructions", "JIT, µs", "interpreter, µs", "kernel, µs", "jit/kernel",
                  "JIT, ns per instruction"],
                 [[number(r["insns"])] +
                  [number(r[p] and r[p] / 1000, 1) for p in ("jit", "interp", "kernel")] +
                  [ratio(r["jit"], r["kernel"], 3), ratio(r["jit"], r["insns"], 1)]
                  for r in doc["load"]])


def table_compile(doc):
    fit, programs = doc["compile_fit"][0], doc["compile"]
    return ("%d programs, %s instructions in all: %.2f µs for a program and %.1f µs for 1000 "
            "instructions." % (len(programs), number(sum(p["insns"] for p in programs)),
                               fit["fixed_ns"] / 1000, fit["ns_per_insn"]))


def table_start(doc):
    start, library = doc["start"][0], doc["library"][0]
    return ("`skep --version` takes %s µs, `/bin/true` %s µs. `libskep.so` has %s bytes stripped and needs %s."
            % (number(start["skep_ns"] / 1000), number(start["true_ns"] / 1000),
               number(library["stripped_bytes"]), ", ".join("`%s`" % n for n in library["needs"])))


def table_targets(doc):
    verdict = {True: "met", False: "**missed**", None: "not measured"}
    rows = []
    for t in doc["targets"]:
        unit = "" if t["unit"] in ("", "x") else " " + t["unit"]
        rows.append([t["name"], number(t["measured"], 2) + unit, "%g%s" % (t["limit"], unit),
                     verdict[t["met"]]])
    return table(["target", "measured", "at most", ""], rows)


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: bench/tables.py BENCH.json PERFORMANCE.md [NAME ...]")
    only = sys.argv[3:]
    with open(sys.argv[1]) as f:
        doc = json.load(f)
    with open(sys.argv[2]) as f:
        text = f.read()
    text = re.sub(r"(<!-- bench: (\w+) -->\n).*?(<!-- bench end -->)",
                  lambda m: m.group(0) if only and m.group(2) not in only else
                  m.group(1) + globals()["table_" + m.group(2)](doc) + "\n" + m.group(3),
                  text, flags=re.S)
    with open(sys.argv[2], "w") as f:
        f.write(text)


main()
