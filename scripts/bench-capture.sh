#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# skep filter beside tcpdump -r over a capture of about a gigabyte, which is made and goes again: seconds of
# CPU of three runs in turn each, the best counts, and the most memory that skep took.
#
# bench-capture.sh [BUILD [DIRECTORY [PASSES]]]
set -eu
build=${1:-build}
dir=$(mktemp -d "${2:-/tmp}/skep-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT INT TERM
free=$(df -Pk "$dir" | awk 'NR == 2 {print $4}')
if [ "$free" -lt 3000000 ]; then
	echo "bench-capture: 3 GB are needed in $dir, $free KB are free: left out" >&2
	exit 0
fi
command -v tcpdump >/dev/null || { echo "bench-capture: no tcpdump: left out" >&2; exit 0; }
"$build/tests/cbpf/write-capture" 1 40000 "${3:-190}" >"$dir/in.pcap"
exec python3 - "$build/skep" "$dir" <<'EOF'
import os, resource, subprocess, sys

skep, where = sys.argv[1:3]
path, out = os.path.join(where, "in.pcap"), os.path.join(where, "out.pcap")


def run(*args):
    """Seconds of CPU, and the peak of memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    if status:
        sys.exit("bench-capture: %s failed" % " ".join(args))
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


print("\nA capture of %.2f GB, seconds of CPU%14s %8s %8s %10s" % (os.path.getsize(path) / 1e9, "tcpdump", "Skep", "times", "Skep, MB"))
for text in ("tcp port 80", "host 10.0.0.1 and not port 22", "udp"):
    for name, theirs, ours in (
            ("counted", ["--count"], ["--count"]), ("written", ["-w", out], ["--out", out]), ("printed", ["-n"], ["--count"])):
        a, b = [], []
        for _ in range(1 if name == "printed" else 3):
            a.append(run("tcpdump", "-r", path, *theirs, text)[0])
            b.append(run(skep, "filter", "--pcap", path, *ours, text))
        best = min(t for t, _ in b)
        print("%-38s %-8s %10.2f %8.2f %8.2f %10.1f" % (text, name, min(a), best, min(a) / best, max(m for _, m in b)))
os.unlink(path)
EOF
