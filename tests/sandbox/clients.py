#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients of many kinds: applications by skeleton, one without a C library, bpftool's commands, hostile ones.

usage: clients.py SKEP APPS BARE HOSTILE
"""
import os
import platform
import re
import sys
import time

import harness
from harness import Failure, Skip, expect, launch, needs, refuse, run, shell


def app(name):
    def test():
        out = run("--", harness.FILES["apps"], name)
        if "SKIP" in out:
            raise Skip(out.split("SKIP ")[1].strip())
    test.__name__ = "t_skeleton_application_%s" % name
    globals()[test.__name__] = test


for each in ("globals", "maps", "ring", "perf", "tail", "nested", "pins", "links", "sockets", "functions", "kconfig", "core"):
    app(each)


def t_the_applications_are_right_about_the_kernel():
    names = " ".join(n[23:] for n in globals() if n.startswith("t_skeleton_application_"))
    out = harness.on_kernel("sh", "-c", "for a in %s; do %s $a || echo FAIL $a; done; echo end" %
                            (names, harness.FILES["apps"]))
    if "Operation not permitted" in out or "end" not in out:
        raise Skip("the host's kernel has no BPF for us: " + " / ".join(out.splitlines()[-3:]))
    refuse(out, "FAIL")


def t_more_objects_than_one_process_may_have_files():
    script = ("import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
              "def new():\n    a = (ctypes.c_uint32 * 32)(2, 4, 8, 1)\n    return libc.syscall(321, 0, a, 128)\n"
              "for child in range(4):\n    if os.fork() == 0:\n"
              "        n = sum(new() >= 0 for i in range(500))\n        print(n, flush=True)\n"
              "        os.read(0, 1)\n        os._exit(0)\n"
              "for child in range(4):\n    os.wait()\n")
    if platform.machine() != "x86_64":
        raise Skip("its system call has a number of x86-64")
    p = launch(["--", "sh", "-c", "ulimit -Sn 1000; exec python3 -c '%s'" % script], stdin=harness.subprocess.PIPE)
    out, err = p.communicate("xxxx", timeout=60)
    if out.split() != ["500"] * 4:
        raise Failure("%s maps of 500 each\n%s" % (out.split(), err))


def t_a_client_without_c_library():
    if platform.machine() != "x86_64":
        raise Skip("it is written for x86-64")
    expect(run("--", harness.FILES["bare"]), "ok")


OBJ = "/tmp/none"


@needs("bpftool")
def t_bpftool_on_programs_and_maps():
    out = shell("""set -e; cd /sys/fs/bpf
        bpftool map create a type array key 4 value 8 entries 4 name arr
        bpftool map update pinned a key 0 0 0 0 value 1 2 3 4 5 6 7 8
        bpftool map lookup pinned a key 0 0 0 0; bpftool map getnext pinned a; bpftool map peek pinned a 2>&1 || true
        bpftool map create q type queue key 0 value 4 entries 4 name q
        bpftool map enqueue pinned q value 1 0 0 0; bpftool map peek pinned q; bpftool map dequeue pinned q
        bpftool map create s type stack key 0 value 4 entries 4 name s
        bpftool map push pinned s value 9 0 0 0; bpftool map pop pinned s
        bpftool map freeze pinned a; bpftool map update pinned a key 0 0 0 0 value 0 0 0 0 0 0 0 0 2>&1 || true
        bpftool map create o type array_of_maps key 4 value 4 entries 2 inner_map pinned a name outer
        bpftool map update pinned o key 1 0 0 0 value pinned a; bpftool map dump pinned o
        bpftool -j map show | head -c 60; echo; bpftool -f map show name arr; bpftool map pin name arr again; ls""")
    expect(out, "value: 01 02 03 04 05 06 07 08", '"next_key"' if '"next_key"' in out else "next key:", "value: 01 00 00 00",
           "value: 09 00 00 00", "Operation not permitted", "key: 01 00 00 00  value: 01 00 00 00",
           "pinned", "again")


@needs("bpftool")
def t_bpftool_on_links_btf_and_the_rest():
    out = shell("""export B=/sys/fs/bpf
        {0} links & sleep 0.1; wait; bpftool link; bpftool btf list | head -1; bpftool net; bpftool perf; bpftool struct_ops list
        bpftool struct_ops register /nonexistent 2>&1; bpftool iter pin /nonexistent $B/x 2>&1; bpftool cgroup tree 2>&1 | head -1
        bpftool gen skeleton /nonexistent 2>&1; bpftool version | head -1
        bpftool feature probe | head -3""".format(harness.FILES["apps"]), code=None)
    expect(out, "xdp:", "tc:", "flow_dissector:", "can't open" if "can't open" in out else "nonexistent", "JIT compiler is enabled")
    refuse(out, "Bad system call", "core dumped")


@needs("bpftool")
def t_feature_probe_finds_what_there_is():
    out = shell("bpftool feature probe", timeout=120)
    expect(out, "bpf() syscall is available", "eBPF program_type xdp is available",
           "eBPF program_type sched_cls is available", "eBPF map_type hash is available",
           "eBPF map_type ringbuf is available", "- bpf_map_lookup_elem", "eBPF program_type lirc_mode2 is NOT available"
           if "lirc_mode2 is NOT" in out else "eBPF program_type")
    available = len(re.findall(r"(?m)^eBPF map_type \S+ is available", out))
    if available < 28:
        raise Failure("only %d map types:\n%s" % (available, out))


def t_sysctls_and_symbols():
    out = shell("cat /proc/sys/kernel/unprivileged_bpf_disabled /proc/sys/net/core/bpf_jit_enable; head -c 0 /proc/kallsyms && echo there;"
                "echo 1 2>&1 >/proc/sys/kernel/unprivileged_bpf_disabled; true")
    expect(out, "0\n1\n", "there")


@needs("bpftool")
def t_names_without_mounts():
    """As where the host allows neither user namespaces nor mounts: made so here, in one that is left without."""
    inner = ("mkdir /sys/fs/bpf/d && bpftool map create /sys/fs/bpf/d/a type array key 4 value 4 entries 1 name a &&"
             "mv /sys/fs/bpf/d/a /sys/fs/bpf/d/b && ls -l /sys/fs/bpf/d && test -e /sys/fs/bpf/d/b && stat -f -c %t /sys/fs/bpf &&"
             "bpftool map show pinned /sys/fs/bpf/d/b && rm -r /sys/fs/bpf/d && ls /sys/fs/bpf && bpftool map && echo end")
    script = ("echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all "
              "%s run -- sh -c '%s'" % (harness.FILES["skep"], inner))
    runtime = harness.tempfile.mkdtemp(dir=harness.HOME)
    if harness.WHO is not None:
        os.chown(runtime, harness.WHO, harness.WHO)
    p = harness.subprocess.run(["unshare", "-Ur", "sh", "-c", script], preexec_fn=harness.become, text=True,
                               env=dict(os.environ, XDG_RUNTIME_DIR=runtime), stdout=harness.subprocess.PIPE,
                               stderr=harness.subprocess.STDOUT, timeout=60)
    if "unshare failed" in p.stdout or "max_user_namespaces" in p.stdout:
        raise Skip("this host allows no user namespace")
    expect(p.stdout, " b\n", "cafe4a11", "array  name a", "end")
    refuse(p.stdout, "No such file")


def t_hostile_clients_harm_nobody():
    good = launch(["--name=good", "--", "sh", "-c", "%s maps && read x && %s maps && echo fine" %
                   (harness.FILES["apps"], harness.FILES["apps"])], stdin=harness.subprocess.PIPE)
    start = time.time()
    bad = shell("{0} 400 & {0} 400 & {0} 400 & wait; {1} maps && echo alive".format(
        harness.FILES["hostile"], harness.FILES["apps"]), timeout=90)
    out, err = good.communicate("x\n", timeout=30)
    expect(bad, "done\ndone\ndone", "alive")
    expect(out + err, "fine")
    if time.time() - start > 60:
        raise Failure("%.0f s" % (time.time() - start))


harness.main(globals(), sys.argv[1:])
