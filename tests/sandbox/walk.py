#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The classic walk through BPF by unchanged clients; where there is a real kernel to ask, it prints the same.

usage: walk.py SKEP WALK.BPF.O WALK_RAW WALK_APP WALK.SH
"""
import os
import re
import subprocess
import sys
import tempfile

import harness
from harness import Failure, Skip, expect, needs, run

CLIENTS = ("bpftool", "ip", "ping")

# In a network namespace of its own, a pair of devices in the place of the sandbox's.
REAL = """set -e
mount -t bpf bpf /sys/fs/bpf; mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
ip link add name eth0 type veth peer name other
unshare -n sleep 60 & peer=$!
sleep 0.2
ip link set other netns $peer
nsenter -t $peer -n ip addr add 10.77.0.1/24 dev other
nsenter -t $peer -n ip link set other up
ip addr add 10.77.0.2/24 dev eth0; ip link set eth0 up; ip link set lo up
sleep 0.2
set +e
"$@" </dev/null
kill $peer
"""


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
           "prog/xdp id ", "3 received", "bpf_trace_printk: got ping 1", "bpf_trace_printk: got ping 2")
    counts = re.search(r'"formatted":(\{.*?\}\]\})', out) or re.search(r'"values":.*', out)
    if not counts:
        raise Failure("no formatted dump of woo:\n" + out)
    if sum(int(n) for n in re.findall(r'"value":(\d+)', counts.group(0))) != 3:
        raise Failure("woo has not counted three pings:\n" + counts.group(0))
    after = out[out.index("== it has ended"):]
    expect(after, "\n0\n", "xdpgeneric")


def shape(text):
    """The lines of an output with what may differ left out: numbers, sizes, times, who holds a thing."""
    text = re.sub(r"(?m)^\t(pids|loaded_at) .*\n", lambda m: "" if m.group(1) == "pids" else "\tloaded_at T\n", text)
    text = re.sub(r'"formatted":|"values":\[.*', "VALUES", text) if '"values"' in text else text
    text = re.sub(r"link/ether \S+", "link/ether MAC", text)
    text = re.sub(r"(memlock|xlated|jited) \d+B", r"\1 NB", text)
    # A TAP device's other end is no device of the host's, a veth pair's is.
    text = re.sub(r"eth0@\S+:", "eth0:", text)
    text = re.sub(r" link-netns(id)? \S+", "", text)
    text = re.sub(r"qdisc \S+ state \S+", "", text)
    text = re.sub(r"(?m)^head: .*seek.*\n", "", text)
    text = re.sub(r"(?m)^(\[\{.*\}\])$", "DUMP", text)
    return [re.sub(r"\b\d+\b", "N", line).rstrip() for line in text.splitlines()]


@needs(*CLIENTS, "unshare", "nsenter")
def t_it_prints_what_a_real_kernel_does():
    if os.geteuid() != 0 or harness.WHO is not None:
        raise Skip("only root can ask the host's kernel")
    real = subprocess.run(["unshare", "-n", "-m", "sh", "-c", REAL, "sh"] + command(tempfile.mkdtemp(dir=harness.HOME)),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    if "name test" not in real.stdout or "received" not in real.stdout:
        raise Skip("the host's kernel has no BPF, veth or tracing for us: "
                   + " / ".join(real.stdout.splitlines()[-3:]))
    here, there = shape(in_sandbox()), shape(real.stdout)
    if here != there:
        differ = ["%s\n  kernel: %s" % (a, b) for a, b in zip(here + [""] * 99, there + [""] * 99) if a != b]
        raise Failure("\n".join(differ[:12]))


harness.main(globals(), sys.argv[1:])
