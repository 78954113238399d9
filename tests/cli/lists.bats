#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Lists and structs: functions as PostgreSQL 15 has them, unnest, messages. (tests/pipe/nested_interop.py: all forms.)

load lib

setup() {
    cd "$BATS_TEST_TMPDIR"
    printf '%s\n' '{"id":1,"tags":["a","b"],"pt":{"x":1,"y":2.5},"items":[{"sku":"A","n":2},{"sku":"B"}]}' \
        '{"id":2,"tags":[],"pt":{"y":3,"x":7,"z":"2020-01-02"},"items":[]}' \
        '{"id":3,"tags":null,"pt":null}' '{"id":4,"pt":{"x":null},"tags":["\u00fc",null,""]}' >a.jsonl
}

# value EXPR WANT: of one row, as JSON
value() {
    local got
    got=$(printf 'x\n1\n' | bp-read | bp-map "$1 AS v" | bp-write -f jsonl)
    [ "$got" = "{\"v\":$2}" ] || { echo "$1: $got"; return 1; }
}

@test "texts become lists, lists texts, as in PostgreSQL" {
    value "string_to_array('a,b,,c', ',')" '["a","b","","c"]'
    value "string_to_array('a,b', '')" '["a,b"]'
    value "string_to_array('', ',')" '[]'
    value "string_to_array('aü', null)" '["a","ü"]'
    value "string_to_array('xx~~yy~~zz', '~~', 'yy')" '["xx",null,"zz"]'
    value "string_to_array(null, ',')" null
    value "array_to_string(array[1, 2, null, 3], '/')" '"1/2/3"'
    value "array_to_string(array[1, null], '/', '*')" '"1/*"'
    value "array_to_string(array[true, false], '')" '"tf"'
    value "regexp_match('foobarbeque', '(bar)(beque)')" '["bar","beque"]'
    value "regexp_match('foobar', 'o+')" '["oo"]'
    value "regexp_match('foobar', 'z(o)?')" null
    value "regexp_match('AB', '(a)(x)?', 'i')" '["A",null]'
}

@test "elements and lengths, as in PostgreSQL" {
    value "(array[1, 2])[2]" 2
    value "(array[1, 2])[0]" null
    value "(array[1, 2])[3]" null
    value "(array['a', null])[x]" '"a"'
    value "cardinality(string_to_array('', ','))" 0
    value "array_length(string_to_array('', ','), 1)" null
    value "array_length(array[x, 5], 1)" 2
    value "array_length(array[1], 2)" null
    value "array_position(array[7, 8, 7], 8)" 2
    value "array[1, 2] < array[1, 2, 0]" true
    value "array[1, null] = array[1, null]" true
    value "array[1, 2]::text" '"{1,2}"'
}

@test "fields and elements of what JSON Lines hold" {
    [ "$(bp-map '(pt).x AS x, (items[1]).sku AS s, tags[id] AS t' a.jsonl | bp-write --header no | tr '\n' ';')" = '1,A,a;7,,;,,;,,;' ]
    bp-schema --sql a.jsonl | grep -q 'pt struct(x bigint, y double precision, z date)'
    [ "$(bp-filter "(pt).z = '2020-01-02'" a.jsonl | bp-write -f jsonl -)" = '{"id":2,"tags":[],"pt":{"x":7,"y":3,"z":"2020-01-02"},"items":[]}' ]
}

@test "unnest makes rows of elements, side by side" {
    [ "$(bp-map 'id, unnest(tags) AS t, unnest(items) AS i' a.jsonl | bp-write --header no | tr '\n' ';')" = '1,a,"(A,2)";1,b,"(B,)";4,ü,;4,,;4,"",;' ]
    [ "$(bp-map '*, unnest(items) AS i' a.jsonl | bp-map 'id, (i).n AS n' | bp-write --header no | tr '\n' ';')" = '1,2;1,;' ]
    seq 1 3000 | sed 's/.*/{"id":&,"l":[&,&,&]}/' >l.jsonl
    [ "$(bp-map 'unnest(l) AS x' l.jsonl | bp-reduce 'count(*) AS n, sum(x) AS s' | bp-write --header no)" = 9000,13504500 ]
}

