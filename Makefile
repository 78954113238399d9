# SPDX-License-Identifier: Apache-2.0
# batchpipe. `make` builds, `make check` tests, `make demo` shows. All output is under build/.
#   SAN=address,undefined | SAN=thread   build and test under sanitizers
#   DEVELOPER=1                          warnings are errors
#   PREFIX=/usr/local DESTDIR=           where `make install` puts things
#   CC=gcc | clang
# `make bench` measures against other programs: tests/bench/README.md.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif

comma := ,
B := build
ifdef SAN
B := build/san-$(subst $(comma),-,$(SAN))
SAN_FLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
# messages are cut to the size of struct bp_err on purpose; clang has no such warning
ifeq (,$(findstring clang,$(CC)))
WARN += -Wno-format-truncation
endif
ifdef DEVELOPER
WARN += -Werror
endif
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DBP_VERSION='"$(VERSION)"' -Ilib -pthread \
	 -fstack-protector-strong $(WARN) $(CFLAGS) $(SAN_FLAGS)
ALL_LDFLAGS := -pthread -Wl,--as-needed $(LDFLAGS) $(SAN_FLAGS)
LIBS := -lpg_query -lpcre2-8 -lcsv -lisal -lz -lzstd -llz4 -lbz2 -llzma -lxxhash -ljansson -lm

LIB_SRC := $(wildcard lib/*/*.c lib/*/*/*.c)
CMD_SRC := $(wildcard cmd/bp-*.c)
UNIT_SRC := $(wildcard tests/unit/*_test.c)
FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
GEN_SRC := $(wildcard examples/taxi/*.c)
BENCH_SRC := $(wildcard tests/bench/gen/*.c)

LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
CMDS := $(CMD_SRC:cmd/%.c=$(B)/bin/%)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
REPLAYS := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%-replay)
# a helper each room of libexec
HELPERS := $(patsubst libexec/%/,$(B)/libexec/batchpipe/bp-%,$(sort $(dir $(wildcard libexec/*/*.c))))
LIBS_remote := -lcurl
LIBS_sqlite := -lsqlite3
LIBS_postgres := -lpq
GENS := $(GEN_SRC:examples/taxi/%.c=$(B)/bin/%)
BENCH_GENS := $(BENCH_SRC:tests/bench/gen/%.c=$(B)/bench/bin/%)

all: $(CMDS) $(HELPERS) $(GENS)

# V=1 shows the whole commands
ifndef V
Q := @
endif

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  cc   $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libbp.a: $(LIB_OBJ)
	@rm -f $@
	$(if $(Q),@echo "  ar   $@")
	$(Q)ar rcs $@ $^

$(CMDS): $(B)/bin/%: $(B)/obj/cmd/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

