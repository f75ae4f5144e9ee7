# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Programs for the machines from selftests/system: each test_*.c becomes one,
# linked with what the other C files there and libockam offer. And those of
# selftests/interop, which its tests call by name.
#
#   make -f scripts/system.mk BUILD=DIR LIB=libockam.a

top := $(patsubst %/scripts/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(top)/build/system
LIB ?= $(top)/build/tools/libockam.a

CC ?= cc
AR ?= ar
PACKAGES := libnl-3.0 libnl-genl-3.0 libcrypto sqlite3 json-c \
	libseccomp libcap
CFLAGS := -std=gnu17 -O1 -g -Wall -Wextra -Werror
CPPFLAGS := -D_GNU_SOURCE= -I$(top)/include/uapi -I$(top)/selftests/unit \
	-I$(top)/selftests/packet -I$(top)/tools/lib -DOCKAM_VERSION='"test"' \
	$(shell pkg-config --cflags $(PACKAGES))
LDLIBS := -Wl,--as-needed $(shell pkg-config --libs $(PACKAGES)) -ljq \
	-lunistring -lpthread

sources := $(sort $(wildcard $(top)/selftests/system/*.c))
tests := $(filter $(top)/selftests/system/test_%.c,$(sources))
programs := $(patsubst $(top)/selftests/system/%.c,$(BUILD)/%,$(tests))
peers := $(patsubst $(top)/selftests/interop/%.c,$(BUILD)/%,$(wildcard $(top)/selftests/interop/*.c))
helpers := $(patsubst $(top)/selftests/system/%.c,$(BUILD)/obj/%.o,$(filter-out $(tests),$(sources))) \
	$(BUILD)/obj/packet.o

.PHONY: all
all: $(programs) $(peers)

$(BUILD)/obj/%.o: $(top)/selftests/system/%.c
	@mkdir -p $(@D)
	@echo "  CC      system/$*.o"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/packet.o: $(top)/selftests/packet/packet.c
	@mkdir -p $(@D)
	@echo "  CC      packet.o"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libhelp.a: $(helpers)
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

$(programs): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libhelp.a $(LIB)
	@echo "  LD      system/$*"
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(peers): $(BUILD)/%: $(top)/selftests/interop/%.c $(top)/selftests/system/sock.h
	@mkdir -p $(@D)
	@echo "  CC      interop/$*"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $<

-include $(wildcard $(BUILD)/obj/*.d)
