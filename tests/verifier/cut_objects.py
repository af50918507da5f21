#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cuts the BPF objects out of programs that carry them (skeletons), into files of a directory.

    cut_objects.py DIRECTORY PROGRAM...
"""
import os
import struct
import sys

EM_BPF = 247


def objects(data):
    """Every relocatable 64-bit little-endian ELF file for BPF in the bytes, up to its section headers' end."""
    at = data.find(b"\x7fELF\2\1")
    while at >= 0:
        kind, machine = struct.unpack_from("<HH", data, at + 16) if at + 64 <= len(data) else (0, 0)
        if kind == 1 and machine == EM_BPF:
            headers, = struct.unpack_from("<Q", data, at + 40)
            size, n = struct.unpack_from("<HH", data, at + 58)
            end = headers + size * n
            if 64 < end <= len(data) - at:
                yield data[at:at + end]
        at = data.find(b"\x7fELF\2\1", at + 1)


def main():
    to = sys.argv[1]
    os.makedirs(to, exist_ok=True)
    for path in sys.argv[2:]:
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as f:
            data = f.read()
        for number, each in enumerate(objects(data)):
            if len(each) == len(data):
                continue
            name = "%s%s.bpf.o" % (os.path.basename(path), "-%d" % number if number else "")
            with open(os.path.join(to, name), "wb") as f:
                f.write(each)


main()
