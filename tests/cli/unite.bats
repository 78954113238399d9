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

@test "_file is the input a row is of, where a clause names it" {
    put d/1.csv 'a,b\n1,"x\ny"\n2,z\r\n'
    put d/2.csv 'b,a\nu,3\n'
    put 3.jsonl '{"a":4,"b":"v"}\n'
    bp-map a,b d/2.csv | bp-write 4.parquet
    bp-map a,b d/2.csv >5.arrow
    gzip -k d/2.csv && mv d/2.csv.gz 6.csv.gz
    local all="d 3.jsonl 4.parquet 6.csv.gz"
    is "_file,n
3.jsonl,1
4.parquet,1
6.csv.gz,1
d/1.csv,2
d/2.csv,1" "bp-reduce -k _file 'count(*) AS n' $all | bp-sort _file | bp-write"
    is "_file,a
d/1.csv,1
d/1.csv,2
d/2.csv,3
3.jsonl,4" "bp-read -j 3 -c _file,a d 3.jsonl | bp-write"
    is "a
3" "bp-read -c a -w \"_file = 'd/2.csv'\" d | bp-write"
    is "a,_file
3,d/2.csv
4,3.jsonl" "bp-filter 'a > 2 AND _file IS NOT NULL' d 3.jsonl | bp-map a,_file | bp-write"
    # not where it is not named, or is only said
    is "a,b
4,v" "bp-filter \"b <> '_file'\" 3.jsonl | bp-write"
    # shares carry it on; a stage without it has its own name
    is "1,d/1.csv
2,d/1.csv
3,d/2.csv" "for i in 0 1 2; do BP_TASK=\$i/3 bp-read -T -c a,_file d | BP_TASK=\$i/3 bp-shuffle -T -k a -n 2 st || exit 1; done
        bp-reduce -k a,_file 'count(*)' st | bp-map a,_file | bp-sort a | bp-write | tail -n +2"
    bp-map a d/2.csv | bp-shuffle -k a -n 2 bare
    is "a,_file
3,bare" "bp-read -c a,_file bare | bp-write"
}

@test "a column _file of the input is taken in its place; a stream has no other" {
    put 1.csv '_file,a\nown,1\n'
    is "_file,a
own,1" "bp-read -c _file,a 1.csv | bp-write"
    put 2.csv 'a\n1\n'
    is "a,_file
1,2.csv" "bp-read -c a,_file 2.csv | bp-filter '_file IS NOT NULL' | bp-write"
    bp-read 2.csv >s.arrow
    fails 2 bash -c 'bp-filter "_file IS NULL" <s.arrow'
    says "no column '_file'"
    is "a,_file,p
1,h/p=7/x.csv,7" "mkdir -p h/p=7 && cp 2.csv h/p=7/x.csv && bp-read -s 'p int, *' -c a,_file,p h | bp-write"
}
