#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The commands beside the tools they resemble: tcpdump, bpfc, libseccomp; and their bad input. Prints TAP.

tools.py SKEP DIRECTORY-OF-HELPERS [EXPRESSIONS]
"""
import os
import re
import subprocess
import sys
import tempfile

SKEP, HELPERS = sys.argv[1], sys.argv[2]
COUNT = sys.argv[3] if len(sys.argv) > 3 else "15"
results = []


def run(*args, stdin=b""):
    p = subprocess.run(args, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


def skep(*args, stdin=b""):
    return run(SKEP, *args, stdin=stdin)


def helper(name, *args):
    return run(os.path.join(HELPERS, name), *args)[1]


def case(ok, name, *notes):
    results.append(ok)
    print("%sok %d - %s" % ("" if ok else "not ", len(results), name))
    for note in [] if ok else notes:
        for line in str(note).splitlines()[:30]:
            print("# " + line)


def skip(name, why):
    results.append(True)
    print("ok %d - %s # SKIP %s" % (len(results), name, why))


def have(tool):
    return any(os.access(os.path.join(d, tool), os.X_OK)
               for d in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"])


def expressions():
    """All of them, or a quarter where nobody said how many."""
    return helper("write-expressions", COUNT).decode().splitlines()[::1 if len(sys.argv) > 3 else 4]


def listings():
    """-d, -dd and -ddd are tcpdump's byte for byte; all forms give the same filter back."""
    if not have("tcpdump"):
        return skip("listings", "no tcpdump")
    same, bad, forms = 0, "", ""
    for text in expressions():
        for link in ("EN10MB", "RAW", "LINUX_SLL"):
            if link != "EN10MB" and same % 3:
                same += 1
                continue
            for flags in (["-d"], ["-dd"], ["-ddd"], ["-O", "-d"])[same % 2::2]:
                theirs = run("tcpdump", "-y", link, *flags, text)
                ours = skep("filter", "-y", link, *flags, "--", text)
                if theirs[0] == 0 and ours[1] != theirs[1] and b"Warning" not in theirs[1]:
                    bad = bad or "%s %s '%s':\n%s\n%s%s" % (link, flags, text, theirs[1].decode(), ours[1].decode(), ours[2])
                if (theirs[0] == 0) != (ours[0] == 0):
                    bad = bad or "%s '%s': tcpdump %d, skep %d %s" % (link, text, theirs[0], ours[0], ours[2])
                same += ours[0] == 0
        for form in ("-d", "-dd", "-ddd", "--bpf", "--c", "--xt", "--raw")[same % 3::3]:
            shown = skep("filter", form, "--", text)[1]
            again = skep("filter", form, "-f", "-", stdin=shown)[1]
            if again != shown:
                forms = forms or "%s of '%s' does not read back" % (form, text)
    case(not bad and same > 60, "%d listings as tcpdump's" % same, bad)
    case(not forms, "every form reads back", forms)


SOURCES = [
    "ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n",
    "ldh [12]\njne #0x800, drop\nldb [23]\njneq #6, drop\nldh [20]\njset #0x1fff, drop\nldxb 4 * ([14] & 0xf)\n"
    "ldh [x + 14]\njeq #0x16, pass\nldh [x + 16]\njne #0x16, drop\npass: ret #-1\ndrop: ret #0\n",
    "ld vlanp\njeq #0, drop\nld vlant\njneq #10, drop\nret #-1\ndrop: ret #0\n",
    "ldh #proto /* skb->protocol */\njneq #0, skip\nldb [4]\njneq #0x10, skip\nldx #16\nldb [x + 4]\njneq #0x3, skip\n"
    "ld #32\nldx #16\nld #nla\njeq #0, skip\ntax\nldb [x + 4]\njneq #0x6, skip\nret #-1\nskip: ret #0\n",
    "ld poff ; the payload\nret a\n",
    "ldi 5\nldxi 7\nst M[0]\nstx M[15]\nld M[0]\nldx M[15]\nadd x\nsub #3\nmul x\ndiv #2\nmod x\nand #0xff\n"
    "or x\nxor #017\nlsh #0b11\nrsh x\nneg\ntax\ntxa\nja end\nend: ret %a\n",
    "ld len\nldx pktlen\njgt x, a1, b1\na1: jge #4, b1\nb1: jlt #5, c1\nc1: jle x, d1\nd1: jset #1, e1, f1\n"
    "e1: ret #1\nf1: ret x\n".replace("ret x", "ret #2"),
    "ld [4]\nld [%x + 3]\nldb [x + 1]\nld #ifx\nld #ifidx\nld mark\nld #Q\nld que\nld hat\nld #rxh\nld cpu\nret #0\n",
]


