#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The host program of oreore, as its users see it: through its socket. Prints TAP."""
import os
import socket
import subprocess
import sys
import tempfile
import time

host, objects, source = sys.argv[1:4]
count = 0


def ok(fine, what):
    global count
    count += 1
    print("%sok %d - %s" % ("" if fine else "not ", count, what))


def lines(name):
    with open(os.path.join(source, name)) as f:
        return len(f.readlines())


def ask(f, line):
    f.write(line + "\n")
    f.flush()
    return f.readline().strip()


with tempfile.TemporaryDirectory() as place:
    path = os.path.join(place, "socket")
    process = subprocess.Popen([host, path, objects + "/oreore.bpf.o"])
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(10)
        for _ in range(200):
            try:
                s.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        f = s.makefile("rw")
        ok(ask(f, "1") == "43", "a number goes in, the program's answer comes out")
        ok(ask(f, "0xfffffff0") == str((0xfffffff0 + 42) & 0xffffffff), "it wraps as u32 does")
        ok(ask(f, "+" + objects + "/twice.bpf.o") == "ok", "another program")
        ok(ask(f, "21") == "42", "computes from then on")
        ok(ask(f, "+/nowhere.o") == "No such file or directory" and ask(f, "21") == "42",
           "one that cannot be loaded leaves it as it is")
        ok(ask(f, "-") == "ok" and ask(f, "1") == "no program", "without a program")
    finally:
        process.kill()
        process.wait()
ok(lines("oreore.c") + lines("oreore.bpf.c") <= 120, "host and program are at most 120 lines")
ok(lines("type.h") <= 30, "the type's table is at most 30 lines")
print("1..%d" % count)
