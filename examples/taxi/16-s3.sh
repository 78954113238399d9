#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sh 16-s3.sh s3://BUCKET/NEW-PREFIX
# 16. The revenue job from and to an object store: trips as Parquet, a stage that independent
# tasks write, and the result in Hive directories of Parquet, one for each day; then one
# day, of which only its directory is fetched; and days that are appended as runs, one of them
# twice. bp-remote(7) says where the server and the keys
# are told: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
set -eu
. "$(dirname "$0")/env.sh"
s3=${1:?a prefix with nothing below it: s3://BUCKET/PREFIX}
export s3

bp-read -s "@$here/yellow.sql" "$(trips yellow)" | bp-write "$s3/trips.parquet"

bp-todo -n 4 "$s3/stage" "$s3/trips.parquet" | xargs -P"$jobs" -I{} env BP_TASK={} sh -euc '
    bp-read -T -w "tpep_pickup_datetime >= '\''2020-01-01'\''" \
        -c tpep_pickup_datetime,PULocationID,total_amount "$s3/trips.parquet" |
        bp-reduce --partial \
            -k "date_trunc('\''hour'\'', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
            "sum(total_amount) AS revenue, count(*) AS trips" |
        bp-shuffle -T -n 8 "$s3/stage"'

bp-reduce --final "$s3/stage" | bp-map 'hour::date AS day, *' |
    bp-write --by day -f parquet "$s3/revenue-by-day/"

bp-read -w "day = '2020-01-17'" "$s3/revenue-by-day" | bp-write "$out/one-day-s3.csv"
bp-show -n 5 "$out/one-day-s3.csv"

for day in 2020-01-16 2020-01-17 2020-01-17; do
    bp-read -w "day = '$day'" "$s3/revenue-by-day" |
        bp-write --by day -f parquet --run "$day" "$s3/appended/"
done
bp-reduce -k day 'sum(revenue) AS revenue, sum(trips) AS trips' "$s3/appended" |
    bp-sort day | bp-write "$out/appended-s3.csv"
bp-show "$out/appended-s3.csv"
