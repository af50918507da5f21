#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# make bench: native C, Skep and the kernel, side by side in one run; the table and build/bench.json.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
exec "$build/bench/skep-bench" --json "$build/bench.json"
