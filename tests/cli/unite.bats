#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several inputs as one table: columns by name, the wider type.
load lib

# is EXPECTED COMMAND
is() {
    local got
    got=$(bash -o pipefail -c "$2") || return 1
    [ "$got" = "$1" ] || { echo "got: $got"; return 1; }
}

@test "files of different columns and types are one table, by name" {
    put 1.csv 'a,b\n1,x\n'
    put 2.csv 'b,a,c\ny,2,2020-01-01\n'
    bp-read -s 'a smallint, *' 1.csv | bp-write 1.parquet
    bp-read -s 'a bigint, *' 2.csv | bp-write 2.arrow
    put 3.jsonl '{"c":"2020-01-03","a":3}\n'
    fails 1 bp-read 1.parquet 2.arrow
    says "column 'c' of 2.arrow is not in 1.parquet"
    says "--missing null"
    is "a,b,c
1,x,
2,y,2020-01-01
3,,2020-01-03" "bp-read --missing null 1.parquet 2.arrow 3.jsonl | bp-write"
    is "c,a
,1
2020-01-01,2
2020-01-03,3" "bp-read --missing null -c c,a 1.parquet 2.arrow 3.jsonl | bp-write"
    is "a
2
3" "bp-filter --missing null 'c IS NOT NULL' 1.parquet 2.arrow 3.jsonl | bp-map a | bp-write"
    is "a
2" "bp-read --missing null -c a -w \"b = 'y'\" 1.parquet 2.arrow 3.jsonl | bp-write"
    bp-map "a::text AS a, b" 1.csv | bp-write 4.parquet
    fails 1 bp-read 2.arrow --missing null 4.parquet
    says "column 'a' is bigint in 2.arrow but text in 4.parquet"
    fails 2 bp-read --missing nul 1.parquet 2.arrow
    says "--missing is null or error"
}

@test "_file is the input a row is of, where a clause names it" {
    put d/1.csv 'a,b\n1,"x\ny"\n2,z\r\n'
    put d/2.csv 'b,a\nu,3\n'
    put 3.jsonl '{"a":4,"b":"v"}\n'
    bp-map a,b d/2.csv | bp-write 4.parquet
    bp-map a,b d/2.csv >5.arrow
    gzip -k d/2.csv && mv d/2.csv.gz 6.csv.gz
    local all="d 3.jsonl 4.parquet 6.csv.gz"
    is "_file,n
3.jsonl,1
4.parquet,1
6.csv.gz,1
d/1.csv,2
d/2.csv,1" "bp-reduce -k _file 'count(*) AS n' $all | bp-sort _file | bp-write"
    is "_file,a
d/1.csv,1
d/1.csv,2
d/2.csv,3
3.jsonl,4" "bp-read -j 3 -c _file,a d 3.jsonl | bp-write"
    is "a
3" "bp-read -c a -w \"_file = 'd/2.csv'\" d | bp-write"
    is "a,_file
3,d/2.csv
4,3.jsonl" "bp-filter 'a > 2 AND _file IS NOT NULL' d 3.jsonl | bp-map a,_file | bp-write"
    # not where it is not named, or is only said
    is "a,b
4,v" "bp-filter \"b <> '_file'\" 3.jsonl | bp-write"
    # shares carry it on; a stage without it has its own name
    is "1,d/1.csv
2,d/1.csv
3,d/2.csv" "for i in 0 1 2; do BP_TASK=\$i/3 bp-read -T -c a,_file d | BP_TASK=\$i/3 bp-shuffle -T -k a -n 2 st || exit 1; done
        bp-reduce -k a,_file 'count(*)' st | bp-map a,_file | bp-sort a | bp-write | tail -n +2"
    bp-map a d/2.csv | bp-shuffle -k a -n 2 bare
    is "a,_file
3,bare" "bp-read -c a,_file bare | bp-write"
}

@test "a column _file of the input is taken in its place; a stream has no other" {
    put 1.csv '_file,a\nown,1\n'
    is "_file,a
own,1" "bp-read -c _file,a 1.csv | bp-write"
    put 2.csv 'a\n1\n'
    is "a,_file
1,2.csv" "bp-read -c a,_file 2.csv | bp-filter '_file IS NOT NULL' | bp-write"
    bp-read 2.csv >s.arrow
    fails 2 bash -c 'bp-filter "_file IS NULL" <s.arrow'
    says "no column '_file'"
    is "a,_file,p
1,h/p=7/x.csv,7" "mkdir -p h/p=7 && cp 2.csv h/p=7/x.csv && bp-read -s 'p int, *' -c a,_file,p h | bp-write"
}

