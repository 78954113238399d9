#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 4. Add dates and an identifier made from the dispatching base.
set -eu
. "$(dirname "$0")/env.sh"
fhv=$(trips fhv)

bp-read -s "@$here/fhv.sql" "$fhv" |
    bp-map -a "@$here/base_id.sql" |
    bp-map 'base_id, pickup_date, dropoff_date, PULocationID, DOLocationID' |
    bp-write "$out/base_id.csv"

bp-show -n 5 "$out/base_id.csv"
