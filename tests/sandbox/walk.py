#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The classic walk through BPF by unchanged clients; where there is a real kernel to ask, it prints the same.

usage: walk.py SKEP WALK.BPF.O WALK_RAW WALK_APP WALK.SH ATTACH.BPF.O NETLINK.SH
"""
import os
import re
import sys
import tempfile

import harness
from harness import Failure, Skip, expect, needs, run

CLIENTS = ("bpftool", "ip", "ping")

def command(where):
    f = harness.FILES
    return ["sh", f["walk.sh"], f["walk.bpf.o"], f["walk_raw"], f["walk_app"], where]


def in_sandbox():
    harness.has_network()
    where = tempfile.mkdtemp(dir=harness.HOME)
    if harness.WHO is not None:
        os.chown(where, harness.WHO, harness.WHO)
    return run("--net", "--", *command(where))


@needs(*CLIENTS)
def t_the_classic_walk():
    out = in_sandbox()
    expect(out, "xdp  name test", "(b7) r0 = 2", "(95) exit", "hash  name four", "Argument list too long",
           "xdp  name count_pings", "get by id", "No such file or directory", "attached", "xdpgeneric",
           "prog/xdp id ", "3 received", "bpf_trace_printk: got ping 1")
    if out.count("bpf_trace_printk: got ping") != 2:  # each CPU counts for itself
        raise Failure("not two lines of the trace pipe:\n" + out)
    counts = re.search(r'"formatted":(\{.*?\}\]\})', out) or re.search(r'"values":.*', out)
    if not counts:
        raise Failure("no formatted dump of woo:\n" + out)
    if sum(int(n) for n in re.findall(r'"value":(\d+)', counts.group(0))) != 3:
        raise Failure("woo has not counted three pings:\n" + counts.group(0))
    after = out[out.index("== it has ended"):]
    expect(after, "\n0\n", "xdpgeneric")


@needs(*CLIENTS, "unshare", "nsenter")
def t_it_prints_what_a_real_kernel_does():
    real = harness.on_kernel(*command(tempfile.mkdtemp(dir=harness.HOME)))
    if "name test" not in real or "received" not in real or "trace_pipe" in real:
        raise Skip("the host's kernel has no BPF, veth or tracing for us: " + " / ".join(real.splitlines()[-3:]))
    harness.same(harness.shape(in_sandbox()), harness.shape(real))


@needs("bpftool", "ip", "tc", "unshare", "nsenter")
def t_netlink_answers_as_a_real_kernel_does():
    """Every request, its text and status; the devices are not of the same kind, so the qdiscs below differ."""
    args = ["sh", harness.FILES["netlink.sh"], harness.FILES["attach.bpf.o"]]
    real = harness.on_kernel(*args)
    if "status 0" not in real or "xdp_one" not in real:
        raise Skip("the host's kernel has no BPF or veth for us: " + " / ".join(real.splitlines()[-3:]))
    harness.has_network()
    harness.same(harness.shape(run("--net", "--", *args)), harness.shape(real))


harness.main(globals(), sys.argv[1:])
