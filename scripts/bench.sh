#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# make bench: native C, Skep and the kernel, side by side in one run; the table and build/bench.json. Then
# classic filters, and skep filter beside tcpdump over a capture of a gigabyte.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
"$build/bench/skep-bench" --json "$build/bench.json"
"$build/bench/bench-filter"
exec scripts/bench-capture.sh "$build"
