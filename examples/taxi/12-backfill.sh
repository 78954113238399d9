#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 12. A month's backfill, a task a day: the revenue of each zone on each day of
# January. One day fails at first; until it is there the month is no table. The
# same line again runs that day only.
set -eu
. "$(dirname "$0")/env.sh"
rm -rf "$out/daily"
mkdir -p "$out/daily"

backfill() {
    bp-todo -n 31 "$out/daily" | xargs -P "$jobs" -I{} env BP_TASK={} sh "$here/day.sh"
}

trips yellow >/dev/null
echo "first run:"
TAXI_FAIL=2020-01-17 backfill || true
bp-read "$out/daily" 2>&1 >/dev/null || true
echo "second run:"
backfill
bp-read "$out/daily" | bp-write "$out/daily.csv"
