#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CSV in and out, as a user meets it.
load lib

# reads CSV EXPECTED: bp-read | bp-write gives EXPECTED
reads() {
    put in.csv "$1"
    put want.csv "$2"
    bp-read in.csv | bp-write >got.csv
    same want.csv got.csv
}

@test "a plain file comes out as it went in" {
    reads 'a,b\n1,x\n2,y\n' 'a,b\n1,x\n2,y\n'
}
@test "a BOM is stripped" {
    reads '\xEF\xBB\xBFa,b\n1,x\n' 'a,b\n1,x\n'
}
@test "CRLF with a last LF" {
    reads 'a,b\r\n1,x\r\n2,y\n' 'a,b\n1,x\n2,y\n'
}
@test "no newline at the end" {
    reads 'a,b\n1,x' 'a,b\n1,x\n'
}
@test "blanks around numbers and dates are taken, text keeps its own" {
    reads 'a,b,c\n 1 , 2020-01-02 , x \n' 'a,b,c\n1,2020-01-02, x \n'
}
@test "quoted newlines, delimiters and quotes" {
    reads 'a,b\n"x\ny",1\n"p,q",2\n"say ""hi""",3\n' 'a,b\n"x\ny",1\n"p,q",2\n"say ""hi""",3\n'
}
@test "a quote inside an unquoted field is itself" {
    put in.csv 'a,b\n5" disk,1\n'
    [ "$(bp-read in.csv | bp-map "length(a) AS n" | bp-write)" = "n
7" ]
}
@test "empty is NULL, quoted empty is the empty text" {
    put in.csv 'a,b\n,1\n"",2\n'
    [ "$(bp-read in.csv | bp-map 'a IS NULL AS n' | bp-write)" = "n
true
false" ]
    reads 'a,b\n,1\n"",2\n' 'a,b\n,1\n"",2\n'
}
@test "one column with empty rows" {
    put in.csv 'a\n1\n\n3\n'
    [ "$(bp-read in.csv | bp-reduce 'count(*) AS rows, count(a) AS a' | bp-write)" = "rows,a
3,2" ]
}
@test "empty lines at the end of a wide file are ignored" {
    reads 'a,b\n1,2\n\n\n' 'a,b\n1,2\n'
}
@test "a header only is an empty table" {
    reads 'a,b\n' 'a,b\n'
}
@test "01001 stays text, 0 and 1 are numbers, a point makes a float" {
    put in.csv 'zip,flag,x,t,big\n01001,0,1,true,99999999999999999999\n02002,1,2.5,false,1\n'
    run bp-schema --sql in.csv
    [ "$status" -eq 0 ]
    says 'zip text'
    says 'flag bigint'
    says 'x double precision'
    says 't boolean'
    says 'big text'
}
@test "dates and timestamps are told" {
    put in.csv 'd,t,z\n2020-01-02,2020-01-02 03:04:05,2020-01-02 03:04:05+01\n'
    run bp-schema --sql in.csv
    says 'd date'
    says 't timestamp'
    says 'z timestamptz'
}
@test "2,000 columns" {
    { seq -s, 1 2000 | sed 's/[0-9][0-9]*/c&/g'; seq -s, 1 2000; seq -s, 2001 4000; } >in.csv
    bp-read in.csv | bp-write >got.csv
    same in.csv got.csv
}
@test "a ragged row is refused with file and line" {
    put in.csv 'a,b\n1,2\n3\n'
    fails 1 bp-read in.csv
    says 'in.csv:3'
    put in.csv 'a,b\n1,2\n3,4,5\n'
    fails 1 bp-read in.csv
    says 'in.csv:3'
}
@test "a bad number at line 301 is named with file, line, column, text" {
    awk 'BEGIN { print "a,total_amount"; for (i = 1; i < 300; i++) print i ",1.50"; print "300,\"12,5\""; print "301,2" }' >in.csv
    fails 1 bp-read -s 'a int, total_amount decimal(10,2)' in.csv
    says "in.csv:301: column total_amount: '12,5' is not a decimal(10,2)"
}
@test "a line number counts quoted newlines" {
    put in.csv 'a,b\n"x\ny\nz",1\nw,bad\n'
    fails 1 bp-read -s 'a text, b int' in.csv
    says 'in.csv:5'
}
@test "an empty file needs a schema" {
    : >in.csv
    fails 1 bp-read in.csv
    says 'in.csv'
    [ "$(bp-read -s 'a int' in.csv | bp-write)" = a ]
}
@test "an extra or a missing column is named" {
    put in.csv 'a,b\n1,2\n'
    fails 1 bp-read -s 'a int' in.csv
    says "'b'"
    fails 1 bp-read -s 'a int, b int, c int' in.csv
    says "'c'"
}
@test "a schema file, _schema beside the data, and * for the rest" {
    put d/in.csv 'a,b,c\n1,2,3\n'
    put s.sql '-- the columns\na smallint, *\n'
    run bp-schema --sql -s @s.sql d/in.csv
    says 'a smallint'
    says 'b bigint'
    put d/_schema 'c text, b real, a int'
    run bp-schema --sql d/in.csv
    says 'b real'
    run bp-schema --sql d
    says 'b real'
}
@test "two files match by name; another order is no matter, a missing column is" {
    put 1.csv 'a,b\n1,x\n'
    put 2.csv 'b,a\ny,2\n'
    put 3.csv 'a\n3\n'
    [ "$(bp-read 1.csv 2.csv | bp-write)" = "a,b
1,x
2,y" ]
    fails 1 bp-read 1.csv 3.csv
    says '3.csv'
    [ "$(bp-read --missing null 1.csv 3.csv | bp-write)" = "a,b
1,x
3," ]
}
@test "a directory and a glob are their files by name" {
    put d/2.csv 'a\n2\n'
    put d/1.csv 'a\n1\n'
    put d/.hidden 'x\n'
    [ "$(bp-read d | bp-write)" = "a
1
2" ]
    [ "$(bp-read 'd/*.csv' | bp-write)" = "a
1
2" ]
}
@test "without a header, columns go by position" {
    put in.csv '1,x\n2,y\n'
    [ "$(bp-read --header no -s 'n int, t text' in.csv | bp-write)" = "n,t
1,x
2,y" ]
}
@test "--delim, --quote, --null, TSV" {
    put in.txt "a;b\n'x;y';NA\n"
    [ "$(bp-read -f csv --delim ';' --quote "'" --null NA in.txt | bp-write)" = "a,b
x;y," ]
    put in.tsv 'a\tb\n1\tx,y\n'
    [ "$(bp-read in.tsv | bp-write)" = 'a,b
1,"x,y"' ]
    bp-read in.tsv | bp-write out.tsv
    same in.tsv out.tsv
}
@test "compressed text and streams are read whatever their name, with and without threads" {
    printf 'id,t\n' >in.csv
    seq 1 60000 | sed 's/.*/&,text &/' >>in.csv
    bp-read in.csv >plain.arrows
    for c in 'gzip:gzip -c' 'zstd:zstd -qc' 'lz4:lz4 -qc' 'bzip2:bzip2 -c' 'xz:xz -0c'; do
        ${c#*:} in.csv >"${c%%:*}"
        ${c#*:} plain.arrows >stream
        for j in 1 2; do
            bp-read -j $j "${c%%:*}" | bp-write | cmp - in.csv
            bp-read -j $j - <"${c%%:*}" | bp-write | cmp - in.csv
        done
        bp-read stream | bp-write | cmp - in.csv
        head -c 1000 "${c%%:*}" >cut
        fails 1 bp-read -j 2 cut
        says 'ends early'
    done
}

@test "what is guessed of a stream is what is guessed of a file, in little memory" {
    awk 'BEGIN {
        print "a,b,c"
        for (i = 0; i < 150000; i++)
            printf "%s,\"two\nlines %d\",%s\n", i == 140000 ? "1.5" : i, i, i == 70000 ? "" : i % 2
        printf "1,\"%400000s\",2\n2,x,2.5\n", "" }' >in.csv
    [ "$(bp-schema --sql in.csv)" = "$(gzip -k in.csv && bp-schema --sql in.csv.gz)" ]
    bp-schema --sql in.csv | grep -q 'a double precision'
    bp-schema --sql in.csv | grep -q 'c double precision'
    { echo a; yes 1 | head -n 6000000; } | gzip -1 >narrow.csv.gz
    bp-read --mem 16M --stats narrow.csv.gz 2>stats >/dev/null
    peak_below $((16 << 20)) stats
}

@test "a row that memory does not hold is refused, a bomb too, and never cut" {
    row() { head -c "$1" /dev/zero | tr '\0' x; echo; }
    { echo a; echo 1; row 6000000; echo 2; } >wide.csv
    { echo a; echo 1; printf '"'; row 6000000; echo 2; } >open.csv
    { row 6000000; echo 2; } >head.csv
    for f in wide open head; do
        gzip -1k $f.csv
        for j in 1 2; do
            for i in $f.csv $f.csv.gz; do
                fails 1 bp-read -j $j --mem 16M -s 'a text' $i
                says "$i:"
                says 'the row is longer than 4 MiB (a quarter of --mem'
            done
        done
    done
    [ "$(bp-read --mem 64M -s 'a text' wide.csv.gz | bp-map 'length(a) AS n' | bp-write --header no | tr '\n' ' ')" = '1 6000000 1 ' ]
    { echo a; for n in 3000000 3900000 10 2100000 2000000 3500000; do row $n; done; } >rows.csv
    gzip -1k rows.csv
    for j in 1 2; do
        [ "$(bp-read -j $j --mem 16M -s 'a text' rows.csv.gz | bp-map --mem 64M 'length(a) AS n' | bp-write --header no | tr '\n' ' ')" = '3000000 3900000 10 2100000 2000000 3500000 ' ]
    done
    { echo 'a,b'; echo 'x"y,1'; yes 'some text,2' | head -n 600000; } >stray.csv
    gzip -1k stray.csv
    for m in 16M 256M; do # no border is seen in it until the slow path looks
        bp-read --mem $m -s 'a text, b int' stray.csv.gz | bp-reduce -k a 'sum(b) AS s' | bp-sort a | bp-write >got
        [ "$(cat got)" = 'a,s
some text,1200000
"x""y",1' ]
    done
    head -c 100000000 /dev/zero | gzip -1 >bomb.gz
    fails 1 bp-read --mem 16M -f csv --header no bomb.gz
    says 'bomb.gz:1: the row is longer than 4 MiB'
}

@test "gzip is read, damaged gzip refused" {
    put in.csv 'a,b\n1,x\n2,y\n'
    gzip -k in.csv
    [ "$(bp-read in.csv.gz | bp-write)" = "$(cat in.csv)" ]
    head -c 20 in.csv.gz >cut.csv.gz
    fails 1 bp-read cut.csv.gz
    says 'cut.csv.gz'
}
@test "invalid UTF-8 and NUL bytes are refused with the place" {
    put in.csv 'a,b\n1,x\n2,\xff\n'
    fails 1 bp-read in.csv
    says 'in.csv:3'
    put in.csv 'a,b\n1,x\n2,y\x00z\n'
    fails 1 bp-read in.csv
    says 'in.csv:3'
}
@test "invalid UTF-8 is refused in a text that repeats, too, each time that it stands there" {
    LC_ALL=C awk 'BEGIN { for (i = 1; i <= 300000; i++)
        printf "%s,%d\n", i % 60000 == 0 ? "Z\xfcrich" : i % 3 ? "Z\xc3\xbcrich" : "Bern", i }' >in.csv
    fails 1 bp-read --header no -s 'place text, n bigint' in.csv
    says 'in.csv:60000'
    says '0xfc'
    LC_ALL=C grep -av "$(printf 'Z\374rich')" in.csv >want.csv
    for j in 1 2; do
        bp-read -j $j --on-error skip --header no -s 'place text, n bigint' in.csv |
            bp-write --header no >got.csv
        same want.csv got.csv
    done
}
@test "an unterminated quote is refused" {
    put in.csv 'a,b\n1,"x\n2,y\n'
    fails 1 bp-read in.csv
    says 'in.csv'
}
@test "a value that breaks the guess names the -s to pass" {
    awk 'BEGIN { print "a,b"; for (i = 0; i < 2400001; i++) print (i == 1200000 ? "x" : i % 200000) "," i % 200000 }' >in.csv
    run bash -c 'bp-read in.csv 2>&1 >/dev/null'
    if [ "$status" -eq 0 ]; then skip "the sample saw it"; fi
    [ "$status" -eq 1 ]
    says 'in.csv:1200002'
    says '-s'
}
@test "every record is in exactly one share, quoted newlines at the borders included" {
    awk 'BEGIN { print "id,t"; for (i = 1; i <= 997; i++) { s = ""; for (k = 0; k < i % 7; k++) s = s "line " k "\n"; printf "%d,\"%s,%d\"\n", i, s, i } }' >in.csv
    bp-read in.csv | bp-write >whole.csv
    for n in $(seq 1 20); do
        for i in $(seq 0 $((n - 1))); do
            bp-read --task "$i/$n" in.csv
        done | bp-write >got.csv
        same whole.csv got.csv
    done
}
@test "shares run over several files, N beyond the records too" {
    put 1.csv 'a,b\n1,"x\ny"\n2,z\n'
    put 2.csv 'a,b\n3,"p\n\nq"\n'
    put 3.csv 'a,b\n'
    bp-read 1.csv 2.csv 3.csv | bp-write >whole.csv
    for n in 2 5 13 40; do
        for i in $(seq 0 $((n - 1))); do bp-read --task "$i/$n" 1.csv 2.csv 3.csv; done | bp-write >got.csv
        same whole.csv got.csv
    done
}
@test "-c gives the columns in its order, -w uses others" {
    put in.csv 'a,b,c\n1,2,3\n4,5,6\n'
    [ "$(bp-read -c 'c, a' in.csv | bp-write)" = "c,a
3,1
6,4" ]
    [ "$(bp-read -c 'c, a' -w 'b > 2' in.csv | bp-write)" = "c,a
6,4" ]
    fails 2 bp-read -c nope in.csv
    says nope
}
@test "money keeps its cents, floats their shortest form" {
    put in.csv 'd,f\n0.10,0.1\n-12345678901234.99,1e300\n7.00,0.30000000000000004\n'
    [ "$(bp-read -s 'd decimal(16,2), f double precision' in.csv | bp-write)" = "d,f
0.10,0.1
-12345678901234.99,1e+300
7.00,0.30000000000000004" ]
}
@test "bp-schema --infer writes what -s reads and --diff agrees with" {
    mkdir d
    put d/1.csv '"order",x y,t,d,m,u\n1,0.5,2024-01-02 03:04:05,2024-01-02,true,01\n'
    put d/2.csv '"order",x y,t,d,m,u\n9223372036854775807,,2024-01-02,2024-01-03,false,b\n'
    bp-schema --infer d >s.sql
    run cat s.sql
    says '"order" bigint'
    says '"x y" double precision'
    says 't timestamp'
    says 'd date'
    says 'm boolean'
    says 'u text'
    bp-schema --diff s.sql d
    bp-read d | bp-write >want.csv
    bp-read -s @s.sql d | bp-write >got.csv
    same want.csv got.csv
    bp-schema --infer d/*.csv >d/_schema # which is there, and empty, before it is written
    same s.sql d/_schema
    bp-schema --infer d | same /dev/stdin s.sql
    fails 2 bp-schema --infer --json d
}
@test "a late violation prints the -s to pass, and that is right" {
    { echo 'k,v'; seq 1 2000000 | sed 's/$/,1/'; echo '5,x7'; seq 1 2000000 | sed 's/$/,1/'; } >in.csv
    fails 1 bp-read in.csv
    says "in.csv:2000002: column v: 'x7'"
    s=$(printf '%s\n' "$output" | sed -n "s/.*pass -s '\(.*\)'.*/\1/p")
    [ "$s" = 'v text, *' ]
    bp-read -s "$s" in.csv | bp-reduce 'count(*) AS n, max(v) AS m' | bp-write >got.csv
    put want.csv 'n,m\n4000001,x7\n'
    same want.csv got.csv
}
