#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 5. Revenue and trips by hour and zone, pickups before 2020 dropped: as one
# pipeline, and in two stages of independent tasks. Both give the same bytes.
set -eu
. "$(dirname "$0")/env.sh"

for color in yellow green; do
    trips=$(trips $color)
    case $color in
    yellow) pickup=tpep_pickup_datetime ;;
    green) pickup=lpep_pickup_datetime ;;
    esac

    # one pipeline
    bp-read -s "@$here/$color.sql" -c "$pickup,PULocationID,total_amount" "$trips" |
        bp-filter "$pickup >= '2020-01-01'" |
        bp-reduce -k "date_trunc('hour', $pickup) AS hour, PULocationID AS zone" \
            'sum(total_amount) AS revenue, count(*) AS trips' |
        bp-write "$out/revenue-$color.csv"

    # two stages: what is not committed yet, or older than its inputs, is run
    bp-todo -n 4 "$out/stage/$color" "$here/map.sh" "$trips" |
        xargs -P"$jobs" -I{} env BP_TASK={} sh "$here/map.sh" $color
    bp-todo -n 2 "$out/revenue/$color" "$here/reduce.sh" "$out/stage/$color"/*.arrow |
        xargs -P"$jobs" -I{} env BP_TASK={} sh "$here/reduce.sh" $color

    bp-read "$out/revenue/$color" | bp-write "$out/revenue-$color-staged.csv"
    cmp "$out/revenue-$color.csv" "$out/revenue-$color-staged.csv"
    echo "$color:"
    bp-show -n 5 "$out/revenue/$color"
done
