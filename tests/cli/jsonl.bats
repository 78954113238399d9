#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# JSON Lines, and compressed text, out and in.

load lib

@test "every type is written as JSON that loses nothing" {
    printf 'x\n1\n' >one.csv
    bp-read one.csv | bp-map "true AS b, 9223372036854775807::bigint AS i, -5::smallint AS s,
        0.1::double precision AS f, 1e300::double precision AS g, 'NaN'::double precision AS nan,
        '-Infinity'::real AS inf, 123456789012345678901234567890.12::decimal(38,2) AS d,
        '2020-02-29'::date AS day, '2020-02-29 12:34:56.789'::timestamp AS ts,
        '2020-02-29 12:34:56+02'::timestamptz AS tz, '01:02:03'::time AS t,
        '1 day 02:00:00'::interval AS iv, NULL::text AS n, '' AS e,
        E'a\"b\\\\c\\n\\x01\\u00fc/' AS q" | bp-write -f jsonl >got
    cat >want <<'END'
{"b":true,"i":9223372036854775807,"s":-5,"f":0.1,"g":1e+300,"nan":"NaN","inf":"-Infinity","d":123456789012345678901234567890.12,"day":"2020-02-29","ts":"2020-02-29T12:34:56.789","tz":"2020-02-29T10:34:56+00:00","t":"01:02:03","iv":"1 day 02:00:00","n":null,"e":"","q":"a\"b\\c\n\u0001ü/"}
END
    diff want got
    "$BP_PYTHON" -c 'import json,sys; json.loads(open("got").read())'
}

@test "an empty table is an empty file; names are escaped; two columns of one name are refused" {
    printf '"a""b",c\n1,2\n' >in.csv
    [ "$(bp-read in.csv | bp-write -f jsonl)" = '{"a\"b":1,"c":2}' ]
    bp-read in.csv | bp-filter 'c > 2' | bp-write out.jsonl
    [ -e out.jsonl ] && [ ! -s out.jsonl ]
    fails 2 sh -c 'bp-read in.csv | bp-write -f jsonl --delim ";" x.jsonl'
    says 'for csv and tsv'
    [ ! -e x.jsonl ]
}

@test "the name or --codec compresses what is written" {
    printf 'id,t\n' >in.csv
    seq 1 30000 | sed 's/.*/&,text &/' >>in.csv
    bp-read in.csv | bp-write out.csv.gz
    bp-read in.csv | bp-write out.csv.zst
    bp-read in.csv | bp-write out.jsonl.gz
    gzip -dc out.csv.gz | cmp - in.csv
    zstd -qdc out.csv.zst | cmp - in.csv
    [ "$(gzip -dc out.jsonl.gz | wc -l)" = 30000 ]
    bp-read in.csv | bp-write --codec zstd | zstd -qdc | cmp - in.csv
    bp-read in.csv | bp-write --codec none plain.csv.gz
    cmp plain.csv.gz in.csv
    bp-read in.csv | bp-write -f csv --codec gzip dir/
    gzip -dc dir/00000-of-00001.csv.gz | cmp - in.csv
    bp-read dir | bp-write | cmp - in.csv
    bp-read in.csv | bp-filter 'id > 99999' | bp-write none.csv.gz
    [ "$(gzip -dc none.csv.gz)" = id,t ]
    fails 2 sh -c 'bp-read in.csv | bp-write --codec gzip x.arrow'
    says 'for text'
    fails 2 sh -c 'bp-read in.csv | bp-write --codec lzo x.csv'
    says 'the codecs are'
    [ ! -e x.arrow ] && [ ! -e x.csv ]
}

@test "a full device is an error of a compressed output too" {
    printf 'id,t\n1,a\n' >in.csv
    fails 1 sh -c 'bp-read in.csv | bp-write --codec gzip >/dev/full'
    says 'No space left'
}
