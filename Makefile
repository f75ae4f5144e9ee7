# SPDX-License-Identifier: GPL-2.0
# Copyright The Ockam for Linux authors
#
#   make            kernel module and tools, for the installed kernel headers
#   make demo       what it does, in a virtual machine
#   make check      all tests
#   make help       the rest
#
# KERNELDIR=  another kernel build tree        TESTS=glob  tests by name
# DESTDIR=, PREFIX=  for install               CMD=        for vm, uml, debug

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
top := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

KERNELDIR ?=
BUILD ?= $(top)/build
PREFIX ?= /usr/local
DESTDIR ?=
MANDIR ?= $(PREFIX)/share/man
TESTS ?=
TARGETS ?=
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 3600
CMD ?=

machine := $(top)/selftests/vm/machine
run := $(top)/selftests/lib/run
export OCKAM_BUILD := $(BUILD)

.PHONY: all help modules tools tools-asan tools-asan-lib system-tests deps interop vm uml debug demo \
	check check-long check-unit check-fuzz check-uml check-vm check-debug check-style \
	kernels \
	fuzz soak style bench bench-handshakes bench-insn bench-scale profile \
	layers install uninstall modules_install clean \
	modules-vm modules-uml modules-debug

all: modules tools

help:
	@sed -n '/^#   make/,/^$$/s/^# \{0,1\}//p' $(top)/Makefile
	@echo "  make vm|uml|debug CMD='...'   run a command as root in a machine"
	@echo "  make check-unit|check-fuzz|check-uml|check-vm|check-debug|check-style|check-long"
	@echo "  OCKAM_VM_KERNEL=6.12 make vm|check-vm   on another of Debian's kernels: 6.12, sid, ..."
	@echo "  make kernels   build the module for the newest kernels of Debian's suites"
	@echo "  make fuzz [TARGETS='...'] [FUZZ_SECONDS=600]   fuzz targets, so long each"
	@echo "  make soak [SOAK_SECONDS=3600]   mixed traffic with the Rust peer, for an hour"
	@echo "  make bench-handshakes   what handshakes cost, beside the Rust crate"
	@echo "  make bench   rates and latencies beside other systems; in two minutes:"
	@echo "      BENCH_PARTS='oneway ask' BENCH_ONLY='64 1k' BENCH_ROUNDS=1 make bench"
	@echo "  make bench-insn   instructions a message costs; BENCH_ONLY='64 1k' BENCH_BATCH=1 for some"
	@echo "  make bench-scale   the same beside many channels, links, addresses (BENCH_LONG=1: 100,000)"
	@echo "  make profile [BENCH_ONLY=64] [BENCH_BATCH=1]   the functions that they are spent in"
	@echo "  make style, make layers, make interop, make install, make clean"

# What is missing is installed, or named when that needs another user.
deps:
	@$(top)/scripts/install-deps

modules: deps
	@$(top)/scripts/build-module $(BUILD)/modules/host \
		"$$($(top)/scripts/kernel-dir $(KERNELDIR))"

modules-vm: deps
	@. $(top)/scripts/common.sh; root=$$(ockam_vm_root); \
	if [ -n "$$root" ]; then \
		version=$$(cat $$root/version); kernel=debian:$$root; \
	else \
		version=$$(ockam_vm_version); kernel=/lib/modules/$$version/build; \
	fi; \
	out=$(BUILD)/modules/vm$${OCKAM_VM_KERNEL:+-$$OCKAM_VM_KERNEL}; \
	$(top)/scripts/build-module $$out $$kernel; \
	$(top)/scripts/module-tree $$out $$version $$root

modules-uml modules-debug: modules-%: deps
	@$(top)/scripts/build-module $(BUILD)/modules/$* $*

tools: deps
	@$(MAKE) --no-print-directory -C $(top)/tools BUILD=$(BUILD)/tools

tools-asan tools-asan-lib: deps
	@$(MAKE) --no-print-directory -C $(top)/tools ASAN=1 \
		BUILD=$(BUILD)/tools-asan $(if $(filter %-lib,$@),lib,all)

# Programs that run inside the machines.
system-tests: deps
	@$(MAKE) --no-print-directory -C $(top)/tools BUILD=$(BUILD)/tools lib
	@$(MAKE) --no-print-directory -f $(top)/scripts/system.mk \
		BUILD=$(BUILD)/system LIB=$(BUILD)/tools/libockam.a
	@$(MAKE) --no-print-directory -f $(top)/scripts/bench.mk \
		BUILD=$(BUILD)/bench LIB=$(BUILD)/tools/libockam.a

