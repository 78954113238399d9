#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --from and --to: commands that stand where a file could, and whose exit status counts.
load lib

# dead PID: soon
dead() {
    for _ in $(seq 100); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.02
    done
    return 1
}

@test "--from reads each operand through a command, its name one word of the shell" {
    put "a b'c.csv" 'x,y\n1,a\n'
    put '$(exit 3).csv' 'y,x\nb,2\n'
    bp-read --from 'cat ./{}' "a b'c.csv" '$(exit 3).csv' | bp-write >got
    put want 'x,y\n1,a\n2,b\n'
    same got want
    # packed streams, JSON Lines and Arrow are told as ever
    put j '{"x":1}\n'
    gzip -k j
    bp-read --from 'cat {}' j.gz | bp-write >got
    put want 'x\n1\n'
    same got want
    bp-read j >s
    [ "$(bp-read --from 'cat {}' s s | bp-write)" = "x
1
1" ]
}

@test "a command of --from that fails is an error and no end of file" {
    put a.csv 'x\n1\n2\n'
    fails 1 bash -c "bp-read --from 'cat {}; exit 3' a.csv | bp-write out.csv"
    says "bp-read: a.csv: the command 'cat 'a.csv'; exit 3' failed with exit status 3"
    says 'bp-write: out.csv not written'
    [ ! -e out.csv ]
    fails 1 bash -c "bp-read --from 'cat {}; kill -9 \$\$' a.csv | bp-write"
    says 'was killed by signal 9'
    fails 1 bp-read --from 'no-such-command {}' a.csv
    says 'was not found'
    fails 2 bp-read --from 'cat a.csv' a.csv
    says "{} says where the name of the input goes"
    fails 1 bp-read --from "yes 1 | head -n 300000; exit 1 # {}" a.csv
    says 'exit status 1'
    fails 2 bp-read --from 'cat {}'
    says 'wants the names'
}

@test "a consumer that closes early ends the commands of --from" {
    bp-read --from 'echo $$ >pid; yes {}' 7 | bp-head -n 2 | bp-write >got
    put want '7\n7\n7\n'
    same got want
    dead "$(cat pid)"
}

@test "tasks take whole commands of --from, each once" {
    for i in 1 2 3 4 5; do put "$i.csv" "x\n$i\n"; done
    for t in 0 1 2; do
        bp-read --task $t/3 --from 'cat {}' 1.csv 2.csv 3.csv 4.csv 5.csv |
            bp-shuffle --task $t/3 -k x -n 4 stage
    done
    [ "$(bp-sort x stage | bp-write --header no | tr '\n' ' ')" = "1 2 3 4 5 " ]
    # a task that named other inputs is caught
    bp-read --task 1/3 --from 'cat {}' 1.csv 2.csv 3.csv 4.csv | bp-shuffle --task 1/3 -k x -n 4 stage
    fails 1 bp-sort x stage
    # as is one that read them by another command
    bp-read --task 1/3 --from 'head -n 2 {}' 1.csv 2.csv 3.csv 4.csv 5.csv | bp-shuffle --task 1/3 -k x -n 4 stage
    fails 1 bp-sort x stage
    [ -z "$(grep -l 'head -n' stage/*)" ]
}

@test "--to gives the table to a command, whose failure is ours" {
    put a.csv 'x,y\n1,a\n2,b\n'
    bp-read a.csv | bp-write --to 'cat >out.csv'
    same out.csv a.csv
    bp-read a.csv | bp-write -f jsonl --codec gzip --to 'gzip -d >out'
    put want '{"x":1,"y":"a"}\n{"x":2,"y":"b"}\n'
    same out want
    bp-read a.csv | bp-write -f arrow --to 'bp-sort "x DESC" | bp-write >out'
    put want 'x,y\n2,b\n1,a\n'
    same out want
    bp-read a.csv | bp-write -f parquet --to 'cat >out.parquet'
    bp-read out.parquet | bp-write >out
    same out a.csv
    fails 1 bash -c "bp-read a.csv | bp-write --to 'cat >/dev/null; exit 4'"
    says "bp-write: the table is not written: the command 'cat >/dev/null; exit 4' failed with exit status 4"
    fails 1 bash -c "bp-read --from 'yes {}' 1 | bp-write --to 'head -n 2 >/dev/null'"
    says 'before it had read the whole table'
    fails 2 bash -c "bp-read a.csv | bp-write --to 'cat' out.csv"
}

@test "the command of --to sees no end of file when the table is not whole" {
    put a.csv 'x\n1\n2\n'
    fails 1 bash -c "bp-read --from 'cat {}; sleep 0.2; exit 1' a.csv | bp-write --to 'cat >/dev/null; echo whole >end'"
    sleep 0.1
    [ ! -e end ]
    # nor when we are killed, or what feeds us
    mkfifo in
    bp-write --to 'echo $$ >pid; cat >/dev/null; echo whole >end' <in 2>/dev/null &
    writer=$!
    exec 7>in
    bp-read a.csv >s
    head -c 600 s >&7
    until [ -s pid ]; do sleep 0.02; done
    kill -9 $writer
    dead "$(cat pid)"
    exec 7>&-
    [ ! -e end ]
}
