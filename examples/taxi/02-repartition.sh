#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 2. Repartition one file into 24 even partitions; count what each has.
set -eu
. "$(dirname "$0")/env.sh"
fhv=$(trips fhv)

bp-read -s "@$here/fhv.sql" "$fhv" | bp-shuffle --even -n 24 "$out/fhv-24"

p=0
echo partition,trips >"$out/fhv-24.csv"
while [ $p -lt 24 ]; do
    n=$(bp-reduce 'count(*) AS trips' "$out/fhv-24#$p" | bp-write | tail -n 1)
    echo "$p,$n" >>"$out/fhv-24.csv"
    p=$((p + 1))
done
bp-show -a "$out/fhv-24.csv"
