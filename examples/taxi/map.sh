#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# BP_TASK=I/N sh map.sh yellow|green: one task of the first stage. It reads the
# I-th of N shares of the trips and writes one file of the stage.
set -eu
. "$(dirname "$0")/env.sh"
color=$1
case $color in
yellow) pickup=tpep_pickup_datetime ;;
green) pickup=lpep_pickup_datetime ;;
esac

bp-read -T -s "@$here/$color.sql" -c "$pickup,PULocationID,total_amount" "$(trips "$color")" |
    bp-filter "$pickup >= '2020-01-01'" |
    bp-reduce --partial -k "date_trunc('hour', $pickup) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-shuffle -T -n 8 "$out/stage/$color"
