#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 7. Broadcast join: the names of the zones to each row, then totals by borough.
set -eu
. "$(dirname "$0")/env.sh"
need "$out/joined.arrow" 06-join.sh

bp-join -t left -k 'zone = LocationID' -b "$here/zones.csv" "$out/joined.arrow" |
    bp-map "hour, zone, Zone AS zone_name, Borough AS borough,
            revenue_green + revenue_yellow AS revenue, trips_green + trips_yellow AS trips" |
    bp-write "$out/named.arrow"

bp-reduce -k borough 'sum(revenue) AS revenue, sum(trips) AS trips' "$out/named.arrow" |
    bp-sort 'revenue DESC' |
    bp-write "$out/boroughs.csv"

bp-show -a -s 'revenue decimal(38,2), *' "$out/boroughs.csv"