@test "what has no place says so" {
    fails 2 bp-map -a 'unnest(tags) t' a.jsonl
    says "write the whole list, bp-map '*, unnest(a) AS b'"
    fails 2 bp-filter 'unnest(tags) IS NULL' a.jsonl
    says "an item of bp-map's list"
    fails 2 bp-map '(pt).q' a.jsonl
    says "there is no field 'q' in struct(x bigint"
    fails 2 bp-map 'id[1]' a.jsonl
    says "bigint has no elements"
    fails 2 bp-map 'tags::text[]' a.jsonl
    says "nothing is cast to a list"
    fails 2 bp-sort tags a.jsonl
    says "lists and structs are no keys"
}

@test "a nested value that does not fit is an error of its line, or a reject" {
    fails 1 bp-read -s 'id int, tags int[], *' a.jsonl
    says "a.jsonl:1: column tags: '\"a\"' is no value of integer"
    fails 1 bp-read -s 'id int, pt struct(x int), *' a.jsonl
    says "has a field twice, or one that is not in struct(x integer)"
    [ "$(bp-read --on-error null -s 'id int, tags int[], *' -c id,tags a.jsonl 2>/dev/null | bp-write --header no | tr '\n' ';')" = '1,;2,{};3,;4,;' ]
    [ "$(bp-read -s 'tags text, *' -c tags a.jsonl | bp-head -n 1 | bp-write -f jsonl)" = '{"tags":"[\"a\",\"b\"]"}' ]
}

@test "a list column cannot be read from CSV, and says what can" {
    printf 'a,b\n1,{1}\n' >t.csv
    fails 2 bp-read -s 'a int, b int[]' t.csv
    says "'b'"
    says 'JSON Lines'
}

@test "a constant list is unnested as any is; NULL alone is no list" {
    put q.jsonl '{"id":1,"l":[1,2]}\n{"id":2,"l":[]}\n{"id":3,"l":null}\n'
    [ "$(bp-map 'unnest(array[7,8]) AS x, id' q.jsonl | bp-write)" = "$(printf 'x,id\n7,1\n8,1\n7,2\n8,2\n7,3\n8,3')" ]
    [ "$(bp-map "id, unnest(l) AS a, unnest(string_to_array(:s, ',')) AS b" -v s=x,y,z q.jsonl | bp-write | head -5 | tail -2)" = "$(printf '1,,z\n2,,x')" ]
    fails 2 bp-map 'cardinality(null) AS n' q.jsonl
    says "the type of this list is not known"
    fails 2 bp-map -a 'unnest(array[1]) AS x' q.jsonl
    [ "$(bp-map -d l q.jsonl | bp-map "array_position(array[interval '1 day'], interval '24 hours') AS p" | bp-write)" = "$(printf 'p\n1\n1\n1')" ]
}

@test "a list longer than a batch, or beside a long text, is unnested piece by piece, in order" {
    "$BP_PYTHON" -c '
print("{\"k\":\"%s\",\"l\":%s}" % ("x" * 50000, list(range(200000))))
print("{\"k\":\"y\",\"l\":%s}" % list(range(200000, 200003)))' >long.jsonl
    bp-map 'k, unnest(l) AS x' --mem 64M --stats long.jsonl 2>stats | bp-map 'length(k) AS k, x' | bp-write --header no >got
    [ "$(cut -d, -f2 got | cksum)" = "$(seq 0 200002 | cksum)" ]
    [ "$(cut -d, -f1 got | uniq -c | tr -s ' \n' ' ')" = " 200000 50000 3 1 " ]
    [ "$(bp-map "unnest(l) AS x" long.jsonl | bp-reduce "string_agg(x::text, ',') AS t" | bp-map 'md5(t) AS m' | bp-write --header no)" = \
        "$(seq 0 200002 | paste -sd, | tr -d '\n' | md5sum | cut -d' ' -f1)" ]
    peak_below $((88 << 20)) stats
}
