#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run every test and count. BP_BUILD is the build directory, BP_PYTHON the oracles' interpreter.
# Each program (a suite) speaks TAP; one that fails without a "not ok" line counts as one failure.
# The last line is "N passed, N failed, N skipped".
#   TESTS='unit cli'   only these kinds
#   SUITES=2           as many side by side (default: one a processor)
set -u

here=$(cd "$(dirname "$0")" && pwd)
export PATH="$BP_BUILD/bin:$PATH"
export BP_TESTS="$here"
export BP_SHARED_DATA="${BP_SHARED_DATA:-$here/../../shared/data}"
unset BP_JOBS BP_MEM BP_TASK BP_TASKS BP_BATCH_ROWS BP_SIMD BP_RING
export LC_ALL=C.UTF-8
export TZ=America/New_York # must not matter
BP_CHECK=$(mktemp -d "${TMPDIR:-/tmp}/bp-check.XXXXXX")
export BP_CHECK
trap 'rm -rf "$BP_CHECK"' EXIT
export BP_CHECK_LOG="$BP_BUILD/check.log"
: >"$BP_CHECK_LOG"
: >"$BP_CHECK/counts"

# Suites, a line each: NAME, a blank, a command for the shell.
list() {
    for kind in ${TESTS:-lint unit fuzz fault cli variants pipe}; do
        case $kind in
        lint) echo 'lint sh "$BP_TESTS/lint.sh" "$BP_BUILD/bin"' ;;
        unit)
            for t in "$BP_BUILD"/unit/*_test; do
                n=$(basename "$t")
                echo "unit/$n \"\$BP_BUILD/unit/$n\""
            done
            ;;
        fuzz)
            for t in "$BP_BUILD"/fuzz/*-replay; do
                n=$(basename "$t" _fuzz-replay)
                echo "fuzz/$n sh \"\$BP_TESTS/fuzz/replay.sh\"" \
                    "\"\$BP_BUILD/fuzz/${n}_fuzz-replay\" \"\$BP_TESTS/fuzz/corpus/$n\""
            done
            ;;
        fault) echo 'fault "$BP_PYTHON" "$BP_TESTS/fault/run.py"' ;;
        cli)
            for t in "$here"/cli/*.bats; do
                n=$(basename "$t" .bats)
                echo "cli/$n bats --tap \"\$BP_TESTS/cli/$n.bats\""
            done
            ;;
        variants)
            # the same results with other inner batches, memory, threads and instruction sets
            for v in BP_BATCH_ROWS=1 BP_BATCH_ROWS=7 BP_MEM=16M BP_JOBS=1 BP_JOBS=4 \
                BP_SIMD=portable BP_SIMD=avx2 BP_RING=all; do
                echo "variants/$v env $v bats --tap \"\$BP_TESTS/cli/answers.bats\"" \
                    '"$BP_TESTS/cli/operators.bats"'
            done
            ;;
        pipe)
            for t in "$here"/pipe/*.sh; do
                n=$(basename "$t")
                echo "pipe/$n sh \"\$BP_TESTS/pipe/$n\""
            done
            for t in "$here"/pipe/*.py; do
                n=$(basename "$t")
                echo "pipe/$n \"\$BP_PYTHON\" \"\$BP_TESTS/pipe/$n\""
            done
            ;;
        esac
    done
}

list >"$BP_CHECK/list"
xargs -P "${SUITES:-$(nproc)}" -d '\n' -n 1 sh "$here/suite.sh" <"$BP_CHECK/list"

echo "the whole log is in $BP_CHECK_LOG"
# each suite left a line: passed, failed, skipped; one that left none was killed
awk -v suites="$(wc -l <"$BP_CHECK/list")" '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        failed += suites - NR
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0
    }' "$BP_CHECK/counts"
