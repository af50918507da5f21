# SPDX-License-Identifier: BSD-2-Clause
# The front door. Each target installs what is missing (scripts/deps.sh), builds into build/ and does its job.
BUILD ?= build
PREFIX ?= /usr/local
MESON_ARGS ?=

.PHONY: all deps run test check bench test-all fuzz install clean
.DEFAULT_GOAL := all

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -v >$(BUILD)/build.log 2>&1 || { grep -E 'error|FAILED|undefined' $(BUILD)/build.log | head -40; echo "build failed: see $(BUILD)/build.log" >&2; exit 1; }

deps:
	@scripts/deps.sh

$(BUILD)/build.ninja: meson.build | deps
	@test -f $@ || meson setup $(BUILD) --prefix=$(PREFIX) $(MESON_ARGS) >/dev/null

run: all         ## the example: an XDP filter against a mixed attack, on Skep and on the kernel
	@scripts/run-ddos.sh $(BUILD)

check: all       ## the fast tests, under 10 s
	@scripts/run-tests.py --build $(BUILD) check

test: all        ## everything a newcomer needs
	@scripts/run-tests.py --build $(BUILD) test

test-all: test   ## and the sanitizers, and everything slow
	@scripts/test-all.sh

bench: all       ## measured side by side: native C, Skep, the kernel
	@scripts/bench.sh $(BUILD)

install: all
	@meson install -C $(BUILD) --no-rebuild --quiet

clean:
	rm -rf $(BUILD) build-*