@test "a label, a text or a comment names no pseudo-column; quotes, and what stands behind them, do" {
    put 1.csv 'a\n1\n'
    is "a,_file
1,1" "bp-map '*, a AS _file' 1.csv | bp-write"
    is "_file
1" "bp-map 'a _file' 1.csv | bp-write"
    is "_file
1" "bp-reduce 'count(*) _file' 1.csv | bp-write"
    is "_part" "bp-map -r 'a AS _part' 1.csv | bp-write | head -n 1"
    is "a,f
1,1.csv" "bp-map \"a, /* don't */ _file AS f\" 1.csv | bp-write"
    is "a,f
1,1.csv" "bp-map 'a, \"_file\" AS f -- it'\''s' 1.csv | bp-write"
    is "it's ,f
1,1.csv" "bp-map \"a AS \\\"it's \\\", _FILE AS f\" 1.csv | bp-write"
    is "f
1.csv" "bp-map \"coalesce(NULL, (_file)) AS f\" 1.csv | bp-write"
    # * is what the files have
    put 2.jsonl '{"a":2}\n'
    is "_file,a
1.csv,1
2.jsonl,2" "bp-map '_file, *' 1.csv 2.jsonl | bp-write"
    is "a,_line,F
1,2,1.CSV" "bp-map '*, _line, upper(_file) AS \"F\"' 1.csv | bp-write"
    is "a,_file
1,1.csv" "bp-filter \"_file = '1.csv'\" 1.csv | bp-map '*' | bp-write"
    put own.csv '_file,a\nx,1\n'
    is "_file,a
x,1" "bp-map '*' own.csv | bp-write"
    fails 2 bp-map '*, _file' own.csv
    says "two results are named '_file'"
    fails 2 bp-map "a, '_file" 1.csv
    says "this quote does not end"
}

@test "types, columns and shares of text files are the same with _file as without it" {
    put 1.csv 'a,b,c\n1,2020-01-01,\n2,x,\n'
    put 2.csv 'b,a,c\n7,2.5,9\n'
    put 3.csv 'c,a,b\n,,\n'
    local all="1.csv 2.csv 3.csv"
    is "$(bp-read $all | bp-map '*, NULL::text AS _file' | bp-schema --sql)" "bp-filter '_file IS NOT NULL' $all | bp-schema --sql"
    is "$(bp-read -c c,a $all | bp-write)" "bp-read -c c,a,_file $all | bp-map c,a | bp-write"
    is "_file
1.csv
1.csv
2.csv
3.csv" "bp-read -c _file $all | bp-write"
    # a column that some file lacks is no matter where nobody wants it
    put 4.csv 'a\n3\n'
    fails 1 bp-read -c b,_file 1.csv 4.csv
    says "4.csv:1: no column 'b'"
    is "1.csv,1
1.csv,2
4.csv,3" "bp-read --missing null -c _file,a 1.csv 4.csv | bp-write --header no"
    # whatever the threads and the batches, and a share takes what it takes without the column
    for i in $(seq 3000); do echo "$i,\"q
$i\",$((i % 7))"; done >rows
    for f in 5 6 7; do { echo a,b,c && cat rows; } >$f.csv; done
    gzip 6.csv && gzip -dc 6.csv.gz | bp-read -f csv - | bp-write 8.jsonl
    bp-map 'a, b, c, _file' 5.csv 6.csv.gz 7.csv 8.jsonl >one.arrow
    for opts in "-j 1 --mem 16M" "-j 4"; do
        BP_BATCH_ROWS=100 bp-map $opts 'a, b, c, _file' 5.csv 6.csv.gz 7.csv 8.jsonl | bp-write many.csv
        bp-write one.csv <one.arrow && cmp one.csv many.csv
    done
    is "5.csv,3000
6.csv.gz,3000
7.csv,3000
8.jsonl,3000" "bp-reduce -k _file 'count(*)' one.arrow | bp-sort _file | bp-write --header no"
    for i in 0 1 2 3; do bp-read --task $i/4 -c a,b 5.csv 7.csv | bp-write --task $i/4 -f csv bare/; done
    for i in 0 1 2 3; do bp-read --task $i/4 -c a,b,_file 5.csv 7.csv | bp-map -d _file | bp-write --task $i/4 -f csv with/; done
    for i in 0 1 2 3; do cmp bare/0000$i-of-00004.csv with/0000$i-of-00004.csv; done
}