def assembler():
    if not have("bpfc"):
        return skip("assembler", "no bpfc")
    bad = ""
    for source in SOURCES:
        theirs = run("bpfc", "-b", "-f", "xt_bpf", "-i", "-", stdin=source.encode())[1].decode().strip().rstrip(",")
        _, text, err = skep("filter", "--xt", "--asm", "-", stdin=source.encode())
        if text.decode().strip() != theirs:
            bad = bad or "%s\nbpfc %s\nskep %s %s" % (source, theirs, text.decode(), err)
    case(not bad, "%d sources as bpfc assembles them" % len(SOURCES), bad)
    bad, n = "", 0
    for text in expressions():
        _, source, _ = skep("filter", "--bpf", "--", text)
        # With what instructions do not use forgotten, as asm does.
        _, wanted, _ = skep("filter", "--xt", "--asm", "-", stdin=source)
        if not source or b"vlan_avail" in source or b"+4294" in source or len(source) > 30000:
            continue
        theirs = run("bpfc", "-b", "-f", "xt_bpf", "-i", "-", stdin=source)[1].decode().strip().rstrip(",")
        n += 1
        if theirs != wanted.decode().strip():
            bad = bad or "%s\n%s\nbpfc %s\nwanted %s" % (text, source.decode(), theirs, wanted.decode())
    case(not bad and n > 15, "%d disassemblies, which bpfc assembles to the same" % n, bad)


def captures(tmp):
    """skep filter --pcap picks what tcpdump picks, and writes the same bytes."""
    if not have("tcpdump"):
        return skip("captures", "no tcpdump")
    for dlt in (1, 113, 12, 276):
        path, out, theirs = (os.path.join(tmp, n) for n in ("in.pcap", "out.pcap", "theirs.pcap"))
        with open(path, "wb") as f:
            f.write(helper("write-capture", str(dlt), "1500"))
        bad = ""
        for text in ("tcp port 80", "", "udp or icmp", "len > 300", "ip6", "not ip", "host 10.0.0.1 and not port 22"):
            run("tcpdump", "-r", path, "-w", theirs, text)
            code, _, err = skep("filter", "--pcap", path, "--out", out, "--", text)
            a, b = open(out, "rb").read(), open(theirs, "rb").read()
            # tcpdump writes a header of its own: version and accuracy agree, the snapshot length may not.
            if a[24:] != b[24:] or code:
                bad = bad or "'%s': %d bytes, tcpdump %d; %s" % (text, len(a), len(b), err)
            code, count, _ = skep("filter", "--pcap", path, "--count", "--", text)
            picked = run("tcpdump", "-r", path, "--count", text)[1].split()
            if count.split() != picked[:1]:
                bad = bad or "'%s': %s counted, tcpdump %s" % (text, count, picked)
        case(not bad, "captures of link type %d as tcpdump" % dlt, bad)


