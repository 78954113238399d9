#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run every test and count. BP_BUILD is the build directory, BP_PYTHON the oracles' interpreter.
# Each program speaks TAP; one that fails without a "not ok" line counts as one failure. The last
# line is "N passed, N failed, N skipped".
#   TESTS='unit cli'   only these kinds
set -u

here=$(cd "$(dirname "$0")" && pwd)
export PATH="$BP_BUILD/bin:$PATH"
export BP_TESTS="$here"
export BP_SHARED_DATA="${BP_SHARED_DATA:-$here/../../shared/data}"
unset BP_JOBS BP_MEM BP_TASK BP_TASKS BP_BATCH_ROWS BP_SIMD
export LC_ALL=C.UTF-8
export TZ=America/New_York # must not matter
work=$(mktemp -d "${TMPDIR:-/tmp}/bp-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work"
log="$BP_BUILD/check.log"
: >"$log"
passed=0 failed=0 skipped=0

# run NAME COMMAND...
run() {
    name=$1
    shift
    start=$(date +%s)
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    ok=$(grep -c '^ok ' "$work/out")
    skip=$(grep -ci '^ok .*# skip' "$work/out")
    bad=$(grep -c '^not ok ' "$work/out")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        echo "not ok - $name exited with $status" >>"$work/out"
    fi
    if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        echo "not ok - $name ran no test" >>"$work/out"
    fi
    passed=$((passed + ok - skip))
    skipped=$((skipped + skip))
    failed=$((failed + bad))
    { echo "== $name"; cat "$work/out" "$work/err"; } >>"$log"
    printf '%-44s %4d ok %3d failed %3d skipped  %3d s\n' "$name" $((ok - skip)) "$bad" "$skip" \
        $(($(date +%s) - start))
    if [ "$bad" -gt 0 ]; then
        grep -A 12 '^not ok' "$work/out" | head -80
        head -40 "$work/err"
    fi
}

for kind in ${TESTS:-lint unit fuzz fault cli variants pipe}; do
    case $kind in
    lint) run lint sh "$here/lint.sh" "$BP_BUILD/bin" ;;
    unit)
        for t in "$BP_BUILD"/unit/*_test; do
            run "unit/$(basename "$t")" "$t"
        done
        ;;
    fuzz)
        for t in "$BP_BUILD"/fuzz/*-replay; do
            f=$(basename "$t" _fuzz-replay)
            run "fuzz/$f" sh "$here/fuzz/replay.sh" "$t" "$here/fuzz/corpus/$f"
        done
        ;;
    fault) run fault "$BP_PYTHON" "$here/fault/run.py" ;;
    cli)
        for t in "$here"/cli/*.bats; do
            run "cli/$(basename "$t" .bats)" bats --tap "$t"
        done
        ;;
    variants)
        # the same results with other inner batches, memory, threads and instruction sets
        for v in BP_BATCH_ROWS=1 BP_BATCH_ROWS=7 BP_MEM=16M BP_JOBS=1 BP_JOBS=4 BP_SIMD=portable BP_SIMD=avx2; do
            run "variants/$v" env "$v" bats --tap "$here/cli/answers.bats" "$here/cli/operators.bats"
        done
        ;;
    pipe)
        for t in "$here"/pipe/*.sh; do
            [ -e "$t" ] && run "pipe/$(basename "$t")" sh "$t"
        done
        for t in "$here"/pipe/*.py; do
            [ -e "$t" ] && run "pipe/$(basename "$t")" "$BP_PYTHON" "$t"
        done
        ;;
    esac
done

echo "the whole log is in $log"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
