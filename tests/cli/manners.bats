#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How the commands behave in a shell.
load lib

commands='bp-read bp-filter bp-map bp-shuffle bp-reduce bp-join bp-sort bp-head bp-write bp-show bp-schema bp-todo'

# on_terminal COMMAND: its output as a terminal sees it
on_terminal() {
    script -qec "$1" /dev/null </dev/null | tr -d '\r'
}

@test "every command has one screen of help with three examples, on stdout" {
    for c in $commands; do
        run $c --help
        [ "$status" -eq 0 ]
        [ "${#lines[@]}" -le 40 ] || { echo "$c: ${#lines[@]} lines"; return 1; }
        says "usage: $c"
        says "order of rows:"
        says "memory:"
        run $c -V
        [ "$status" -eq 0 ]
        says "$c (batchpipe)"
    done
}
@test "the examples of --help run" {
    taxi-gen --kind yellow --rows 2000 >trips.csv
    mkdir trips && taxi-gen --kind yellow --rows 500 >trips/a.csv
    printf 'LocationID,Borough\n132,Queens\n' >zones.csv
    for c in $commands; do
        $c --help | sed -n '/^$/,/^$/p' | sed -n 's/^  \(bp-.*\)/\1/p' >examples
        [ "$(wc -l <examples)" -ge 3 ]
        while read -r line; do
            bash -c "set -o pipefail; $line" >.out 2>.err </dev/null || { echo "$line:"; cat .err; return 1; }
            [ ! -s .err ] || { echo "$line said:"; cat .err; return 1; }
        done <examples
    done
}
@test "a usage error is exit 2 and names the option" {
    for c in $commands; do
        fails 2 $c --no-such-option x
        says "$c:"
        says "no-such-option"
    done
}
@test "help into a full device fails, into a closed pipe is quiet" {
    for c in $commands; do
        run bash -c "$c --help >/dev/full"
        [ "$status" -ne 0 ]
        says "$c"
        run bash -c "$c --help | :"
        [ -z "$output" ]
    done
}
@test "a full device, and a closed stdout, are errors" {
    put in.csv 'a\n1\n'
    for c in 'bp-read in.csv' 'bp-filter true in.csv' 'bp-show in.csv' 'bp-schema in.csv' 'bp-todo -n 3 x'; do
        run bash -c "$c >/dev/full"
        [ "$status" -eq 1 ] || { echo "$c: $status"; return 1; }
        says 'No space left'
        run bash -c "$c >&-"
        [ "$status" -eq 1 ] || { echo "$c >&-: $status"; return 1; }
        says 'bp-'
    done
    run bash -c 'bp-read in.csv | bp-write >/dev/full'
    [ "$status" -eq 1 ]
}
@test "a stream redirected to a name of text is refused" {
    put in.csv 'a\n1\n'
    for s in csv tsv json parquet; do
        run bash -c "bp-read in.csv >out.$s"
        [ "$status" -eq 2 ]
        says "bp-write > out.$s"
        [ ! -s out.$s ]
    done
}
@test "an early end downstream is quiet, prompt, and exit 0 under pipefail" {
    taxi-gen --kind yellow --rows 200000 >in.csv
    run bash -c 'set -o pipefail; bp-read in.csv | bp-filter true | bp-head -n 1 | bp-write >out.csv'
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(wc -l <out.csv)" -eq 2 ]
    run bash -c 'set -o pipefail; bp-read in.csv | head -c 100 >/dev/null'
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run bash -c 'set -o pipefail; bp-read in.csv | bp-write | head -n 1'
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
}
@test "one cause, two lines: the command that failed and the sink" {
    put in.csv 'a\n1\n0\n'
    run bash -c 'bp-read in.csv | bp-filter "1 / a > 0" | bp-map "a + 1 AS b" | bp-write out.csv'
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 2 ] || { echo "$output"; return 1; }
    says 'bp-filter: '
    says 'bp-write: out.csv not written'
    [ ! -e out.csv ]
}
@test "a clause that does not parse stops the whole pipeline" {
    put in.csv 'a\n1\n'
    run bash -c 'bp-read in.csv | bp-filter "a = = 2" | bp-write out.csv'
    [ "$status" -eq 1 ]
    says 'bp-filter: '
    says 'bp-write: out.csv not written'
    [ ! -e out.csv ]
}
@test "a stream cut anywhere is never a result" {
    awk 'BEGIN { print "a,b"; for (i = 0; i < 300; i++) print i % 7 "," i }' >in.csv
    bp-read in.csv >whole
    size=$(stat -c %s whole)
    for n in $(seq 0 37 $((size - 1))) $(seq $((size - 40)) $((size - 1))); do
        rm -f out.csv
        run bash -c "head -c $n whole | bp-reduce -k a 'count(*)' | bp-write out.csv"
        [ "$status" -eq 1 ] || { echo "cut at $n: $status"; return 1; }
        [ ! -e out.csv ]
        says 'out.csv not written'
    done
    bp-reduce -k a 'count(*)' <whole | bp-write out.csv
    [ "$(wc -l <out.csv)" -eq 8 ]
}
@test "pyarrow refuses the stream of a failed command" {
    put in.csv 'a\n1\n0\n'
    run bash -c 'bp-read in.csv | bp-filter "1 / a > 0" 2>/dev/null | "$BP_PYTHON" -c "
import sys, pyarrow.ipc as i
i.open_stream(sys.stdin.buffer).read_all()" 2>/dev/null'
    [ "$status" -ne 0 ]
}
@test "killed by a signal, nothing half-done stays" {
    taxi-gen --kind yellow --rows 300000 >in.csv
    for sig in INT TERM; do
        # a shell's background jobs ignore SIGINT: undo that
        { sleep 1; cat in.csv; } | bp-read - | env --default-signal=INT bp-write out.csv &
        pid=$!
        sleep 0.4
        kill -$sig $pid
        wait $pid || true
        [ -z "$(ls -A | grep -v in.csv)" ] || { ls -A; return 1; }
    done
}
@test "killed by SIGKILL at random moments: the old output or the new, whole" {
    awk 'BEGIN { print "a"; for (i = 0; i < 400000; i++) print i }' >in.csv
    echo old >out.csv
    bp-read in.csv | bp-write want.csv
    for i in $(seq 1 25); do
        echo old >out.csv
        bp-read in.csv | bp-write out.csv &
        pid=$!
        sleep "0.0$((i % 10))$((i * 7 % 10))"
        kill -9 $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
        [ "$(cat out.csv | head -c 4)" = "old" ] && [ "$(wc -l <out.csv)" -eq 1 ] || same want.csv out.csv
    done
    bp-read in.csv | bp-write out.csv
    same want.csv out.csv
    [ -z "$(ls -A | grep tmp-)" ]
}
@test "no input on a terminal is exit 2" {
    run on_terminal 'bp-filter true; echo "status $?"'
    says 'no input: name a table or pipe one in'
    says 'status 2'
}
@test "on a terminal a stream command shows a table and stops its producer" {
    taxi-gen --kind yellow --rows 100000 >in.csv
    run on_terminal 'bp-read -c PULocationID,total_amount in.csv; echo "status $?"'
    says 'PULocationID'
    says 'status 0'
    [ "${#lines[@]}" -lt 40 ]
}
@test "options stand before or after operands, -- ends them" {
    put in.csv 'a\n1\n-2\n'
    [ "$(bp-head in.csv -n 1 | bp-write)" = "a
1" ]
    [ "$(bp-filter -- '-a > 0' in.csv | bp-write)" = "a
-2" ]
}
@test "@FILE and -v" {
    put in.csv 'a,t\n1,x\n2,y\n'
    put f.sql '-- two\na = :n /* here */ AND t = :t'
    [ "$(bp-filter -v n=2 -v t=y @f.sql in.csv | bp-write)" = "a,t
2,y" ]
    fails 2 bp-filter 'a = :nope' in.csv
    says ':nope'
}
@test "stdin that is not a stream is told so" {
    run bash -c 'echo a,b | bp-filter true'
    [ "$status" -eq 1 ]
    says 'bp-read'
    run bash -c 'bp-filter true </dev/null'
    [ "$status" -eq 1 ]
    says 'stdin is empty'
}
@test "a file that is not there is named" {
    fails 1 bp-read nope.csv
    says "nope.csv"
    fails 1 bp-read 'nope/*.csv'
    says 'nothing matches'
}
@test "a clause given as a file name gets a hint" {
    put in.csv 'a\n1\n'
    fails 2 bp-filter in.csv 'a > 1'
    says 'clause'
}
@test "a device is written, not replaced; a symbolic link keeps being one" {
    put in.csv 'a\n1\n'
    mkfifo fifo
    cat fifo >got.csv &
    bp-read in.csv | bp-write -f csv fifo
    wait
    same in.csv got.csv
    [ -p fifo ]
    mkdir d
    ln -s d/real.csv out.csv
    echo old >d/real.csv
    bp-read in.csv | bp-write out.csv
    [ -L out.csv ]
    same in.csv d/real.csv
    bp-read in.csv | bp-write -f csv /dev/stdout >got.csv
    same in.csv got.csv
    [ -L /dev/stdout ]
}
@test "bp-write takes yes or no for --header, and nothing else" {
    put in.csv 'a\n1\n'
    run bash -c 'bp-read in.csv | bp-write --header maybe'
    [ "$status" -eq 2 ]
    says "'maybe'"
}
