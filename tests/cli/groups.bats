#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Group-by with so many groups that rows are put off in parts (lib/op/reduce_parts.h): the same
# bytes as from one table, for any number of threads and any memory. With --mem 16M there are no parts.
load lib

setup_file() {
    export ROWS=$BATS_FILE_TMPDIR/rows.csv
    # 420,000 rows, 360,000 groups; NULLs in arguments come late
    seq 420000 | awk 'BEGIN { srand(3); print "k,t,d,x,y,b,i" }
        { k = $1 % 360000 * 7919 % 360000
          x = ($1 > 300000 && $1 % 5 == 0) ? "" : sprintf("%.3f", rand() * 100 - 50)
          printf "%d,t%d,%d.%02d,%s,%d,%s,%d\n", k, k % 1000, $1 % 97, k % 100, x, $1 % 11,
                 ($1 % 3 ? "true" : "false"), $1 }' >"$ROWS"
}
setup() {
    cd "$BATS_TEST_TMPDIR"
}

S='k int, t text, d decimal(10,2), x float8, y smallint, b boolean, i bigint'

check() { # KEYS AGGS
    bp-reduce --mem 16M -j 1 -s "$S" -k "$1" "$2" "$ROWS" >want
    for j in 1 3; do
        bp-reduce --mem 1G -j $j -s "$S" -k "$1" "$2" "$ROWS" >got
        same want got
    done
    BP_BATCH_ROWS=1000 bp-reduce --mem 1G -j 2 -s "$S" -k "$1" "$2" "$ROWS" >got
    same want got
}

@test "sums, counts and extremes of many groups" {
    check k 'count(*) AS n, count(x) AS nx, sum(d) AS sd, sum(x) AS sx, avg(x) AS ax, min(y) AS lo, max(i) AS hi'
}
@test "first and last go by the order of rows" {
    check 'k, t' 'first(i) AS f, last(i) AS l, first(x) AS fx, max_by(i, y) AS m, bool_and(b) AS ba'
}
@test "variances, distinct values, wide decimals" {
    check 't, k' 'var_pop(x) AS v, count(DISTINCT y) AS c, sum(d::decimal(30,2)) AS s, median(y) AS m'
}
@test "text and floats as keys, NULL among them" {
    check 'x, t || k AS tk' 'count(*) AS n'
}
@test "few groups, which each thread has for itself" {
    aggs="count(*) AS n, sum(x) AS s, avg(x) FILTER (WHERE b) AS a, min(t) AS lo, first(i) AS f, last(i) AS l,
        max_by(k, i) AS m, stddev(x) AS sd, bool_or(b) AS bo, any_value(t) AS v, sum(d) AS sd2"
    bp-read -s "$S" "$ROWS" >r.arrow
    for keys in y 'd, t' 'k % 1000 AS km'; do
        bp-reduce -j 1 -k "$keys" "$aggs" r.arrow >want
        for j in 2 3; do
            bp-reduce -j $j -k "$keys" "$aggs" r.arrow >got
            same want got
        done
        bp-reduce -j 2 -k "$keys" "$aggs" <r.arrow >got
        same want got
        bp-reduce -j 2 --mem 16M -k "$keys" "$aggs" r.arrow >got
        same want got
    done
    bp-reduce -j 1 "$aggs" r.arrow >want
    bp-reduce -j 2 "$aggs" r.arrow >got
    same want got
    bp-reduce -j 1 -k y 'median(x) AS m, count(DISTINCT t) AS c' r.arrow >want
    bp-reduce -j 2 -k y 'median(x) AS m, count(DISTINCT t) AS c' r.arrow >got
    same want got
    fails 1 bp-reduce -j 2 -k y 'sum(100 / (i - 300000)) AS s' r.arrow
    says 'division by zero'
}
@test "parts that memory does not hold go to disk; rows that repeat go into the table after all" {
    bp-read -s "$S" -c k,i "$ROWS" >r.arrow
    aggs='sum(i) AS s, avg(i) AS a, min(i) AS b, max(i) AS c, count(*) AS n'
    bp-reduce --mem 16M -k k "$aggs" r.arrow{,,,,,,,} >want
    bp-reduce --mem 129M --stats -k k "$aggs" r.arrow{,,,,,,,} >got 2>stats
    same want got
    ! grep -q '"spilled_bytes":0,' stats
    bp-reduce --mem 180M --stats -k k "$aggs" r.arrow{,,,,,,,} >got 2>stats
    same want got
    grep -q '"spilled_bytes":0,' stats
}
@test "rows of groups that hardly repeat wait on disk as they are; texts of keys count" {
    seq 2500000 | bp-read -s 'n bigint' --header no /dev/stdin | bp-map "n % 2400007 AS k, md5(n::text) AS t, n,
        n::decimal(12,2) AS d" >r.arrow
    aggs='count(*) AS n, sum(n) AS s, sum(d) AS d, max(n) AS hi, first(d) AS f, avg(n) AS a'
    for keys in k t; do
        bp-reduce --mem 2G --stats -k $keys "$aggs" r.arrow >want 2>stats
        grep -q '"spilled_bytes":0,' stats
        for j in 1 2; do
            bp-reduce --mem 128M -j $j --stats -k $keys "$aggs" r.arrow >got 2>stats
            same want got
            ! grep -q '"spilled_bytes":0,' stats
            peak_below $((168 << 20)) stats
        done
    done
}
@test "a partial result of groups that hardly repeat is passed on in small tables" {
    bp-read -s "$S" -c k,t,i "$ROWS" >r.arrow
    bp-reduce -k 'k, t' 'sum(i) AS s, first(i) AS f' r.arrow | bp-write >want
    bp-reduce --partial --mem 1G -k 'k, t' 'sum(i) AS s, first(i) AS f' r.arrow | bp-reduce --final | bp-write >got
    same want got
    bp-reduce --partial --stats --mem 1G -k 'k, t' 'sum(i) AS s' r.arrow 2>stats >partial
    peak_below 33554432 stats
}
@test "shares of a stage are reduced one by one" {
    bp-read -s "$S" -c k,i "$ROWS" | bp-shuffle -k k -n 2 stage
    bp-reduce --mem 1G -k k 'sum(i) AS s, first(i) AS f' stage >got
    bp-reduce --mem 16M -k k 'sum(i) AS s, first(i) AS f' stage >want
    same want got
}
@test "NaN and infinity change the variance of their own group only, among blocks of any size" {
    seq 3000 | awk 'BEGIN { print "k,x,n" } { printf "%d,%s,%d\n", $1 % 3,
        $1 == 1000 ? "NaN" : $1 == 2001 ? "Infinity" : $1 / 7, $1 }' >nan.csv
    aggs='var_pop(x) AS v, corr(x, n) AS c, stddev_samp(n) AS s'
    bp-read -s 'k int, x double precision, n int' nan.csv >nan.arrow
    BP_BATCH_ROWS=1 bp-reduce -k k "$aggs" nan.arrow | bp-sort k | bp-write >want
    bp-reduce -k k "$aggs" nan.arrow | bp-sort k | bp-write >got
    same want got
    [ "$(sed -n 's/,.*//p' got | wc -l)" = 4 ]
    [ "$(cut -d, -f2 got | tail -3 | tr '\n' ' ')" = 'NaN NaN 15306.107201853702 ' ]
}
