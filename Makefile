# luareact: every step a person or CI needs. The logic is in tools/; this file only orders it.

SCRIPT ?= scripts/examples/show.lua
ARGS ?=
PREFIX ?= /usr/local
DESTDIR ?=
MINUTES ?= 10

SWIFT = swift
BINARY = .build/release/luareact
SWIFT_SOURCES = Package.swift $(wildcard Sources Tests Examples)
SHARE = $(DESTDIR)$(PREFIX)/share/luareact
MAN = $(DESTDIR)$(PREFIX)/share/man/man1

step = @printf '\n== %s\n' '$(1)'

# The steps share .build, which one swift process locks at a time.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test check lint format bench install uninstall asan tsan soak docs clean
.PHONY: sweep release packages-build packages-test packages-bench

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: packages-build release ## build a release and run SCRIPT=FILE ARGS=... (a live show if none)
	$(call step,$(SCRIPT) $(ARGS))
	@$(BINARY) $(SCRIPT) $(ARGS)

test: packages-test ## build, pass every Swift and Lua test, run the packages in Examples/
	$(call step,build with tests)
	$(SWIFT) build --build-tests
	$(call step,test)
	$(SWIFT) test
	$(call step,examples)
	@tools/run-examples
	$(call step,the examples of the manual)
	@tools/run-manual

check: lint test ## lint, warnings as errors, then every test: what CI runs

lint: packages-test ## formatting, house rules, C warnings, Lua and shell syntax, the man page
	$(call step,swift-format)
	swift-format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	$(call step,house rules)
	tools/house
	$(call step,C warnings as errors)
	@tools/lint-c
	$(call step,scripts and man page)
	@tools/lint-scripts

format: ## format the Swift sources in place
	$(call step,swift-format)
	swift-format format --in-place --parallel --recursive $(SWIFT_SOURCES)

bench: packages-bench release ## measure ours beside the peers, in one run
	$(call step,benchmarks)
	Benchmarks/run

install: packages-build release ## install under PREFIX=/usr/local (DESTDIR is honoured)
	$(call step,install under $(DESTDIR)$(PREFIX))
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/luareact
	install -D -m 644 docs/man/luareact.1 $(MAN)/luareact.1
	@tools/install-lua scripts/lib $(SHARE)/lib
	@tools/install-lua scripts/protocols $(SHARE)/protocols
	@tools/install-lua scripts/types $(SHARE)/types

uninstall: ## remove what install put under PREFIX
	$(call step,uninstall from $(DESTDIR)$(PREFIX))
	rm -f $(DESTDIR)$(PREFIX)/bin/luareact $(MAN)/luareact.1
	rm -rf $(SHARE)

asan: packages-test ## the tests under AddressSanitizer
	$(call step,test under AddressSanitizer)
	$(SWIFT) test --sanitize=address --scratch-path .build-asan

tsan: packages-test ## the tests under ThreadSanitizer
	$(call step,test under ThreadSanitizer)
	$(SWIFT) test --sanitize=thread --scratch-path .build-tsan

soak: packages-test ## valgrind and the full sweep, then the tests again for MINUTES=10
	$(call step,soak for $(MINUTES) minutes)
	@tools/soak $(MINUTES)

sweep: packages-test ## every allocation of the sweep's scripts fails once, twice, and for good
	$(call step,allocation-failure sweep)
	$(SWIFT) run AllocationSweep

docs: packages-test ## the Swift reference and the manual page, into .build-docs/html
	$(call step,documentation)
	@tools/build-docs

clean: ## remove everything that was built
	rm -rf .build .build-* Examples/*/.build Benchmarks/.build

# The Swift runtime is linked in, so that the binary runs where there is no Swift toolchain.
# Without frame pointers an echoed message takes about 80 instructions fewer.
release:
	$(call step,release build)
	$(SWIFT) build -c release --static-swift-stdlib --omit-frame-pointers --product luareact

packages-build:
	@tools/need-swift
	@tools/install-packages build

packages-test:
	@tools/need-swift
	@tools/install-packages test

packages-bench:
	@tools/need-swift
	@tools/install-packages bench
