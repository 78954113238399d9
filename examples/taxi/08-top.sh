#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 8. Order by revenue; the ten hours and zones that earned most.
set -eu
. "$(dirname "$0")/env.sh"
need "$out/named.arrow" 07-zones.sh

bp-sort 'revenue DESC, hour, zone' "$out/named.arrow" | bp-write "$out/ranking.csv"

bp-read "$out/ranking.csv" -c hour,zone_name,revenue,trips -s 'revenue decimal(38,2), *' |
    bp-show -n 10
