#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What bp-read tolerates, and the account of it; inference of whole inputs; schema files.
load lib

types='a int, b date, c text'

# Every kind of bad input, one line each, between rows that are good.
dirty() {
    put dirty.csv 'a,b,c\n1,2020-01-01,x\nfoo,2020-01-02,y\n3,2020-13-01,z\n4,2020-01-04\n\n5,2020-01-05,w\xff\n6,2020-01-06,"q\nr"\n7,2020-01-07,n\0000n\n8,2020-01-08,ok,more\n9,,\n\n\n'
}

@test "skip leaves out whole rows and says how many" {
    dirty
    bp-read -s "$types" --on-error skip --rejects r.jsonl dirty.csv 2>err | bp-write >got.csv
    [ "$(cat err)" = "bp-read: 7 rows skipped, see r.jsonl" ]
    put want.csv 'a,b,c\n1,2020-01-01,x\n6,2020-01-06,"q\nr"\n9,,\n'
    same want.csv got.csv
}
@test "the account has file, line, byte, record, column, reason and text" {
    dirty
    bp-read -q -s "$types" --on-error skip --rejects r.jsonl dirty.csv >out
    cat >want <<'END'
{"file": "dirty.csv", "line": 3, "byte": 21, "record": 2, "column": "a", "reason": "'foo' is not an integer", "text": "foo,2020-01-02,y"}
{"file": "dirty.csv", "line": 4, "byte": 38, "record": 3, "column": "b", "reason": "'2020-13-01' is out of range for date", "text": "3,2020-13-01,z"}
{"file": "dirty.csv", "line": 5, "byte": 53, "record": 4, "column": null, "reason": "2 fields where 3 are expected (the row begins at byte 53)", "text": "4,2020-01-04"}
{"file": "dirty.csv", "line": 6, "byte": 66, "record": 5, "column": null, "reason": "0 fields where 3 are expected (the row begins at byte 66)", "text": ""}
{"file": "dirty.csv", "line": 7, "byte": 67, "record": 6, "column": "c", "reason": "byte 0xff is not valid UTF-8 (field 3 of 3, the row begins at byte 67)", "text": "5,2020-01-05,w�"}
{"file": "dirty.csv", "line": 10, "byte": 102, "record": 8, "column": null, "reason": "a NUL byte (byte 116 of the file)", "text": "7,2020-01-07,n\u0000n"}
{"file": "dirty.csv", "line": 11, "byte": 119, "record": 9, "column": null, "reason": "4 fields where 3 are expected (the row begins at byte 119)", "text": "8,2020-01-08,ok,more"}
END
    same want r.jsonl
}
@test "null keeps the row of a bad value, and leaves out rows of a wrong shape" {
    dirty
    bp-read -s "$types" --on-error null --rejects r.jsonl dirty.csv 2>err | bp-write >got.csv
    [ "$(cat err)" = "bp-read: 4 rows skipped, 3 values made NULL, see r.jsonl" ]
    put want.csv 'a,b,c\n1,2020-01-01,x\n,2020-01-02,y\n3,,z\n5,2020-01-05,\n6,2020-01-06,"q\nr"\n9,,\n'
    same want.csv got.csv
    [ "$(wc -l <r.jsonl)" -eq 7 ]
}
@test "a value that cannot be NULL costs its row" {
    put in.csv 'a,b\n1,2\nx,3\n,y\n4,z\n'
    bp-read -s 'a int NOT NULL, b int' --on-error null --rejects r.jsonl in.csv 2>err | bp-write >got.csv
    put want.csv 'a,b\n1,2\n4,\n'
    same want.csv got.csv
    [ "$(cat err)" = "bp-read: 2 rows skipped, 1 value made NULL, see r.jsonl" ]
}
@test "the account is Arrow unless its name ends in .jsonl" {
    dirty
    bp-read -q -s "$types" --on-error skip --rejects r.arrow dirty.csv >out
    [ "$(bp-schema --sql r.arrow | tr -s ' \n' ' ')" = "file text, line bigint, byte bigint, record bigint, \"column\" text, reason text, text text " ] ||
        bp-schema --sql r.arrow
    [ "$(bp-reduce 'count(*) AS n, sum(line) AS lines' r.arrow | bp-write | tail -1)" = "7,46" ]
}
@test "without a file the first one is told" {
    dirty
    bp-read -s "$types" --on-error skip dirty.csv 2>err >out
    [ "$(cat err)" = "bp-read: 7 rows skipped; the first: dirty.csv:3: column a: 'foo' is not an integer" ]
    bp-read -q -s "$types" --on-error skip dirty.csv 2>err >out
    [ ! -s err ]
}
@test "an account of nothing is an empty file" {
    put in.csv 'a\n1\n'
    bp-read --on-error skip --rejects r.jsonl in.csv 2>err >out
    [ -e r.jsonl ]
    [ ! -s r.jsonl ]
    [ ! -s err ]
}
@test "more than --max-errors fails, and leaves no account and no table" {
    dirty
    fails 1 bp-read -s "$types" --on-error skip --max-errors 2 --rejects r.jsonl dirty.csv
    says "dirty.csv:5: 2 fields where 3 are expected"
    says "more than --max-errors 2"
    [ ! -e r.jsonl ]
    [ -z "$(find . -name '.tmp-*')" ]
    bp-read -q -s "$types" --on-error skip --max-errors 7 dirty.csv >out
}
@test "a failure keeps the account that was there" {
    dirty
    echo old >r.jsonl
    fails 1 bp-read -s "$types" --on-error skip --max-errors 2 --rejects r.jsonl dirty.csv
    [ "$(cat r.jsonl)" = old ]
}
@test "a quote that is never closed is not tolerated: all behind it would be lost" {
    put in.csv 'a,b\n1,x\n2,"y\n3,z\n'
    fails 1 bp-read --on-error skip in.csv
    says "in.csv:3: a quote is not closed"
}
@test "a reader that stops early gets no account, and that is said" {
    { echo a; seq 3000000; echo x; } >in.csv # more than any pipe holds
    run bash -c 'bp-read -j 1 -s "a int" --on-error skip --rejects r.jsonl in.csv 2>err | bp-head -n 1 >out; echo ${PIPESTATUS[0]}'
    [ "$output" = 1 ]
    grep -q 'r.jsonl is not written' err
    [ ! -e r.jsonl ]
}
@test "--rejects and --max-errors want a mode" {
    put in.csv 'a\n1\n'
    fails 2 bp-read --rejects r.jsonl in.csv
    says "--on-error null or --on-error skip"
    fails 2 bp-read --max-errors 1 in.csv
    fails 2 bp-read --on-error ignore in.csv
    says "not 'ignore'"
}

