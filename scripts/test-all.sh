#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Everything slow: all tests again under the sanitizers, long tests, fuzzing for a while.
# FUZZ_SECONDS (default 60) is the time each fuzz target gets.
set -eu
cd "$(dirname "$0")/.."
fuzz_seconds=${FUZZ_SECONDS:-60}
status=0

sanitized() { # name, sanitizers, environment
	build=build-$1
	test -f "$build/build.ninja" ||
		meson setup "$build" -Db_sanitize="$2" -Db_lundef=false -Doptimization=1 >/dev/null
	ninja -C "$build" >"$build/build.log" 2>&1 || { tail -20 "$build/build.log"; exit 1; }
	echo "== all tests under $2"
	env $3 TEST_TIMEOUT_MULTIPLIER=20 scripts/run-tests.py --build "$build" all || status=1
}

echo "== long tests"
scripts/run-tests.py --build build all || status=1
sanitized asan address,undefined "ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"
sanitized tsan thread "TSAN_OPTIONS=halt_on_error=1"

echo "== fuzzing, $fuzz_seconds s a target"
build=build-fuzz
test -f "$build/build.ninja" || CC=clang-19 meson setup "$build" -Dfuzzers=true -Doptimization=1 >/dev/null
ninja -C "$build" >"$build/build.log" 2>&1 || { tail -20 "$build/build.log"; exit 1; }
for target in "$build"/fuzz/fuzz-*; do
	test -x "$target" -a -f "$target" || continue
	echo "$target"
	"$target" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 -print_final_stats=0 >"$build/fuzz.log" 2>&1 || {
		tail -40 "$build/fuzz.log"
		status=1
	}
done
exit $status
