#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command line of skep: every option, every kind of bad input. Prints TAP.

    cli.py SKEP OBJECTS EXAMPLES GROUP...

GROUP: functions of this file, like usage or bad_captures.
OBJECTS: the directory of compiled tests/cli/bpf/*.bpf.c; EXAMPLES: that of examples/, built.
"""
import fcntl
import gzip
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

SKEP, OBJECTS, EXAMPLES = sys.argv[1:4]
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOURCES = os.path.join(ROOT, "examples")
TMP = tempfile.mkdtemp(prefix="skep-cli-")
count = failed = 0
ENV = dict(os.environ, NO_COLOR="1", LC_ALL="C")


def obj(name):
    return os.path.join(OBJECTS, name + ".bpf.o")


def file(name, data):
    path = os.path.join(TMP, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def skep(*args, stdin=b""):
    p = subprocess.run([SKEP, *args], input=stdin, capture_output=True, timeout=60, env=ENV)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def result(name, wrong):
    global count, failed
    count += 1
    failed += bool(wrong)
    print(("not ok" if wrong else "ok"), count, "-", name)
    for line in str(wrong).splitlines() if wrong else []:
        print("#  ", line)
    sys.stdout.flush()


def skipped(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


def expect(name, args, code=0, out=None, err=None, stdin=b"", lines=None):
    """out, err: patterns to be found; lines: how many on stderr."""
    got, stdout, stderr = skep(*args, stdin=stdin)
    wrong = []
    if got != code:
        wrong.append(f"exit code {got}, expected {code}")
    if out is not None and not re.search(out, stdout, re.M):
        wrong.append(f"stdout lacks /{out}/")
    if err is not None and not re.search(err, stderr, re.M):
        wrong.append(f"stderr lacks /{err}/")
    if lines is not None and len(stderr.splitlines()) != lines:
        wrong.append(f"{len(stderr.splitlines())} lines on stderr, expected {lines}")
    if wrong:
        wrong += ["skep " + " ".join(args), "stdout: " + stdout[-2000:], "stderr: " + stderr[-2000:]]
    result(name, "\n".join(wrong))
    return stdout


def bad(name, args, code, err, stdin=b""):
    """One line that says what is wrong, nothing on stdout."""
    expect(name, args, code, r"\A\Z", err, stdin, lines=1)


# --- Captures --------------------------------------------------------------------------------------

def frame(first, size=60):
    return bytes([first]) + bytes((first + i) % 256 for i in range(1, size))


FRAMES = [frame(v, 60 + v) for v in (2, 1, 1, 3, 2, 2, 0, 2)]  # 1 aborted, 2 drop, 4 pass, 1 tx


def pcap(frames, link=1, order="<", magic=0xa1b2c3d4):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, f in enumerate(frames):
        out += struct.pack(order + "IIII", 1700000000 + i, 7, len(f), len(f)) + f
    return out


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(frames, link=1):
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", link, 0, 0))
    for f in frames:
        out += block(6, struct.pack("<IIIII", 0, 0, 0, len(f), len(f)) + f)
    return out


def read_pcapng(path):
    """[(frame, comment)] of a file that skep wrote."""
    data, at, found = open(path, "rb").read(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            length = struct.unpack_from("<I", data, at + 20)[0]
            options, comment = at + 28 + (length + 3 & ~3), None
            code, n = struct.unpack_from("<HH", data, options)
            if code == 1:
                comment = data[options + 4:options + 4 + n].decode()
            found.append((data[at + 28:at + 28 + length], comment))
        at += size
    return found


def counts(stdout):
    return {v["verdict"]: v["skep"] for v in json.loads(stdout)["verdicts"]}


def kernel_available():
    code, _, _ = skep("exec", obj("tails"), "--prog", "pass", "--on", "kernel", "--data", "00" * 64)
    return code == 0


# --- The tests -------------------------------------------------------------------------------------

def front_door():
    expect("--version", ["--version"], 0, r"^skep \d+\.\d+\.\d+$", lines=0)
    expect("help lists the commands", ["help"], 0, r"^  exec ")
    expect("--help is help", ["--help"], 0, r"^  exec ")
    expect("help of a command", ["help", "exec"], 0, r"--pcap FILE")
    expect("-h of a command", ["exec", "-h"], 0, r"--pcap FILE")
    expect("nothing at all is usage", [], 2, r"^usage: skep COMMAND")
    bad("an unknown command", ["frobnicate"], 2, r"no command 'frobnicate'.*skep help")
    bad("help of an unknown command", ["help", "frobnicate"], 2, r"no command 'frobnicate'")
    commands = re.findall(r"^  (\w+) ", skep("help")[1], re.M)
    for where in ("docs/skep.1", "src/cli/completion.bash"):
        text = open(os.path.join(ROOT, where)).read().replace("\\-", "-")
        words = [o for c in commands for o in re.findall(r"--[a-z-]+", skep("help", c)[1])] + commands
        missing = sorted({w for w in words if not re.search(rf"{w}\b", text)})
        result(f"{where} knows every command and option", " ".join(missing))
    with open("/dev/full", "w") as full:
        p = subprocess.run([SKEP, "exec", obj("verdicts"), "--data", "00" * 64], stdout=full, stderr=subprocess.PIPE, env=ENV)
    result("a full disk is noticed", "" if p.returncode == 1 and b"standard output" in p.stderr else f"{p.returncode} {p.stderr}")


def usage():
    v, cap = obj("verdicts"), file("u.pcap", pcap(FRAMES))
    bad("no object", ["exec"], 2, r"which object file\?.*skep help exec")
    bad("no input", ["exec", v], 2, r"nothing to run on")
    bad("an unknown option", ["exec", v, "--frob"], 2, r"--frob: no such option")
    bad("an unknown letter", ["exec", v, "-x"], 2, r"-x: no such option")
    bad("an option without its value", ["exec", v, "--pcap"], 2, r"--pcap wants a value")
    bad("two objects", ["exec", v, v, "--data", "00"], 2, r"one too many")
    bad("two kinds of input", ["exec", v, "--data", "00", "--pcap", cap], 2, r"not both")
    bad("data twice", ["exec", v, "--data", "00", "--data", "11"], 2, r"given twice")
    bad("odd hex", ["exec", v, "--data", "012"], 2, r"no pairs of hexadecimal digits")
    bad("no hex", ["exec", v, "--ctx", "zz"], 2, r"--ctx: 'zz'")
    bad("a bad place", ["exec", v, "--data", "00", "--on", "mars"], 2, r"'mars' is none of skep, kernel, both")
    for n in ("0", "-1", "x", "", "1x", "99999999999999999999"):
        bad(f"--repeat '{n}'", ["exec", v, "--pcap", cap, "--repeat", n], 2, r"--repeat: '.*' is no number from 1 on")
    bad("a large --repeat of one packet", ["exec", v, "--data", "00", "--repeat", "4000000000"], 2, r"at most 2147483647")
    bad("two engines", ["exec", v, "--data", "00", "--jit", "--interp"], 2, r"exclude each other")
    bad("an engine for the kernel", ["exec", v, "--data", "00", "--jit", "--on", "kernel"], 2, r"the kernel chooses")
    bad("--out without a capture", ["exec", v, "--data", "00", "--out", "x"], 2, r"--out goes with --pcap")
    bad("--out to stdout", ["exec", v, "--pcap", cap, "--out", "-"], 2, r"name a file")
    bad("stdin twice", ["exec", "-", "--pcap", "-"], 2, r"not both")
    bad("--mem without --raw", ["exec", v, "--mem", "00"], 2, r"--mem goes with --raw")
    bad("--raw with an object", ["exec", v, "--raw", "-"], 2, r"--raw goes with")
    bad("several programs", ["exec", obj("tails"), "--data", "00"], 2, r"choose one with --prog: drop, pass, entry")
    bad("--fill without a file", ["exec", v, "--pcap", cap, "--fill", "seen"], 2, r"it takes MAP=FILE")


def bad_objects():
    good = open(obj("verdicts"), "rb").read()
    run = ["--data", "00" * 64]
    bad("object: nothing there", ["exec", "/nowhere/x.o", *run], 3, r"/nowhere/x.o: No such file")
    bad("object: a directory", ["exec", TMP, *run], 3, r"Is a directory")
    bad("object: empty", ["exec", file("empty.o", b""), *run], 3, r"empty.o: empty")
    bad("object: empty stdin", ["exec", "-", *run], 3, r"standard input: empty")
    bad("object: text", ["exec", __file__, *run], 3, r"not an ELF file")
    bad("object: for this machine", ["exec", SKEP, *run], 3, r"code for .*, not for BPF")
    bad("object: big-endian", ["exec", obj("big_endian"), *run], 3, r"big-endian object.*bpfel")
    bad("object: 32-bit", ["exec", file("32.o", good[:4] + b"\1" + good[5:]), *run], 3, r"a 32-bit object")
    bad("object: linked", ["exec", file("dyn.o", good[:16] + b"\3" + good[17:]), *run], 3, r"not a relocatable object")
    bad("object: no program", ["exec", obj("no_program"), *run], 3, r"no program in it")
    bad("object: another program", ["exec", obj("tails"), "--prog", "nope", *run], 3,
        r"no program 'nope' in it; there is: drop, pass, entry")
    bad("object: unknown section", ["exec", obj("wrong_section"), *run], 3, r"section 'nothing/like/this'")
    bad("object: unknown map type", ["exec", obj("wrong_map_type"), *run], 3, r"map 'table' has type 99")
    bad("object: wrong map definition", ["exec", obj("wrong_map_size"), *run], 3, r"refuses map 'table' \(array, key 3")
    bad("object: unknown helper", ["exec", obj("wrong_helper"), *run], 1, r"rejected.*9999")
    bad("object: helper not in Skep", ["exec", obj("absent_helper"), *run], 4, r"bpf_get_branch_snapshot.*not in Skep")
    expect("object: from stdin", ["exec", "-", "--data", "02" * 64], 0, r"XDP_PASS", stdin=good)


def cut_objects():
    good, run, wrong = open(obj("verdicts"), "rb").read(), ["--data", "00" * 64], ""
    for cut in list(range(0, 70)) + list(range(70, len(good), 97)):
        code, out, err = skep("exec", file("cut.o", good[:cut]), *run)
        if code != 3 or out or len(err.splitlines()) != 1:
            wrong = f"cut at {cut}: code {code}, {err}"
            break
    result("object: cut anywhere", wrong)


def bad_captures():
    v = obj("verdicts")
    whole = pcap(FRAMES)
    bad("capture: nothing there", ["exec", v, "--pcap", "/nowhere/x"], 3, r"/nowhere/x: No such file")
    bad("capture: a directory", ["exec", v, "--pcap", TMP], 3, r"Is a directory|directory")
    bad("capture: empty", ["exec", v, "--pcap", file("e.pcap", b"")], 3, r"e.pcap: empty")
    bad("capture: no capture", ["exec", v, "--pcap", __file__], 3, r"neither pcap nor pcapng")
    bad("capture: link type", ["exec", v, "--pcap", file("l.pcap", pcap(FRAMES, 113))], 4, r"link type 113 \(Linux cooked\)")
    bad("capture: link type in pcapng", ["exec", v, "--pcap", file("l.pcapng", pcapng(FRAMES, 127))], 4, r"link type 127")
    expect("capture: cut within a packet", ["exec", v, "--pcap", file("c.pcap", whole[:-5])], 3, r"^packets +7$",
           r"c.pcap: damaged behind packet 7, at byte \d+: the file ends within a packet \(57 of 62 bytes\); the 7 packets before are run",
           lines=1)
    huge = whole[:24 + 16 + len(FRAMES[0]) + 8] + b"\xff" * 4 + whole[24 + 16 + len(FRAMES[0]) + 12:]
    expect("capture: a record that cannot be", ["exec", v, "--pcap", file("h.pcap", huge)], 3, r"^packets +1$",
           r"behind packet 1, .*claims 4294967295 bytes", lines=1)
    zipped = gzip.compress(whole * 1 + b"", mtime=0)
    expect("capture: gzip cut", ["exec", v, "--pcap", file("z.pcap.gz", gzip.compress(pcap([os.urandom(60) for _ in range(99)]))[:-3000])], 3,
           r"^packets +\d+$", r"the gzip data ends too early", lines=1)
    expect("capture: gzip", ["exec", v, "--pcap", file("z.pcap.gz", zipped)], 0, r"^packets +8$", lines=0)
    expect("capture: gzip from stdin", ["exec", v, "--pcap", "-"], 0, r"^packets +8$", stdin=zipped)
    half = len(whole) // 2
    members = gzip.compress(whole[:half]) + gzip.compress(whole[half:]) + b"\0" * 9
    expect("capture: gzip of several members", ["exec", v, "--pcap", "-"], 0, r"^packets +8$", stdin=members, lines=0)
    broken = bytearray(gzip.compress(whole))
    broken[-6] ^= 1
    expect("capture: gzip with a wrong checksum", ["exec", v, "--pcap", "-"], 3, r"^packets +8$", r"incorrect data check", stdin=bytes(broken))
    expect("capture: stdin", ["exec", v, "--pcap", "-"], 0, r"^packets +8$", stdin=whole)
    expect("capture: pcapng from stdin", ["exec", v, "--pcap", "-"], 0, r"^packets +8$", stdin=pcapng(FRAMES))
    expect("capture: other byte order, nanoseconds", ["exec", v, "--pcap", "-"], 0, r"^packets +8$",
           stdin=pcap(FRAMES, 1, ">", 0xa1b23c4d))
    expect("capture: no packets", ["exec", v, "--pcap", "-"], 0, r"^packets +0$", stdin=pcap([]))
    ip = b"\x45" + b"\0" * 27
    out = os.path.join(TMP, "raw-out.pcapng")
    expect("capture: raw IP", ["exec", v, "--pcap", file("raw.pcap", pcap([ip], 101)), "--out", out], 0, r"XDP_ABORTED")
    got = read_pcapng(out)
    result("capture: raw IP gets an Ethernet header", "" if got and got[0][0][12:15] == b"\x08\x00\x45" else str(got))


def engines():
    cap = file("engines.pcap", pcap(FRAMES))
    want = {"XDP_ABORTED": 1, "XDP_DROP": 2, "XDP_PASS": 4, "XDP_TX": 1}
    for name, options, engine in [("as it is", [], "jit"), ("--checked", ["--checked"], "checked"),
                                  ("--trust", ["--trust"], "jit"), ("--trust --jit", ["--trust", "--jit"], "jit"),
                                  ("--trust --interp", ["--trust", "--interp"], "interp"),
                                  ("--trust --checked", ["--trust", "--checked"], "checked")]:
        code, out, err = skep("exec", obj("verdicts"), "--pcap", cap, "-j", *options)
        try:
            got, ran = counts(out), json.loads(out)["speed"][0]["engine"]
            result(f"engine: {name}", "" if got == want and ran == engine and code == 0 and not err else f"{got} {ran} {code} {err}")
        except (ValueError, KeyError) as e:
            result(f"engine: {name}", f"{e}\n{code} {out} {err}")
    expect("engine: --jit", ["exec", obj("verdicts"), "--pcap", cap, "--jit"], 0, r"jit")
    bad("what is not safe is refused", ["exec", obj("faulty"), "--pcap", cap], 1,
        r"rejected by the verifier: R\d offset is outside of the packet")
    expect("a fault is reported", ["exec", obj("faulty"), "--checked", "--pcap", cap], 1, r"XDP_ABORTED",
           r"8 runs were ended, the first at packet 1: .*faulty.*faulty.bpf.c:13:.*data\[25\] & 3", lines=1)
    bad("a fault in a single run", ["exec", obj("faulty"), "--checked", "--data", "00" * 64], 1,
        r"the run was ended: faulty, instruction .*load of 4 bytes .* behind the end of packet \(64 bytes\)")
    expect("a fault in a packet that is long enough", ["exec", obj("faulty"), "--checked", "--pcap", "-"], 0, r"XDP_ABORTED +0 +1",
           stdin=pcap([b"\0" * 104]), lines=0)


def output():
    cap, out = file("out.pcap", pcap(FRAMES)), os.path.join(TMP, "out.pcapng")
    expect("--out", ["exec", obj("verdicts"), "--pcap", cap, "--out", out], 0, r"XDP_DROP +1 +2")
    names = {0: "XDP_ABORTED", 1: "XDP_DROP", 2: "XDP_PASS", 3: "XDP_TX"}
    want = [(f[:1] + b"\xee" + f[2:], names[f[0]]) for f in FRAMES]
    result("--out has the packets as the program left them", "" if read_pcapng(out) == want else str(read_pcapng(out)))
    expect("--out cannot be written", ["exec", obj("verdicts"), "--pcap", cap, "--out", "/nowhere/x"], 1, None, r"/nowhere/x: No such")
    expect("--repeat", ["exec", obj("verdicts"), "--pcap", cap, "--repeat", "3", "--out", out], 0, r"XDP_DROP +1 +6")
    result("--repeat leaves the packets of the last pass", "" if read_pcapng(out) == want else str(read_pcapng(out)))
    expect("maps", ["exec", obj("verdicts"), "--pcap", cap, "--maps"], 0, r"^  tallies\n(.*\n)+?.*key +packets +bytes +longest\n +0 +1 +60 +60\n +1 +2 +122 +61\n")
    expect("maps: a key of several members", ["exec", obj("verdicts"), "--pcap", cap, "--maps"], 0, r"first +second +zero +value\n")
    expect("maps: global variables", ["exec", obj("verdicts"), "--pcap", cap, "--maps"], 0, r"total +8\n")
    expect("maps: --entries", ["exec", obj("verdicts"), "--pcap", cap, "--entries", "1"], 0, r"\.\.\. 3 more")
    text = skep("exec", obj("verdicts"), "--pcap", cap, "--maps", "-j")[1]
    try:
        maps = json.loads(text)["maps"]
        wrong = "" if maps["tallies"]["entries"][2]["value"] == {"packets": 4, "bytes": 248, "longest": 62} \
            and sum(c["packets"] for c in maps["tallies"]["entries"][2]["cpus"]) == 4 \
            and maps["seen"]["entries_now"] == 4 and {"key": {"first": 1, "second": 2, "zero": 0}, "value": 2} in maps["seen"]["entries"] else str(maps)
    except (ValueError, KeyError, IndexError) as e:
        wrong = f"{e}\n{text}"
    result("maps in JSON", wrong)
    fill = file("fill.txt", b"# a comment\nhex:01020000 -5   # the rest of a line\nhex:09:09:0000 0x10\n\n")
    expect("--fill", ["exec", obj("verdicts"), "--pcap", cap, "--fill", "seen=" + fill, "--maps"], 0,
           r" 1 +2 +0 +-3\n(.*\n)* +9 +9 +0 +16\n")
    fill = file("tally.txt", b"5 hex:0100000000000000,02000000,03000000\n")
    expect("--fill of a per-CPU map", ["exec", obj("verdicts"), "--pcap", cap, "--fill", "tallies=" + fill, "--maps", "-j"], 0,
           r'"longest": 3')
    bad("--fill: no such map", ["exec", obj("verdicts"), "--pcap", cap, "--fill", "nope=" + fill], 3, r"no map 'nope'")
    bad("--fill: no such file", ["exec", obj("verdicts"), "--pcap", cap, "--fill", "seen=/nowhere/x"], 3, r"No such file")
    for line, why in [(b"1", "an entry is KEY VALUE"), (b"1 2 3", "an entry is KEY VALUE"), (b"1x 2", "does not fit a key of 4"),
                      (b"1 99999999999", "does not fit a value of 4"), (b"hex:00 1", "does not fit a key")]:
        bad(f"--fill: {line.decode()}", ["exec", obj("verdicts"), "--pcap", cap, "--fill", "seen=" + file("f.txt", b"\n" + line)], 3, r"f.txt:2: .*" + why)
    expect("--type", ["exec", obj("verdicts"), "--pcap", cap, "--maps", "--type", "seen.value=unsigned char"], 0, None, r"")
    expect("--type that is not there", ["exec", obj("verdicts"), "--pcap", cap, "--maps", "--type", "seen.value=struct nope"], 0,
           r"tallies", r"no type 'nope'")


def programs():
    cap = file("progs.pcap", pcap(FRAMES))
    expect("tail calls by declaration", ["exec", obj("tails"), "--prog", "entry", "--pcap", cap], 0,
           r"XDP_DROP +1 +2\n +XDP_PASS +2 +4\n +XDP_TX +3 +2\n")
    expect("tail calls, JIT", ["exec", obj("tails"), "--prog", "entry", "--pcap", cap, "--trust"], 0,
           r"XDP_DROP +1 +2\n +XDP_PASS +2 +4\n +XDP_TX +3 +2\n")
    for options in ([], ["--trust"], ["--trust", "--interp"]):
        expect("functions, externs, relocations " + " ".join(options), ["exec", obj("loader"), "--pcap", cap, *options], 0,
               r"XDP_PASS +2 +8\n")
    expect("a classifier", ["exec", obj("skb"), "--prog", "classify", "--pcap", cap], 0, r" 0 +1$(.*\n)* .* 2 +7$")
    expect("a socket filter", ["exec", obj("skb"), "--prog", "filter", "--pcap", cap], 0, r"^verdicts")
    before = set(os.listdir("/tmp"))
    expect("a map pinned by name", ["exec", obj("pinned"), "--pcap", cap, "--maps"], 0, r"0 +8$")
    left = [d for d in os.listdir("/tmp") if d.startswith("skep-bpffs-") and d not in before]
    result("no directory is left", "" if not left else str(left))
    expect("--data", ["exec", obj("verdicts"), "--data", "02" + "11" * 63], 0, r"data out +02ee1111")
    expect("--data from a file", ["exec", obj("verdicts"), "--data", "@" + file("d.bin", frame(3))], 0, r"XDP_TX +3 +1")
    expect("--data with --repeat", ["exec", obj("verdicts"), "--data", "02" * 64, "--repeat", "1000"], 0, r"runs.*\n.* 1,000 ")
    expect("--data that is too short", ["exec", obj("verdicts"), "--data", "02"], 3, None, r"refuses this input")
    expect("--ctx", ["exec", obj("verdicts"), "--data", "02" * 64, "--ctx", "00000000 40000000 00000000 01000000 00000000 00000000"], 0,
           r"ctx out +0000000040000000")
    expect("-v shows what libbpf says", ["exec", obj("verdicts"), "--data", "02" * 64, "-v"], 0, None, r"libbpf: ")


def raw():
    ret = struct.pack("<BBhi", 0xb7, 0, 0, 7) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    expect("--raw", ["exec", "--raw", file("ret.bin", ret)], 0, r"\A0x7\n\Z", lines=0)
    expect("--raw from stdin", ["exec", "--raw", "-"], 0, r"\A0x7\n\Z", stdin=ret)
    expect("--raw hex text", ["exec", "--raw", "-"], 0, r"\A0x7\n\Z", stdin=b"b7 00 00 00 07 00 00 00\n95 00 00 00 00 00 00 00\n")
    length = bytes.fromhex("bf20000000000000 9500000000000000")
    expect("--raw: r2 is the length", ["exec", "--raw", "-", "--mem", "00112233"], 0, r"\A0x4\n\Z", stdin=length)
    expect("--raw without memory", ["exec", "--raw", "-"], 0, r"\A0x0\n\Z", stdin=length)
    load = bytes.fromhex("6110000000000000 9500000000000000")
    for options in ([], ["--trust"], ["--trust", "--interp"]):
        expect("--raw: r1 is the memory " + " ".join(options), ["exec", "--raw", "-", "--mem", "00112233", *options], 0, r"\A0x33221100\n\Z", stdin=load)
    expect("--raw -j", ["exec", "--raw", "-", "--mem", "00112233", "-j"], 0, r'"r0": "0x33221100"', stdin=load)
    expect("--raw --repeat", ["exec", "--raw", "-", "--repeat", "5"], 0, r"\A0x7\n(.*\n)*runs +5\n", stdin=ret)
    bad("--raw: a fault", ["exec", "--raw", "-", "--mem", "00"], 1, r"standard input: .*", stdin=load)
    bad("--raw: odd hex", ["exec", "--raw", "-"], 3, r"odd number of digits", stdin=b"950")
    bad("--raw: half an instruction", ["exec", "--raw", "-"], 3, r"15 bytes are no program", stdin=ret[:-1])
    bad("--raw: nothing", ["exec", "--raw", "-"], 3, r"0 bytes are no program")
    bad("--raw: no such file", ["exec", "--raw", "/nowhere/x"], 3, r"No such file")
    bad("--raw: rejected", ["exec", "--raw", "-"], 1, r"last insn is not an exit", stdin=ret[:8])


PROGRESS = rb"skep: [\d,]+ of [\d,]+ \(\d+%\)"


# The beginner's programs: the code, and what the explanation shows before "needed:".
BEGINNERS = [
    ("null_check", 447, r"\*n \+= 1;\n +\^"),
    ("packet_bounds", 435, r"h_proto == 8"),
    ("lost_check", 447, r"h_proto == 8"),
    ("unbounded_loop", 704, r"!n"),
    ("stack_too_large", 108),
    ("uninitialised", 701, r"r0 = r7"),
    ("missing_release", 565),
    ("use_after_release", 447, r"\*e & 1;\n +\^"),
    ("wrong_helper", 307, r"bpf_skb_load_bytes\(ctx"),
    ("index_unchecked", 433, r"t\[i\]"),
    ("gpl", 308, r"bpf_probe_read_kernel"),
]


def verify():
    expect("verify: all accepted", ["verify", obj("verdicts")], 0, r"(?m)^accepted .*verdicts.bpf.o: \w+ \(xdp\)")
    expect("verify: one program", ["verify", obj("tails"), "-p", "drop"], 0, r"\Aaccepted[^\n]*: drop [^\n]*\n\Z")
    bad("verify: no such program", ["verify", obj("tails"), "-p", "nope"], 3, r"no program 'nope'")
    bad("verify: nothing there", ["verify", "/nowhere/x.o"], 3, r"No such file")
    bad("verify: not an object", ["verify", __file__], 3, r"not an ELF file")
    bad("verify: which object?", ["verify"], 2, r"which object")
    bad("verify: unknown option", ["verify", "--nope", obj("tails")], 2, r"--nope is no option of verify")
    bad("verify: where?", ["verify", "--on", "mars", obj("tails")], 2, r"--on takes skep or kernel")
    expect("verify: a refusal is explained", ["verify", obj("wrong_helper")], 1,
           r"(?s)^rejected.*SK0306: A helper that does not exist.*help:.*verifier: invalid func unknown#9999")
    expect("verify: what cannot be loaded", ["verify", obj("wrong_section")], 3, r"(?s)^not loaded.*missing BPF prog type")
    expect("verify: several objects", ["verify", obj("verdicts"), obj("wrong_helper")], 1, r"(?m)^\d+ accepted, 1 rejected, 0 not")
    expect("verify: the log", ["verify", "-v", obj("wrong_helper")], 1, r"(?m)^processed \d+ insns")
    code, out, err = skep("verify", "-j", obj("verdicts"), obj("wrong_helper"))
    r = json.loads(out)["programs"]
    last = r[-1]
    result("verify: JSON", "" if code == 1 and last["code"] == "SK0306" and last["verdict"] == "rejected" and
           last["message"] == "invalid func unknown#9999" and r[0]["verdict"] == "accepted" else out)
    for program, code, *words in BEGINNERS:
        pattern = "(?s)" + ".*".join([rf"SK{code:04}: ", *words, "needed:", "known:", "help:", "verifier: "])
        expect(f"verify: {program}", ["verify", obj("beginner"), "-p", program], 1, pattern)
    expect("verify: where a pointer became void", ["verify", obj("beginner"), "-p", "use_after_release"], 1,
           r"(?s)the value was made at beginner.bpf.c:\d+\n    __u64 \*e = bpf_ringbuf_reserve.*"
           r"and became void at beginner.bpf.c:\d+\n    bpf_ringbuf_submit\(e, 0\);")
    expect("verify: which way lost the check", ["verify", obj("beginner"), "-p", "packet_bounds"], 1,
           r"(?s)known:  R1=pkt.*off=12 size=1.*on the way where beginner.bpf.c:\d+  if \(data \+ 8 > end\)\n.*\(it does not\)")
    expect("verify: who acquired what leaks", ["verify", obj("beginner"), "-p", "missing_release"], 1,
           r"(?s)it was acquired at .*bpf_ringbuf_reserve\(&ring.*and then where .*rx_queue_index.*\(it does\)")
    code, out, err = skep("verify", "-j", obj("beginner"), "-p", "missing_release")
    r = json.loads(out)["programs"][0]
    wrong = "" if r["code"] == "SK0565" and "alloc_insn" in r["detail"] and "bpf_ringbuf_reserve" in r["steps"][0]["source"] and \
        [c["jumped"] for c in r["conditions"]] == [True, False] and r["at"]["line"] else out
    result("verify: JSON of a way", wrong)
    places = os.path.join(OBJECTS, "..", "..", "verifier", "cases", "btf_ptr.bpf.o")
    if not kernel_available() or not os.path.exists(places):
        skipped("verify: source lines", "bpf(2) is not to be had here")
        return
    expect("verify: source lines", ["verify", "--on", "kernel", places, "-p", "no_use_after_release"], 1,
           r"(?s)at btf_ptr.bpf.c:\d+\n    return t->pid;\n {14}\^\n    insn 7: .*known:  R6=scalar.*"
           r"the value was made at.*became void at.*verifier: R6 invalid mem access 'scalar'")


def cases():
    """Every refused program of the verifier's cases with types: a code, a place, all words."""
    directory = os.path.join(OBJECTS, "..", "..", "verifier", "cases")
    for name in ("callbacks", "dynptr", "global", "kptr", "locks"):
        path = os.path.join(directory, name + ".bpf.o")
        if not os.path.exists(path):
            skipped(f"verify: {name} are explained", "there are no cases with types")
            continue
        programs = [p for p in json.loads(skep("verify", "-j", path)[1])["programs"] if p["verdict"] == "rejected"]
        wrong = [f"{p['program']}: no {k}" for p in programs for k in ("code", "title", "needed", "known", "help") if not p.get(k)]
        wrong += [f"{p['program']}: no caret" for p in programs if p.get("at") and p["at"]["source"] and not p["at"]["column"]]
        result(f"verify: {name} are explained", "\n".join(wrong) if programs else "nothing is refused")


def explain():
    expect("explain: the list", ["explain"], 0, r"(?m)^SK0105  There is code that nothing can reach")
    expect("explain: a code", ["explain", "SK0105"], 0, r"(?s)^SK0105.*refused:.*accepted:")
    expect("explain: a number", ["explain", "105"], 0, r"^SK0105")
    expect("explain: a line", ["explain", "unreachable insn 12"], 0, r"^SK0105")
    expect("explain: an example in C", ["explain", "SK0691"], 0, r"(?s)with:.*bpf_rb_root root.*refused:.*accepted:.*bpf_spin_lock")
    expect("explain: a line that is followed by another", ["explain", "Unreleased reference id=3 alloc_insn=9"], 0, r"(?s)^SK0551.*and then +SK0565")
    bad("explain: no such code", ["explain", "SK0099"], 3, r"there is no SK0099")
    bad("explain: no such line", ["explain", "all is well"], 3, r"neither a code")
    bad("explain: too much", ["explain", "1", "2"], 2, r"one code")
    code, out, err = skep("explain", "-j", "SK0105")
    result("explain: JSON", "" if json.loads(out)["code"] == "SK0105" else out)


def interrupt():
    cap, out = file("long.pcap", pcap(FRAMES * 1000)), os.path.join(TMP, "int.pcapng")
    terminal, theirs = os.openpty()
    p = subprocess.Popen([SKEP, "exec", obj("verdicts"), "--pcap", cap, "--repeat", "1000000", "--out", out, "-j"],
                         stdout=subprocess.PIPE, stderr=theirs, env=ENV)
    os.close(theirs)
    stderr, deadline = b"", time.time() + 30
    while not re.search(PROGRESS, stderr) and time.time() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            stderr += os.read(terminal, 65536)
    p.send_signal(signal.SIGINT)
    try:
        stdout, _ = p.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        p.kill()
        result("Ctrl-C", "still running after 20 s")
        return
    stderr += os.read(terminal, 65536)
    os.close(terminal)
    result("progress on a terminal", "" if re.search(PROGRESS, stderr) else repr(stderr))
    try:
        done = sum(counts(stdout.decode()).values())
        wrong = "" if p.returncode == 1 and b"interrupted after" in stderr and done > 0 else f"{p.returncode} {stderr} {done}"
    except ValueError as e:
        wrong = f"{e} {p.returncode} {stderr}"
    result("Ctrl-C keeps what was done", wrong)
    p = subprocess.Popen([SKEP, "exec", obj("verdicts"), "--pcap", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=ENV)
    p.stdin.write(pcap(FRAMES) + b"half")
    p.stdin.flush()
    unread, deadline = 1, time.time() + 30
    while unread and time.time() < deadline:  # until all of it has been read, and more is waited for
        time.sleep(0.1)
        unread, = struct.unpack("i", fcntl.ioctl(p.stdin, termios.FIONREAD, b"\0" * 4))
    p.send_signal(signal.SIGINT)
    stdout, stderr = p.communicate(timeout=20)
    result("Ctrl-C ends a capture that is being written", "" if p.returncode == 0 and re.search(rb"^packets +8$", stdout, re.M) and
           b"interrupted; the 8 packets that came are run" in stderr else f"{p.returncode} {stdout} {stderr}")


def both():
    names = ["verdicts and packets on both", "tail calls on both", "a classifier on both", "no trace on the real bpffs"]
    if not kernel_available():
        for n in names:
            skipped(n, "bpf(2) is not to be had here")
        return
    cap = file("both.pcap", pcap(FRAMES + [frame(i, 60 + i * 5) for i in range(200)]))
    same = r"every verdict identical +yes\n +every packet identical +yes\n"
    expect(names[0], ["exec", obj("verdicts"), "--pcap", cap, "--on", "both", "--repeat", "2", "--maps"], 0, same)
    expect(names[1], ["exec", obj("tails"), "--prog", "entry", "--pcap", cap, "--on", "both", "--trust"], 0, same)
    expect(names[2], ["exec", obj("skb"), "--prog", "classify", "--pcap", cap, "--on", "both"], 0, same)
    skep("exec", obj("pinned"), "--data", "00" * 64, "--on", "kernel")
    result(names[3], "" if not os.path.exists("/sys/fs/bpf/kept") else "/sys/fs/bpf/kept is there")


def example():
    """examples/ddos: the verdicts of its capture, as the kernel gave them, and all of it on both."""
    ddos, capture = os.path.join(EXAMPLES, "ddos"), os.path.join(TMP, "attack.pcapng")
    subprocess.run([os.path.join(ddos, "ddos-gen"), capture], check=True)
    args = ["exec", os.path.join(ddos, "ddos.bpf.o"), "--pcap", capture, "--trust", "--entries", "100000", "-j", "--type",
            "outcomes.key=outcome", "--type", "events.value=event"]
    for version in "46":
        args += ["--fill", f"deny{version}={SOURCES}/ddos/deny{version}.txt"]
    kernel = kernel_available()
    code, out, err = skep(*args, "--on", "both" if kernel else "skep")
    try:
        r = json.loads(out)
    except ValueError:
        result("the example runs", f"{code} {out[-500:]} {err}")
        return
    result("the example runs", "" if code == 0 and not err else f"{code} {err}")
    got = {v["verdict"]: v["skep"] for v in r["verdicts"]}
    result("the example: verdicts", "" if got == {"XDP_DROP": 42314, "XDP_PASS": 73574, "XDP_TX": 4112} else str(got))
    got = {e["key"][len("OUTCOME_"):]: e["value"]["packets"] for e in r["maps"]["outcomes"]["entries"]}
    want = {"PASSED": 73097, "NOT_IP": 477, "PING_ANSWERED": 4112, "MALFORMED": 237, "DENIED": 6499, "AMPLIFIED": 18198,
            "TCP_FLOOD": 13745, "ICMP_FLOOD": 3635}
    result("the example: outcomes", "" if got == want else str(got))
    events = r["maps"]["events"]["entries" if "entries" in r["maps"]["events"] else "records"]
    result("the example: events", "" if len(events) == 262 and events[0]["value"]["source"] == "::ffff:100.84.173.138" else
           f"{len(events)} {events[:1]}")
    if not kernel:
        skipped("the example: the same on the kernel", "bpf(2) is not to be had here")
        return
    wrong = [name for name, m in r["maps"].items() if not m.get("identical_in_the_kernel", True)]
    same = r["comparison"]["every_verdict_identical"] and r["comparison"]["every_packet_identical"]
    result("the example: the same on the kernel", "" if same and not wrong else f"{r['comparison']} maps that differ: {wrong}")


for group in sys.argv[4:]:
    globals()[group]()
print(f"1..{count}")
subprocess.run(["rm", "-rf", TMP])
sys.exit(1 if failed else 0)
