#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several inputs as one table: columns by name, the wider type.
load lib

# is EXPECTED COMMAND
is() {
    local got
    got=$(bash -o pipefail -c "$2") || return 1
    [ "$got" = "$1" ] || { echo "got: $got"; return 1; }
}

@test "files of different columns and types are one table, by name" {
    put 1.csv 'a,b\n1,x\n'
    put 2.csv 'b,a,c\ny,2,2020-01-01\n'
    bp-read -s 'a smallint, *' 1.csv | bp-write 1.parquet
    bp-read -s 'a bigint, *' 2.csv | bp-write 2.arrow
    put 3.jsonl '{"c":"2020-01-03","a":3}\n'
    fails 1 bp-read 1.parquet 2.arrow
    says "column 'c' of 2.arrow is not in 1.parquet"
    says "--missing null"
    is "a,b,c
1,x,
2,y,2020-01-01
3,,2020-01-03" "bp-read --missing null 1.parquet 2.arrow 3.jsonl | bp-write"
    is "c,a
,1
2020-01-01,2
2020-01-03,3" "bp-read --missing null -c c,a 1.parquet 2.arrow 3.jsonl | bp-write"
    is "a
2
3" "bp-filter --missing null 'c IS NOT NULL' 1.parquet 2.arrow 3.jsonl | bp-map a | bp-write"
    is "a
2" "bp-read --missing null -c a -w \"b = 'y'\" 1.parquet 2.arrow 3.jsonl | bp-write"
    bp-map "a::text AS a, b" 1.csv | bp-write 4.parquet
    fails 1 bp-read 2.arrow --missing null 4.parquet
    says "column 'a' is bigint in 2.arrow but text in 4.parquet"
    fails 2 bp-read --missing nul 1.parquet 2.arrow
    says "--missing is null or error"
}
