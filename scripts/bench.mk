# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Programs of the benchmarks, which run in the machines and, but for those that
# need nodes, on the host: each selftests/bench/*.c is one but for the parts of
# traffic, compiled as what it measures is.
#
#   make -f scripts/bench.mk BUILD=DIR LIB=libockam.a

top := $(patsubst %/scripts/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(top)/build/bench
LIB ?= $(top)/build/tools/libockam.a

CC ?= cc
PACKAGES := libnl-3.0 libnl-genl-3.0 libcrypto sqlite3 json-c
CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Wno-unused-function -Wno-maybe-uninitialized
CPPFLAGS := -D_GNU_SOURCE= -I$(top)/include/uapi -I$(top)/selftests/unit -I$(top)/tools/lib \
	-DOCKAM_VERSION='"bench"' $(shell pkg-config --cflags $(PACKAGES))
LDLIBS := $(shell pkg-config --libs $(PACKAGES)) -ljq -lunistring -lpthread

sources := $(wildcard $(top)/selftests/bench/*.c)
# Those called traffic_* are parts of traffic.
parts := $(filter $(top)/selftests/bench/traffic_%,$(sources))
programs := $(patsubst $(top)/selftests/bench/%.c,$(BUILD)/%,$(filter-out $(parts),$(sources)))

.PHONY: all
all: $(programs)

$(BUILD)/traffic: $(parts)
$(programs): $(BUILD)/%: $(top)/selftests/bench/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  CC      bench/$*" >&2
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(filter $(parts),$^) $(LIB) $(LDLIBS)

-include $(wildcard $(BUILD)/*.d)
