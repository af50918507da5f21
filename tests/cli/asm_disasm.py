#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""skep asm and skep disasm as people run them; prints TAP.

usage: asm_disasm.py SKEP docs/assembler.md
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SKEP, MANUAL = sys.argv[1:]
CLANG = shutil.which("clang-19") or shutil.which("clang")
NO_CLANG = "clang is not installed"

OBJECT = r"""
#define SEC(name) __attribute__((section(name), used))
struct { int (*type)[2]; int (*max_entries)[4]; unsigned *key; unsigned long *value; } stats SEC(".maps");
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*loop)(unsigned n, void *fn, void *ctx, unsigned long flags) = (void *)181;
extern int strange(void *ctx) __attribute__((section(".ksyms")));
int total = 5, unused;
__attribute__((noinline)) static int twice(int x) { return x * total; }
static long each(unsigned i, void *ctx) { total += i; return 0; }
SEC("xdp") int first(void *ctx)
{
	unsigned key = 1;
	unsigned long *value = lookup(&stats, &key);
	return value ? twice(*value) : 2;
}
SEC("xdp") int second(void *ctx)
{
	loop(4, each, 0, 0);
	return strange(ctx);
}
char license_text[] SEC("license") = "GPL";
"""

tests = []


def test(needs_clang=False):
    def add(function):
        tests.append((function, needs_clang))
        return function
    return add


def skep(*args, data=b""):
    """(exit code, standard output, standard error) of a run."""
    if isinstance(data, str):
        data = data.encode()
    done = subprocess.run([SKEP, *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.decode()


def expect(want, got):
    if want != got:
        raise AssertionError("want %r\n got %r" % (want, got))


def refuses(code, message, *args, data=b""):
    """The run ends with the exit code and one line that holds the message."""
    status, out, err = skep(*args, data=data)
    expect(code, status)
    expect(b"", out)
    expect(1, err.count("\n"))
    if not err.startswith("skep: ") or message not in err:
        raise AssertionError("want %r in %r" % (message, err))


def compile_object(*flags, source=OBJECT, name="test.o"):
    with open("test.c", "w") as f:
        f.write(source)
    subprocess.run([CLANG, "-O2", "-g", "-target", "bpf", "-mcpu=v3", *flags, "-c", "test.c", "-o", name], check=True)
    return name


def lines(out):
    return [line.strip() for line in out.decode().splitlines()]


@test()
def text_becomes_bytes():
    expect((0, bytes.fromhex("b700000005000000 9500000000000000"), ""), skep("asm", data="r0 = 5\nexit\n"))
    expect((0, b"b7 00 00 00 05 00 00 00\n95 00 00 00 00 00 00 00\n", ""), skep("asm", "--hex", data="r0 = 5; exit"))


@test()
def files_in_and_out():
    with open("p.s", "w") as f:
        f.write("exit")
    expect((0, b"", ""), skep("asm", "p.s", "-o", "p.bin"))
    expect((0, b"    0: exit\n", ""), skep("disasm", "p.bin"))
    expect((0, b"    0: exit\n", ""), skep("disasm", "-", data=open("p.bin", "rb").read()))


@test()
def a_listing_assembles_to_the_same():
    source = "a: r1 = 0x123456789abc ll; if r1 > 5 goto a; call bpf_map_lookup_elem; w1 = *(u8 *)(r2 + 3); call a; exit"
    _, program, _ = skep("asm", data=source + "; .insn 0xffff000000000000")
    for options in ([], ["--kernel"]):
        status, listing, err = skep("disasm", *options, data=program)
        expect((0, ""), (status, err))
        expect((0, program, ""), skep("asm", data=listing))


@test()
def hexadecimal_text_is_read():
    expect((0, b"    0: r0 = 5\n    1: exit\n", ""),
           skep("disasm", data="0xb7 00 00 00 05 00 00 00\n9500000000000000\n"))


@test()
def a_listing_shows_targets_and_helpers():
    _, program, _ = skep("asm", data="if r1 == 1 goto +1; call 5; exit")
    expect(["0: if r1 == 1 goto +1 <2>", "1: call bpf_ktime_get_ns#5", "2: exit"], lines(skep("disasm", data=program)[1]))


@test()
def the_manual_is_right():
    with open(MANUAL) as f:
        text = f.read()
    example = "".join(line + "\n" for line in text.split("\n") if line.startswith("    "))
    expect((0, ""), skep("asm", data=example)[::2])
    # Whatever the first table shows between backticks and is a whole statement.
    for line in text.split("\n"):
        for part in line.replace("\\|", "|").split("`")[1::2] if line.startswith("| ") else []:
            if " = " in part or part.startswith((".insn", "store_release(")):
                expect((0, ""), skep("asm", data="label: " + part.replace("[id]", "[1]").replace("[fd]", "[1]"))[::2])


@test()
def errors_have_positions():
    refuses(3, "standard input:2:6: 'r11': the registers are r0-r10", "asm", data="exit\nr1 = r11\n")
    with open("bad.s", "w") as f:
        f.write("goto away")
    refuses(3, "bad.s:1:6: no label 'away' in the program", "asm", "bad.s")


@test()
def wrong_input_gets_one_line():
    refuses(3, "No such file", "asm", "missing.s")
    refuses(3, "No such file", "disasm", "missing.o")
    refuses(3, "directory", "disasm", ".")
    refuses(3, "standard input: empty", "disasm")
    refuses(3, "not a multiple of 8", "disasm", data=b"\xff" * 13)
    refuses(3, "bare instructions have no programs", "disasm", "--prog", "x", data=b"\xff" * 8)
    refuses(3, "truncated", "disasm", data=b"\x7fELF")
    with open(SKEP, "rb") as f:
        refuses(3, "not for BPF", "disasm", data=f.read())


@test()
def wrong_usage_is_named():
    for command in "asm", "disasm":
        refuses(2, "--frob is no option of " + command, command, "--frob")
        refuses(2, "one file, not 2", command, "a", "b")
        expect(0, skep(command, "--help")[0])
    refuses(2, "-o wants a file", "asm", "-o")
    refuses(2, "--prog wants a name", "disasm", "--prog")
    refuses(1, "No such file", "asm", "-o", "no/such/directory", data="exit")


@test()
def full_disks_are_noticed():
    for command, data in (("asm", b"exit"), ("disasm", b"\x95" + bytes(7))):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SKEP, command], input=data, stdout=full, stderr=subprocess.PIPE)
        expect((1, True), (done.returncode, b"No space left" in done.stderr))


