#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 14. The revenue by hour and zone from Parquet to Parquet in Hive directories, one
# for each day; then one day, of which only its directory is read, and the dearest
# trips, for which only the pages that have some are. At last days that are appended one by
# one, each as a run: the second time, as a retry would, a run takes its own place.
set -eu
. "$(dirname "$0")/env.sh"

bp-read -s "@$here/yellow.sql" "$(trips yellow)" | bp-write --bloom PULocationID "$out/trips.parquet"

bp-read -w "tpep_pickup_datetime >= '2020-01-01'" -c tpep_pickup_datetime,PULocationID,total_amount \
    "$out/trips.parquet" |
    bp-reduce -k "date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-map 'hour::date AS day, *' |
    bp-write --by day -f parquet --replace "$out/revenue-by-day/"

bp-read -w "day = '2020-01-17'" "$out/revenue-by-day" | bp-write "$out/one-day.csv"
bp-read -w 'total_amount > 60' -c tpep_pickup_datetime,PULocationID,total_amount "$out/trips.parquet" |
    bp-sort 'total_amount DESC, tpep_pickup_datetime, PULocationID' | bp-write "$out/dearest.csv"
bp-show -n 5 "$out/dearest.csv"

for day in 2020-01-16 2020-01-17 2020-01-17; do
    bp-read -w "day = '$day'" "$out/revenue-by-day" |
        bp-write --by day -f parquet --run "$day" "$out/appended/"
done
bp-reduce -k day 'sum(revenue) AS revenue, sum(trips) AS trips' "$out/appended" |
    bp-sort day | bp-write "$out/appended.csv"
bp-show "$out/appended.csv"
