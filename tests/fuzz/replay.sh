#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# replay.sh PROGRAM CORPUS: every file of the corpus through the fuzz entry, as one TAP test a file.
n=0
bad=0
for f in "$2"/*; do
    n=$((n + 1))
    if timeout 60 "$1" "$f" >/dev/null 2>"${TMPDIR:-/tmp}/replay.err"; then
        echo "ok $n - $(basename "$f")"
    else
        echo "not ok $n - $(basename "$f")"
        head -20 "${TMPDIR:-/tmp}/replay.err"
        bad=1
    fi
done
echo "1..$n"
exit $bad
