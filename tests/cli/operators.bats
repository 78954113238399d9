#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# filter, map, reduce, join, sort, head, show, schema: small answers known by hand.
load lib

# is EXPECTED COMMAND
is() {
    local got
    got=$(bash -o pipefail -c "$2") || return 1
    [ "$got" = "$1" ] || { echo "got: $got"; return 1; }
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    put t.csv 'id,city,x,d\n1,Ulm,1.5,2020-01-31\n2,Bonn,,2020-02-01\n3,Ulm,2.5,\n4,,4,2020-03-01\n'
    put r.csv 'city,pop\nUlm,126\nBonn,330\nKiel,247\n,0\n'
}

@test "filter keeps what is true, not what is NULL" {
    is "id
3
4" "bp-filter 'x > 2' t.csv | bp-map id | bp-write"
    is "id
1
2
3" "bp-filter \"city IN ('Ulm', 'Bonn')\" t.csv | bp-map id | bp-write"
}
@test "map selects, computes, names" {
    is "id,y
1,3
2,
3,5
4,8" "bp-map 'id, x * 2 AS y' t.csv | bp-write"
    is "id + 1
2" "bp-head -n 1 t.csv | bp-map 'id  +  1' | bp-write"
    fails 2 bp-map 'id AS a, x AS a' t.csv
    says "'a'"
}
@test "map -a sees what stands before it, and overwrites in place" {
    is "id,city,x,d,y
10,Ulm,1.5,2020-01-31,11" "bp-head -n 1 t.csv | bp-map -a 'id * 10 AS id, id + 1 AS y' | bp-write"
}
@test "map -d drops, -r renames" {
    is "id,x
1,1.5" "bp-map -d 'city, d' t.csv | bp-head -n 1 | bp-write"
    is "n,city,x,d
1,Ulm,1.5,2020-01-31" "bp-map -r 'id AS n' t.csv | bp-head -n 1 | bp-write"
}
@test "reduce: groups, NULL keys, NULL values" {
    is "city,n,m,s,lo
,1,1,4,4
Bonn,1,0,,
Ulm,2,2,4,1.5" "bp-reduce -k city 'count(*) AS n, count(x) AS m, sum(x) AS s, min(x) AS lo' t.csv | bp-sort 'city NULLS FIRST' | bp-write"
    is "count(*),avg(x)
4,2.6666666666666665" "bp-reduce 'count(*), avg(x)' t.csv | bp-write"
    is "n,s
0," "bp-filter false t.csv | bp-reduce 'count(*) AS n, sum(x) AS s' | bp-write"
    is "city,n" "bp-filter false t.csv | bp-reduce -k city 'count(*) AS n' | bp-write"
}
@test "reduce: no aggregates are the different keys" {
    is "city

Bonn
Ulm" "bp-reduce -k city '' t.csv | bp-sort 'city NULLS FIRST' | bp-write"
    is "3" "bp-reduce --partial -k city '' t.csv | bp-reduce --final | bp-reduce 'count(*) AS n' | bp-write | tail -1"
    fails 2 bp-reduce '' t.csv
    says 'no aggregates'
}
@test "reduce --across: values become columns, whole and in stages" {
    bp-reduce -k city --across 'id > 2' 'count(*) AS n, string_agg(id::text, $$+$$) AS s' t.csv >whole
    is "city,false_n,false_s,true_n,true_s
,0,,1,4
Bonn,1,2,0,
Ulm,1,1,1,3" "bp-sort 'city NULLS FIRST' whole | bp-write"
    for i in 0 1 2; do
        bp-reduce --partial --task $i/3 -k city --across 'id > 2' 'count(*) AS n, string_agg(id::text, $$+$$) AS s' t.csv |
            bp-shuffle --task $i/3 -n 8 across
    done
    bp-read whole | bp-write >want.csv
    bp-reduce --final across | bp-write >got.csv
    same want.csv got.csv
    fails 1 bp-reduce --final --task 0/2 across
    says 'the columns of --across are known only from the whole'
    fails 2 bp-reduce --per-task --across city 'count(*)' t.csv
    says 'not with --per-task'
    fails 1 bp-reduce --across n 'count(*)' <(seq 0 1001 | sed 1s/0/n/ | bp-read -f csv -)
    says 'more than 1000 different values'
}
@test "reduce: an unknown aggregate is named" {
    fails 2 bp-reduce 'frobnicate(x)' t.csv
    says 'frobnicate'
}
@test "joins of every type; NULL matches nothing" {
    is "id,city,pop
1,Ulm,126
2,Bonn,330
3,Ulm,126" "bp-map 'id, city' t.csv | bp-join -k city - r.csv | bp-write"
    is "id,city,pop
1,Ulm,126
2,Bonn,330
3,Ulm,126
4,," "bp-map 'id, city' t.csv | bp-join -t left -k city - r.csv | bp-write"
    is "id,city,pop
1,Ulm,126
2,Bonn,330
3,Ulm,126
4,,
,Kiel,247
,,0" "bp-map 'id, city' t.csv | bp-join -t full -k city - r.csv | bp-write"
    is "id,city,pop
1,Ulm,126
2,Bonn,330
3,Ulm,126
0,Kiel,247
0,,0" "bp-map 'id, city' t.csv | bp-join -t right --fill 0 -k city - r.csv | bp-write"
    is "city,pop
Ulm,126
Bonn,330" "bp-join -t semi -k city r.csv t.csv | bp-write"
    is "city,pop
Kiel,247
,0" "bp-join -t anti -k city r.csv t.csv | bp-write"
    is "n
16" "bp-join -t cross t.csv r.csv | bp-reduce 'count(*) AS n' | bp-write"
}
@test "join keys of different names keep both; clashing names get a suffix" {
    put a.csv 'k,v\n1,x\n'
    put b.csv 'j,v\n1,y\n'
    is "k,v,j,v_r
1,x,1,y" "bp-join -k 'k = j' a.csv b.csv | bp-write"
    is "k,v_left,j,v_right
1,x,1,y" "bp-join --suffix _left,_right -k 'k = j' a.csv b.csv | bp-write"
    is "k,v,j,v_r
1,x,1,y" "bp-join -k 'k = j' -b b.csv a.csv | bp-write"
    is "k,v,j,v_r" "bp-join -k 'k = j' -w \"v = 'y'\" a.csv b.csv | bp-write"
}
@test "keys of different classes need a cast, and the message says so" {
    fails 2 bp-join -k 'id = city' t.csv r.csv
    says '::'
}
@test "sort: stable, several keys, NULLs last, NULLS FIRST, DESC" {
    is "id
3
1
2
4" "bp-sort 'city DESC, x DESC' t.csv | bp-map id | bp-write"
    is "id
4
2
1
3" "bp-sort 'city NULLS FIRST' t.csv | bp-map id | bp-write"
    is "id
4
3" "bp-sort 'x DESC' -n 2 t.csv | bp-map id | bp-write"
    is "id
4
3
2
1" "bp-sort -- '-id' t.csv | bp-map id | bp-write"
}
@test "merge of sorted inputs; one that is not sorted is named" {
    put a.csv 'a\n1\n3\n'
    put b.csv 'a\n2\n4\n'
    put c.csv 'a\n4\n2\n'
    is "a
1
2
3
4" "bp-sort -m a a.csv b.csv | bp-write"
    fails 1 bp-sort -m a a.csv c.csv
    says 'c.csv'
}
@test "head, and the first of each run of equal keys" {
    is "id
1
2" "bp-head -n 2 t.csv | bp-map id | bp-write"
    is "id
4
3
2" "bp-sort 'city, x DESC' t.csv | bp-head -n 1 -k city | bp-sort 'id DESC' | bp-map id | bp-write"
}
@test "show: aligned, types under the names, numbers to the right" {
    run bp-show t.csv
    [ "$status" -eq 0 ]
    says 'id'
    says 'bigint'
    says 'Ulm'
    run bp-show -x -n 1 t.csv
    says 'city'
}
@test "schema: tree, sql, json" {
    run bp-schema t.csv
    [ "${lines[0]}" = root ]
    says '|-- id: bigint (nullable = true)'
    run bash -c 'bp-schema --sql t.csv >s.sql && bp-read -s @s.sql t.csv | bp-write'
    [ "$status" -eq 0 ]
    says '1,Ulm,1.5,2020-01-31'
    bp-schema --json t.csv | "$BP_PYTHON" -c 'import json, sys; json.load(sys.stdin)'
}
@test "an error of the clause points into it" {
    fails 2 bp-filter 'id == 1' t.csv
    says '^'
    fails 2 bp-filter 'nope = 1' t.csv
    says 'nope'
    fails 2 bp-filter 'city = "Ulm"' t.csv
    says "'Ulm'"
    fails 2 bp-filter 'id = 1; DROP TABLE x' t.csv
    fails 2 bp-filter 'id = (SELECT 1)' t.csv
    fails 2 bp-filter 'x' t.csv
}
@test "an error in a value names the row" {
    fails 1 bp-map '1 / (id - 3) AS q' t.csv
    says 'row 3'
    is "q
0
-1

1" "bp-map 'try(1 / (id - 3)) AS q' t.csv | bp-write"
}
@test "Arrow files, as operands and outputs" {
    bp-read t.csv | bp-write t.arrow
    is "$(bp-read t.csv | bp-write)" "bp-filter true t.arrow | bp-write"
    bp-read t.csv >t.arrows
    is "$(bp-read t.csv | bp-write)" "bp-head -n 99 t.arrows | bp-write"
    for i in 0 1 2; do bp-read --task $i/3 t.arrow t.arrow; done | bp-write >got.csv
    bp-read t.arrow t.arrow | bp-write >want.csv
    same want.csv got.csv
}
@test "GNU parallel and cat: streams that follow one another" {
    put a.csv 'a\n1\n'
    put b.csv 'a\n2\n'
    is "a
1
2" "{ bp-read a.csv; bp-read b.csv; } | bp-write"
    bp-read a.csv >a; bp-read b.csv >b
    is "a
1
2" "cat a b | bp-filter true | bp-write"
    run bash -c '{ cat a; echo rubbish; } | bp-write'
    [ "$status" -eq 1 ]
}
@test "a text with a time of day casts to its date, as PostgreSQL has it" {
    put in.csv 'a\n2020-01-02 03:04:05\n2020-02-03\n2020-03-04T23:59:59.5+02\n'
    is "d
2020-01-02
2020-02-03
2020-03-04" "bp-read -s 'a text' in.csv | bp-map 'to_date(a) AS d' | bp-write"
}
@test "a regular expression that is wrong, or that takes too long, is an error that says so" {
    put in.csv 'a\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n'
    run bash -c "bp-map \"a ~ '(' AS m\" in.csv 2>&1 >out"
    [ "$status" -eq 2 ]
    [[ "$output" == *"missing closing parenthesis"* ]]
    run bash -c "bp-map \"a ~ '(a+a+)+(b|c)\\\$' AS m\" in.csv 2>&1 >out"
    [ "$status" -eq 1 ]
    [[ "$output" == *"takes too many steps"* ]]
}
@test "more operands than open files: text, Arrow files, streams, with few descriptors" {
    mkdir csv arrow arrows
    awk 'BEGIN { for (i = 0; i < 300; i++) { f = sprintf("csv/%03d.csv", i); printf "a,b\n%d,x\n%d,y\n", i, i + 1 >f; close(f) } }'
    for i in csv/*.csv; do # one file, many names
        n=$(basename "$i" .csv)
        [ "$n" = 000 ] || [ "$n" = 299 ] || { ln arrow/000.arrow "arrow/$n.arrow"; ln arrows/000.arrows "arrows/$n.arrows"; continue; }
        bp-read "$i" >"arrows/$n.arrows"
        bp-write "arrow/$n.arrow" <"arrows/$n.arrows"
    done
    ulimit -n 64
    for d in arrow arrows; do
        bp-reduce --mem 16M 'count(*) AS n, sum(a) AS s, max(a) AS m' $d | bp-write >got
        printf 'n,s,m\n600,898,300\n' >want
        same want got
        bp-reduce 'count(*) AS n, sum(a) AS s, max(a) AS m' $d/*.* | bp-write >got
        same want got
    done
    bp-reduce --mem 16M 'count(*) AS n, sum(a) AS s, max(a) AS m' csv | bp-write >got
    printf 'n,s,m\n600,90000,300\n' >want
    same want got
    mkdir gz
    for i in csv/*.csv; do gzip -c "$i" >"gz/${i#csv/}.gz"; done
    for j in 1 2; do # whatever was looked at is read again
        bp-reduce -j $j --stats --mem 16M 'count(*) AS n, sum(a) AS s, max(a) AS m' gz 2>stats | bp-write >got
        same want got
        peak_below 30000000 stats
    done
    for i in 0 1 2; do bp-read --task $i/3 csv | bp-write --task $i/3 -f csv out/; done
    bp-reduce 'count(*) AS n, sum(a) AS s, max(a) AS m' out | bp-write >got
    same want got
}
@test "many operands: one of another schema is refused before anything is written" {
    mkdir d
    echo a >1.csv && echo 1 >>1.csv
    bp-read 1.csv >d/000.arrows
    for i in $(seq 101 199); do ln d/000.arrows d/$i.arrows; done
    bp-map 'a::text AS a' 1.csv >d/200.arrows
    fails 1 bp-read d
    says "column 'a' is bigint in d/000.arrows but text in d/200.arrows"
    [ "$(bp-read d 2>/dev/null | head -c 4 | od -An -tx1 | tr -d ' ')" = ffffffff ] # no schema: an abort
    [ "$(bp-read d 2>/dev/null | wc -c)" -lt 400 ]
}
@test "a small broadcast side gives its texts as dictionaries, and the same rows" {
    { echo id,name,note,t; for i in $(seq 0 299); do echo "$i,name $((i % 7)),$([ $((i % 5)) = 0 ] || echo "note $i"),k$i"; done; } >small.csv
    { echo k,v,t; for i in $(seq 0 999); do echo "$((i * 37 % 350)),$i,k$((i % 320))"; done; } >left.csv
    bp-read small.csv | bp-write small.arrow
    for t in inner left full anti; do
        for k in 'k = id' t; do
            set -- -t $t -k "$k" -w "name <> 'name 3'"
            case $t in left | full) set -- "$@" --fill 0 ;; esac
            bp-join "$@" left.csv small.arrow | bp-write >want.csv
            bp-join "$@" -b small.arrow left.csv >first.arrows
            bp-write <first.arrows >got.csv
            same want.csv got.csv
            for v in BP_BATCH_ROWS=1 BP_BATCH_ROWS=7 BP_MEM=16M; do
                env $v bp-join "$@" -b small.arrow left.csv >again.arrows
                same first.arrows again.arrows
            done
        done
    done
    "$BP_PYTHON" - <<'END'
import pyarrow as pa, subprocess
def read(*argv):
    return pa.ipc.open_stream(subprocess.run(["bp-join", *argv], check=True, stdout=subprocess.PIPE).stdout).read_all()
got = read("-t", "left", "-k", "k = id", "-b", "small.csv", "left.csv")
want = read("-t", "left", "-k", "k = id", "left.csv", "small.csv")
assert pa.types.is_dictionary(got.schema.field("note").type), got.schema
assert not pa.types.is_dictionary(want.schema.field("note").type), want.schema
assert got.to_pylist() == want.to_pylist()
d = got.column("name").chunk(0).dictionary.to_pylist()
assert len(d) == len(set(d)), d
END
}
@test "a broadcast side that is not small keeps its texts as they are" {
    awk 'BEGIN { print "id,name"; for (i = 0; i < 65537; i++) print i ",name " i }' >large.csv
    head -n 65537 large.csv >small.csv
    printf 'k\n5\n70000\n' >left.csv
    for f in large small; do
        for r in 100 8192; do
            BP_BATCH_ROWS=$r bp-join -t left -k 'k = id' -b $f.csv left.csv >$f.$r.arrows
            bp-write <$f.$r.arrows >got
            printf 'k,id,name\n5,5,name 5\n70000,,\n' >want
            same want got
        done
        same $f.100.arrows $f.8192.arrows
    done
    [ "$(strings -n 4 small.100.arrows | grep -c 'name 5')" = 1 ]
    ! cmp -s small.100.arrows large.100.arrows
}

@test "a right side of more than a million rows is held as rows, and gives the same bytes" {
    awk 'BEGIN { print "k,t,v,n,w,f"; for (i = 0; i < 1100000; i++) printf "%d,%s%d,%d,%s,%s,%s\n", i * 7 % 1100000, i % 3 ? "some text " : "t", i, i * 11, i % 5 ? i : "", i % 4 ? "" : i % 8 ? "\"\"" : "longer than there is room for " i, i % 2 ? "yes" : "no" }' >right.csv
    awk 'BEGIN { print "k,l"; for (i = 0; i < 60000; i++) printf "%d,left %d\n", i * 37 % 1200000, i }' >left.csv
    bp-read right.csv >right.arrow
    for type in inner left full anti; do
        bp-read left.csv | bp-join -j 1 -t $type -k k - right.arrow >want
        bp-read left.csv | bp-join -j 3 -t $type -k k - right.arrow >got
        cmp want got
        [ $type = anti ] && continue
        # with a condition the columns stay columns
        bp-write want.csv <want
        bp-read left.csv | bp-join -j 2 -t $type -k k --where true - right.arrow | bp-write got.csv
        cmp want.csv got.csv
        [ "$(wc -l <want.csv)" -gt 50000 ]
        bp-read left.csv | bp-join -t $type -k k - right.csv | bp-write got.csv # codes for texts
        cmp want.csv got.csv
    done
    bp-read left.csv | bp-join -j 1 -t full --fill 0 -k k - right.arrow >want
    bp-read left.csv | bp-join -j 3 -t full --fill 0 -k k - right.arrow >got
    cmp want got
    [ "$(bp-read left.csv | bp-join -j 3 -k k --where "t LIKE '%7' AND v > 70" - right.arrow | bp-reduce 'count(*) AS n' | bp-write --header no)" = \
        "$(bp-read left.csv | bp-join -j 1 -k k - right.arrow | bp-filter "t LIKE '%7' AND v > 70" | bp-reduce 'count(*) AS n' | bp-write --header no)" ]
}
