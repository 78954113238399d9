#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 6. The full outer join of green and yellow: one row for each hour and zone,
# zeros where one side has none.
set -eu
. "$(dirname "$0")/env.sh"
need "$out/revenue/yellow" 05-revenue.sh

bp-join -t full -k hour,zone --fill 0 --suffix _green,_yellow \
    "$out/revenue/green" "$out/revenue/yellow" |
    bp-write "$out/joined.arrow"

bp-show -n 5 "$out/joined.arrow"
