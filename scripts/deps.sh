#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that building, running and testing Skep need, and says which and why.
# Prints nothing when nothing is missing. Uses sudo when not root.
set -eu

# package:why
needs='
gcc:the C compiler of the project
libc6-dev:headers of the C library
linux-libc-dev:headers of the kernel interface
meson:the build system
ninja-build:the build system
pkg-config:finds libraries for the build
python3:runs the build system and the test scripts
clang-19:compiles C to BPF
libclang-rt-19-dev:sanitizers and fuzzing in make test-all
llvm-19:the reference assembler and disassembler in tests
libbpf-dev:the loader of BPF objects
libelf-dev:used by libbpf
zlib1g-dev:used by libbpf, and gzipped captures
libjansson-dev:JSON output
libcmocka-dev:unit tests
libpcap-dev:filter expressions of skep filter
libseccomp-dev:names of system calls in skep seccomp; its policies are test cases
tcpdump:the reference for filters in tests
netsniff-ng:bpfc, the reference assembler of classic BPF in tests
bpftool:makes vmlinux.h and reads objects in tests
iproute2:ip and tc, clients of the sandbox in tests
iputils-ping:ping through programs in tests
netcat-openbsd:nc through programs in tests
xdp-tools:xdp-loader and xdp-filter, clients of the sandbox in tests
tcpdump:a client with filters of its own in tests
'

command -v dpkg-query >/dev/null 2>&1 || {
	echo "deps: this is not Debian: install by hand what scripts/deps.sh lists, then run meson yourself" >&2
	exit 0
}

missing=
for line in $(printf '%s' "$needs" | sed 's/:.*//'); do
	dpkg-query -W -f='${db:Status-Status}' "$line" 2>/dev/null | grep -qx installed || missing="$missing $line"
done
[ -n "$missing" ] || exit 0

echo "Skep needs these Debian packages, which are not installed:"
for p in $missing; do
	printf '  %-18s %s\n' "$p" "$(printf '%s' "$needs" | sed -n "s/^$p://p")"
done
if [ "$(id -u)" = 0 ]; then
	run=
elif command -v sudo >/dev/null 2>&1; then
	run=sudo
else
	echo "deps: run as root, or install sudo, or: apt-get install$missing" >&2
	exit 1
fi
echo "Installing them with apt-get ..."
log=$(mktemp)
if ! { $run apt-get update && DEBIAN_FRONTEND=noninteractive $run apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "deps: apt-get failed; the whole output is in $log" >&2
	exit 1
fi
rm -f "$log"
