# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Host unit tests: each selftests/unit/test_*.c becomes a program under ASan
# and UBSan, linked with libockam, and test_k_*.c with the module's floor 0
# compiled for the host.
#
#   make -f scripts/unit.mk BUILD=DIR LIB=libockam.a

top := $(patsubst %/scripts/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(top)/build/unit
LIB ?= $(top)/build/tools-asan/libockam.a

CC ?= cc
PACKAGES := libnl-3.0 libnl-genl-3.0 libcrypto sqlite3 json-c \
	libseccomp libcap
CFLAGS := -std=gnu17 -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
CPPFLAGS := -D_GNU_SOURCE= -I$(top)/include/uapi -I$(top)/selftests/unit \
	-I$(top)/selftests/packet -DOCKAM_VERSION='"test"' \
	$(shell pkg-config --cflags $(PACKAGES))
LDLIBS := $(shell pkg-config --libs $(PACKAGES)) -ljq -lunistring -lpthread

tests := $(patsubst $(top)/selftests/unit/%.c,%,$(sort $(wildcard $(top)/selftests/unit/test_*.c)))
programs := $(addprefix $(BUILD)/,$(tests))
floor0 := $(patsubst %,$(BUILD)/floor0/%.o,$(filter \
	$(notdir $(basename $(wildcard $(top)/kmod/codec/*.c))),addr cbor link_cut replay wire))

# Packets in user space, for those that want them.
packet := $(BUILD)/packet/packet.o

kernel := -DOCKAM_HOST -I$(top)/kmod/codec -I$(top)/kmod/tests

.PHONY: all
all: $(programs)

$(floor0): $(BUILD)/floor0/%.o: $(top)/kmod/codec/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(kernel) $(CFLAGS) -MMD -MP -c -o $@ $<

$(filter $(BUILD)/test_k_%,$(programs)): $(BUILD)/test_k_%: $(top)/selftests/unit/test_k_%.c $(floor0)
	@mkdir -p $(@D)
	@echo "  CC      test_k_$*"
	@$(CC) $(CPPFLAGS) $(kernel) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(floor0) $(wildcard $(LIB)) $(LDLIBS)

$(packet): $(top)/selftests/packet/packet.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib $(CFLAGS) -MMD -MP -c -o $@ $<

$(filter-out $(BUILD)/test_k_%,$(programs)): $(BUILD)/test_%: $(top)/selftests/unit/test_%.c $(packet) $(LIB)
	@mkdir -p $(@D)
	@echo "  CC      test_$*"
	@$(CC) $(CPPFLAGS) -I$(top)/tools/lib $(CFLAGS) -MMD -MP -MF $@.d \
		-o $@ $< $(packet) $(LIB) $(LDLIBS)

-include $(wildcard $(BUILD)/*.d $(BUILD)/floor0/*.d $(BUILD)/packet/*.d)
