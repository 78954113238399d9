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
    for o in csv.gz csv.zst jsonl.gz; do # the same bytes however they are made
        for how in '-j 1' '-j 2' '-j 5' '--mem 16M'; do
            bp-read in.csv | bp-write $how "again.$o"
            cmp "again.$o" "out.$o"
        done
    done
    bp-read -j 3 out.csv.gz | bp-write | cmp - in.csv
    bp-read -j 3 out.jsonl.gz | bp-write | cmp - in.csv
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

@test "JSON Lines are read by name, by content, by -f, compressed, from stdin" {
    printf '{"id":1,"t":"a"}\n{"id":2}\n' >in.jsonl
    printf 'id,t\n1,a\n2,\n' >want
    cp in.jsonl told
    cp in.jsonl x.ndjson
    bp-read in.jsonl | bp-write | cmp - want
    bp-read told | bp-write | cmp - want
    bp-read x.ndjson | bp-write | cmp - want
    bp-read <in.jsonl | bp-write | cmp - want
    cat in.jsonl | bp-read -f jsonl - | bp-write | cmp - want
    gzip -k in.jsonl
    zstd -q in.jsonl -o packed
    bp-read in.jsonl.gz | bp-write | cmp - want
    bp-read packed | bp-write | cmp - want
    [ "$(bp-reduce 'sum(id) AS s' in.jsonl | bp-write)" = "$(printf 's\n3')" ]
    mkdir dir
    cp in.jsonl dir/1.jsonl
    printf '{"t":"b","x":1.5}\n' >dir/2.jsonl
    [ "$(bp-read dir | bp-write --header no | tr '\n' ';')" = '1,a,;2,,;,b,1.5;' ]
}

@test "JSON Lines with a schema: typed, projected, extra keys refused" {
    printf '{"id":1,"amount":2.50,"x":{"y":[1]}}\n' >in.jsonl
    [ "$(bp-read -s 'amount decimal(10,2), *' in.jsonl | bp-write --header no)" = '2.50,1,({1})' ]
    [ "$(bp-read -c x in.jsonl | bp-write -f jsonl)" = '{"x":{"y":[1]}}' ]
    [ "$(bp-read -s 'x text, *' -c x in.jsonl | bp-write -f jsonl)" = '{"x":"{\"y\":[1]}"}' ]
    [ "$(bp-read -w 'id = 1' -c amount in.jsonl | bp-write --header no)" = 2.5 ]
    fails 1 bp-read -s 'id int' in.jsonl
    says "in.jsonl:1: key 'amount' is not in the schema"
    fails 2 bp-read --delim ';' in.jsonl
    says '--delim is for CSV and TSV'
    printf '[{"a":1},\n{"a":2}]\n' >list.json
    fails 1 bp-read -s 'a int' list.json
    says "list.json:1: a JSON array where an object is expected"
    says 'jq'
}

@test "bad JSON Lines: skip and null, with an account that names line and byte" {
    printf '{"id":1,"a":2.5}\n{"id":2,"a":"n/a"}\noops\n{"id":4}\n' >in.jsonl
    for j in 1 2; do
        bp-read -j $j -q -s 'id int, a decimal(4,1)' --on-error skip --rejects r.jsonl in.jsonl |
            bp-write --header no >got
        [ "$(tr '\n' ';' <got)" = '1,2.5;4,;' ]
        cat >want <<'END'
{"file": "in.jsonl", "line": 2, "byte": 17, "record": 2, "column": "a", "reason": "'n/a' is not a decimal(4,1)", "text": "{\"id\":2,\"a\":\"n/a\"}"}
{"file": "in.jsonl", "line": 3, "byte": 36, "record": 3, "column": null, "reason": "no JSON object, which begins with { (byte 36 of the file)", "text": "oops"}
END
        diff want r.jsonl
        bp-read -j $j -q -s 'id int, a decimal(4,1)' --on-error null in.jsonl | bp-write --header no >got
        [ "$(tr '\n' ';' <got)" = '1,2.5;2,;4,;' ]
        fails 1 bp-read -j $j -s 'id int, a decimal(4,1)' --on-error null --max-errors 1 in.jsonl
    done
    head -c 1000 /dev/urandom >noise.jsonl
    fails 1 bp-read -s 'a int' noise.jsonl
    says 'noise.jsonl:'
}

@test "a row behind a skipped one keeps its values where the skipped block had nulls" {
    printf '{"a":"x"}\n{"b":2}\n{"a":5}\n' >in.jsonl
    bp-read -q -s 'a int, b int' --on-error skip in.jsonl | bp-write --header no >got
    diff - got <<<$',2\n5,'
}

