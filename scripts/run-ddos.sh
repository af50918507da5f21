#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# make run: the example of examples/ddos. Compiles the filter, makes the capture of an attack, runs the one
# over the other on Skep's JIT and, where bpf(2) is to be had, on the real kernel as well, side by side.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
dir=$build/ddos
skep=$build/skep
example=examples/ddos
mkdir -p "$dir"

clang=
for c in clang-19 clang; do
	command -v $c >/dev/null 2>&1 && { clang=$c; break; }
done
[ -n "$clang" ] || { echo "run: no clang to compile BPF with; make deps installs it" >&2; exit 1; }
include=$(cc -print-multiarch 2>/dev/null || echo "$(uname -m)-linux-gnu")

step() { printf '\n== %s\n' "$*"; }
object=$dir/ddos.bpf.o
capture=$dir/attack.pcapng

step "The filter, compiled to BPF"
set -- -O2 -g -Wall -target bpf -I"/usr/include/$include" -c $example/ddos.bpf.c -o "$object"
echo "$clang $*"
$clang "$@"

step "A capture of an attack: SYN floods, amplified DNS and NTP, pings, spoofed sources, and visitors"
echo "$build/examples/ddos/ddos-gen $capture"
"$build/examples/ddos/ddos-gen" "$capture"
echo "$(wc -c <"$capture") bytes"

fill="--fill deny4=$example/deny4.txt --fill deny6=$example/deny6.txt"
if $skep exec "$object" --on kernel --data "$(printf '%0120d' 0)" >/dev/null 2>"$dir/kernel.log"; then
	on="--on both"
	step "Skep and this machine's kernel, side by side"
	echo "Time per run on the kernel is its own measure, without the system call around each packet."
else
	on="--on skep"
	step "Skep"
	echo "Not on this machine's kernel as well: $(cat "$dir/kernel.log")"
fi
echo "--trust: Skep's verifier is not complete yet, and would have the program run in its checked interpreter."
echo "This one is the project's own, and kernels verify it: so it runs at full speed, in the JIT."
echo
set -- exec "$object" --pcap "$capture" --out "$dir/after.pcapng" --jit --trust $on $fill --entries 10 \
	--type outcomes.key=outcome --type events.value=event
echo "$skep $*"
echo
$skep "$@"
echo
echo "The packets as the filter left them, verdicts as comments: $dir/after.pcapng"