def debugger(tmp):
    path = os.path.join(tmp, "in.pcap")
    with open(path, "wb") as f:
        f.write(helper("write-capture", "1", "50"))
    script = b"select 3\nstep\nstep 2\nstep back 1\nbreakpoint 2\nrun\nrun\ndisassemble\nrun 50\nwhere\nquit\n"
    code, text, err = skep("filter", "--debug", "--pcap", path, "tcp port 80", stdin=script)
    text = text.decode()
    count = skep("filter", "--pcap", path, "--count", "tcp port 80")[1].decode().strip()
    case(code == 0 and re.search(r"\d+ of 48 packets match", text) and
         "A = 0x" in text and "packet 3" in text and "[" in text, "debugger: a script", text, err)
    script = ("select 1\nrun 50\n" + "step\n" * 3 + "step back 3\nstate\n").encode()
    _, text, _ = skep("filter", "--debug", "--pcap", path, "tcp port 80", stdin=script)
    case("%s of 50 packets match" % count in text.decode(), "debugger: counts as --count does", text.decode())
    end = text.decode().rstrip().splitlines()
    case(any(line.startswith(">  l0:") or line.startswith("> l0:") for line in end[-4:]),
         "debugger: steps back to the start", text.decode())
    code, text, _ = skep("filter", "--debug", stdin=b"nonsense\nstep\nload bpf /nonexistent\nload bpf 1,6 0 0\n")
    case(code == 1 and text.count(b"?") >= 3, "debugger: bad commands fail the script", text)
    frame = "0000000000010000000000020800" "45000028000040004006" "0000" "0a000001" "0a000002" "04d20050" + "00" * 32
    code, text, err = skep("filter", "tcp port 80", "--explain", frame)
    case(code == 0 and b" matches" in text and b"[00 50]" in text,
         "explain: a packet that matches", text, err)
    code, text, err = skep("filter", "udp", "--explain", frame)
    case(code == 0 and b"does not match" in text, "explain: one that does not", text, err)


def seccomp(tmp):
    paths = []
    for i in range(4):
        paths.append(os.path.join(tmp, "policy%d" % i))
        with open(paths[i], "wb") as f:
            f.write(helper("policies", str(i)))
    if not os.path.getsize(paths[0]):
        return skip("seccomp", "libseccomp exports nothing")
    asked = [
        (0, ["read", "0"], "ALLOW"), (0, ["write", "2"], "ALLOW"), (0, ["write", "1"], "ERRNO(EPERM)"),
        (0, ["openat", "3", "0", "0x8000"], "ALLOW"), (0, ["openat", "3", "0", "1"], "ERRNO(EPERM)"),
        (0, ["ptrace"], "KILL_THREAD"), (1, ["socket", "2", "3"], "ERRNO(EACCES)"), (1, ["socket", "1", "3"], "ALLOW"),
        (1, ["socket", "2", "1"], "ALLOW"), (1, ["mount"], "TRAP(0)"), (1, ["unlink"], "LOG"),
        (1, ["clone", "0x10000000"], "TRACE(7)"), (1, ["clone", "0"], "ALLOW"), (3, ["3"], "ERRNO(EINTR)"),
    ]
    bad = ""
    for which, call, verdict in asked:
        _, text, err = skep("seccomp", "--call", paths[which], *call)
        if verdict not in text.decode().split():
            bad = bad or "%d %s: %s%s, not %s" % (which, call, text.decode(), err, verdict)
    case(not bad, "seccomp: %d calls" % len(asked), bad)
    code, text, _ = skep("seccomp", paths[0])
    case(code == 0 and all(w in text for w in (b"; openat", b"; x86_64", b"; ERRNO(EPERM)", b"; arg 2, low")),
         "seccomp: names", text)
    code, text, _ = skep("seccomp", "--table", paths[0])
    rows = [line.split() for line in text.decode().splitlines()]
    case(code == 0 and ["101", "ptrace", "KILL_THREAD"] in rows and
         any(r[:2] == ["257", "openat"] and r[-1] == "arguments" for r in rows), "seccomp: table", text.decode())
    code, text, _ = skep("seccomp", "--diff", paths[2], paths[0])
    case(code == 1 and len([l for l in text.splitlines() if b"ALLOW" in l]) == 1 and b"write" in text,
         "seccomp: what differs", text)
    code, text, _ = skep("seccomp", "--diff", paths[3], paths[3])
    case(code == 0 and b"no difference" in text, "seccomp: nothing differs", text)
    checks = [skep("seccomp", "--check", p)[0] for p in paths]
    code, text, err = skep("seccomp", "--check", "-", stdin=b"ldh [0]\nret #0\n")
    case(checks == [0] * 4 and code == 1 and "instruction 0" in err, "seccomp: checks", checks, err)
    code, text, err = skep("seccomp", "--pid", str(os.getpid()))
    case(code in (1, 3) and "process" in err, "seccomp: a process without filters", err)
    child = subprocess.Popen([sys.executable, "-c", PROCESS], stdout=subprocess.PIPE)
    if child.stdout.readline().strip() != b"ready":
        skip("seccomp: a process", "it got no filter")
    else:
        code, text, err = skep("seccomp", "--pid", str(child.pid))
        if "CAP_SYS_ADMIN" in err:
            skip("seccomp: a process", "not allowed here")
        else:
            case(code == 0 and b"ERRNO" in text and b"; mount" in text, "seccomp: a process", text, err)
    child.kill()
    child.wait()


