#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Commands in a sandbox, as whoever runs the tests and, when that is root, as an ordinary user too.

usage: sandbox.py SKEP RAW EVENTS EVENTS.BPF.O
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FILES = [os.path.abspath(a) for a in sys.argv[1:5]]
SKEP, RAW, EVENTS, EVENTS_OBJ = FILES
WHO = None  # uid to run as, or None
HOME = None  # a directory of that user's
COUNT = FAILED = 0


class Failure(Exception):
    pass


def launch(args, **more):
    def become():
        if WHO is not None:
            os.setgroups([])
            os.setgid(WHO)
            os.setuid(WHO)
    env = dict(os.environ, XDG_RUNTIME_DIR=HOME)
    return subprocess.Popen([SKEP, "run"] + args, env=env, preexec_fn=become, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def run(*args, code=0):
    p = launch(list(args))
    out, err = p.communicate(timeout=60)
    if p.returncode != code:
        raise Failure("%s ended with %s, not %s\n%s%s" % (" ".join(args), p.returncode, code, out, err))
    return out + err


def shell(script, code=0):
    return run("--", "sh", "-c", script, code=code)


def expect(text, *parts):
    for part in parts:
        if part not in text:
            raise Failure("'%s' is not in:\n%s" % (part, text))


def t_exit_code_and_signal_are_the_commands():
    shell("exit 7", code=7)
    shell("kill -KILL $$", code=-signal.SIGKILL)
    expect(run("--", "/nonexistent", code=127), "cannot run /nonexistent: No such file")
    expect(run(code=2), "what shall be run?")


def t_raw_static_client():
    run("--", RAW)


def t_libbpf_consumer_of_a_ring_buffer():
    expect(run("--", EVENTS, EVENTS_OBJ), "2000 events, 0 wrong")


def t_bpftool_walk():
    out = shell("bpftool prog load %s /sys/fs/bpf/test && bpftool prog show pinned /sys/fs/bpf/test &&"
                "bpftool prog dump xlated pinned /sys/fs/bpf/test && bpftool map" % EVENTS_OBJ)
    expect(out, "xdp  name emit", "gpl", "loaded_at", "ringbuf  name events", "0: (")


def t_a_fifth_element_is_too_much():
    out = shell("bpftool map create /sys/fs/bpf/m type hash key 4 value 8 entries 4 name four;"
                "for i in 1 2 3 4 5; do bpftool map update pinned /sys/fs/bpf/m key $i 0 0 0 "
                "value 1 0 0 0 0 0 0 0; done; bpftool map dump pinned /sys/fs/bpf/m")
    expect(out, "Argument list too long", "Found 4 elements")


def t_removing_the_pin_removes_the_program():
    out = shell("bpftool prog load %s /sys/fs/bpf/test; "
                "id=$(bpftool prog show pinned /sys/fs/bpf/test | sed 's/:.*//;q'); "
                "rm /sys/fs/bpf/test; bpftool prog show id $id" % EVENTS_OBJ, code=254 + 1)
    expect(out, "No such file or directory")


def t_pins_are_files_of_a_bpf_file_system():
    out = shell("mkdir /sys/fs/bpf/d && bpftool map create /sys/fs/bpf/d/a type array key 4 value 4 "
                "entries 1 name a && mv /sys/fs/bpf/d/a /sys/fs/bpf/d/b && ls /sys/fs/bpf/d && "
                "bpftool map show pinned /sys/fs/bpf/d/b && stat -f -c %t /sys/fs/bpf && "
                "rm -r /sys/fs/bpf/d && ls /sys/fs/bpf")
    expect(out, "b\n", "array  name a", "cafe4a11")


def t_trace_pipe_carries_printk():
    out = shell("bpftool prog load %s /sys/fs/bpf/t && (head -c 1 /dev/zero; head -c 63 /dev/zero) >%s/in;"
                "timeout 20 head -1 /sys/kernel/tracing/trace_pipe & sleep 0.3;"
                "bpftool prog run pinned /sys/fs/bpf/t data_in %s/in repeat 1; wait" %
                (EVENTS_OBJ, HOME, HOME))
    expect(out, "bpf_trace_printk: event 1")


def t_fdinfo_says_memlock():
    out = shell("bpftool map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name a && "
                "bpftool map show name a")
    expect(out, "memlock ")
    if "memlock 0B" in out:
        raise Failure(out)


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


def t_it_lives_as_long_as_its_last_process():
    out = os.path.join(HOME, "late")
    shell("bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 9 name late;"
          "(sleep 0.5; bpftool map >%s 2>&1; echo end >>%s) >/dev/null 2>&1 &" % (out, out))
    for _ in range(200):
        if os.path.exists(out) and "end" in open(out).read():
            break
        time.sleep(0.05)
    expect(open(out).read(), "hash  name late", "end")
    for _ in range(100):
        if not os.listdir(os.path.join(HOME, "skep")):
            return
        time.sleep(0.05)
    raise Failure("the sandbox's directory is still there")


def t_the_log_names_commands():
    expect(run("--log", "--", "bpftool", "map", "create", "/sys/fs/bpf/m", "type", "array", "key", "4",
               "value", "4", "entries", "1", "name", "a"), "bpf(BPF_MAP_CREATE, ", "bpf(BPF_OBJ_PIN, ")


def t_two_sandboxes_know_nothing_of_each_other():
    out = shell("bpftool map create /sys/fs/bpf/m type array key 4 value 4 entries 1 name mine;"
                "XDG_RUNTIME_DIR=%s %s run -- true; bpftool map" % (HOME, SKEP))
    expect(out, "name mine")
    if "mine" in shell("bpftool map; ls /sys/fs/bpf"):
        raise Failure("the map of another sandbox is seen")


def check(test, who, name):
    global COUNT, FAILED, WHO
    WHO = who
    COUNT += 1
    label = "%s (%s)" % (test.__name__[2:].replace("_", " "), name)
    try:
        test()
        print("ok %d - %s" % (COUNT, label), flush=True)
    except (Failure, subprocess.TimeoutExpired, OSError) as e:
        FAILED += 1
        print("not ok %d - %s" % (COUNT, label))
        print("".join("# %s\n" % line for line in str(e).splitlines()), flush=True)


def bring_files(uid):
    """The tree may lie where an ordinary user may not look: that user gets copies."""
    global SKEP, RAW, EVENTS, EVENTS_OBJ
    here = os.path.join(HOME, "bin")
    os.mkdir(here)
    os.chmod(here, 0o755)
    os.chown(HOME, uid, uid)
    SKEP, RAW, EVENTS, EVENTS_OBJ = [shutil.copy(f, here) for f in FILES]


def main():
    global COUNT, HOME
    users = [(None, "as the caller")]
    if os.geteuid() == 0:
        users.append((65534, "as an ordinary user"))
    tests = [f for n, f in sorted(globals().items()) if n.startswith("t_")]
    have_bpftool = shutil.which("bpftool") or os.path.exists("/usr/sbin/bpftool")
    os.environ["PATH"] += ":/usr/sbin"
    print("1..%d" % (len(users) * len(tests)))
    for who, name in users:
        HOME = tempfile.mkdtemp(prefix="skep-test-")
        if who is not None:
            bring_files(who)
        for test in tests:
            uses = test.__code__.co_consts
            if not have_bpftool and any(isinstance(c, str) and "bpftool" in c for c in uses):
                COUNT += 1
                print("ok %d - %s # SKIP bpftool is not installed" % (COUNT, test.__name__))
                continue
            check(test, who, name)
        shutil.rmtree(HOME, ignore_errors=True)
    return FAILED != 0


sys.exit(main())
