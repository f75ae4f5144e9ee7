# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Fuzz targets: each selftests/fuzz/fuzz_*.c becomes a program with libFuzzer,
# ASan and UBSan, linked with libockam, and fuzz_k_*.c with the module's
# floor 0 compiled for the host. Also their seeds. All of it needs clang.
#
#   make -f scripts/fuzz.mk BUILD=DIR [all|seeds|DIR/TARGET]

top := $(patsubst %/scripts/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(top)/build/fuzz
override BUILD := $(abspath $(BUILD))
here := $(top)/selftests/fuzz

CC := clang
PACKAGES := libnl-3.0 libnl-genl-3.0 libcrypto sqlite3 json-c \
	libseccomp libcap
sanitize := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CFLAGS := -std=gnu17 -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer $(sanitize)
CPPFLAGS := -D_GNU_SOURCE= -I$(top)/include/uapi -I$(here) -I$(top)/selftests/packet \
	-DOCKAM_VERSION='"test"' $(shell pkg-config --cflags $(PACKAGES))
LDFLAGS := -fsanitize=fuzzer,address,undefined
LDLIBS := $(shell pkg-config --libs $(PACKAGES)) -ljq -lunistring -lpthread

targets := $(patsubst $(here)/fuzz_%.c,%,$(sort $(wildcard $(here)/fuzz_*.c)))
kernel_targets := $(filter k_%,$(targets))
library_targets := $(filter-out k_%,$(targets))
lib := $(BUILD)/tools/libockam.a
floor0 := $(addprefix $(BUILD)/obj/kmod/,addr.o cbor.o link_cut.o replay.o wire.o)
kernel := -DOCKAM_HOST -I$(top)/kmod/codec -I$(top)/kmod/tests

# Parsers outside of the library that a target is about.
extra_k_wire := $(BUILD)/obj/library_plaintext.o $(BUILD)/obj/packet.o
extra_packet := $(BUILD)/obj/packet.o
extra_route := $(BUILD)/obj/packet.o
extra_workerpipe := $(BUILD)/obj/ockamd/workerpipe.o

.PHONY: all common seeds
all: $(addprefix $(BUILD)/,$(targets)) seeds
# What all targets need; afterwards they may be built side by side.
common: $(lib) $(floor0) seeds

seeds:
	@rm -rf $(BUILD)/seeds
	@$(here)/seeds.py $(BUILD)/seeds

# The library's own makefile knows what it is made of.
$(lib): $(wildcard $(top)/tools/lib/*.[ch]) $(top)/tools/Makefile
	@CC=$(CC) CFLAGS="-O1 -g -fsanitize=fuzzer-no-link" $(MAKE) -s --no-print-directory \
		-C $(top)/tools ASAN=1 BUILD=$(BUILD)/tools lib >/dev/null
	@touch $@

$(BUILD)/obj/kmod/%.o: $(top)/kmod/codec/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(kernel) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/ockamd/%.o: $(top)/tools/ockamd/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/packet.o: $(top)/selftests/packet/packet.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/library_%.o: $(here)/library_%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/fuzz_k_%.o: $(here)/fuzz_k_%.c
	@mkdir -p $(@D)
	@echo "  CC      fuzz_k_$*"
	@$(CC) $(kernel) $(CPPFLAGS) -I$(top)/tools/lib \
		$(CFLAGS) -MMD -MP -c -o $@ $<
$(addprefix $(BUILD)/obj/fuzz_,$(addsuffix .o,$(library_targets))): $(BUILD)/obj/fuzz_%.o: $(here)/fuzz_%.c
	@mkdir -p $(@D)
	@echo "  CC      fuzz_$*"
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib -I$(top)/tools/ockamd $(CFLAGS) -MMD -MP -c -o $@ $<

wrap = $(if $(filter history attestation credential payload,$(1)),-Wl$(comma)--wrap=ockam_crypto_verify)
comma := ,

.SECONDEXPANSION:
$(addprefix $(BUILD)/,$(targets)): $(BUILD)/%: $(BUILD)/obj/fuzz_%.o $$(extra_$$*) $(floor0) $(lib)
	@$(CC) $(LDFLAGS) $(call wrap,$*) -o $@ $< $(extra_$*) \
		$(if $(filter k_%,$*),$(floor0)) $(lib) $(LDLIBS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