@test "shares of JSON Lines together are the whole, for any N" {
    seq 1 5000 | sed 's/.*/{"id":&,"t":"text &"}/' >in.jsonl
    bp-read in.jsonl | bp-write -f csv --header no >want
    for n in 2 3 7; do
        i=0
        while [ $i -lt $n ]; do
            bp-read --task $i/$n in.jsonl | bp-write --task $i/$n -f jsonl out$n/
            i=$((i + 1))
        done
        bp-read out$n | bp-write --header no | cmp - want
    done
}

@test "a line that memory does not hold is refused, a bomb too" {
    { printf '{"a":"'; head -c 6000000 /dev/zero | tr '\0' x; printf '"}\n{"a":"y"}\n'; } >wide.jsonl
    gzip -1 wide.jsonl -c >wide.gz
    head -c 100000000 /dev/zero | tr '\0' ' ' | gzip -1 >bomb.gz
    for f in wide.jsonl wide.gz bomb.gz; do
        fails 1 bp-read --mem 16M -f jsonl -s 'a text' $f
        says 'is longer than 4 MiB (a quarter of --mem'
    done
    for f in wide.jsonl wide.gz; do
        [ "$(bp-read --mem 64M -f jsonl -s 'a text' $f | bp-map 'length(a) AS n' | bp-write --header no | tr '\n' ' ')" = '6000000 1 ' ]
    done
}

@test "what is guessed of a stream of JSON Lines is what is guessed of a file, in little memory" {
    awk 'BEGIN {
        for (i = 0; i < 150000; i++)
            printf "{\"a\":%s,\"b\":\"text %d\"%s}\n", i == 140000 ? "1.5" : i, i, i == 100000 ? ",\"late\":true" : ""
        printf "{\"b\":\"%400000s\"}\n{\"last\":1}\n", "" }' >in.jsonl
    [ "$(bp-schema --sql in.jsonl)" = "$(gzip -k in.jsonl && bp-schema --sql in.jsonl.gz)" ]
    bp-schema --sql in.jsonl | grep -q 'late boolean'
    bp-schema --sql in.jsonl | grep -q 'last bigint'
    yes '{"a":1}' | head -n 2000000 | gzip -1 >narrow.gz
    bp-read --mem 16M --stats narrow.gz 2>stats >/dev/null
    peak_below $((16 << 20)) stats
}

@test "many compressed files are one table, with few descriptors and little memory" {
    mkdir many
    for i in $(seq 1 120); do
        printf '{"a":%d,"b":"x"}\n' "$i"
    done | split -l 1 --filter='gzip -c >"many/$FILE.gz"' -
    ulimit -n 40
    [ "$(bp-reduce 'count(*) AS n, sum(a) AS s' many | bp-write --header no)" = 120,7260 ]
    bp-read --stats many 2>stats >/dev/null
    peak_below 30000000 stats
}

@test "objects that lack most keys keep to the memory: as columns, in a struct, in lists" {
    awk 'function all(  i, t) { for (i = 0; i < 300; i++) t = t (i ? "," : "") "\"k" i "\":" i; return "{" t "}" }
        BEGIN {
            print all() >"flat"; print "{\"a\":" all() "}" >"in"; print "{\"a\":[" all() "]}" >"list"
            for (i = 1; i <= 10000; i++) {
                k = i * 7919 % 300
                printf "{\"k%d\":%d}\n", k, i >"flat"
                printf "{\"a\":{\"k%d\":%d}}\n", k, i >"in"
                if (i % 4 == 0) printf "{\"a\":[{},{},{\"k%d\":%d},{}]}\n", k, i >"list"
            }
        }'
    for f in flat in list; do
        for j in 1 4; do
            bp-read --mem 16M -j $j -f jsonl --stats $f 2>stats | bp-write -f jsonl >got.$j
            peak_below $((28 << 20)) stats
        done
        cmp got.1 got.4
        bp-read -f jsonl - <$f | bp-write -f jsonl | cmp - got.1
        sed 's/,*"k[0-9]*":null//g; s/{,/{/g' got.1 | cmp - $f
    done
}

@test "the sample looks into the midst of a file that is not ASCII" {
    { printf '{"a":1,"b":"%s"}\n' 世界世界世界世界世界世界 | awk '{ for (i = 0; i < 240000; i++) print }'; echo '{"a":1.5,"c":true                    }'; } >long.jsonl
    bp-schema long.jsonl >got
    grep -q 'a: double' got
    grep -q 'c: boolean' got
}
