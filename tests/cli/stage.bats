#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Tasks, stages, output directories.
load lib

setup() {
    cd "$BATS_TEST_TMPDIR"
    awk 'BEGIN { print "k,v"; for (i = 0; i < 5000; i++) print i * 7919 % 613 "," i % 100 }' >in.csv
}

map() { # map I N PARTS [FILTER]
    bp-read --task "$1/$2" in.csv | bp-filter "${4:-true}" |
        bp-reduce --partial -k k 'sum(v) AS s, count(*) AS n' | bp-shuffle --task "$1/$2" -n "$3" stage
}
stage() { # stage N PARTS
    rm -rf stage
    for i in $(seq 0 $(($1 - 1))); do map "$i" "$1" "$2"; done
}

@test "two stages give the bytes of one pipeline, for any tasks and partitions" {
    awk 'BEGIN { print "k,v,m"; for (i = 0; i < 40000; i++) print i * 7919 % 12007 "," i % 100 "," i % 977 ".25" }' >in.csv
    export aggs='sum(v) AS s, sum(m) AS m, avg(m) AS a, count(*) AS n' schema='k int, v int, m decimal(10,2)'
    bp-reduce -s "$schema" -k k "$aggs" in.csv | bp-write >want.csv
    [ "$(wc -l <want.csv)" -eq 12008 ]
    for n in 1 4 7; do
        for p in 1 8 64; do
            rm -rf stage
            for i in $(seq 0 $((n - 1))); do
                bp-reduce --task $i/$n -s "$schema" --partial -k k "$aggs" in.csv | bp-shuffle --task $i/$n -n $p stage
            done
            bp-reduce --final stage | bp-write >got.csv
            same want.csv got.csv
        done
    done
}
@test "a stage is read by partitions and by task shares" {
    bp-reduce -k k 'sum(v) AS s, count(*) AS n' in.csv | bp-write --header no >want.csv
    stage 3 16
    { for p in $(seq 0 15); do bp-reduce --final "stage#$p" | bp-write --header no; done; } >got.csv
    same want.csv got.csv
    { bp-reduce --final 'stage#0-4' | bp-write --header no; bp-reduce --final --part 5-15 stage | bp-write --header no; } >got.csv
    same want.csv got.csv
    for i in 0 1 2 3 4; do bp-reduce --task $i/5 --final stage | bp-write --task $i/5 -f arrow out/; done
    bp-read out | bp-write --header no >got.csv
    same want.csv got.csv
    for i in $(seq 0 39); do bp-reduce --task $i/40 --final stage | bp-write --task $i/40 -f csv many/; done
    [ "$(ls many | wc -l)" -eq 40 ]
}
@test "a missing task is named" {
    stage 4 8
    rm stage/00002-of-00004.arrow
    fails 1 bp-reduce --final stage
    says '00002-of-00004'
    run bp-todo -n 4 stage
    [ "$output" = 2/4 ]
}
@test "a task re-run with another filter is refused, with the reason" {
    stage 4 8
    map 1 4 8 'v > 5'
    fails 1 bp-reduce --final stage
    says 'v > 5'
}
@test "-T forgotten on bp-shuffle is refused" {
    run bash -c "bp-read --task 1/4 in.csv | bp-shuffle -k k -n 8 stage"
    [ "$status" -eq 1 ]
    says '1/4'
    [ -z "$(ls -A stage 2>/dev/null)" ]
    run bash -c "bp-read --task 1/4 in.csv | bp-write out.csv"
    [ "$status" -eq 1 ]
    [ ! -e out.csv ]
    run bash -c "bp-read --task 1/4 in.csv | bp-shuffle --task 2/4 -k k -n 8 stage"
    [ "$status" -eq 1 ]
}
@test "a finished reduce over one of several shares is refused, over all of them right" {
    fails 1 bp-reduce --task 0/3 -k k 'count(*)' in.csv
    says 'share'
    bp-reduce -k k 'count(*) AS n' in.csv | bp-write >want.csv
    for i in 0 1 2; do bp-read --task $i/3 in.csv; done | bp-reduce -k k 'count(*) AS n' | bp-write >got.csv
    same want.csv got.csv
    for i in 0 1 2; do bp-reduce --task $i/3 --partial -k k 'count(*) AS n' in.csv; done | bp-reduce --final | bp-write >got.csv
    same want.csv got.csv
    run bash -c 'for i in 0 2; do bp-read --task $i/3 in.csv; done | bp-reduce -k k "count(*) AS n" | bp-write >got.csv'
    [ "$status" -eq 1 ]
}
@test "shares that follow one another are a whole to sort, and stay shares to filter" {
    bp-sort 'v, k' in.csv | bp-write >want.csv
    for i in 0 1 2; do bp-read --task $i/3 in.csv; done | bp-filter true | bp-sort 'v, k' | bp-write >got.csv
    same want.csv got.csv
    run bash -c 'for i in 0 1; do bp-read --task $i/3 in.csv; done | bp-filter true | bp-sort "v, k" | bp-write >got.csv'
    [ "$status" -eq 1 ]
}
@test "another N in the directory is refused, --replace replaces" {
    stage 4 8
    run bash -c "bp-read in.csv | bp-shuffle -k k -n 8 stage"
    [ "$status" -eq 1 ]
    says '--replace'
    bp-read in.csv | bp-shuffle -k k -n 8 --replace stage
    [ "$(ls stage)" = 00000-of-00001.arrow ]
}
@test "every flipped byte of a stage is refused or changes nothing" {
    put in.csv 'k,v\n1,2\n3,4\n5,6\n1,7\n'
    stage 1 2
    bp-reduce --final stage | bp-write >want.csv
    f=stage/00000-of-00001.arrow
    cp $f good
    size=$(stat -c %s good)
    "$BP_PYTHON" - "$size" <<'PY'
import subprocess, sys
good = open('good', 'rb').read()
want = open('want.csv', 'rb').read()
silent = []
for i in range(0, len(good), 3):
    bad = bytearray(good)
    bad[i] ^= 1 << (i % 8)
    open('stage/00000-of-00001.arrow', 'wb').write(bad)
    r = subprocess.run('bp-reduce --final stage | bp-write', shell=True, capture_output=True)
    if r.returncode < 0 or r.returncode > 1 or (r.returncode == 0 and r.stdout != want):
        silent.append((i, r.returncode))
assert not silent, silent
PY
}
@test "an even repartition has partitions of equal size" {
    bp-read in.csv | bp-shuffle --even -n 24 even
    for p in 0 11 23; do
        n=$(bp-reduce 'count(*) AS n' "even#$p" | bp-write --header no)
        [ "$n" -ge 208 ] && [ "$n" -le 209 ]
    done
    bp-read even | bp-sort 'k, v' | bp-write >got.csv
    bp-sort 'k, v' in.csv | bp-write >want.csv
    same want.csv got.csv
}
@test "bp-todo lists what is missing, or stale, and no more" {
    [ "$(bp-todo -n 3 stage)" = "0/3
1/3
2/3" ]
    [ "$(bp-todo -n 3 -i stage)" = 0,1,2 ]
    stage 3 4
    [ -z "$(bp-todo -n 3 stage)" ]
    touch -d '+1 minute' newer
    [ "$(bp-todo -n 3 -i stage newer)" = 0,1,2 ]
    fails 1 bp-todo -n 5 stage
    bp-todo -n 8 out | xargs -P2 -I{} sh -c 'bp-read --task {} in.csv | bp-write --task {} -f csv out/'
    bp-read out | bp-write >got.csv
    same in.csv got.csv
}
@test "an output directory with a task missing is refused" {
    for i in 0 1 2; do bp-read --task $i/3 in.csv | bp-write --task $i/3 -f arrow out/; done
    bp-read out | bp-write >got.csv
    same in.csv got.csv
    rm out/00001-of-00003.arrow
    fails 1 bp-read out
    says '1/3'
}
@test "bp-write --replace leaves the new table alone" {
    for i in 0 1 2; do bp-read --task $i/3 in.csv | bp-write --task $i/3 -f arrow out/; done
    run bash -c 'bp-read in.csv | bp-write -f arrow out/'
    [ "$status" -eq 1 ]
    says '--replace'
    bp-head -n 5 in.csv | bp-write -f arrow --replace out/
    [ "$(ls out)" = "00000-of-00001.arrow
_SUCCESS" ]
    [ "$(bp-reduce 'count(*) AS n' out | bp-write --header no)" = 5 ]
}
@test "a directory written by one process has _SUCCESS last" {
    bp-read in.csv | bp-write -f csv out/
    [ -e out/_SUCCESS ]
    bp-read out | bp-write >got.csv
    same in.csv got.csv
}
@test "a partial stream is no result: sinks and row operators refuse it" {
    bp-reduce --partial -k k 'count(*)' in.csv >partial
    for c in 'bp-write' 'bp-filter true' 'bp-sort k' "bp-map '*'"; do
        run bash -c "$c <partial"
        [ "$status" -ne 0 ] || { echo "$c took it"; return 1; }
        says '--final'
    done
    bp-show partial >/dev/null
    bp-head -n 1 partial | bp-show >/dev/null
    run bp-schema partial
    says 'count'
}
@test "joins of shares: alike partitioned ones are allowed, others refused" {
    bp-read in.csv | bp-shuffle -k k -n 8 left
    bp-reduce -k k 'max(v) AS m' in.csv | bp-shuffle -k k -n 8 right
    bp-join -t full -k k left right | bp-sort 'k, v' | bp-write --header no >want.csv
    for i in 0 1 2; do bp-join --task $i/3 -t full -k k left right | bp-write --task $i/3 -f csv out/; done
    bp-read out | bp-sort 'k, v' | bp-write --header no >got.csv
    same want.csv got.csv
    bp-read in.csv | bp-shuffle -k v -n 8 other
    fails 1 bp-join --task 0/3 -t full -k k left other
}
@test "environment: BP_TASK, and a scheduler's index with BP_TASKS" {
    BP_TASK=0/2 bp-read -T in.csv | BP_TASK=0/2 bp-write -T -f csv out/
    SLURM_ARRAY_TASK_ID=1 BP_TASKS=2 bp-read -T in.csv | JOB_COMPLETION_INDEX=1 BP_TASKS=2 bp-write -T -f csv out/
    bp-read out | bp-write >got.csv
    same in.csv got.csv
    run env -u BP_TASK SLURM_ARRAY_TASK_ID=1 bp-read -T in.csv
    [ "$status" -eq 2 ]
    says BP_TASKS
    fails 2 bp-read -T in.csv
    fails 2 bp-read --task 2/2 in.csv
}
@test "a task killed at random moments leaves the old file or the new" {
    stage 1 8
    bp-reduce --final stage | bp-write >old.csv
    awk 'BEGIN { print "k,v"; for (i = 0; i < 300000; i++) print i % 70001 "," i }' >in.csv
    bp-reduce -k k 'sum(v) AS s, count(*) AS n' in.csv | bp-write >new.csv
    for i in $(seq 1 20); do
        bp-read in.csv | bp-filter true | bp-reduce --partial -k k 'sum(v) AS s, count(*) AS n' | bp-shuffle -n 8 stage &
        pid=$!
        sleep "0.$((i / 10))$((i % 10))"
        kill -9 $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
        bp-reduce --final stage | bp-write >got.csv
        cmp -s got.csv old.csv || same new.csv got.csv
    done
    bp-read in.csv | bp-reduce --partial -k k 'sum(v) AS s, count(*) AS n' | bp-shuffle -n 8 --replace stage
    [ "$(ls -A stage)" = 00000-of-00001.arrow ]
}
@test "make install, and uninstall leaves nothing" {
    make -s -C "$BP_TESTS/.." install DESTDIR="$PWD/root" PREFIX=/usr >/dev/null
    [ -x root/usr/bin/bp-read ]
    [ -e root/usr/share/man/man1/bp-read.1 ]
    make -s -C "$BP_TESTS/.." uninstall DESTDIR="$PWD/root" PREFIX=/usr >/dev/null
    [ -z "$(find root -type f)" ]
}