@test()
def json_of_bytes():
    status, out, _ = skep("disasm", "--json", data=bytes.fromhex("1801000005000000 0000000001000000 ff00000000000000"))
    function = json.loads(out)["functions"][0]
    expect([{"index": 0, "bytes": "18010000050000000000000001000000", "op": "LDDW", "text": "r1 = 0x100000005 ll"},
            {"index": 2, "bytes": "ff00000000000000", "op": None, "text": ".insn 0xff00000000000000"}],
           function["instructions"])
    expect((0, 3), (status, function["slots"]))


@test(needs_clang=True)
def an_object_shows_names():
    status, out, err = skep("disasm", "--no-source", compile_object())
    text = lines(out)
    expect((0, ""), (status, err))
    for want in ("; section .text", "; section xdp", "first:", "second:", "twice:", "each:", "call twice",
                 "call bpf_map_lookup_elem#1", "call bpf_loop#181", "call kfunc[0]  // strange"):
        if not any(line.endswith(want) for line in text):
            raise AssertionError("no %r in\n%s" % (want, "\n".join(text)))
    for want in ("= map[stats]", "= func[each]", "= map[.data][0]  // total"):
        if not any(want in line for line in text):
            raise AssertionError("no %r in\n%s" % (want, "\n".join(text)))


@test(needs_clang=True)
def an_object_shows_source_lines():
    out = lines(skep("disasm", compile_object(), "--prog", "first")[1])
    expect("; section xdp", out[0])
    expect("first:", out[1])
    if not any(line.startswith("; unsigned long *value = lookup(&stats, &key); @ ") and line.endswith("test.c:13")
               for line in out):
        raise AssertionError("\n".join(out))


@test(needs_clang=True)
def programs_and_sections_are_chosen():
    name = compile_object()
    functions = lambda *args: [f["name"] for f in json.loads(skep("disasm", "-j", name, *args)[1])["functions"]]
    expect(["twice", "each"], sorted(functions("--section", ".text"), reverse=True))
    expect(["first", "second"], functions("-s", "xdp"))
    expect(["second"], functions("-s", "xdp", "-p", "second"))
    refuses(3, "no program 'third'; there is: ", "disasm", name, "--prog", "third")
    refuses(3, "no section with code 'tc'; there is: .text, xdp", "disasm", name, "--section", "tc")
    refuses(3, "no program 'twice' in section xdp; there is: first, second", "disasm", name, "-p", "twice", "-s", "xdp")


@test(needs_clang=True)
def json_has_the_source():
    out = json.loads(skep("disasm", "-j", "-p", "second", compile_object())[1])
    call = [i for i in out["functions"][0]["instructions"] if i.get("name") == "strange"]
    expect(("CALL_KFUNC", 19, "return strange(ctx);"),
           (call[0]["op"], call[0]["source"]["line"], call[0]["source"]["text"].strip()))


@test(needs_clang=True)
def objects_without_debug_information():
    name = compile_object("-g0")
    expect(0, skep("disasm", name)[0])
    if b" @ " in skep("disasm", name)[1]:
        raise AssertionError("source lines of nothing")


@test(needs_clang=True)
def damaged_objects_get_one_line():
    with open(compile_object(), "rb") as f:
        data = f.read()
    for length in range(4, len(data) - 1, 97):
        status, _, err = skep("disasm", data=data[:length])
        expect((3, 1), (status, err.count("\n")))
    subprocess.run([CLANG, "-target", "bpfeb", "-c", "test.c", "-o", "big.o"], check=True)
    refuses(3, "big-endian", "disasm", "big.o")


def main():
    failed = 0
    print("1..%d" % len(tests))
    for number, (function, needs_clang) in enumerate(tests, 1):
        name = function.__name__.replace("_", " ")
        if needs_clang and not CLANG:
            print("ok %d - %s # SKIP %s" % (number, name, NO_CLANG))
            continue
        try:
            function()
            print("ok %d - %s" % (number, name))
        except (AssertionError, subprocess.CalledProcessError, ValueError, LookupError) as e:
            failed += 1
            print("not ok %d - %s" % (number, name))
            print("".join("# %s\n" % line for line in str(e).splitlines()), end="")
    return 1 if failed else 0


SKEP, MANUAL = os.path.abspath(SKEP), os.path.abspath(MANUAL)
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    status = main()
    os.chdir("/")
sys.exit(status)
