#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One suite of run.sh: suite.sh 'NAME COMMAND'. Prints a line of it and what failed, and leaves its
# counts and its log with those of the others. It has a TMPDIR of its own.
set -u

name=${1%% *}
command=${1#* }
work=$(mktemp -d "$BP_CHECK/XXXXXX")
mkdir "$work/tmp"
start=$(date +%s)
(TMPDIR="$work/tmp" && export TMPDIR && eval "$command") >"$work/out" 2>"$work/err" </dev/null
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
{
    printf '%-44s %4d ok %3d failed %3d skipped  %3d s\n' "$name" $((ok - skip)) "$bad" "$skip" \
        $(($(date +%s) - start))
    if [ "$bad" -gt 0 ]; then
        grep -A 12 '^not ok' "$work/out" | head -80
        head -40 "$work/err"
    fi
} >"$work/says"
exec 9>"$BP_CHECK/lock"
flock 9
cat "$work/says"
echo "$((ok - skip)) $bad $skip" >>"$BP_CHECK/counts"
{ echo "== $name"; cat "$work/out" "$work/err"; } >>"$BP_CHECK_LOG"
rm -rf "$work"
