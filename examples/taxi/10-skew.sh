#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 10. Rows of each partition before and after repartitioning: by licence one
# partition has most of the trips; by ranges of the pickup time, with borders
# from a sample of 5 %, all have about as many. Partitions that are sorted one by
# one are then the whole in order.
set -eu
. "$(dirname "$0")/env.sh"
fhv=$(trips fhv)

# counts STAGE: the rows of each of its 8 partitions
counts() {
    p=0
    echo partition,trips
    while [ $p -lt 8 ]; do
        n=$(bp-reduce 'count(*) AS trips' "$1#$p" | bp-write --header no)
        echo "$p,$n"
        p=$((p + 1))
    done
}

bp-read -s "@$here/fhv.sql" "$fhv" | bp-shuffle -k hvfhs_license_num -n 8 --replace "$out/fhv-licence"
bp-stat "$out/fhv-licence"
counts "$out/fhv-licence" >"$out/skew-before.csv"

bp-sample 5% -s "@$here/fhv.sql" "$fhv" | bp-sort --borders 8 pickup_datetime >"$out/borders.arrows"
bp-read -s "@$here/fhv.sql" "$fhv" | bp-shuffle --range "@$out/borders.arrows" --replace "$out/fhv-time"
bp-stat "$out/fhv-time"
counts "$out/fhv-time" >"$out/skew-after.csv"

for i in 0 1 2 3; do
    bp-sort --task $i/4 pickup_datetime "$out/fhv-time" | bp-write --task $i/4 -f arrow "$out/fhv-sorted/"
done
