#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 15. CSV to gzipped JSON Lines, as a log would have them, and the revenue job from
# there: the same answer as from the CSV.
set -eu
. "$(dirname "$0")/env.sh"
green=$(trips green)

bp-read -s "@$here/green.sql" "$green" | bp-write "$out/green.jsonl.gz"

revenue() {
    bp-read -s "@$here/green.sql" -c lpep_pickup_datetime,PULocationID,total_amount "$1" |
        bp-filter "lpep_pickup_datetime >= '2020-01-01'" |
        bp-reduce -k "date_trunc('hour', lpep_pickup_datetime) AS hour, PULocationID AS zone" \
            'sum(total_amount) AS revenue, count(*) AS trips'
}
revenue "$green" | bp-write "$out/revenue-csv.csv"
revenue "$out/green.jsonl.gz" | bp-write "$out/revenue-jsonl.csv"
cmp "$out/revenue-csv.csv" "$out/revenue-jsonl.csv"
bp-head -n 3 "$out/green.jsonl.gz" | bp-write -f jsonl
