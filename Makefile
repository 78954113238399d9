# SPDX-License-Identifier: Apache-2.0
# batchpipe. `make` builds, `make check` tests, `make demo` shows. All output is under build/.
#   SAN=address,undefined | SAN=thread   build and test under sanitizers
#   DEVELOPER=1                          warnings are errors
#   PREFIX=/usr/local DESTDIR=           where `make install` puts things
#   CC=gcc | clang

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif

B := build
ifdef SAN
B := build/san-$(subst $(comma),-,$(SAN))
SAN_FLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
comma := ,

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
ifdef DEVELOPER
WARN += -Werror
endif
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DBP_VERSION='"$(VERSION)"' -Ilib -pthread \
	-ffunction-sections -fdata-sections -fstack-protector-strong $(WARN) $(CFLAGS) $(SAN_FLAGS)
ALL_LDFLAGS := -pthread -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS) $(SAN_FLAGS)
LIBS := -lpg_query -lcsv -lz -lzstd -llz4 -lxxhash -ljansson -lm

LIB_SRC := $(wildcard lib/*/*.c)
CMD_SRC := $(wildcard cmd/bp-*.c)
UNIT_SRC := $(wildcard tests/unit/*_test.c)
FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
GEN_SRC := $(wildcard examples/taxi/*.c)

LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
CMDS := $(CMD_SRC:cmd/%.c=$(B)/bin/%)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
REPLAYS := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%-replay)
GENS := $(GEN_SRC:examples/taxi/%.c=$(B)/bin/%)

all: $(CMDS) $(GENS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libbp.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(CMDS): $(B)/bin/%: $(B)/obj/cmd/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

$(GENS): $(B)/bin/%: $(B)/obj/examples/taxi/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

$(UNITS): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf build

.PHONY: all clean
