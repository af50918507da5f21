#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Twenty processes at once, killed at random, for so many seconds: nothing wrong, nothing left over.

usage: load.py SKEP LOAD SECONDS
"""
import os
import re
import sys

import harness
from harness import Failure, launch

SECONDS = sys.argv[3]


def supervisor():
    """(descriptors, KiB of memory) of the supervisor of the sandbox 'load'."""
    place = os.path.join(harness.HOME, "skep", "load", "lock")
    pid = open(place).read().strip()
    rss = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%s/status" % pid).read()).group(1))
    return len(os.listdir("/proc/%s/fd" % pid)), rss


def t_twenty_processes_at_once():
    p = launch(["--name=load", "--", "sh", "-c", "{0} 1 4; echo warm; read x; {0} {1} 20; echo status $?; read x".format(
        harness.FILES["sandbox_load"], SECONDS)], stdin=harness.subprocess.PIPE)
    try:
        while p.stdout.readline().strip() != "warm":
            if p.poll() is not None:
                raise Failure(p.stderr.read())
        before = supervisor()
        p.stdin.write("x\n")
        p.stdin.flush()
        said, status = p.stdout.readline().strip(), p.stdout.readline().strip()
        after = supervisor()
    finally:
        out, err = p.communicate("x\n", timeout=30)
    print("# %s; descriptors %d -> %d, memory %d -> %d KiB" % (said, before[0], after[0], before[1], after[1]))
    if status != "status 0":
        raise Failure("%s %s %s" % (said, status, err))
    rate, longest = int(re.search(r"(\d+) a second", said).group(1)), int(re.search(r"longest (\d+)", said).group(1))
    if rate < 10000:
        raise Failure("%d operations a second, fewer than 10000: %s" % (rate, said))
    if longest > 2000000:
        raise Failure("a call took %d us: %s" % (longest, said))
    if after[0] > before[0] + 8 or after[1] > before[1] * 2 + 16384:
        raise Failure("descriptors %d -> %d, memory %d -> %d KiB" % (before[0], after[0], before[1], after[1]))


harness.main(globals(), sys.argv[1:3])