# started by the commands for names that ask for them: only they are linked with such libraries
.SECONDEXPANSION:
$(HELPERS): $(B)/libexec/batchpipe/bp-%: $$(addprefix $(B)/obj/,$$(addsuffix .o,$$(basename $$(wildcard libexec/$$*/*.c)))) $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_$*) $(LIBS) -o $@

$(GENS): $(B)/bin/%: $(B)/obj/examples/taxi/%.o
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $< -o $@

$(UNITS): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

$(BENCH_GENS): $(B)/bench/bin/%: $(B)/obj/tests/bench/gen/%.o
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $< -o $@

FUZZ_LIB := $(B)/obj/tests/fuzz/replay.o
# NAME_fuzz of a helper: all of it but main()
helper_obj = $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(wildcard libexec/$(1:_fuzz=)/*.c)))
$(REPLAYS): $(B)/fuzz/%-replay: $(B)/obj/tests/fuzz/%.o $(FUZZ_LIB) $$(call helper_obj,$$*) $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# by libFuzzer itself: see `fuzz` below
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzzing/%)
$(FUZZERS): build/fuzzing/%: $(B)/obj/tests/fuzz/%.o $$(call helper_obj,$$*) $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@

PIPE_SRC := $(wildcard tests/pipe/*.c)
PIPES := $(PIPE_SRC:tests/pipe/%.c=$(B)/pipe/%)
$(PIPES): $(B)/pipe/%: $(B)/obj/tests/pipe/%.o $(B)/libbp.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(B)/libbp.a $(LIBS) -o $@

# fails the N-th call of one kind; never under a sanitizer itself
SHIM := $(B)/fault/shim.so
$(SHIM): tests/fault/shim.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  ld   $@")
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -fPIC -shared $(WARN) $(CFLAGS) $< -o $@ -ldl

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- what must be installed ----
DEB_BUILD := gcc make pkg-config libpg-query-dev libcsv-dev libisal-dev zlib1g-dev libzstd-dev \
	liblz4-dev libbz2-dev liblzma-dev libsnappy-dev libbrotli-dev libxxhash-dev libjansson-dev \
	libpcre2-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev
DEB_TEST := bats clang clang-format-14 python3-venv mandoc parallel mawk postgresql tzdata

deps:
	@sh tests/deps.sh $(DEB_BUILD) $(DEB_TEST)
deps-build:
	@sh tests/deps.sh $(DEB_BUILD)

CORES := $(shell nproc 2>/dev/null || echo 1)

# `make demo` and `make check` on a bare machine: packages first, then a second make that sees them.
demo: deps-build
	@$(MAKE) -j$(CORES) --no-print-directory all
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" sh examples/taxi/demo.sh

check: deps
	@$(MAKE) -j$(CORES) --no-print-directory tests-built
	@$(MAKE) --no-print-directory check-built

# ---- tests ----
VENV := build/venv
$(VENV)/ready: tests/requirements.txt
	@echo "python oracles: a virtual environment in $(VENV)"
	@rm -rf $(VENV)
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# an S3-compatible server that serves a folder, for tests/pipe/remote.py; without go, or without
# its modules, those tests are skipped
S3_SERVER := build/go/bin/versitygw
$(S3_SERVER):
	@if command -v go >/dev/null; then echo "an S3 server for the tests: $@"; \
		GOBIN="$(CURDIR)/$(@D)" go install \
			github.com/versity/versitygw/cmd/versitygw@v1.8.0 >/dev/null 2>&1 || \
			echo "it cannot be built: tests against S3 are skipped"; fi

tests-built: all $(UNITS) $(REPLAYS) $(PIPES) $(SHIM) $(BENCH_GENS)

check-built: tests-built $(VENV)/ready $(S3_SERVER)
	@BP_BUILD="$(CURDIR)/$(B)" BP_PYTHON="$(CURDIR)/$(VENV)/bin/python" sh tests/run.sh

lint:
	@CC="$(CC)" sh tests/lint.sh "$(CURDIR)/$(B)/bin"

# libFuzzer: make fuzz FUZZ=ipc SECONDS=60
FUZZ ?= ipc
SECONDS ?= 60
FUZZ_CC ?= clang
fuzz:
	@sh tests/deps.sh $(DEB_BUILD) clang libclang-rt-14-dev
	@mkdir -p build/fuzzing/$(FUZZ)
	@$(MAKE) --no-print-directory CC='$(FUZZ_CC)' SAN=fuzzer-no-link,address,undefined \
		CFLAGS='-O1 -g' build/fuzzing/$(FUZZ)_fuzz
	build/fuzzing/$(FUZZ)_fuzz -max_total_time=$(SECONDS) -rss_limit_mb=2048 \
		build/fuzzing/$(FUZZ) tests/fuzz/corpus/$(FUZZ)

# ---- measuring ----
# Each job by each engine; tests/bench/README.md. Data, results and the rivals stay in build/bench.
#   make bench JOBS='J1 J3' ROUNDS=5 SCALE=1 ENGINES='batchpipe duckdb'
JOBS ?=
ROUNDS ?= 5
SCALE ?= 1
ENGINES ?=
DEB_BENCH := python3-venv miller mawk datamash gnuplot-nox
BENCH_VENV := build/bench/venv
$(BENCH_VENV)/ready: tests/bench/requirements.txt
	@echo "rivals' newest releases: a virtual environment in $(BENCH_VENV)"
	@rm -rf $(BENCH_VENV)
	@mkdir -p build/bench
	@python3 -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-deps: deps-build
	@sh tests/deps.sh $(DEB_BENCH)
	@command -v java >/dev/null || sh tests/deps.sh default-jre-headless || \
		echo "no Java: pyspark is left out"

bench: bench-deps
	@$(MAKE) -j$(CORES) --no-print-directory bench-built
	@$(BENCH_VENV)/bin/python tests/bench/bench.py run --build "$(CURDIR)/$(B)" --rounds $(ROUNDS) \
		--scale $(SCALE) --engines "$(ENGINES)" $(JOBS)

bench-built: all $(BENCH_GENS) $(BENCH_VENV)/ready

# ---- installing ----
MAN1 := $(wildcard man/*.1)
MAN5 := $(wildcard man/*.5)
MAN7 := $(wildcard man/*.7)
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
		$(DESTDIR)$(PREFIX)/libexec/batchpipe
	install -m 755 $(CMDS) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(HELPERS) $(DESTDIR)$(PREFIX)/libexec/batchpipe
	install -m 644 $(MAN1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(MAN5) $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 $(MAN7) $(DESTDIR)$(PREFIX)/share/man/man7

uninstall:
	rm -f $(CMDS:$(B)/bin/%=$(DESTDIR)$(PREFIX)/bin/%)
	rm -f $(HELPERS:$(B)/libexec/%=$(DESTDIR)$(PREFIX)/libexec/%)
	rm -f $(MAN1:man/%=$(DESTDIR)$(PREFIX)/share/man/man1/%)
	rm -f $(MAN5:man/%=$(DESTDIR)$(PREFIX)/share/man/man5/%)
	rm -f $(MAN7:man/%=$(DESTDIR)$(PREFIX)/share/man/man7/%)

clean:
	rm -rf build

.PHONY: all deps deps-build bench bench-deps bench-built demo check check-built tests-built lint fuzz install uninstall clean
.SECONDARY:
