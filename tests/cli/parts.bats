#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bp-write: part files, runs that can be repeated, tasks that write by value, outputs without rows.
load lib

rows() { # N: k 1..N, p its rest by 3
    seq "$1" | sed '1i k' | bp-read -s 'k int' | bp-map 'k, k % 3 AS p'
}
files() {
    (cd "$1" && find . -type f | LC_ALL=C sort | paste -sd' ')
}

@test "--parts cuts the rows in their order, evenly, whatever the memory and the batches" {
    rows 100000 >in.arrows
    bp-write <in.arrows >want.csv
    for f in csv tsv jsonl arrow parquet; do
        bp-write --parts 7 -f $f $f/ <in.arrows
        [ "$(find $f -name '*.'$f | wc -l)" = 7 ]
        bp-read $f | bp-write | cmp - want.csv
    done
    [ "$(for i in csv/*.csv; do echo $(($(wc -l <$i) - 1)); done | paste -sd' ')" = "14285 14286 14286 14285 14286 14286 14286" ]
    bp-write --parts 7 -f csv --mem 16M -j 1 again/ <in.arrows
    diff -r csv again
    bp-read -s 'k int, p int' csv/*.csv | BP_BATCH_ROWS=7 bp-filter true | bp-write --parts 7 -f csv -j 4 small/
    diff -r csv small
    [ "$(bp-schema --sql csv | tr -d '\n ')" = "kinteger,pinteger" ]
}

@test "--parts of more than memory holds waits on disk, within the bound" {
    seq 600000 | awk 'BEGIN { print "n,t" } { print $1 ",some text that makes the row longer " $1 }' >in.csv
    bp-read in.csv >in.arrows
    bp-write --mem 16M --stats --parts 3 -f csv out/ <in.arrows 2>stats
    ! grep -q '"spilled_bytes":0,' stats
    cat out/0000?.csv | grep -v '^n' | cmp - <(tail -n +2 in.csv)
    peak_below $((28 << 20)) stats
}

@test "more parts than rows, and no rows, give files all the same" {
    rows 2 | bp-write --parts 4 -f csv out/
    [ "$(files out)" = "./00000.csv ./00001.csv ./00002.csv ./00003.csv ./_SUCCESS" ]
    [ "$(bp-read out | bp-write)" = "$(rows 2 | bp-write)" ]
    rows 2 | bp-filter false | bp-write --target-size 1M -f parquet none/
    [ "$(bp-read none | bp-write)" = "k,p" ]
}

@test "--target-size ends a file where it is full" {
    rows 100000 >in.arrows
    bp-write --target-size 100K -f csv out/ <in.arrows
    [ "$(files out)" = "./00000.csv ./00001.csv ./00002.csv ./00003.csv ./00004.csv ./00005.csv ./00006.csv ./00007.csv ./_SUCCESS" ]
    [ "$(($(wc -l <out/00000.csv) - 1))" = 12800 ]
    bp-read out | bp-write | cmp - <(bp-write <in.arrows)
    bp-filter true <in.arrows | BP_BATCH_ROWS=11 bp-filter true | bp-write -j 3 --mem 16M --target-size 100K -f csv again/
    diff -r out again
}

@test "a run replaces itself, and leaves the others" {
    rows 3 >a.arrows
    rows 5 >b.arrows
    bp-write --run d1 -f csv out/ <a.arrows
    bp-write --run d2 -f csv out/ <b.arrows
    bp-write --run d1 -f csv out/ <a.arrows
    [ "$(files out)" = "./_SUCCESS ./d1-00000.csv ./d2-00000.csv" ]
    [ "$(bp-reduce 'count(*) AS n' out | bp-write)" = "$(printf 'n\n8')" ]
    bp-write --run d1 --parts 2 -f csv out/ <b.arrows
    [ "$(files out)" = "./_SUCCESS ./d1-00000.csv ./d1-00001.csv ./d2-00000.csv" ]
    bp-write --run d1 -f csv out/ <b.arrows
    [ "$(files out)" = "./_SUCCESS ./d1-00000.csv ./d2-00000.csv" ]
    # a run whose name begins as another's is another
    bp-write --run d -f csv out/ <b.arrows
    bp-write --run d-00000 -f csv out/ <b.arrows
    bp-write --run d -f csv out/ <a.arrows
    [ "$(bp-reduce 'count(*) AS n' out | bp-write)" = "$(printf 'n\n18')" ]
    fails 1 bash -c 'bp-write --parts 2 -f csv out/ <a.arrows'
    says "'out/' holds files of other runs ('d')"
    says -- '--run ID'
    says -- --replace-parts
    fails 1 bash -c 'bp-write -f csv out/ <a.arrows'
    says 'write to another directory'
    fails 1 bash -c "bp-map 'k' <a.arrows | bp-write --run d3 -f csv out/"
    says "'out/' holds files with other columns"
    put out/mine.csv 'k,p\n1,1\n'
    fails 1 bash -c 'bp-write --run d1 -f csv out/ <a.arrows'
    says "('mine.csv')"
    bp-write --replace --parts 1 -f csv out/ <a.arrows
    [ "$(files out)" = "./00000.csv ./_SUCCESS" ]
    [ "$(ls -A)" = "$(printf 'a.arrows\nb.arrows\nout')" ]
}

@test "runs at the same time lose nothing" {
    rows 10 >a.arrows
    for round in $(seq 12); do # the first look of one may fall into the commit of another
        rm -rf out
        for i in 1 2 3 4 5 6; do bp-write --run r$i -f csv out/ <a.arrows & done
        wait
        [ "$(bp-reduce 'count(*) AS n' out | bp-write)" = "$(printf 'n\n60')" ]
    done
    [ "$(ls -A)" = "$(printf 'a.arrows\nout')" ]
}

@test "runs by value; --replace-parts replaces the values that have rows" {
    rows 9 >a.arrows
    bp-write --run d1 -f parquet --by p out/ <a.arrows
    bp-filter 'p = 1' <a.arrows | bp-write --run d2 -f parquet --by p out/
    [ "$(files out)" = "./_SUCCESS ./p=0/d1-00000.parquet ./p=1/d1-00000.parquet ./p=1/d2-00000.parquet ./p=2/d1-00000.parquet" ]
    bp-filter 'p = 2' <a.arrows | bp-write --run d1 -f parquet --by p out/
    [ "$(files out)" = "./_SUCCESS ./p=1/d2-00000.parquet ./p=2/d1-00000.parquet" ]
    bp-map 'k * 100 AS k, p' <a.arrows | bp-filter 'p <> 2' | bp-write --replace-parts -f parquet --by p out/
    [ "$(files out)" = "./_SUCCESS ./p=0/00000-of-00001.parquet ./p=1/00000-of-00001.parquet ./p=2/d1-00000.parquet" ]
    [ "$(bp-reduce -k p 'sum(k) AS s' out | bp-sort p | bp-write)" = "$(printf 'p,s\n0,1800\n1,1200\n2,15')" ]
}

@test "what --parts, --run and --replace-parts cannot do is said before anything is read" {
    rows 3 >a.arrows
    fails 2 bash -c 'bp-write --parts 2 out.csv <a.arrows'
    says 'write into a directory'
    fails 2 bash -c 'bp-write --parts 2 --target-size 1M out/ <a.arrows'
    fails 2 bash -c 'bp-write --parts 2 --by p out/ <a.arrows'
    fails 2 bash -c 'bp-write --run ../x out/ <a.arrows'
    says "--run '../x'"
    fails 2 bash -c 'bp-write --run x --replace out/ <a.arrows'
    fails 2 bash -c 'bp-write --replace-parts out/ <a.arrows'
    says '--by COLS'
    fails 2 bash -c "bp-write --run x 'out/{p}.csv' <a.arrows"
    says 'put the run into it'
    fails 2 bash -c 'bp-write --task 0/2 --parts 2 out/ <a.arrows'
    [ "$(ls -A)" = a.arrows ]
}

@test "tasks write by value, each its own directory, and all of them are the table" {
    rows 100 | bp-write k.csv
    for f in csv parquet; do
        for i in 2 0 1; do
            [ $i = 2 ] || fails 1 bp-read $f
            bp-read --task $i/3 k.csv | bp-write --task $i/3 -f $f --by p $f
        done
        [ "$(files $f/00001-of-00003)" = "./_SUCCESS ./p=0/00000-of-00001.$f ./p=1/00000-of-00001.$f ./p=2/00000-of-00001.$f" ]
        [ "$(bp-stat --fingerprint $f)" = "$(bp-stat --fingerprint k.csv)" ]
        [ "$(bp-read -T --task 0/1 -c p,k $f | bp-reduce --per-task -k p 'sum(k) AS s' | bp-sort p | bp-write)" = "$(printf 'p,s\n0,1683\n1,1717\n2,1650')" ]
        [ -z "$(bp-todo -n 3 $f)" ]
    done
    # a repeated task replaces its directory
    bp-read --task 1/3 k.csv | bp-write --task 1/3 -f csv --by p csv
    [ "$(bp-stat --fingerprint csv)" = "$(bp-stat --fingerprint k.csv)" ]
    rm csv/00001-of-00003/p=2/*
    fails 1 bp-read csv
    says "'csv/00001-of-00003' is not complete"
    rm -r csv/00001-of-00003
    fails 1 bp-read csv
    says '1 of 3 tasks are missing'
    [ "$(bp-todo -n 3 csv)" = 1/3 ]
    fails 1 bash -c 'bp-read k.csv | bp-write -f csv --by p csv'
    fails 1 bash -c 'bp-read k.csv | bp-write --task 0/2 -f csv --by p csv'
    says 'of another number of tasks'
    for i in 0 1; do bp-read --task $i/2 k.csv | bp-write --task $i/2 --replace -f csv --by p csv; done
    [ "$(ls csv)" = "$(printf '00000-of-00002\n00001-of-00002')" ]
    [ "$(bp-stat --fingerprint csv)" = "$(bp-stat --fingerprint k.csv)" ]
    for i in 0 1; do bp-read --task $i/2 k.csv | bp-write --task $i/2 'pat/{p}.csv'; done
    [ "$(bp-stat --fingerprint pat)" = "$(bp-stat --fingerprint k.csv)" ]
}

@test "an output by value without rows is an empty table with its columns and types" {
    rows 3 | bp-filter false >none.arrows
    for f in csv jsonl arrow parquet; do
        bp-write -f $f --by p $f <none.arrows
        [ "$(bp-read $f | bp-write)" = k,p ]
        [ "$(bp-schema --sql $f | tr -d '\n ')" = "kinteger,pinteger" ]
        [ "$(bp-read -w 'p = 1' -c k $f | bp-write)" = k ]
        [ "$(bp-read --task 1/2 $f | bp-write --task 1/2 -f csv t_$f/ && cat t_$f/*)" = k,p ]
        for i in 0 1; do bp-write --task $i/2 -f $f --by p tasks_$f <none.arrows; done
        [ "$(bp-reduce 'count(*) AS n' tasks_$f | bp-write)" = "$(printf 'n\n0')" ]
    done
    mkdir bare
    fails 1 bp-read bare
    says 'is an empty directory'
}

@test "a directory that is replaced while it is read is an error, not a mixture" {
    seq 4000000 | sed '1i k' | bp-read -s 'k int' >old.arrows
    rows 10 >new.arrows
    mkfifo pipe
    for how in "--parts 8 -f parquet" "--parts 8 -f arrow"; do
        bp-write $how out/ <old.arrows
        bp-read -j 1 out >pipe 2>errs 3>&- &
        exec 8<pipe
        head -c 100000 <&8 >/dev/null
        bp-write --replace $how out/ <new.arrows
        cat <&8 >/dev/null
        exec 8<&-
        status=0
        wait $! || status=$?
        [ "$status" = 1 ]
        grep -q "was replaced while it was read: run this again" errs
    done
}

@test "a writer waits for the directory, and looks at what it is about to replace" {
    rows 3 >a.arrows
    bp-write --parts 1 -f csv out/ <a.arrows
    bp-write --run mon -f csv runs/ <a.arrows
    exec 9<out
    flock 9
    bp-write --parts 1 -f csv out/ <a.arrows 2>errs 3>&- 9<&- &
    sleep 0.3 # an earlier writer would be done by now, and succeed
    mv out aside
    mv runs out
    exec 9<&-
    status=0
    wait $! || status=$?
    [ "$status" = 1 ]
    grep -q "holds files of other runs ('mon')" errs
    [ "$(files out)" = "./_SUCCESS ./mon-00000.csv" ]
}

@test "a first run that fails leaves nothing; a run drops only files of its own" {
    rows 3 | bp-map "k, 'sales-2024010' || p AS d" >d.arrows
    bp-write 'out/{d}.csv' <d.arrows
    bp-map k <d.arrows >k.arrows
    bp-write --run sales -f csv out/ <k.arrows || true
    [ "$(bp-reduce 'count(*) AS n' out/sales-2024010?.csv | bp-write)" = "$(printf 'n\n3')" ]
    rows 3 >in.arrows
    fails 2 bp-write --run 00000-of -f csv new/ <in.arrows
    says "its files would look like those of tasks"
    fails 2 bp-write --task 0/2 --by p --run r -f csv new/ <in.arrows
    says "-T writes what is this task's"
    fails 2 bp-write --task 0/2 --by p --replace-parts -f csv new/ <in.arrows
    [ ! -e new ]
}
