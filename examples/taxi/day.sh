#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# BP_TASK=I/31 sh day.sh: one task of the backfill, day I + 1 of January 2020. The
# trips are read whole, the day is chosen by -v; the task names only the output.
set -eu
. "$(dirname "$0")/env.sh"
day=$(printf '2020-01-%02d' $((${BP_TASK%/*} + 1)))
if [ "${TAXI_FAIL:-}" = "$day" ]; then
    echo "$day failed"
    exit 1
fi

bp-read -s "@$here/yellow.sql" -v day="$day" \
    -w "tpep_pickup_datetime >= :day::timestamp AND tpep_pickup_datetime < :day::timestamp + interval '1 day'" \
    -c PULocationID,total_amount "$(trips yellow)" |
    bp-reduce -v day="$day" -k 'PULocationID AS zone' 'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-map -v day="$day" ':day::date AS day, *' |
    bp-write -T -f arrow "$out/daily/"
echo "$day done"
