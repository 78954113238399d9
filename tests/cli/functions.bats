#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Functions: each one that is there is described. tests/pipe/expr_edges.py holds each against PostgreSQL.

load lib

names() { bp-map --functions | sed 's/(.*//' | sort -u; }

@test "each function has a row in bp-expr(7)" {
    local root=$BATS_TEST_DIRNAME/../.. missing=""
    for name in $(names); do
        grep -Eq "^\.It Li .*\b$name\b" "$root/man/bp-expr.7" || missing="$missing $name"
    done
    [ -z "$missing" ] || { echo "not in bp-expr(7):$missing"; false; }
    [ "$(names | wc -l)" -gt 140 ]
}

@test "the list says what a function takes and gives" {
    run bp-map --functions
    [ "$status" -eq 0 ]
    [[ $output == *"lpad(text, bigint, text) -> text"* ]]
    [[ $output == *"greatest(any, ...) -> any"* ]]
    run bp-map --functions x
    [ "$status" -eq 2 ]
}

@test "age of one argument is refused, as now() is" {
    run bp-map -s 'd date' 'age(d)' /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"age(:day, x)"* ]]
}

@test "an argument's name that is not there is named" {
    run bp-map -s 'd date' 'make_interval(dayz => 1)' /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"make_interval() has no argument dayz"* ]]
    run bp-map -s 'd date' 'abs(x => 1)' /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"arguments have no names"* ]]
}

@test "a time zone that is not there is named, at once or with its row" {
    run bp-map -s 'ts timestamptz' "ts at time zone 'Nowhere/City'" /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"there is no time zone 'Nowhere/City'"* ]]
    put t.csv 'ts,z\n2020-01-01,UTC\n2020-01-01,Mars\n'
    fails 1 bp-map -s 'ts timestamptz, z text' "ts at time zone z" t.csv
    [[ $output == *"row 2"*"there is no time zone 'Mars'"* ]]
}

@test "TZ and TZDIR of the environment play no part" {
    put t.csv 'ts\n2020-07-01 12:00:00+00\n'
    export TZ=America/New_York TZDIR=/nowhere
    run bash -c "bp-map -s 'ts timestamptz' \"ts at time zone 'Europe/Paris' AS a, ts AS b\" t.csv | bp-write"
    [ "$status" -eq 0 ]
    [[ $output == *"2020-07-01 14:00:00,2020-07-01 12:00:00+00"* ]]
}

@test "hash gives the documented key hash" {
    put t.csv 'a\n1\n'
    run bash -c "bp-map 'hash(null::int) AS n, hash(false) AS f' t.csv | bp-write"
    [ "$status" -eq 0 ]
    [[ $output == *"14144645293874801883,12363696039452112576"* ]]
}

@test "a moment cut to below the least timestamp is an error, not one of the far future" {
    put t.csv 't\n1677-09-21 00:12:44.5\n1677-09-22 00:00:00\n2020-01-01 03:04:05.123456789\n'
    for field in day week month year; do
        fails 1 bp-map -s 't timestamp(9)' "date_trunc('$field', t)" t.csv
        says "row 1: date_trunc('$field', t): with 1677-09-21 00:12:44.5 the result is out of range for timestamp(9)"
    done
    run bash -c "bp-map -s 't timestamp(9)' \"date_trunc('hour', try(date_trunc('day', t))) AS d, date_trunc('us', t) AS u, t::time(0) AS c\" t.csv | bp-write --header no"
    [ "$output" = ',1677-09-21 00:12:44.5,00:12:45
1677-09-22 00:00:00,1677-09-22 00:00:00,00:00:00
2020-01-01 00:00:00,2020-01-01 03:04:05.123456,03:04:05' ]
}
