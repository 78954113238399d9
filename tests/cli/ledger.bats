#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What each task read of which input, and what is refused because of it.
load lib

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir in
    for f in a b; do
        awk -v f=$f 'BEGIN { print "k,v"; for (i = 0; i < 3000; i++) print i * 7919 % 613 "," i % 100 }' >in/$f.csv
    done
    touch -d '2024-01-02 03:04:05 UTC' in/*.csv
}

map() { # map I N: one task over in/*.csv
    bp-read --task "$1/$2" 'in/*.csv' | bp-filter 'v >= 0' |
        bp-reduce --partial -k k 'sum(v) AS s, count(*) AS n' | bp-shuffle --task "$1/$2" -n 8 stage
}
stage() { # stage N
    for i in $(seq 0 $(($1 - 1))); do map "$i" "$1"; done
}
refused() { # refused TEXT...
    fails 1 bp-reduce --final stage
    for text; do says "$text"; done
}
ledger() { # ledger FILE: of its footer or schema
    "$BP_PYTHON" - "$1" <<'END'
import pyarrow as pa, sys
r = pa.ipc.open_file(sys.argv[1])
print((r.metadata or {}).get(b'bp.ledger', b'').decode() or r.schema.metadata[b'bp.ledger'].decode())
END
}

@test "the shares of every task tile every input" {
    for n in 1 2 3 7 20; do
        rm -rf stage
        stage $n
        bp-reduce --final stage | bp-write >got.csv
        bp-reduce -k k 'sum(v) AS s, count(*) AS n' 'in/*.csv' | bp-write >want.csv
        same want.csv got.csv
    done
}
@test "the footer names inputs, sizes, times and bytes" {
    stage 2
    run ledger stage/00001-of-00002.arrow
    says '"input":"in/b.csv"'
    says '"mtime":1704164645000000000'
    says '"share":"1/2"'
    says "\"size\":$(stat -c %s in/b.csv)"
    says "\"to\":$(stat -c %s in/b.csv)"
}
@test "an input that grows between two tasks" {
    map 0 2
    echo 7,7 >>in/b.csv
    map 1 2
    refused "'in/b.csv' changed between the tasks" 'run task 0 of 2 again'
    map 0 2
    bp-reduce --final stage >/dev/null
}
@test "an input that changes between two tasks and keeps its size" {
    map 0 3
    map 1 3
    sed -i 's/,99$/,98/' in/a.csv
    map 2 3
    refused "'in/a.csv' changed between the tasks" '2024-01-02 03:04:05.000000000 UTC for task' 'run tasks 0 and 1 of 3 again'
}
@test "an input that joins the glob between two tasks" {
    map 0 2
    cp in/a.csv in/c.csv
    map 1 2
    refused "'in/c.csv' is an input of task 1, but not of task 0" 'run task 0 of 2 again'
}
@test "an input that leaves the glob between two tasks" {
    map 0 2
    rm in/a.csv
    map 1 2
    refused "'in/a.csv' is an input of task 0, but not of task 1"
}
@test "a broadcast side must be the same for all tasks" {
    joined() {
        bp-join -b in/names.csv -k k in/a.csv --task $1/2 | bp-shuffle --task $1/2 -k k -n 4 stage
    }
    put in/names.csv 'k,name\n1,one\n2,two\n'
    joined 0
    joined 1
    bp-read stage >/dev/null
    put in/names.csv 'k,name\n1,one\n2,TWO\n'
    joined 1
    fails 1 bp-read stage
    says "'in/names.csv' changed between the tasks"
}
@test "the same input given twice is two inputs" {
    for i in 0 1 2; do
        bp-read --task $i/3 in/a.csv in/a.csv | bp-shuffle --task $i/3 -k k -n 4 stage
    done
    bp-reduce 'count(*) AS n' stage | bp-write >got.csv
    put want.csv 'n\n6000\n'
    same want.csv got.csv
}
@test "shares of Arrow files are batches, of compressed files the whole file" {
    bp-read in/a.csv | bp-write a.arrow
    gzip -k in/a.csv
    for i in 0 1 2; do
        bp-read --task $i/3 a.arrow a.arrow | bp-shuffle --task $i/3 -k k -n 4 stage
        bp-read --task $i/3 in/a.csv.gz in/b.csv | bp-shuffle --task $i/3 -k k -n 4 stage2
    done
    bp-reduce 'count(*) AS n' stage | bp-write >got.csv
    bp-reduce 'count(*) AS n' stage2 | bp-write >got2.csv
    put want.csv 'n\n6000\n'
    same want.csv got.csv
    same want.csv got2.csv
    run ledger stage/00001-of-00003.arrow
    says '"unit":"batches"'
    run ledger stage2/00001-of-00003.arrow
    says '"unit":"whole"'
}
@test "shares of JSON Lines files" {
    bp-read in/a.csv | bp-write a.jsonl
    for i in 0 1 2; do bp-read --task $i/3 a.jsonl | bp-shuffle --task $i/3 -k k -n 4 stage; done
    bp-reduce 'count(*) AS n' stage | bp-write >got.csv
    put want.csv 'n\n3000\n'
    same want.csv got.csv
    echo '{"k":1,"v":2}' >>a.jsonl
    bp-read --task 1/3 a.jsonl | bp-shuffle --task 1/3 -k k -n 4 stage
    fails 1 bp-read stage
    says "'a.jsonl' changed between the tasks"
}
@test "part files: a stage that changed between two tasks is refused" {
    stage 2
    bp-reduce --final --task 0/2 stage | bp-write --task 0/2 -f arrow out/
    bp-reduce --final --task 1/2 stage | bp-write --task 1/2 -f arrow out/
    bp-read out >/dev/null
    run ledger out/00001-of-00002.arrow
    says '"unit":"partitions"'
    echo 7,7 >>in/b.csv
    stage 2
    bp-reduce --final --task 1/2 stage | bp-write --task 1/2 -f arrow out/
    fails 1 bp-read out
    says "'stage' changed between the tasks"
    bp-reduce --final --task 0/2 stage | bp-write --task 0/2 -f arrow out/
    bp-read out >/dev/null
}
@test "Parquet part files have a ledger too" {
    for i in 0 1; do bp-read --task $i/2 in/a.csv | bp-write --task $i/2 -f parquet out/; done
    bp-reduce 'count(*) AS n' out | bp-write >got.csv
    put want.csv 'n\n3000\n'
    same want.csv got.csv
    echo 7,7 >>in/a.csv
    bp-read --task 1/2 in/a.csv | bp-write --task 1/2 -f parquet out/
    fails 1 bp-read out
    says "'in/a.csv' changed between the tasks"
}
@test "a finished table does not depend on the times of its inputs" {
    bp-reduce -k k 'sum(v) AS s' in/a.csv >one.arrows
    touch in/a.csv
    bp-reduce -k k 'sum(v) AS s' in/a.csv >two.arrows
    same one.arrows two.arrows
}
@test "a stage of one task made from the shares of several" {
    for i in 0 1 2; do bp-read --task $i/3 'in/*.csv'; done | bp-filter 'v >= 0' | bp-shuffle -k k -n 4 stage
    bp-reduce 'count(*) AS n' stage | bp-write >got.csv
    put want.csv 'n\n6000\n'
    same want.csv got.csv
}
@test "pipes have no ledger: their tasks are taken as they are" {
    for i in 0 1; do bp-read <in/a.csv | bp-shuffle --task $i/2 -k k -n 4 stage; done
    bp-read stage >/dev/null
    rm -r stage # a pipe beside shares is not
    bp-read --task 0/2 'in/*.csv' | bp-shuffle --task 0/2 -k k -n 4 stage
    bp-read <in/a.csv | bp-shuffle --task 1/2 -k k -n 4 stage
    fails 1 bp-read stage
    says 'or they read a pipe'
}
@test "bp-stat --ledger: who read what of a stage, complete or not, and what is refused" {
    printf 'k,name\n1,a\n' >small.csv
    touch -d '2024-01-02 03:04:05 UTC' small.csv
    task() { bp-read --task $1/3 'in/*.csv' | bp-join -k k -t left -b small.csv | bp-shuffle --task $1/3 -k k -n 4 stage; }
    for i in 0 1 2; do task $i; done
    bp-stat --ledger stage >got
    size=$(stat -c %s in/a.csv)
    grep -qx "in/a.csv: $size bytes of 2024-01-02 03:04:05.000000000 UTC, in bytes" got
    grep -qx 'small.csv: 11 bytes of .* UTC, whole by tasks 0, 1 and 2' got
    [ "$(grep -c ' task [012]$' got)" = 4 ]
    tail -n 1 got | grep -q 'of one division'
    ! grep -q 'no task' got
    rm stage/00001*
    bp-stat --ledger stage >got
    sed -n 2p got | grep -qx 'missing: task 1'
    [ "$(grep -c 'no task$' got)" = 2 ]
    ! grep -q 'of one division' got
    echo 4,4 >>in/b.csv
    task 1
    fails 1 bp-stat --ledger stage
    says "readers refuse it: stage: 'in/b.csv' changed between the tasks"
    bp-stat --ledger stage 2>/dev/null | grep -q ' task 1, when it was '
}
@test "bp-stat --ledger: of output directories, streams and pipes" {
    for f in arrow parquet csv; do
        for i in 0 1; do bp-read --task $i/2 'in/*.csv' | bp-write --task $i/2 -f $f $f/; done
    done
    bp-stat --ledger arrow | sed 1d >want
    grep -q 'of one division' want
    bp-stat --ledger parquet | sed 1d >got
    same want got
    fails 1 bp-stat --ledger csv
    says 'only Arrow and Parquet files'
    for i in 0 1; do
        "$BP_PYTHON" -c 'import pyarrow as pa, sys
t = pa.table({"k": [1, 2]})
with pa.ipc.new_stream(sys.stdout.buffer, t.schema) as w: w.write_table(t)' | bp-shuffle --allow-truncated --task $i/2 -k k -n 2 piped
    done
    bp-stat --ledger piped | grep -qx 'stdin: a pipe, of which nothing is known, by task 1'
    fails 2 bp-stat --ledger in/a.csv
    fails 2 bp-stat --ledger --verify arrow
}
