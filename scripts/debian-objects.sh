#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The objects that Debian installs, judged by Skep and by the kernel: prints where they differ.
# Installs the packages where it may; takes what is there.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
objects=$build/debian-objects
packages="libbpf-tools xdp-tools libxdp1 systemd"

if [ "$(id -u)" = 0 ] && ! dpkg -s $packages >/dev/null 2>&1; then
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages >/dev/null ||
		echo "not all of these could be installed: $packages" >&2
fi
rm -rf "$objects"
for package in $packages; do
	dpkg -L "$package" 2>/dev/null
done | grep -E '/(s?bin|lib/systemd)/[^/]*$' | xargs tests/verifier/cut_objects.py "$objects"
find /usr/lib -path '*/bpf/*.o' -exec cp {} "$objects" \;
exec "$build/tests/verifier/compare" "$objects"/*.o