# 60,000 rows in several chunks: quotes with newlines, and a bad row now and then.
long() {
    awk 'BEGIN { print "n,t,q"
        for (i = 1; i <= 60000; i++) {
            if (i % 9973 == 0) print i ",short"
            else if (i % 7001 == 0) print "x" i ",bad,1"
            else if (i % 5003 == 0) print i ",\"two\nlines\"," i
            else print i ",a text of some length," i } }' >"$1"
}

@test "the same rejects for any number of threads and from a pipe" {
    long long.csv
    bp-read -q -j 1 -s 'n int, t text, q int' --on-error skip --rejects 1.jsonl long.csv | bp-write >1.csv
    bp-read -q -j 4 -s 'n int, t text, q int' --on-error skip --rejects 4.jsonl long.csv | bp-write >4.csv
    [ "$(wc -l <1.jsonl)" -eq 14 ]
    same 1.jsonl 4.jsonl
    same 1.csv 4.csv
    bp-read -q -j 4 -s 'n int, t text, q int' --on-error skip --rejects p.jsonl <long.csv | bp-write >p.csv
    sed 's/"file": "[^"]*"/"file": "long.csv"/' p.jsonl >p2.jsonl
    same 1.jsonl p2.jsonl
    same 1.csv p.csv
}
@test "behind bad rows the fast path goes on: the same rows and places as one by one" {
    awk 'BEGIN {
        print "a,b,c"
        for (i = 2; i < 300000; i++) {
            if (i % 40009 == 7) { print i ",oops,\"q"; print "z\""; i++ }
            else if (i % 30011 == 11) print i ",7"
            else if (i % 20011 < 3) print i "," i ",x\"y"
            else if (i % 50021 == 1) print ""
            else print i "," i % 977 ",text " i
        }
    }' >in.csv
    read_it() { bp-read -s 'a int, b int, c text' --on-error skip --rejects $1.jsonl "${@:2}" 2>/dev/null | bp-write $1.csv; }
    read_it one -j 1 in.csv
    # what is wrong was written by line, and lines are counted
    awk -F, '/oops/ || /^$/ || (NF == 2) { print NR }' in.csv >want
    sed 's/.*"line": \([0-9]*\).*/\1/' one.jsonl >got
    same want got
    [ "$(wc -l <want)" -ge 20 ]
    [ "$(wc -l <one.csv)" -ge 299000 ]
    read_it many -j 3 in.csv
    read_it tight -j 2 --mem 16M in.csv
    read_it pipe -j 2 <in.csv
    sed -i 's/"stdin"/"in.csv"/' pipe.jsonl
    for k in many tight pipe; do
        same one.csv $k.csv
        same one.jsonl $k.jsonl
    done
    for i in 0 1 2 3 4; do
        bp-read --task $i/5 -s 'a int, b int, c text' --on-error skip in.csv 2>/dev/null | bp-write --task $i/5 -f csv out/
    done
    bp-read -s 'a int, b int, c text' out | bp-write shares.csv
    same one.csv shares.csv
}
@test "the tasks' accounts are together that of one process" {
    long long.csv
    bp-read -q -s 'n int, t text, q int' --on-error null --rejects all.jsonl long.csv | bp-write >all.csv
    echo n,t,q >parts.csv
    for i in 0 1 2 3 4; do
        bp-read -q --task $i/5 -s 'n int, t text, q int' --on-error null --rejects $i.jsonl long.csv |
            bp-write --task $i/5 -f csv parts/
        tail -n +2 "$(ls parts/*$i-of-*)" >>parts.csv
    done
    cat 0.jsonl 1.jsonl 2.jsonl 3.jsonl 4.jsonl >parts.jsonl
    same all.jsonl parts.jsonl
    same all.csv parts.csv
}
@test "line, byte and record lead to the row" {
    long long.csv
    bp-read -q -s 'n int, t text, q int' --on-error skip --rejects r.arrow long.csv >out
    bp-map 'line, byte, record, text' r.arrow | bp-write | tail -n +2 | tr -d '"' |
        while IFS=, read -r line byte record text; do
            [ "$(sed -n "${line}p" long.csv)" = "$text" ]
            [ "$(tail -c "+$((byte + 1))" long.csv | head -n 1)" = "$text" ]
            [ "$record" = "$(printf %s "$text" | sed 's/^x//; s/,.*//')" ]
        done
}

@test "bp-schema --diff tells new, gone and changed columns, and exits 1" {
    put in.csv 'a,b,d\n1,x,2.5\n'
    put s.sql 'a int, b text, c date\n'
    run bp-schema --diff s.sql in.csv
    [ "$status" -eq 1 ]
    [ "$output" = "~ a integer -> bigint
- c date
+ d double precision" ]
    put s.sql 'b text, a bigint NOT NULL, *\n'
    run bp-schema --diff s.sql in.csv
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    fails 1 bp-schema --diff none.sql in.csv
    fails 2 bp-schema --sql --diff s.sql in.csv
}