interop: deps
	@if [ -x $(top)/selftests/interop/build ]; then \
		$(top)/selftests/interop/build; \
	fi

# Nothing but the command's own output on the standard output.
vm uml debug:
	@[ -n "$$OCKAM_COMMAND" ] || { echo "usage: make $@ CMD='...'" >&2; exit 2; }
	@$(MAKE) --no-print-directory -f $(top)/Makefile modules-$@ tools >&2
	@$(machine) $@ "$$OCKAM_COMMAND"
# As typed: what looks like make's own syntax in it is the shell's.
unexport CMD
export OCKAM_COMMAND := $(value CMD)

demo: modules-vm tools
	@$(machine) -t 600 vm $(top)/selftests/demo/demo.sh

soak: modules-uml tools interop
	@$(machine) -o $(BUILD)/soak -t $$(($(SOAK_SECONDS) + 1200)) uml \
		$(top)/selftests/soak/soak.py $(SOAK_SECONDS)

# Without the Rust peer its figures are missing, which is said.
bench-handshakes: modules-vm tools system-tests
	@peer=$$($(top)/selftests/interop/build) || peer=; \
	$(top)/selftests/bench/compare $(BUILD) "$$peer"

# Without it the figures of AEAD alone are missing, which is said.
.PHONY: bench-aead
bench-aead: deps
	@$(top)/selftests/bench/build-aead $(BUILD)/bench/module || true

bench bench-insn bench-scale profile: modules-vm tools system-tests bench-aead
	@$(top)/selftests/bench/messages $(BUILD) $(patsubst bench-%,%,$(@:bench=rates))

# These build what they need themselves: a build that fails counts as well.
check: deps
	@$(run) all '$(TESTS)'

# The same, with every test on every kernel that it is for: long under emulation.
# Then what is for Debian's kernel on the next one, and the builds for the others.
check-long: export OCKAM_LONG = 1
check-long: deps
	@failed=; \
	$(run) all '$(TESTS)' || failed=1; \
	OCKAM_VM_KERNEL=6.12 $(run) vm '$(TESTS)' || failed=1; \
	$(top)/scripts/kernels || failed=1; \
	[ -z "$$failed" ]

kernels: deps
	@$(top)/scripts/kernels

check-unit check-fuzz check-uml check-vm check-debug check-style: check-%: deps
	@$(run) $* '$(TESTS)'

fuzz: deps
	@$(top)/selftests/lib/fuzz $(FUZZ_SECONDS) $(TARGETS)

style: deps
	@$(top)/scripts/style

layers:
	@$(top)/scripts/layers

modules_install: modules
	@dir=$$($(top)/scripts/kernel-dir $(KERNELDIR)); \
	release=$$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		$$dir/include/generated/utsrelease.h); \
	install -D -m 644 $(BUILD)/modules/host/kmod/ockam.ko \
		$(DESTDIR)/lib/modules/$$release/updates/ockam.ko; \
	if [ -n "$(DESTDIR)" ] && [ ! -f $(DESTDIR)/lib/modules/$$release/modules.order ]; then \
		echo "staged for $$release; run depmod where it is installed"; \
	else \
		depmod $(if $(DESTDIR),-b $(DESTDIR)) $$release; \
	fi

install: modules_install tools
	@$(MAKE) --no-print-directory -C $(top)/tools BUILD=$(BUILD)/tools \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install
	@install -D -m 644 $(top)/scripts/modprobe.conf \
		$(DESTDIR)$(PREFIX)/lib/modprobe.d/ockam.conf
	@for page in $(top)/Documentation/man/*.[1-8]; do \
		[ -f "$$page" ] || continue; \
		install -D -m 644 "$$page" \
			"$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; \
	done

uninstall:
	@rm -f $(DESTDIR)/lib/modules/*/updates/ockam.ko \
		$(DESTDIR)$(PREFIX)/lib/modprobe.d/ockam.conf
	@for release in $(DESTDIR)/lib/modules/*/modules.order; do \
		[ -f "$$release" ] || continue; \
		release=$${release%/*}; \
		depmod $(if $(DESTDIR),-b $(DESTDIR)) "$${release##*/}"; \
	done
	@$(MAKE) --no-print-directory -C $(top)/tools BUILD=$(BUILD)/tools \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) uninstall
	@for page in $(top)/Documentation/man/*.[1-8]; do \
		rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; \
	done

clean:
	rm -rf $(BUILD)