@test "_file in joins, and in a merge of sorted inputs" {
    put l.csv 'k,x\n1,a\n2,b\n'
    put r.csv 'k,y\n1,c\n3,d\n'
    is "k,x,y
1,a,c" "bp-join -k k -w \"_file = 'l.csv' AND _file_r = 'r.csv'\" l.csv r.csv | bp-map k,x,y | bp-write"
    is "_file,k,x,y
r.csv,1,a,c" "bp-read -c k,x l.csv | bp-join -k k -w '_file IS NOT NULL' - r.csv | bp-map _file,k,x,y | bp-write"
    is "x,_file
a,l.csv
b,l.csv" "bp-join -b r.csv -t left -k k -w '_file < _file_r' l.csv | bp-map x,_file | bp-write"
    is "k
1" "bp-join -t semi -k 'k, _file = y' l.csv <(bp-map \"k, 'l.csv' AS y\" r.csv) | bp-map k | bp-write"
    put a.csv 'k\n1\n3\n'
    put b.csv 'k\n1\n2\n'
    is "k,_file
1,a.csv
1,b.csv
2,b.csv
3,a.csv" "bp-sort -m 'k, _file' a.csv b.csv | bp-write"
    is "k,_file
1,b.csv
2,b.csv
1,a.csv
3,a.csv" "bp-sort '_file DESC' a.csv b.csv | bp-write"
    is "k,_file
1,a.csv
1,b.csv" "bp-head -n 1 -k _file a.csv b.csv | bp-write"
    bp-stat -k _file a.csv b.csv >out
    grep -q 'a\.csv.*2' out
    # of a stream to a sink it is a column like others
    bp-map k,_file a.csv b.csv | bp-shuffle -k _file -n 2 st
    is "a.csv,2
b.csv,2" "bp-reduce -k _file 'count(*)' st | bp-sort _file | bp-write --header no"
}

@test "_part is the partition of a stage that a row is of" {
    for i in $(seq 40); do echo $i; done >rows
    { echo a && cat rows; } >a.csv
    for i in 0 1; do bp-read --task $i/2 a.csv | bp-shuffle --task $i/2 -k a -n 5 st; done
    for i in 0 1 2 3 4; do bp-map "a, $i AS _part" "st#$i"; done | bp-write want.csv
    for opts in "-j 1" "-j 3"; do
        BP_BATCH_ROWS=3 bp-map $opts a,_part st | bp-write got.csv
        cmp got.csv want.csv
    done
    # of the partition itself, also where it is one of a range or a share
    is "2
3" "bp-reduce -k _part 'count(*)' 'st#2-3' | bp-sort _part | bp-map _part | bp-write --header no"
    for i in 0 1 2; do bp-read --task $i/3 -c a,_part st | bp-write --task $i/3 -f csv parts/; done
    is "$(sort -n want.csv)" "bp-sort a parts/ | bp-write | sort -n"
    is "$(tail -n +2 want.csv | awk -F, '$2 > 2' | wc -l)" "bp-reduce 'count(*) FILTER (WHERE _part > 2)' st | bp-write --header no"
    # elsewhere there is none, and what a table has itself is taken
    fails 2 bp-map a,_part a.csv
    says "'a.csv' has no _part: it is not a stage"
    is ",40
$(bp-reduce -k _part 'count(*)' st | bp-sort _part | bp-write --header no)" "bp-reduce --missing null -k _part 'count(*)' st a.csv | bp-sort '_part NULLS FIRST' | bp-write --header no"
    fails 2 bp-map a,_part <(bp-read st)
    says "no column '_part'"
    is "_part
x" "printf '_part\nx\n' >own.csv; bp-read -c _part own.csv | bp-write"
}

# The number of the line that each record begins in, by Python: want.csv, of FILE
lines_by_python() {
    "${BP_PYTHON:-python3}" - "$1" >want.csv <<'END'
import csv, re, sys
text = open(sys.argv[1], newline="").read()
reader = csv.reader(re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text))
before = 0
for i, record in enumerate(reader):
    if i:
        print(f"{record[0]},{before + 1}")
    before = reader.line_num
END
}