# Forbids mount(2), says so, and waits.
PROCESS = """
import ctypes, struct, time
libc = ctypes.CDLL(None)
code = b"".join(struct.pack("HBBI", *i) for i in ((0x20,0,0,0), (0x15,0,1,165), (6,0,0,0x50001), (6,0,0,0x7fff0000)))
buf = ctypes.create_string_buffer(code)
prog = struct.pack("HxxxxxxP", 4, ctypes.addressof(buf))
libc.prctl(38, 1, 0, 0, 0)
print("ready" if libc.prctl(22, 2, ctypes.c_char_p(prog), 0, 0) == 0 else "no", flush=True)
time.sleep(60)
"""


def bad_input(tmp):
    capture = os.path.join(tmp, "in.pcap")
    cut, junk, out = (os.path.join(tmp, n) for n in ("cut.pcap", "junk", "never"))
    whole = helper("write-capture", "1", "50")
    open(capture, "wb").write(whole)
    open(cut, "wb").write(whole[:-5])
    open(junk, "wb").write(b"junk junk junk junk junk junk")
    rows = [
        (["filter", "tcp prot 80"], 3, r"at 'prot' \(column 5\)"),
        (["filter", "ip and and udp"], 3, r"at 'and' \(column 8\)"),
        (["filter", "tcp port 80 and (udp"], 3, r"at its end \(column 21\)"),
        (["filter", "vlan 99999 and ip"], 3, r"at '99999' \(column 6\)"),
        (["filter", "port nosuchport"], 3, r"at 'nosuchport' \(column 6\)"),
        (["filter", "ip protochain 6", "--pcap", capture], 4, "backward"),
        (["filter"], 2, "which filter"),
        (["filter", "ip", "-f", junk], 2, "one filter"),
        (["filter", "ip", "--out", out], 2, "goes with --pcap"),
        (["filter", "-y", "NOSUCH", "ip"], 2, "no link type"),
        (["filter", "-d", "--xt", "ip"], 2, "one form"),
        (["filter", "-f", junk], 3, r"junk:1:1: there is no instruction 'junk'"),
        (["filter", "-f", "/nonexistent"], 3, "nonexistent"),
        (["filter", "ip", "--pcap", junk, "--out", out], 3, "neither pcap nor pcapng"),
        (["filter", "ip prot", "--pcap", capture, "--out", out], 3, "at 'prot'|at its end"),
        (["filter", "ip", "--pcap", cut, "--count"], 3, "behind packet 49.*the file ends within a packet"),
        (["filter", "ip", "--pcap", capture, "--out", capture], 2, "the input itself"),
        (["filter", "ip", "--pcap", capture, "--explain", "51"], 2, "has 50"),
        (["filter", "ip", "--explain", "xyz"], 2, "hexadecimal"),
        (["seccomp"], 2, "which filter"),
        (["seccomp", junk], 3, "junk:1:1"),
        (["seccomp", "--arch", "vax", junk], 2, "vax"),
    ]
    for args, wanted, pattern in rows:
        code, text, err = skep(*args)
        case(code == wanted and re.search(pattern, err) and err.count("\n") == 1,
             "bad input: %s" % " ".join(args[:4]).replace(tmp, ""), code, err, text)
    case(not os.path.exists(out), "bad input: no output is left")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        listings()
        assembler()
        captures(tmp)
        debugger(tmp)
        seccomp(tmp)
        bad_input(tmp)
    print("1..%d" % len(results))
    sys.exit(0 if all(results) else 1)


main()
