#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Commands in a sandbox, as whoever runs the tests and, when that is root, as an ordinary user too.

usage: sandbox.py SKEP RAW EVENTS EVENTS.BPF.O
"""
import os
import signal
import subprocess
import sys
import time

import harness
from harness import Failure, expect, launch, needs, refuse, run, shell


def t_exit_code_and_signal_are_the_commands():
    shell("exit 7", code=7)
    shell("kill -KILL $$", code=-signal.SIGKILL)
    expect(run("--", "/nonexistent", code=127), "cannot run /nonexistent: No such file")
    expect(run(code=2), "what shall be run?")


def t_raw_static_client():
    run("--", harness.FILES["sandbox_raw"])


def t_libbpf_consumer_of_a_ring_buffer():
    expect(run("--", harness.FILES["sandbox_events"], harness.FILES["events.bpf.o"]), "2000 events, 0 wrong")


@needs("bpftool")
def t_bpftool_walk():
    out = shell("bpftool prog load %s /sys/fs/bpf/test && bpftool prog show pinned /sys/fs/bpf/test &&"
                "bpftool prog dump xlated pinned /sys/fs/bpf/test && bpftool map" % harness.FILES["events.bpf.o"])
    expect(out, "xdp  name emit", "gpl", "loaded_at", "ringbuf  name events", "0: (")


@needs("bpftool")
def t_a_fifth_element_is_too_much():
    out = shell("bpftool map create /sys/fs/bpf/m type hash key 4 value 8 entries 4 name four;"
                "for i in 1 2 3 4 5; do bpftool map update pinned /sys/fs/bpf/m key $i 0 0 0 "
                "value 1 0 0 0 0 0 0 0; done; bpftool map dump pinned /sys/fs/bpf/m")
    expect(out, "Argument list too long", "Found 4 elements")


@needs("bpftool")
def t_removing_the_pin_removes_the_program():
    out = shell("bpftool prog load %s /sys/fs/bpf/test; "
                "id=$(bpftool prog show pinned /sys/fs/bpf/test | sed 's/:.*//;q'); "
                "rm /sys/fs/bpf/test; bpftool prog show id $id" % harness.FILES["events.bpf.o"], code=254 + 1)
    expect(out, "No such file or directory")


@needs("bpftool")
def t_pins_are_files_of_a_bpf_file_system():
    out = shell("mkdir /sys/fs/bpf/d && bpftool map create /sys/fs/bpf/d/a type array key 4 value 4 "
                "entries 1 name a && mv /sys/fs/bpf/d/a /sys/fs/bpf/d/b && ls /sys/fs/bpf/d && "
                "bpftool map show pinned /sys/fs/bpf/d/b && stat -f -c %t /sys/fs/bpf && "
                "rm -r /sys/fs/bpf/d && ls /sys/fs/bpf")
    expect(out, "b\n", "array  name a", "cafe4a11")


@needs("bpftool")
def t_trace_pipe_carries_printk():
    out = shell("bpftool prog load %s /sys/fs/bpf/t && (head -c 1 /dev/zero; head -c 63 /dev/zero) >%s/in;"
                "timeout 20 head -1 /sys/kernel/tracing/trace_pipe & sleep 0.3;"
                "bpftool prog run pinned /sys/fs/bpf/t data_in %s/in repeat 1; wait" %
                (harness.FILES["events.bpf.o"], harness.HOME, harness.HOME))
    expect(out, "bpf_trace_printk: event 1")


@needs("bpftool")
def t_tracelog_reads_it_too():
    out = shell("bpftool prog load %s /sys/fs/bpf/t && head -c 64 /dev/zero >%s/in; timeout 2 bpftool prog tracelog & sleep 0.5;"
                "bpftool prog run pinned /sys/fs/bpf/t data_in %s/in repeat 1; wait" %
                (harness.FILES["events.bpf.o"], harness.HOME, harness.HOME))
    expect(out, "bpf_trace_printk: event 1")
    refuse(out, "could not find tracefs")


@needs("bpftool")
def t_fdinfo_says_memlock():
    out = shell("bpftool map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name a && "
                "bpftool map show name a")
    expect(out, "memlock ")
    if "memlock 0B" in out:
        raise Failure(out)


@needs("bpftool")
def t_sandboxes_are_joined_by_name():
    first = launch(["--name=web", "--", "sh", "-c",
                    "bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 9 name woo;"
                    "echo ready; read x"], stdin=subprocess.PIPE)
    try:
        first.stdout.readline()
        expect(run("--join=web", "--", "bpftool", "map", "show", "name", "woo"), "hash  name woo")
        expect(run("--join=web", "--", "ls", "/sys/fs/bpf"), "m\n")
        expect(run("--name=web", "--", "true", code=1), "there is a sandbox 'web' already")
    finally:
        first.communicate("x\n", timeout=30)
    expect(run("--join=web", "--", "true", code=1), "there is no sandbox 'web' of yours")


@needs("bpftool")
def t_it_lives_as_long_as_its_last_process():
    out = os.path.join(harness.HOME, "late")
    shell("bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 9 name late;"
          "(sleep 0.5; bpftool map >%s 2>&1; echo end >>%s) >/dev/null 2>&1 &" % (out, out))
    for _ in range(200):
        if os.path.exists(out) and "end" in open(out).read():
            break
        time.sleep(0.05)
    expect(open(out).read(), "hash  name late", "end")
    for _ in range(100):
        if not os.listdir(os.path.join(harness.HOME, "skep")):
            return
        time.sleep(0.05)
    raise Failure("the sandbox's directory is still there")


@needs("bpftool")
def t_the_log_decodes_calls():
    out = run("--log", "--", "bpftool", "map", "create", "/sys/fs/bpf/m", "type", "array", "key", "4",
              "value", "8", "entries", "3", "name", "logged")
    expect(out, 'bpf(BPF_MAP_CREATE, {map_type=2, key_size=4, value_size=8, max_entries=3, map_flags=0, map_name="logged"}, ',
           'bpf(BPF_OBJ_PIN, {pathname="/sys/fs/bpf/m", bpf_fd=', ") = 0")


@needs("bpftool")
def t_two_sandboxes_know_nothing_of_each_other():
    out = shell("bpftool map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name mine;"
                "XDG_RUNTIME_DIR=%s %s run -- true; bpftool map" % (harness.HOME, harness.FILES["skep"]))
    expect(out, "name mine")
    if "mine" in shell("bpftool map; ls /sys/fs/bpf"):
        raise Failure("the map of another sandbox is seen")


ATTACH_FILTER = """
import socket, struct, ctypes
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 3))
b.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxP", 1, ctypes.addressof(code)))
a.send(b"hello")
print(b.recv(10).decode())
"""


def t_classic_filters_are_the_hosts():
    expect(run("--", "/usr/bin/python3", "-c", ATTACH_FILTER), "hel\n")


harness.main(globals(), sys.argv[1:])
