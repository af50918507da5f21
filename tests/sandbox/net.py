#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A sandbox's own network: frames run through the programs at its devices, and what they say happens.

usage: net.py SKEP NET.BPF.O
"""
import os
import re
import subprocess
import sys
import time

import harness
from harness import Failure, expect, launch, needs, refuse, run, shell

PING = "ping -c 2 -i 0.2 -W 1 10.77.0.1"


def obj():
    return harness.FILES["net.bpf.o"]


def net(script, *options, **more):
    harness.has_network()
    return shell(script, "--net", *options, **more)


def counters(text):
    """Values of the array `seen` in a dump: XDP, ingress, egress."""
    return [int(n) for n in re.findall(r'"value": (\d+)', text)]


@needs("ip", "ping")
def t_the_host_end_answers():
    out = net("ip -br addr show dev eth0; %s; ping -6 -c 1 -W 1 fd77::1" % PING)
    expect(out, "10.77.0.2/24", "fd77::2/64", "2 received", "1 received")


@needs("ip", "ping")
def t_every_device_has_a_host_end():
    out = net("ip -br link; ping -c 1 -W 1 -I eth1 10.77.1.1", "--net=2")
    expect(out, "eth0", "eth1", "1 received")


@needs("ip", "tc", "ping", "bpftool")
def t_programs_see_what_enters_and_leaves():
    out = net("ip link set dev eth0 xdp obj {0} sec xdp/count && tc qdisc add dev eth0 clsact &&"
              "tc filter add dev eth0 ingress bpf da obj {0} sec tc/ingress &&"
              "tc filter add dev eth0 egress bpf da obj {0} sec tc/egress && {1} &&"
              "ip link show dev eth0 && tc filter show dev eth0 ingress && bpftool net &&"
              "find /sys/fs/bpf -name seen -exec bpftool map dump pinned {{}} ';'".format(obj(), PING))
    expect(out, "2 received", "prog/xdp id", "direct-action", "eth0(", "clsact/egress")
    seen = counters(out)
    if sum(seen[0::3]) < 2 or sum(seen[1::3]) < 2 or sum(seen[2::3]) < 2:
        raise Failure("counted %s\n%s" % (seen, out))


@needs("ip", "ping")
def t_xdp_drops_and_lets_go():
    out = net("ip link set dev eth0 xdp obj %s sec xdp/drop; %s; ip link set dev eth0 xdp off; %s" % (obj(), PING, PING))
    expect(out, "0 received", "2 received")


@needs("tc", "ping")
def t_tc_drops_on_both_sides():
    for side in ("ingress", "egress"):
        out = net("tc qdisc add dev eth0 clsact; tc filter add dev eth0 %s bpf da obj %s sec tc/drop;"
                  "%s; tc filter del dev eth0 %s; %s" % (side, obj(), PING, side, PING))
        expect(out, "0 received", "2 received")


@needs("ip", "nc")
def t_xdp_rewrites_bytes():
    out = net("ip link set dev eth0 xdp obj %s sec xdp/shout; echo hello there | nc -u -w 1 10.77.0.1 7" % obj())
    expect(out, "HELLO THERE")


@needs("ip", "nc")
def t_xdp_changes_lengths():
    out = net("ip link set dev eth0 xdp obj %s sec xdp/cut; echo 0123456789 | nc -u -w 1 10.77.0.1 7; echo" % obj())
    expect(out, "0123456\n")
    refuse(out, "01234567")


@needs("ip", "tc", "nc")
def t_tc_redirects_into_the_device():
    out = net("ip neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev eth0; tc qdisc add dev eth0 clsact;"
              "tc filter add dev eth0 egress bpf da obj %s sec tc/reflect; echo it came back | nc -u -w 1 10.77.0.9 99" % obj())
    expect(out, "it came back")


@needs("ping")
def t_a_capture_has_every_frame():
    path = os.path.join(harness.HOME, "frames.pcapng")
    net(PING, "--capture=" + path)
    data = open(path, "rb").read()
    if data[:4] != b"\x0a\x0d\x0d\x0a" or data.count(b"eth0") < 2 or data.count(b"sent") < 2:
        raise Failure("%d bytes: %r" % (len(data), data[:200]))


@needs("nc", "ip")
def t_two_sandboxes_are_joined_by_a_wire():
    harness.has_network()
    first = launch(["--net", "--name=left", "--", "sh", "-c",
                    "ip link set dev eth0 xdp obj %s sec xdp/count; echo ready; nc -l -p 5000 | wc -c" % obj()])
    try:
        first.stdout.readline()
        time.sleep(0.2)
        out = net("ip -br addr show dev eth0; head -c 3000000 /dev/zero | nc -N -w 5 10.77.0.2 5000", "--wire=left")
        expect(out, "10.77.0.3/24")
        expect(first.communicate(timeout=20)[0], "3000000")
    finally:
        first.kill()
    expect(run("--net", "--wire=nobody", "--", "true", code=1), "there is no sandbox 'nobody' with a network")


@needs("ip", "ping", "bpftool")
def t_who_joins_is_in_the_same_network():
    harness.has_network()
    first = launch(["--net", "--name=web", "--", "sh", "-c",
                    "ip link set dev eth0 xdp obj %s sec xdp/count; echo ready; read x" % obj()], stdin=subprocess.PIPE)
    try:
        first.stdout.readline()
        out = shell("ip link show dev eth0; %s; bpftool net; ls /sys/fs/bpf" % PING, "--join=web")
        expect(out, "prog/xdp id", "2 received", "eth0(", "ip")
    finally:
        first.communicate("x\n", timeout=30)


@needs("xdp-loader", "bpftool")
def t_xdp_loader():
    out = net("xdp-loader load -m skb eth0 {0} -s xdp/count; xdp-loader status; bpftool net; xdp-loader unload eth0 --all;"
              "bpftool net".format(obj()))
    expect(out, "xdp_count", "skb", "eth0(")
    refuse(out[out.rindex("xdp:"):], "eth0")


@needs("xdp-filter", "ping")
def t_xdp_filter():
    out = net("xdp-filter load eth0 && xdp-filter ip 10.77.0.1 -m src && {0}; xdp-filter status; xdp-filter unload eth0;"
              "{0}".format(PING))
    expect(out, "0 received", "10.77.0.1", "2 received")


@needs("tcpdump", "ping")
def t_tcpdumps_filters_work():
    out = net("timeout 10 tcpdump -Z root -i eth0 -n -c 2 -l icmp & sleep 1; %s; wait" % PING)
    expect(out, "ICMP echo request", "ICMP echo reply")


def t_a_network_needs_sensible_options():
    expect(run("--net=0", "--", "true", code=2), "1 to 8 devices")
    expect(run("--wire=x", "--", "true", code=2), "--wire goes with --net")
    expect(run("--net", "--capture=/nonexistent/x", "--", "true", code=1), "cannot write the capture")


harness.main(globals(), sys.argv[1:])
