# SPDX-License-Identifier: BSD-2-Clause
"""Runs tests of the sandbox: as whoever runs them and, when that is root, as an ordinary user too.

A test is a function t_... of the file that calls main(); needs("ping") above it says which clients of
others it uses: where one is not installed, the test is skipped and says so.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

WHO = None   # uid to run as, or None
HOME = None  # a directory of that user's
FILES = {}   # by name without directory: where that user finds them
COUNT = FAILED = 0


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def needs(*programs):
    def mark(test):
        test.needs = programs
        return test
    return mark


def become():
    if WHO is not None:
        os.setgroups([])
        os.setgid(WHO)
        os.setuid(WHO)


def launch(args, **more):
    env = dict(os.environ, XDG_RUNTIME_DIR=HOME)
    return subprocess.Popen([FILES["skep"], "run"] + [str(a) for a in args], env=env, preexec_fn=become,
                            text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def run(*args, code=0, timeout=60):
    p = launch(args)
    try:
        out, err = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        p.terminate()
        try:
            out, err = p.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
        raise Failure("%s took more than %d s\n%s%s" % (args, timeout, out, err))
    if code is not None and p.returncode != code:
        raise Failure("%s ended with %s, not %s\n%s%s" % (args, p.returncode, code, out, err))
    return out + err


def shell(script, *options, code=0, timeout=60):
    return run(*options, "--", "sh", "-c", script, code=code, timeout=timeout)


def expect(text, *parts):
    for part in parts:
        if part not in text:
            raise Failure("'%s' is not in:\n%s" % (part, text))


def refuse(text, *parts):
    for part in parts:
        if part in text:
            raise Failure("'%s' is in:\n%s" % (part, text))


def has_network():
    """Namespaces of users or root's rights are needed for one."""
    if "cannot make a network" in run("--net", "--", "true", code=None):
        raise Skip("this host allows no network namespace")


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


def on_kernel(*args):
    """What a command prints on the host's kernel, beside a device eth0 that leads to 10.77.0.1."""
    if os.geteuid() != 0 or WHO is not None:
        raise Skip("only root can ask the host's kernel")
    return subprocess.run(["unshare", "-n", "-m", "sh", "-c", REAL, "sh"] + list(args), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=90).stdout


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


def same(here, there):
    if here != there:
        differ = ["line %d: %s\n    kernel: %s" % (n, a, b) for n, (a, b) in
                  enumerate(zip(here + [""] * 99, there + [""] * 99)) if a != b]
        raise Failure("\n".join(differ[:12]))


def check(test, who, name):
    global COUNT, FAILED, WHO
    WHO = who
    COUNT += 1
    label = "%s (%s)" % (test.__name__[2:].replace("_", " "), name)
    missing = [p for p in getattr(test, "needs", ()) if not shutil.which(p)]
    try:
        if missing:
            raise Skip("%s is not installed" % ", ".join(missing))
        test()
        print("ok %d - %s" % (COUNT, label), flush=True)
    except Skip as e:
        print("ok %d - %s # SKIP %s" % (COUNT, label, e), flush=True)
    except (Failure, subprocess.TimeoutExpired, OSError, ValueError, KeyError, IndexError) as e:
        FAILED += 1
        print("not ok %d - %s" % (COUNT, label))
        print("".join("# %s\n" % line for line in ("%s: %s" % (type(e).__name__, e)).splitlines()), flush=True)


def main(tests, files):
    """tests: the caller's globals(); files: paths of what they use, skep among them."""
    global HOME, FILES
    files = [os.path.abspath(f) for f in files]
    tests = [f for n, f in sorted(tests.items()) if n.startswith("t_")]
    wanted = os.environ.get("SKEP_TEST_ONLY")
    if wanted:
        tests = [t for t in tests if wanted in t.__name__]
    users = [(None, "as the caller")]
    if os.geteuid() == 0:
        users.append((65534, "as an ordinary user"))
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    print("1..%d" % (len(users) * len(tests)))
    for who, name in users:
        HOME = tempfile.mkdtemp(prefix="skep-test-")
        FILES = {os.path.basename(f): f for f in files}
        if who is not None:  # the tree may lie where an ordinary user may not look: copies
            here = os.path.join(HOME, "bin")
            os.mkdir(here)
            os.chmod(here, 0o755)
            os.chown(HOME, who, who)
            FILES = {os.path.basename(f): shutil.copy(f, here) for f in files}
        for test in tests:
            check(test, who, name)
        shutil.rmtree(HOME, ignore_errors=True)
    sys.exit(FAILED != 0)
