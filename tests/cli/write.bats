#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bp-write into directories: by value, whole or not at all, whatever memory and files there are.
load lib

odd_values() {
    put in.csv 'k,t,v\n1,a,10\n2,b,20\n1,a,11\n,,12\n3,"",13\n3,..,14\n3,.,15\n3,x/y,16\n3,"n\nl",17\n3,%2e,18\n3,__HIVE_DEFAULT_PARTITION__,19\n3,"q""'"'"'",20\n3,a=b,21\n3,.tmp-x,22\n3,_s,23\n'
}

@test "--by makes a directory for each value, with Hive's escapes, and leaves the columns out" {
    odd_values
    bp-read in.csv | bp-write -f csv --by 't' out/
    (cd out && find . -type f | LC_ALL=C sort) >got
    cat >want <<'END'
./_SUCCESS
./t=%252e/00000-of-00001.csv
./t=../00000-of-00001.csv
./t=./00000-of-00001.csv
./t=.tmp-x/00000-of-00001.csv
./t=/00000-of-00001.csv
./t=__HIVE_DEFAULT_PARTITION_%5F/00000-of-00001.csv
./t=__HIVE_DEFAULT_PARTITION__/00000-of-00001.csv
./t=_s/00000-of-00001.csv
./t=a%3Db/00000-of-00001.csv
./t=a/00000-of-00001.csv
./t=b/00000-of-00001.csv
./t=n%0Al/00000-of-00001.csv
./t=q%22%27/00000-of-00001.csv
./t=x%2Fy/00000-of-00001.csv
END
    same got want
    [ "$(cat out/t=a/00000-of-00001.csv)" = "k,v
1,10
1,11" ]
    head -n 5 out/_SUCCESS >got
    printf 'batchpipe\t1\nby\tt\ttext\ncolumn\tk\tbigint\ncolumn\tv\tbigint\nfile\t1\t9\tt=%%252e/00000-of-00001.csv\n' >want
    same got want
}

@test "--by takes several columns, of any type, in the order given" {
    put in.csv 'd,f,b,v\n2024-01-02,1.5,true,1\n2024-01-02,-0,false,2\n2024-01-03,0,true,3\n,NaN,,4\n'
    bp-read -s 'd date, f float8, b boolean, v int' in.csv | bp-write -f csv --by 'B, d' out
    [ "$(cd out && find . -name '*.csv' | LC_ALL=C sort)" = "./b=__HIVE_DEFAULT_PARTITION__/d=__HIVE_DEFAULT_PARTITION__/00000-of-00001.csv
./b=false/d=2024-01-02/00000-of-00001.csv
./b=true/d=2024-01-02/00000-of-00001.csv
./b=true/d=2024-01-03/00000-of-00001.csv" ]
    bp-read -s 'd date, f float8, b boolean, v int' in.csv | bp-write -f csv --by f out
    [ "$(cat out/f=0/00000-of-00001.csv)" = "d,b,v
2024-01-02,false,2
2024-01-03,true,3" ]
}

@test "a pattern makes a file for each value, whose name no value can hide or lead astray" {
    odd_values
    bp-read in.csv | bp-write 'out/{t}.csv'
    (cd out && find . -type f | LC_ALL=C sort) >got
    cat >want <<'END'
./%.csv
./%252e.csv
./%2E..csv
./%2E.csv
./%2Etmp-x.csv
./%5F_HIVE_DEFAULT_PARTITION_%5F.csv
./%5F_HIVE_DEFAULT_PARTITION__.csv
./%5Fs.csv
./_SUCCESS
./a%3Db.csv
./a.csv
./b.csv
./n%0Al.csv
./q%22%27.csv
./x%2Fy.csv
END
    same got want
    [ "$(cat out/a.csv)" = "k,t,v
1,a,10
1,a,11" ]
    bp-read in.csv | bp-write 'deep/{k}/of-{t}.jsonl.gz'
    [ "$(zcat deep/1/of-a.jsonl.gz)" = '{"k":1,"t":"a","v":10}
{"k":1,"t":"a","v":11}' ]
}

@test "two values that one name would stand for are refused" {
    put in.csv 'a,b\n1,23\n12,3\n'
    fails 1 bash -c "bp-read in.csv | bp-write 'out/{a}{b}.csv'"
    says "'out/123.csv' would be the name of the files of two different values"
    [ ! -e out ]
}

@test "a value too long for a name is refused, and nothing is written" {
    long=$(printf 'x%.0s' $(seq 300))
    put in.csv "t,v\n$long,1\n"
    fails 1 bash -c 'bp-read in.csv | bp-write -f csv --by t out/'
    says 'is too long to be a name'
    [ -z "$(find . -name 'out*' -o -name '.tmp*')" ]
}

@test "what cannot be written by value is said before anything is read" {
    put in.csv 'a,b\n1,2\n'
    fails 2 bash -c 'bp-read in.csv | bp-write -f csv --by nope out/'
    says "no column 'nope'"
    fails 2 bash -c 'bp-read in.csv | bp-write -f csv --by a,b out/'
    says '--by names all columns'
    fails 2 bash -c 'bp-read in.csv | bp-write -f csv --by a,a out/'
    says "names 'a' twice"
    fails 2 bash -c 'bp-read in.csv | bp-write -f csv --by a'
    says '--by writes into a directory'
    fails 2 bash -c "bp-read in.csv | bp-write '{a}.csv'"
    says 'a directory of their own'
    fails 2 bash -c "bp-read in.csv | bp-write 'out/{nope}.csv'"
    says "no column 'nope'"
    fails 2 bash -c "bp-read in.csv | bp-write -f csv --by a ."
    says "'.' cannot be replaced as a whole"
    [ "$(ls -A)" = in.csv ]
}

@test "the same output again replaces the directory as a whole; files from elsewhere are safe" {
    put one.csv 'a,b\n1,2\n3,4\n'
    put two.csv 'a,b\n1,5\n'
    bp-read one.csv | bp-write -f csv --by a out
    bp-read two.csv | bp-write -f csv --by a out
    [ "$(find out -type f | sort)" = "out/_SUCCESS
out/a=1/00000-of-00001.csv" ]
    put out/a=1/mine.txt precious
    fails 1 bash -c 'bp-read one.csv | bp-write -f csv --by a out'
    says "'out' holds 1 file that bp-write did not write there as one output ('a=1/mine.txt')"
    says --replace
    [ "$(cat out/a=1/mine.txt)" = precious ]
    [ "$(cat out/a=1/00000-of-00001.csv)" = "b
5" ]
    bp-read one.csv | bp-write -f csv --by a --replace out
    [ ! -e out/a=1/mine.txt ] && [ -e out/a=3/00000-of-00001.csv ]
    [ "$(ls -A)" = "one.csv
out
two.csv" ]
}

@test "an input that fails leaves the old directory, and no rubbish" {
    put one.csv 'a,b\n1,2\n3,4\n'
    bp-read one.csv | bp-write -f csv --by a out
    cp -r out want
    fails 1 bash -c 'bp-read one.csv | bp-map "a, 1 / (b - 4) AS b" | bp-write -f csv --by a out'
    diff -r out want
    [ "$(ls -A)" = "one.csv
out
want" ]
}

@test "a symbolic link to a directory keeps being one" {
    put one.csv 'a,b\n1,2\n'
    mkdir -p real/place
    ln -s real/place out
    bp-read one.csv | bp-write -f csv --by a out/
    [ -L out ] && [ -e real/place/a=1/00000-of-00001.csv ]
    [ "$(ls -A real)" = place ]
}

@test "killed at any moment, the directory is the old one or the new one" {
    seq 60000 | awk 'BEGIN { print "a,b" } { print $1 % 40 "," $1 }' >new.csv
    put old.csv 'a,b\n1,2\n3,4\n'
    bp-read new.csv | bp-write -f csv --by a new
    bp-read new.csv >new.arrows
    bp-read old.csv | bp-write -f csv --by a old
    for i in $(seq 16); do
        [ -e out ] || cp -r old out
        bp-write -f csv --by a out <new.arrows &
        pid=$!
        sleep "0.0$(printf '%02d' $((i * 3)))"
        kill -KILL $pid 2>/dev/null || true
        wait $pid || true
        if diff -rq out new >/dev/null; then rm -r out; else diff -r out old; fi
    done
    rm -rf out
    bp-write -f csv --by a out <new.arrows
    diff -r out new
    [ -z "$(find . -name '.tmp*')" ]
}

@test "thousands of values with few open files and little memory: the same files, within the bound" {
    seq 300000 | awk 'BEGIN { srand(5); print "k,n,note" }
        { k = int(rand() * 5000); printf "%d,%d,%s\n", k, $1, "some text about " k * 7 % 1000 }' >rows.csv
    bp-read rows.csv >rows.arrows
    bp-write --mem 1G -f csv --by k want <rows.arrows
    (
        ulimit -n 64
        for f in csv arrow; do
            "$BP_PYTHON" -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
                bp-write --mem 16M -f $f --by k got_$f <rows.arrows >peak_$f
        done
        bp-write --mem 16M -f csv 'files/{k}.csv' <rows.arrows
    )
    diff -r want got_csv
    [ "$(find got_arrow -name '*.arrow' | wc -l)" -eq "$(find want -name '*.csv' | wc -l)" ]
    [ "$(bp-read got_arrow/k=17/00000-of-00001.arrow | bp-write)" = "$(cat want/k=17/00000-of-00001.csv)" ]
    awk -F, 'NR > 1 && $1 == 4999 { print $2 "," $3 }' rows.csv | cmp - <(tail -n +2 want/k=4999/00000-of-00001.csv)
    awk -F, 'NR == 1 || $1 == 4999' rows.csv | cmp - files/4999.csv
    if [[ $BP_BUILD != */san-* ]]; then
        [ "$(cat peak_csv)" -le $((28 * 1024)) ]
        [ "$(cat peak_arrow)" -le $((28 * 1024)) ]
    fi
}

@test "a directory by value is read with its columns, typed by its list, else by -s, else text" {
    put in.csv 'd,k,t,v\n2024-01-02,1,a,10\n2024-01-02,,"",11\n,2,x/y,12\n'
    for f in csv tsv jsonl arrow parquet; do
        bp-read in.csv | bp-write -f $f --by d,k out_$f
        [ "$(bp-read -c v,t,k,d out_$f | bp-sort v | bp-write)" = 'v,t,k,d
10,a,1,2024-01-02
11,"",,2024-01-02
12,x/y,2,' ]
        # (a Parquet text that is all codes is a dictionary)
        [ "$(bp-schema --sql out_$f | sed 's/ DICTIONARY//' | tr -d '\n ')" = "ttext,vbigint,ddate,kbigint" ]
    done
    [ "$(bp-read -w "d = '2024-01-02' AND k IS NULL" -c v out_arrow | bp-write)" = "v
11" ]
    [ "$(bp-read -c k out_csv | bp-sort k | bp-write)" = "$(printf 'k\n1\n2\n\n')" ]
    rm out_*/_SUCCESS
    [ "$(bp-schema --sql out_arrow | tr -d '\n ')" = "ttext,vbigint,dtext,ktext" ]
    [ "$(bp-read -s 'k smallint, d date' out_parquet | bp-schema --sql | sed "s/ DICTIONARY//" | tr -d '\n ')" = "ttext,vbigint,ddate,ksmallint" ]
    [ "$(bp-read -s 't text, v int, d date, k int' out_csv | bp-schema --sql | tr -d '\n ')" = "ttext,vinteger,ddate,kinteger" ]
    fails 1 bp-read -s 'd int, *' out_csv
    says "column d: '2024-01-02' in the name of a directory is not a integer"
    mkdir -p clash/v=1 && bp-read in.csv | bp-write clash/v=1/a.arrow
    fails 1 bp-read clash
    says "column 'v' stands in the file and in the name of its directory"
}

@test "a directory by value that lost a file, or got one from elsewhere, is refused" {
    put in.csv 'a,b\n1,2\n3,4\n'
    bp-read in.csv | bp-write -f csv --by a out
    cp -r out lost && rm lost/a=1/00000-of-00001.csv
    fails 1 bp-read lost
    says "'lost' is not complete: 'a=1/00000-of-00001.csv'"
    cp -r out more && put more/a=1/x.csv 'b\n9\n'
    fails 1 bp-read more
    says "'more' holds 'a=1/x.csv', which its _SUCCESS does not list"
    cp -r out cut && put cut/a=1/00000-of-00001.csv 'b\n'
    fails 1 bp-read cut
    says 'has 2 bytes, but was written with 4'
    cp -r out bad && sed -i 3s/.// bad/_SUCCESS
    fails 1 bp-read bad
    says "'bad/_SUCCESS'"
    [ "$(bp-reduce 'count(*) AS n' out | bp-write)" = "n
2" ]
}

@test "what is written with too little memory is refused with the figure that would do" {
    awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%sc%d", i ? "," : "", i; print ""
        for (r = 0; r < 300; r++) for (i = 0; i < 1000; i++) printf "t%d%s", r * i, i < 999 ? "," : "\n" }' >wide.csv
    bp-read wide.csv >wide.arrows
    for f in 'bp-write o.parquet' 'bp-write -f parquet --by c0 o' 'bp-write -f csv --by c0 o'; do
        fails 2 bash -c "$f --mem 16M <wide.arrows"
        says '16 MiB of memory (--mem) are too few: this needs'
        need=$(grep -o '[0-9]*M at least' <<<"$output")
        $f --mem "${need%% *}" <wide.arrows
        rm -r o*
    done
    fails 2 bp-read --mem 16M wide.csv
    need=$(grep -o '[0-9]*M at least' <<<"$output")
    bp-read --mem "${need%% *}" -j 8 wide.csv | cmp - wide.arrows
    bp-read --mem 16M -c c7 wide.csv | bp-head -n 1 >got # few columns take little
    bp-write --mem 16M -j 8 <wide.arrows | cmp - wide.csv
}

@test "what is known of more values than memory has room for is an error that says so" {
    seq 400000 | sed '1i k' | bp-read -s 'k int' | bp-map 'k, k AS v' >many.arrows
    fails 1 bash -c 'bp-write --mem 16M -f csv --by k out <many.arrows'
    says 'different values, and what is known of each takes all of the memory'
    [ "$(ls -A)" = many.arrows ]
}
