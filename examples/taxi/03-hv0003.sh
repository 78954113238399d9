#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 3. Four columns of the trips whose licence is HV0003. Columns and condition
# are given to the reader, which then converts nothing else.
set -eu
. "$(dirname "$0")/env.sh"
fhv=$(trips fhv)

bp-read -s "@$here/fhv.sql" -w "hvfhs_license_num = 'HV0003'" \
    -c pickup_datetime,dropoff_datetime,PULocationID,DOLocationID "$fhv" |
    bp-write "$out/hv0003.csv"

bp-show -n 5 "$out/hv0003.csv"
