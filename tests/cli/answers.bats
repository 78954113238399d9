#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same bytes whatever the inner batches, the threads and the instruction set. Run by itself this
# compares -j 1 with the default; the variants of `make check` set one of BP_BATCH_ROWS, BP_JOBS,
# BP_SIMD, and each job must give what it gives without.
load lib

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    taxi-gen --kind yellow --rows 3000 >yellow.csv
    taxi-gen --kind green --rows 3000 >green.csv
    taxi-gen --kind fhv --rows 3000 >fhv.csv
}

# alike JOB: its output here and in the plain environment
alike() {
    cd "$BATS_FILE_TMPDIR"
    bash -o pipefail -c "$1" >"$BATS_TEST_TMPDIR/got"
    env -u BP_BATCH_ROWS -u BP_SIMD BP_JOBS=1 bash -o pipefail -c "$1" >"$BATS_TEST_TMPDIR/want"
    [ -s "$BATS_TEST_TMPDIR/want" ]
    same "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

@test "the stream of bp-read" {
    alike 'bp-read yellow.csv'
}
@test "all columns to CSV" {
    alike 'bp-read fhv.csv | bp-write'
}
@test "filter and map" {
    alike "bp-read yellow.csv | bp-filter 'total_amount > 20 AND passenger_count IS NOT NULL' | bp-map 'tpep_pickup_datetime, total_amount * 2 AS twice, upper(store_and_fwd_flag) AS f' | bp-write"
}
@test "group by hour and zone, float sums and averages" {
    alike "bp-reduce -k \"date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone\" 'sum(total_amount) AS s, avg(trip_distance) AS a, min(tip_amount) AS lo, max(store_and_fwd_flag) AS hi, count(*) AS n' yellow.csv | bp-write"
}
@test "group by text" {
    alike "bp-reduce -k 'dispatching_base_num, hvfhs_license_num' 'count(*) AS n, min(pickup_datetime) AS first' fhv.csv | bp-write"
}
@test "partial, shuffle, final" {
    alike "d=\$(mktemp -d); bp-read yellow.csv | bp-reduce --partial -k PULocationID 'sum(total_amount) AS s, avg(fare_amount) AS a' | bp-shuffle -n 16 \$d/s; bp-reduce --final \$d/s | bp-write"
}
@test "sort of all columns" {
    alike "bp-sort 'passenger_count DESC, total_amount' yellow.csv | bp-write"
}
@test "top N" {
    alike "bp-sort 'total_amount DESC' -n 25 yellow.csv | bp-write"
}
@test "full join" {
    alike "bp-join -t full -k zone --fill 0 --suffix _y,_g <(bp-reduce -k 'PULocationID AS zone' 'count(*) AS n' yellow.csv) <(bp-reduce -k 'PULocationID AS zone' 'count(*) AS n' green.csv) | bp-write"
}
@test "many-to-many join" {
    alike "bp-join -k 'PULocationID' <(bp-head -n 400 yellow.csv | bp-map 'PULocationID, fare_amount') <(bp-head -n 400 green.csv | bp-map 'PULocationID, tip_amount') | bp-write"
}
@test "shares, one behind the other" {
    alike "for i in 0 1 2 3 4; do bp-read --task \$i/5 fhv.csv; done | bp-write"
}
@test "the rows of a head" {
    alike "bp-sort 'PULocationID, total_amount DESC' yellow.csv | bp-head -n 2 -k PULocationID | bp-write"
}
