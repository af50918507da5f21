#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests of a build directory and adds up their TAP lines.

Prints each failure with the output of the test it belongs to, each reason for skipping with its count, and
as its last line `N passed, N failed, N skipped`. A test program that ends badly without saying so in TAP
counts as one failure.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

TAP = re.compile(r"^\s*(not ok|ok)\b\s*\d*\s*(?:-\s*)?(.*?)\s*(?:#\s*(skip|todo)\w*\s*(.*))?$", re.I)


# Which suites each choice leaves out: `slow` tests take seconds, `long` ones minutes.
LEAVES_OUT = {"check": ["slow", "long"], "test": ["long"], "all": []}


def run(build, what):
    command = ["meson", "test", "-C", build, "--no-rebuild", "--quiet"]
    for suite in LEAVES_OUT[what]:
        command += ["--no-suite", suite]
    command += ["--timeout-multiplier", os.environ.get("TEST_TIMEOUT_MULTIPLIER", "3")]
    log = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not os.path.exists(log):
        sys.exit("run-tests: meson test wrote no log:\n" + done.stdout)
    with open(log) as lines:
        return [json.loads(line) for line in lines]


def count(test):
    """(passed, [failed names], [skip reasons]) of one test program."""
    passed, failed, skipped = 0, [], []
    out = test.get("stdout") or ""
    for line in out.splitlines():
        m = TAP.match(line)
        if not m:
            continue
        ok, name, directive, reason = m.groups()
        if directive and directive.lower() == "skip":
            skipped.append(reason or "no reason given")
        elif ok.lower() == "ok":
            passed += 1
        else:
            failed.append(name or "unnamed")
    if test["result"] == "SKIP" and not skipped:
        skipped.append(test["name"])
    elif test["result"] in ("OK", "EXPECTEDFAIL") and not passed and not skipped:
        passed = 1
    elif test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and not failed:
        failed.append("ended with %s, status %s" % (test["result"], test.get("returncode")))
    return passed, failed, skipped


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--build", default="build")
    args.add_argument("what", choices=LEAVES_OUT, nargs="?", default="test")
    args = args.parse_args()
    passed = failed = 0
    reasons = collections.Counter()
    for test in run(args.build, args.what):
        ok, bad, skips = count(test)
        passed += ok
        failed += len(bad)
        reasons.update(skips)
        print("%-6s %-44s %6d passed%s%s   %.1f s" % (
            "FAIL" if bad else "ok", test["name"], ok, ", %d failed" % len(bad) if bad else "",
            ", %d skipped" % len(skips) if skips else "", test["duration"]))
        for name in bad:
            print("       not ok: " + name)
        if bad:
            for stream in ("stdout", "stderr"):
                text = (test.get(stream) or "").splitlines()
                text = [l for l in text if not re.match(r"^ok\b", l)]
                print("".join("       | %s\n" % l for l in text[-60:]), end="")
    for reason, n in sorted(reasons.items()):
        print("skipped %d: %s" % (n, reason))
    print("%d passed, %d failed, %d skipped" % (passed, failed, sum(reasons.values())))
    sys.exit(1 if failed else 0)


main()
