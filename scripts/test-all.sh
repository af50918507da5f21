#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Everything slow: the long tests, the tests again under the sanitizers, fuzzing for a while. Every stage
# is bounded in time and says how long it took; what fails does not keep the next from running.
# FUZZ_SECONDS (default 40) is the time each fuzz target gets, STAGES the stages to run (default all).
set -u
cd "$(dirname "$0")/.."
fuzz_seconds=${FUZZ_SECONDS:-40}
begin=$(date +%s)
status=0

elapsed() { echo "$((($(date +%s) - $1) / 60)) min $((($(date +%s) - $1) % 60)) s"; }

stage() { # name, seconds at most, command ...
	name=$1 limit=$2 since=$(date +%s)
	shift 2
	case " ${STAGES:-$name} " in *" $name "*) ;; *) return ;; esac
	echo "== $name (at most $((limit / 60)) min)"
	"$0" --stage "$limit" "$@"
	code=$?
	[ $code = 0 ] || status=1
	[ $code != 124 ] || echo "$name: out of time"
	echo "== $name: $([ $code = 0 ] && echo ok || echo FAILED), $(elapsed "$since"); $(elapsed "$begin") in all"
}

build() { # directory, meson arguments ...
	dir=$1
	shift
	test -f "$dir/build.ninja" || meson setup "$dir" "$@" >/dev/null || return 1
	ninja -C "$dir" >"$dir/build.log" 2>&1 || { grep -E 'error|FAILED|undefined' "$dir/build.log" | head -40; return 1; }
}

sanitized() { # name, sanitizers, environment
	build "build-$1" -Db_sanitize="$2" -Db_lundef=false -Doptimization=1 || return 1
	env "$3" SKEP_TEST_STEPS=1000 TEST_TIMEOUT_MULTIPLIER=20 scripts/run-tests.py --build "build-$1" check
}

fuzz_one() { # target
	log=$1.log
	timeout $((fuzz_seconds + 60)) "$1" -max_total_time="$fuzz_seconds" -timeout=25 -rss_limit_mb=2048 \
		-print_final_stats=1 >"$log" 2>&1
	code=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ $code = 0 ]; then
		echo "ok     $(basename "$1"): ${runs:-0} inputs"
	else
		echo "FAIL   $(basename "$1"): status $code"
		tail -40 "$log"
	fi
	return $code
}

fuzzed() {
	CC=clang-19 build build-fuzz -Dfuzzers=true -Doptimization=1 || return 1
	export fuzz_seconds
	for target in build-fuzz/fuzz/fuzz-*; do
		if test -x "$target" -a -f "$target"; then echo "$target"; fi
	done | xargs -n 1 -P "$(nproc)" "$0" --fuzz-one
}

case ${1:-} in
--stage) # in a process group of its own, so that what a stage started ends with it
	limit=$2
	shift 2
	exec timeout --kill-after=10 "$limit" "$0" --run "$@"
	;;
--run)
	shift
	"$@"
	exit
	;;
--fuzz-one)
	fuzz_one "$2"
	exit
	;;
esac

echo "everything slow, at most an hour"
stage long 1200 scripts/run-tests.py --build build all
stage asan 900 sanitized asan address,undefined UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
stage tsan 900 sanitized tsan thread TSAN_OPTIONS=halt_on_error=1
stage fuzz 600 fuzzed
echo "test-all: $([ $status = 0 ] && echo ok || echo FAILED), $(elapsed "$begin")"
exit $status