@test "_line is the line that a record of CSV begins in, whatever the threads, the memory and the task" {
    # quoted lines of all kinds; a bare CR and a quote inside a field, which the slow path reads
    awk 'BEGIN { printf "a,\"b\r\nx\",c\r\n"
        for (i = 0; i < 20000; i++) {
            b = i % 5 == 0 ? "\"x\ny\"\"\r\n\r\n\"" : i % 7 == 0 ? "\"p\rq\n\n\"" : i % 11 ? "t" i : "\"z\""
            if (i % 3001 == 3000) b = "un\"quoted"
            printf "%d,%s,%d%s", i, b, i % 9, i % 4001 == 4000 ? "\r" : i % 3 ? "\n" : "\r\n"
        }
        printf "-1,last,0" }' >f.csv
    lines_by_python f.csv
    [ "$(wc -l <want.csv)" = 20001 ]
    for opts in "-j 1" "-j 4" "-j 2 --mem 16M" "--on-error skip"; do
        BP_BATCH_ROWS=777 bp-read $opts -c a,_line f.csv | bp-write --header no got.csv
        cmp got.csv want.csv
    done
    bp-map a,_line <f.csv 2>/dev/null && return 1
    bp-read -f csv -c a,_line - <f.csv | bp-write --header no got.csv
    cmp got.csv want.csv
    gzip -k f.csv
    bp-map -j 3 a,_line f.csv.gz | bp-write --header no got.csv
    cmp got.csv want.csv
    for i in 0 1 2 3 4; do bp-read --task $i/5 -c a,_line f.csv | bp-write --task $i/5 -f csv --header no parts/; done
    cat parts/*.csv | cmp - want.csv
    # plain records, and what is left out
    seq 60000 | sed 's/$/,x/' >rows
    { echo a,b && cat rows; } >g.csv
    is "60000,1800090000" "bp-filter \"_file = 'g.csv' AND _line = a + 1\" g.csv | bp-reduce 'count(*), sum(_line)' | bp-write --header no"
    put bl.csv 'a,b\n1,2\n\n3,4\nx\n5,6\n\n\n'
    is "1,2
3,4
5,6" "bp-read --on-error skip -c a,_line bl.csv 2>/dev/null | bp-write --header no"
}

@test "_line of JSON Lines, of several files, and where there is none" {
    for i in $(seq 9000); do
        [ $((i % 9)) != 0 ] || printf '\n  \r\n'
        echo "{\"a\":$i,\"b\":\"x\\ny\"}"
    done >f.jsonl
    grep -n a f.jsonl | sed 's/^\([0-9]*\):{"a":\([0-9]*\).*/\2,\1/' >want.csv
    for opts in "-j 1" "-j 4 --mem 16M"; do
        BP_BATCH_ROWS=777 bp-read $opts -c a,_line f.jsonl | bp-write --header no got.csv
        cmp got.csv want.csv
    done
    for i in 0 1 2; do bp-read --task $i/3 -c a,_line f.jsonl | bp-write --task $i/3 -f csv --header no parts/; done
    cat parts/*.csv | cmp - want.csv
    put 1.csv 'a\n1\n\n2\n'
    put 2.tsv 'a\n7\n'
    put own.csv '_line,a\nx,1\n'
    is "a,_file,_line
1,1.csv,2
,1.csv,3
2,1.csv,4
7,2.tsv,2" "bp-map a,_file,_line 1.csv 2.tsv | bp-write"
    is "_line
2
3
4" "bp-read -c _line 1.csv | bp-write"
    is "2" "bp-read -c a -w '_line > 3' 1.csv | bp-write --header no"
    is "1
2" "bp-read --header no -s 'b text, a text' -c _line own.csv | bp-write --header no"
    is "x" "bp-read -c _line own.csv | bp-write --header no"
    bp-read 1.csv | bp-write 1.parquet
    fails 2 bp-map a,_line 1.parquet
    says "'1.parquet' has no _line: it is not CSV, TSV or JSON Lines"
    is ",1
,
,2
2,7" "bp-map --missing null _line,a 1.parquet 2.tsv | bp-write --header no"
    is "1,2
2,4" "bp-join -t semi -k a -w '_line > 1' 1.csv 1.parquet | bp-read -c a - | bp-join -k a - <(bp-map a,_line 1.csv) | bp-write --header no"
    bp-read 2.tsv | bp-filter 'a < 0' | bp-write -f csv none/
    is "a,_line" "bp-map a,_line none/ | bp-write"
}
