#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 11. The two stages under GNU parallel: a log of the tasks, and a retry of what
# fails. Here the first attempt at task 2 of 4 is made to fail. A task writes one
# file or none, so the retry cannot add to what a failed attempt left behind.
set -eu
. "$(dirname "$0")/env.sh"
command -v parallel >/dev/null || { echo "this example needs GNU parallel"; exit 0; }
export TAXI_OUT="$out/parallel" TAXI_DATA="$data" TAXI_ROWS="$rows"
out=$TAXI_OUT
rm -rf "$out"
mkdir -p "$out"
trips yellow >/dev/null

cat >"$out/map-once-broken.sh" <<END
if [ "\$BP_TASK" = 2/4 ] && ! [ -e "$out/broken" ]; then
    touch "$out/broken"
    exit 1
fi
exec sh "$here/map.sh" yellow
END

bp-todo -n 4 "$out/stage/yellow" |
    parallel -j "$jobs" --retries 3 --joblog "$out/map.log" BP_TASK={} sh "$out/map-once-broken.sh"
bp-todo -n 2 "$out/revenue/yellow" |
    parallel -j "$jobs" --retries 3 --joblog "$out/reduce.log" BP_TASK={} sh "$here/reduce.sh" yellow
cut -f 1,7,9 "$out/map.log" "$out/reduce.log"
bp-read "$out/revenue/yellow" | bp-write "$out/revenue.csv"
